;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: trapped
;; tripped:
;; error.name: uncaught_exception
;; frames: ...
;; exit: 1
(module (tag $e (param i32)) (func $f (export "run") (throw $e (i32.const 7))))
