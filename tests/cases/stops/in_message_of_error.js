// SPDX-License-Identifier: Apache-2.0
// args: --timeout 100ms
// outcome: deadline threw
throw Object.defineProperty(new Error(), 'message', { get() { for (;;); } });
