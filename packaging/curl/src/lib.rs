// SPDX-License-Identifier: Apache-2.0
//! Nothing of its own: what is wanted is in the build output of curl-sys.
