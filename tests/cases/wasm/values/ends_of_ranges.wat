;; SPDX-License-Identifier: Apache-2.0
;; args: --call all --params '[4294967295, "-9223372036854775808", 3.4028234663852886e38, 1.7976931348623157e308]'
;; outcome: ok
;; value: [-1,"-9223372036854775808",3.4028235e38,1.7976931348623157e308]
(module
  (func (export "all") (param i32 i64 f32 f64) (result i32 i64 f32 f64)
    local.get 0 local.get 1 local.get 2 local.get 3))
