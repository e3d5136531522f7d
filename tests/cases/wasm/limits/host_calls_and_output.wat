;; SPDX-License-Identifier: Apache-2.0
;; args: --call run --host-calls 5
;; outcome: host_calls
;; used.host_calls: 5
;; used.output_bytes: 327680
;; stdout~: .*
(module
  ;; 64 KiB at once are 16 pieces for the host, but one call.
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 3)
  (func (export "run") (local $n i32)
    (i32.store (i32.const 0) (i32.const 65536))
    (i32.store (i32.const 4) (i32.const 65536))
    (loop $l
      (drop (call $random (i32.const 1024) (i32.const 8)))
      (local.set $n (i32.const 0))
      (loop $w
        (i32.store (i32.const 0) (i32.add (i32.const 65536) (local.get $n)))
        (i32.store (i32.const 4) (i32.sub (i32.const 65536) (local.get $n)))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
        (br_if $w (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.load (i32.const 16)))) (i32.const 65536))))
      (br $l))))
