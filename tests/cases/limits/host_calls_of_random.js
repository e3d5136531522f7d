// SPDX-License-Identifier: Apache-2.0
// args: --host-calls 3
// outcome: host_calls
for (;;) crypto.randomUUID();
