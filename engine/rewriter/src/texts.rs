// SPDX-License-Identifier: Apache-2.0
//! The texts of a table, one behind the other, each with a NUL behind it.

/// All texts of a table together: names and files of 100,000 functions have some 10 MiB.
const MOST_BYTES: usize = 32 << 20;

/// Where a text begins among all; `NONE` stands for no text.
pub(crate) type Text = u32;
pub(crate) const NONE: Text = 0;

/// The texts, of which the first one is empty.
pub(crate) struct Texts {
    bytes: Vec<u8>,
    /// Whether one was left out because there was no room for it.
    pub is_full: bool,
}

impl Texts {
    pub fn new() -> Texts {
        Texts { bytes: vec![0], is_full: false }
    }

    /// Adds a text without the NULs in it; `NONE` if there is no room.
    pub fn add(&mut self, text: &str) -> Text {
        if text.is_empty() {
            return NONE;
        }
        if self.bytes.len() + text.len() + 1 > MOST_BYTES {
            self.is_full = true;
            return NONE;
        }
        let at = self.bytes.len() as Text; // below MOST_BYTES
        self.bytes.extend(text.bytes().filter(|&byte| byte != 0));
        self.bytes.push(0);
        at
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
