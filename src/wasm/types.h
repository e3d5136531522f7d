/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types as text of one line, for messages and for inspection, and the imports and exports of a module or component as
 * JSON. A name in JSON is the program's own. If the text does not fit, the buffer's failed flag is set.
 */
#ifndef CURFEW_WASM_TYPES_H
#define CURFEW_WASM_TYPES_H

#include "common/bytes.h"

#include <wasm.h>
#include <wasmtime.h>
#include <wasmtime/component.h>

/* "i32", "funcref", "(ref func)". */
void curfew__valtype_text(const wasm_valtype_t *type, curfew__buffer *buffer);
/* "(i32, i64)", also for one and for none. */
void curfew__valtypes_text(const wasm_valtype_vec_t *types, curfew__buffer *buffer);
/* "(i32, i64) -> f32"; several results, and none, in parentheses. */
void curfew__functype_text(const wasm_functype_t *type, curfew__buffer *buffer);
/*
 * A function as above; "mut i32"; "1 to 16 pages"; "10 funcref" or "0 to 10 funcref"; a tag as its parameters. The type
 * is a guest's, so it has no tables with 64-bit indices.
 */
void curfew__externtype_text(const wasm_externtype_t *type, curfew__buffer *buffer);

/*
 * {"imports": [{"module", "name", "kind", "type"}...], "exports": [{"name", "kind", "type"}...]}, in the order of the
 * module. kind is "function", "global", "table", "memory" or "tag".
 */
void curfew__module_describe(const wasmtime_module_t *module, curfew__buffer *buffer);

/*
 * {"imports": [...], "exports": [...]}, each of {"name", "kind", "type"}, an instance with "exports" instead of "type".
 * kind is "function", "instance", "type", "resource", "module", "component" or "core function"; a function's type reads
 * "func(a: list<string>) -> result<string, e>", with the names that its instance or the component gives to types. Where
 * types are too large to be spelled out, the buffer's failed flag is set, too.
 */
void curfew__component_describe(const wasmtime_component_t *component, const wasm_engine_t *engine,
                                curfew__buffer *buffer);

#endif
