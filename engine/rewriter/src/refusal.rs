// SPDX-License-Identifier: Apache-2.0
//! Why a file is not accepted.
use std::fmt;

/// One line that says what is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(String);

impl Refusal {
    /// A figure that is above its limit.
    pub(crate) fn above(what: fmt::Arguments, figure: u64, limit: u64) -> Refusal {
        Refusal(format!("{what}: {figure}, above the limit of {limit}"))
    }
}

impl From<wasmparser::Error> for Refusal {
    fn from(error: wasmparser::Error) -> Refusal {
        let message = error.message().lines().collect::<Vec<_>>().join(": ");
        Refusal(format!("{message} (at offset {:#x})", error.offset()))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}
