;; SPDX-License-Identifier: Apache-2.0
;; args: --call run
;; outcome: ok
;; value: "NaN"
(module (func (export "run") (result f32) (f32.const nan:0x200000)))
