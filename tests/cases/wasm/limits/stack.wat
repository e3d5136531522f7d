;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --stack 64KiB
;; outcome: stack
;; tripped: stack
;; used.stack_peak_bytes: <= 65536
;; frames: deep stack.wat | deep stack.wat@* | deep stack.wat@* | ...
(module (func $deep (export "run") (call $deep)))
