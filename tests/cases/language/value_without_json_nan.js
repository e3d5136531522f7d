// SPDX-License-Identifier: Apache-2.0
// A value that has no JSON is null.
// outcome: ok
// value: null
NaN;
