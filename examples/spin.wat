;; SPDX-License-Identifier: Apache-2.0
;; A start function that never ends: curfew run --timeout 300ms examples/spin.wat
(module
  (memory 1)
  (func $spin (loop $again (br $again)))
  (start $spin))
