;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: table_out_of_bounds
;; frames: ...
;; exit: 1
(module (table 1 funcref) (func $f) (elem (i32.const 1) $f) (func (export "run")))
