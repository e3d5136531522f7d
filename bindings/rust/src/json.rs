// SPDX-License-Identifier: Apache-2.0
//! Reads JSON that a program made. It may be nested deeper than serde_json accepts, and its strings may contain halves
//! of surrogate pairs, which JavaScript allows and Rust does not.

use serde::de::DeserializeOwned;

/// Anything nested deeper is read as null, because dropping a deep value would overflow the stack.
const DEEPEST: usize = 100;

/// Reads JSON that a program made. Anything nested too deeply becomes null.
pub(crate) fn read<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(text).or_else(|_| serde_json::from_slice(&mend(text).0))
}

/// Reads the arguments that a program passed to a function. The error says why they cannot be read.
pub(crate) fn read_whole<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    if let Ok(value) = serde_json::from_slice(text) {
        return Ok(value);
    }
    let (mended, is_cut) = mend(text);
    if is_cut {
        return Err(format!("an argument is nested deeper than {DEEPEST}"));
    }
    serde_json::from_slice(&mended).map_err(|error| error.to_string())
}

/// The text in a form that serde_json accepts, and whether something was nested too deeply.
fn mend(text: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(text.len());
    let (mut depth, mut at, mut is_cut) = (0, 0, false);
    while at < text.len() {
        let byte = text[at];
        let end = if byte == b'"' { string_end(text, at) } else { at + 1 };
        if matches!(byte, b'[' | b'{') {
            depth += 1;
        }
        if depth <= DEEPEST {
            mend_string(&text[at..end], &mut out);
        } else if matches!(byte, b'[' | b'{') && depth == DEEPEST + 1 {
            out.extend(b"null");
            is_cut = true;
        }
        if matches!(byte, b']' | b'}') {
            depth = depth.saturating_sub(1);
        }
        at = end;
    }
    (out, is_cut)
}

fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < text.len() && text[at] != b'"' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(text.len())
}

/// Copies a token. A half of a surrogate pair becomes U+FFFD.
fn mend_string(text: &[u8], out: &mut Vec<u8>) {
    let unit = |at: usize| {
        let hex = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
    };
    let mut at = 0;
    while at < text.len() {
        let (length, is_half) = match unit(at) {
            Some(0xd800..=0xdbff) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => (12, false),
            Some(0xd800..=0xdfff) => (6, true),
            Some(_) => (6, false),
            None if text[at] == b'\\' => (2, false),
            None => (1, false),
        };
        let end = (at + length).min(text.len());
        out.extend(if is_half { b"\\ufffd" } else { &text[at..end] });
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, Value};

    #[test]
    fn what_is_deep_or_half_is_read() {
        let deep = format!("{{\"a\":{}1{},\"b\":\"[\\\"\"}}", "[".repeat(5000), "]".repeat(5000));
        let value: Value = read(deep.as_bytes()).unwrap();
        assert_eq!(value["b"], json!("[\""));
        let mut inner = &value["a"];
        for _ in 0..DEEPEST - 2 {
            inner = &inner[0];
        }
        assert_eq!(inner[0], json!(null));
        assert!(read_whole::<Value>(deep.as_bytes()).unwrap_err().contains("deeper than 100"));
        let halves = r#"["\ud800","\ude00\ud83d","\ud83d\ude00","\\ud800","\"\ud800"]"#;
        let expected = json!(["\u{fffd}", "\u{fffd}\u{fffd}", "\u{1f600}", "\\ud800", "\"\u{fffd}"]);
        assert_eq!(read_whole::<Value>(halves.as_bytes()).unwrap(), expected);
        assert!(
            read::<Value>(b"[").is_err() && read::<Value>(b"\"\\").is_err() && read::<Value>(b"]]\"\\ud8").is_err()
        );
    }
}
