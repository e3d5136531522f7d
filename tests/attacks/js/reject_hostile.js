// expect: threw deadline
// SPDX-License-Identifier: Apache-2.0
Promise.reject({ toString() { for (;;); }, get message() { for (;;); } }); Promise.reject(new Proxy({}, { get() { for (;;); } }))
