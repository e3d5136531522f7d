;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: ok
;; value: null
(module (func $f (export "run") (result funcref) (ref.func $f)))
