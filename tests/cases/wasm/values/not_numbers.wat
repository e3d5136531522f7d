;; SPDX-License-Identifier: Apache-2.0
;; args: --call all --params '["NaN", "Infinity", "-Infinity", "NaN"]'
;; outcome: ok
;; value: ["NaN","Infinity","-Infinity","NaN"]
(module
  (func (export "all") (param f32 f64 f64 f64) (result f32 f64 f64 f64)
    local.get 0 local.get 1 local.get 2 local.get 3))
