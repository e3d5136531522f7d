;; expect: stack
;; SPDX-License-Identifier: Apache-2.0
(module (func $s (call $s)) (start $s) (func (export "run")))
