;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (tag $e)
  (func $spin (loop $l (br $l)))
  (func (export "run")
    (loop $again
      (block $caught (try_table (catch_all $caught) (call $spin)))
      (br $again))))
