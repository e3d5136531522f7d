// SPDX-License-Identifier: Apache-2.0
//! An empty crate: only the build output of curl-sys is used.
