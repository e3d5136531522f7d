;; expect: memory bad_program
;; SPDX-License-Identifier: Apache-2.0
(module (memory 65536) (func (export "run")))
