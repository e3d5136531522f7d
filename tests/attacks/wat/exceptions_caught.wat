;; expect: deadline
;; SPDX-License-Identifier: Apache-2.0
;; frames: maybe
;; While the engine collects the exceptions that were thrown, none of its code runs.
(module
  (tag $e (param i32))
  (func $throws (param i32) (throw $e (local.get 0)))
  (func (export "run")
    (loop $l
      (block $caught (result i32)
        (try_table (catch $e $caught) (call $throws (i32.const 1)))
        (i32.const 0))
      (drop)
      (br $l))))
