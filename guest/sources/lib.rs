// SPDX-License-Identifier: Apache-2.0
//! Nothing: this crate exists for its lock file.
