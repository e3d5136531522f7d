// SPDX-License-Identifier: Apache-2.0
//! The texts of a table, one after the other, each followed by a NUL.

/// The maximum size of all texts of a table together: the names and files of 100,000 functions take some 10 MiB.
const MAX_BYTES: usize = 32 << 20;

/// The offset of a text. `NONE` means that there is no text.
pub(crate) type Text = u32;
pub(crate) const NONE: Text = 0;

/// The texts. The first one is empty.
pub(crate) struct Texts {
    bytes: Vec<u8>,
    /// Whether a text was left out because the capacity was used up.
    pub is_full: bool,
}

impl Texts {
    pub fn new() -> Texts {
        Texts { bytes: vec![0], is_full: false }
    }

    /// Adds a text without the NULs in it. `NONE`: the capacity is used up.
    pub fn add(&mut self, text: &str) -> Text {
        if text.is_empty() {
            return NONE;
        }
        if self.bytes.len() + text.len() + 1 > MAX_BYTES {
            self.is_full = true;
            return NONE;
        }
        let at = self.bytes.len() as Text; // below MAX_BYTES
        self.bytes.extend(text.bytes().filter(|&byte| byte != 0));
        self.bytes.push(0);
        at
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
