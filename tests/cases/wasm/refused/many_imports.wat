;; SPDX-License-Identifier: Apache-2.0
;; The message does not list all of many imports.
;; outcome: bad_program
;; error.name: LinkError
;; error.message: unknown imports: env.f0 () -> (), env.f1 () -> (), env.f2 () -> (), env.f3 () -> (), env.f4 () -> (), env.f5 () -> (), env.f6 () -> (), env.f7 () -> (), and 4 more ('curfew inspect' lists them)
(module
  (import "env" "f0" (func)) (import "env" "f1" (func)) (import "env" "f2" (func)) (import "env" "f3" (func)) (import "env" "f4" (func)) (import "env" "f5" (func)) (import "env" "f6" (func)) (import "env" "f7" (func)) (import "env" "f8" (func)) (import "env" "f9" (func)) (import "env" "f10" (func)) (import "env" "f11" (func)))
