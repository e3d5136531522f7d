;; SPDX-License-Identifier: Apache-2.0
;; outcome: bad_program
;; error.name: LinkError
;; error.message: unknown imports: test:a/b, log
;; exit: 3
(component
  (import "test:a/b" (instance (export "f" (func))))
  (import "log" (func (param "text" string)))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "now" (func (result u64))))))
