;; SPDX-License-Identifier: Apache-2.0
;; Each value is passed through memory, in and out.
;; args: --call echo --params '[{"b":true,"s8":-128,"u8":255,"s16":-32768,"u16":65535,"s32":-2147483648,"u32":4294967295,"s64":"-9223372036854775808","u64":"18446744073709551615","f32":1.5,"f64":"NaN","c":"😀","s":"ä€","l":[1,2,3],"strings":["","x"],"t":[1,"two"],"v":{"circle":2.5},"v2":"none","e":"green","p":["read","exec"],"o":7,"n":null,"r":{"ok":[1]},"x":{"err":"bad"}}]'
;; outcome: ok
;; program.kind: component
;; value: {"b":true,"s8":-128,"u8":255,"s16":-32768,"u16":65535,"s32":-2147483648,"u32":4294967295,"s64":"-9223372036854775808","u64":"18446744073709551615","f32":1.5,"f64":"NaN","c":"😀","s":"ä€","l":[1,2,3],"strings":["","x"],"t":[1,"two"],"v":{"circle":2.5},"v2":"none","e":"green","p":["read","exec"],"o":7,"n":null,"r":{"ok":[1]},"x":{"err":"bad"}}
(component
  (core module $m
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $next (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
      (memory.copy (global.get $next) (local.get 0) (local.get 1))
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get 3))))
    (func (export "echo") (param i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m))
  (type $shape_ (variant (case "none") (case "circle" f64)))
  (export $shape "shape" (type $shape_))
  (type $colour_ (enum "red" "green"))
  (export $colour "colour" (type $colour_))
  (type $rights_ (flags "read" "write" "exec"))
  (export $rights "rights" (type $rights_))
  (type $all_ (record
    (field "b" bool) (field "s8" s8) (field "u8" u8) (field "s16" s16) (field "u16" u16) (field "s32" s32) (field "u32" u32)
    (field "s64" s64) (field "u64" u64) (field "f32" f32) (field "f64" f64) (field "c" char) (field "s" string)
    (field "l" (list u16)) (field "strings" (list string)) (field "t" (tuple u8 string)) (field "v" $shape) (field "v2" $shape)
    (field "e" $colour) (field "p" $rights) (field "o" (option u64)) (field "n" (option string))
    (field "r" (result (list u8) (error string))) (field "x" (result (error string)))))
  (export $all "all" (type $all_))
  (func (export "echo") (param "v" $all) (result $all)
    (canon lift (core func $i "echo") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
