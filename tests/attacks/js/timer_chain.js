// expect: deadline
// SPDX-License-Identifier: Apache-2.0
(function again() { setTimeout(again, 0); for (let i = 0; i < 1e4; i++); })()
