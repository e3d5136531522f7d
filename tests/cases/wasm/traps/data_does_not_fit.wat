;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: memory_out_of_bounds
;; frames: ...
;; exit: 1
(module (memory 1) (data (i32.const 65535) "ab") (func (export "run")))
