;; SPDX-License-Identifier: Apache-2.0
;; outcome: bad_program
;; exit: 3
(module (import "env" "memory" (memory 1 1 shared)))
