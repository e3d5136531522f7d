;; expect: stack
;; SPDX-License-Identifier: Apache-2.0
(module (func $f (export "run") call $f))
