;; expect: trapped
;; SPDX-License-Identifier: Apache-2.0
(module (func (export "run") (result i32) (i32.div_u (i32.const 1) (i32.const 0))))
