// SPDX-License-Identifier: Apache-2.0
// args: --timeout 100ms --grace 10s
// outcome: deadline
// stop.mode: cooperative
// error.name: TimeoutError
for (;;) curfew.signal.throwIfAborted();
