// SPDX-License-Identifier: Apache-2.0
// What has no JSON is null.
// outcome: ok
// value: null
10n;
