;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --params '[null, null]'
;; outcome: ok
;; value: [null,null]
(module (func (export "run") (param funcref externref) (result funcref externref) local.get 0 local.get 1))
