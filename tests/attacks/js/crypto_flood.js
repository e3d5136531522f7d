// expect: host_calls
// SPDX-License-Identifier: Apache-2.0
for (;;) crypto.getRandomValues(new Uint8Array(65536))
