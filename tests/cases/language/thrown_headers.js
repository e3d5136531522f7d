// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.name: Headers
// error.message: Headers { 'X-Id': '1, 2', accept: 'text/plain' }
throw new Headers([['X-Id', '1'], ['accept', 'text/plain'], ['x-id', '2']]);
