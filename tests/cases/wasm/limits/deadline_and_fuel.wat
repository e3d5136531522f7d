;; SPDX-License-Identifier: Apache-2.0
;; Both are told, the first one first.
;; args: --call run --timeout 100ms --grace 2s --fuel 200M
;; outcome: deadline
;; tripped: deadline fuel
;; stop.cause: fuel
;; limits.fuel: 200000000
;; used.fuel: 200000000
;; limit: 60
(module (func (export "run") (loop $l (br $l))))
