// SPDX-License-Identifier: Apache-2.0
//! Wasmtime's C API as one static library, at the version the lock file pins.
pub use wasmtime_c_api::*;
