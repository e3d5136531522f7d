// expect: deadline threw
// SPDX-License-Identifier: Apache-2.0
Promise.reject(new Error('first')); for (;;);
