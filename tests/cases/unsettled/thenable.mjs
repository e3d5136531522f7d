// SPDX-License-Identifier: Apache-2.0
// outcome: unsettled
// frames: <anonymous> thenable.mjs:4:*
await { then() {} };
