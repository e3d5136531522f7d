;; SPDX-License-Identifier: Apache-2.0
;; The start function runs under the deadline.
;; args: --timeout 100ms
;; outcome: deadline
;; frames: s start.wat@*
(module (func $s (loop $l (br $l))) (start $s))
