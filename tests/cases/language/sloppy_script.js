// SPDX-License-Identifier: Apache-2.0
// A script need not be strict.
// outcome: ok
// value: 3
with ({ x: 3 }) x;
