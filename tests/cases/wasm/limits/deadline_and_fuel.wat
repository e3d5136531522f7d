;; SPDX-License-Identifier: Apache-2.0
;; Both limits are reported, the first one first.
;; args: --call run --timeout 100ms --grace 30s --fuel 2G
;; outcome: deadline
;; tripped: deadline fuel
;; stop.cause: fuel
;; limits.fuel: 2000000000
;; used.fuel: 2000000000
;; limit: 60
(module (func (export "run") (loop $l (br $l))))
