// SPDX-License-Identifier: Apache-2.0
// args: --memory 16MiB
// outcome: memory
new ArrayBuffer(100_000_000);
