// expect: deadline
// frames: maybe
// SPDX-License-Identifier: Apache-2.0
// Between two timers none of its functions is executed.
(function again() { setTimeout(again, 0); for (let i = 0; i < 1e4; i++); })()
