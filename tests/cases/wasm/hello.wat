;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: ok
;; value: 42
;; program.kind: module
;; exit: 0
(module (func (export "run") (result i32) i32.const 42))
