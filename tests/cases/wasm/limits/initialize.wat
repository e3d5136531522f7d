;; SPDX-License-Identifier: Apache-2.0
;; args: --timeout 100ms --call run
;; outcome: deadline
;; frames: _initialize initialize.wat@*
(module (func (export "_initialize") (loop $l (br $l))) (func (export "run")))
