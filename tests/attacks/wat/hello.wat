;; expect: ok
;; SPDX-License-Identifier: Apache-2.0
(module (func (export "run") (result i32) i32.const 42))
