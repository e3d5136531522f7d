;; expect: stack deadline
;; SPDX-License-Identifier: Apache-2.0
(module
  (tag $e)
  (func $deep (call $deep) (throw $e))
  (func (export "run")
    (loop $again
      (block $caught (try_table (catch_all $caught) (call $deep)))
      (br $again))))
