;; SPDX-License-Identifier: Apache-2.0
;; args: --call all --params '[-1, 9007199254740993, 1.5, -0.1, "0x000102030405060708090a0b0c0d0e0f"]'
;; outcome: ok
;; value: [-1,"9007199254740993",1.5,-0.1,"0x000102030405060708090a0b0c0d0e0f"]
(module
  (func (export "all") (param i32 i64 f32 f64 v128) (result i32 i64 f32 f64 v128)
    local.get 0 local.get 1 local.get 2 local.get 3 local.get 4))
