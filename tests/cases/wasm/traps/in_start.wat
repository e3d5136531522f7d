;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: unreachable
;; frames: s in_start.wat@*
;; exit: 1
(module (func $s unreachable) (start $s) (func (export "run")))
