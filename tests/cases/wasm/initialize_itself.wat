;; SPDX-License-Identifier: Apache-2.0
;; args: --call _initialize
;; outcome: ok
;; value: null
(module
  (global $count (mut i32) (i32.const 0))
  (func (export "_initialize")
    (if (global.get $count) (then unreachable))
    (global.set $count (i32.const 1))))
