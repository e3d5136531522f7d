;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --timeout 100ms
;; outcome: deadline
;; tripped: deadline
;; stop.mode: hard
;; used.wall_us: >= 100000
;; frames: spin deadline.wat@* | run deadline.wat@*
(module (func $spin (loop $l (br $l))) (func (export "run") (call $spin)))
