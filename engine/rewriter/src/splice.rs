// SPDX-License-Identifier: Apache-2.0
//! Bytes that are made of pieces of another file and of new ones, with a record of where they come from.
use std::ops::Range;
use wasm_encoder::Encode;

/// The origin of a run of written bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Copied, beginning with this offset.
    Copied(usize),
    /// Added because of what is at this offset.
    Added(usize),
    /// Added without relation to anything in the file.
    Hidden,
}

/// The output.
pub(crate) struct Splice<'a> {
    source: &'a [u8],
    bytes: Vec<u8>,
    /// The offset in `bytes` where each run begins, in order.
    runs: Vec<(usize, Origin)>,
}

impl<'a> Splice<'a> {
    pub fn new(source: &'a [u8]) -> Splice<'a> {
        Splice { source, bytes: Vec::new(), runs: Vec::new() }
    }

    /// Another output with the same source, to be appended to this one.
    pub fn inner(&self) -> Splice<'a> {
        Splice::new(self.source)
    }

    pub fn source(&self) -> &'a [u8] {
        self.source
    }

    fn begin(&mut self, origin: Origin) {
        let here = self.bytes.len();
        let goes_on = match (self.runs.last(), origin) {
            (Some(&(start, Origin::Copied(from))), Origin::Copied(next)) => from + (here - start) == next,
            (Some((_, last)), _) => *last == origin,
            (None, _) => false,
        };
        if !goes_on {
            self.runs.push((here, origin));
        }
    }

    /// Copies a range of the source.
    pub fn copy(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.begin(Origin::Copied(range.start));
            self.bytes.extend_from_slice(&self.source[range]);
        }
    }

    /// Adds bytes because of what is at an offset of the source.
    pub fn add(&mut self, bytes: &[u8], at: usize) {
        if !bytes.is_empty() {
            self.begin(Origin::Added(at));
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Adds bytes that correspond to nothing in the source.
    pub fn hide(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.begin(Origin::Hidden);
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Adds a number in LEB128.
    pub fn number(&mut self, number: u32) {
        let mut bytes = Vec::new();
        number.encode(&mut bytes);
        self.hide(&bytes);
    }

    /// Adds the size of another output, then that output.
    pub fn append_sized(&mut self, inner: Splice) {
        self.number(inner.bytes.len() as u32); // far below 4 GiB: limits bound every file
        let shift = self.bytes.len();
        self.bytes.extend_from_slice(&inner.bytes);
        self.runs.extend(inner.runs.iter().map(|&(start, origin)| (start + shift, origin)));
    }

    /// The bytes, and the offset where each run begins, in order.
    pub fn into_parts(self) -> (Vec<u8>, Vec<(usize, Origin)>) {
        (self.bytes, self.runs)
    }
}
