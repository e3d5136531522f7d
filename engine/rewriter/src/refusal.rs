// SPDX-License-Identifier: Apache-2.0
//! The reason why a file is refused.
use std::fmt;

/// One line that says what is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(String);

impl Refusal {
    /// Any other sentence of one line.
    pub(crate) fn from_text(text: String) -> Refusal {
        Refusal(text)
    }

    /// A figure that exceeds its limit.
    pub(crate) fn above(what: fmt::Arguments, figure: u64, limit: u64) -> Refusal {
        Refusal(format!("{what}: {figure}, above the limit of {limit}"))
    }
}

impl From<wasmparser::Error> for Refusal {
    fn from(error: wasmparser::Error) -> Refusal {
        if error.message().starts_with("magic header not detected") {
            return Refusal("it does not begin like WebAssembly: 00 61 73 6d".into());
        }
        let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        Refusal(format!("{message} (at offset {:#x})", error.offset()))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}
