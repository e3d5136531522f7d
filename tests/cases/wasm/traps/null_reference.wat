;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: null_reference
;; frames: f null_reference.wat@*
;; exit: 1
(module (type $v (func)) (func $f (export "run") (call_ref $v (ref.null $v))))
