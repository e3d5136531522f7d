;; SPDX-License-Identifier: Apache-2.0
;; _initialize is called before the requested function.
;; args: --call get
;; outcome: ok
;; value: 7
(module
  (global $ready (mut i32) (i32.const 0))
  (func (export "_initialize") (global.set $ready (i32.const 7)))
  (func (export "get") (result i32) (global.get $ready)))
