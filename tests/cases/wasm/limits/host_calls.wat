;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --host-calls 10
;; outcome: host_calls
;; tripped: host_calls
;; used.host_calls: 10
;; stdout: hello
;; stdout: hello
;; stdout: hello
;; stdout: hello
;; stdout: hello
;; stdout: hello
;; stdout: hello
;; stdout: hello
;; stdout: hello
;; stdout: hello
(module
  ;; Random bytes come from outside. Output in between gives no calls back, however long it is.
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 64) "hello\n")
  (func (export "run")
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 6))
    (loop $l
      (drop (call $random (i32.const 1024) (i32.const 8)))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
      (br $l))))
