;; SPDX-License-Identifier: Apache-2.0
;; Without --call a module that is no command ends after its instantiation.
;; outcome: ok
;; value: null
;; value_note: no function was called: the module exports no _start; --call NAME calls a function that it exports
(module
  (memory 1)
  (func $start (i32.store (i32.const 0) (i32.const 1)))
  (start $start)
  (func (export "run") (result i32) i32.const 42))
