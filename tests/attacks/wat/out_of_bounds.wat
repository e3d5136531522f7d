;; expect: trapped
;; SPDX-License-Identifier: Apache-2.0
(module (memory 1) (func (export "run") (result i32) (i32.load (i32.const 65536))))
