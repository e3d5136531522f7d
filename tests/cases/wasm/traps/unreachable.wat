;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: unreachable
;; frames: inner unreachable.wat@0x22 | outer unreachable.wat@* | run unreachable.wat@*
;; exit: 1
(module
  (func $inner unreachable)
  (func $outer (loop $l (call $inner)))
  (func (export "run") (call $outer)))
