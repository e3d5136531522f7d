// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms --grace 10s --loops 100M
// outcome: loops deadline
// tripped: deadline loops
// stop.cause: loops
while (!curfew.signal.aborted);
for (;;);
