;; expect: memory
;; SPDX-License-Identifier: Apache-2.0
(module (table 100000000 funcref) (func (export "run")))
