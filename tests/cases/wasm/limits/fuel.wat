;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --fuel 100000
;; outcome: fuel
;; tripped: fuel
;; used.fuel: 100000
;; frames: spin fuel.wat@* | run fuel.wat@*
;; run: twice
(module (func $spin (loop $l (br $l))) (func (export "run") (call $spin)))
