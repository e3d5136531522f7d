;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: indirect_call_type_mismatch
;; frames: f indirect_call_type_mismatch.wat@*
;; exit: 1
(module
  (type $v (func (result i32)))
  (table $t 1 funcref)
  (func $g)
  (elem (i32.const 0) $g)
  (func $f (export "run") (result i32) (call_indirect $t (type $v) (i32.const 0))))
