;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --params '[-0.0]'
;; outcome: ok
;; value: -0.0
(module (func (export "run") (param f64) (result f64) local.get 0))
