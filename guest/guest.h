/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the guest share. All of it runs inside the sandbox, on one thread. */
#ifndef CURFEW_GUEST_H
#define CURFEW_GUEST_H

#include "abi.h"
#include "host.h"
#include "quickjs.h"

#define CURFEW_EXPORT(name) __attribute__((export_name(name)))

/* control.c */
extern curfew__control curfew_control;
extern JSRuntime *curfew_runtime;
extern JSContext *curfew_context;
extern JSValue curfew_hooks; /* what the prelude returned */

/* Fields that the host writes while the guest runs. */
static inline uint32_t curfew_aborted(void)
{
	return *(volatile uint32_t *)&curfew_control.aborted;
}
static inline bool curfew_stop_asked(void)
{
	return *(volatile uint32_t *)&curfew_control.stop;
}

static inline bool curfew_is_session(void)
{
	return curfew_control.flags & CURFEW_CONTROL_SESSION;
}

/* engine.c: what needs the engine's internals. */
/* Creates runtime and context, with everything a program can see; the prelude is given what add_natives adds. */
void curfew_engine_init(void (*add_natives)(JSValueConst native));
/* Readies a fresh instance for a run: stack limit, seeds, loop counter. */
void curfew_engine_begin(void);
/* Before an image may be taken: what runs allocate from now on lies in pages of its own. */
void curfew_engine_allocate_together(void);
/* Sets the stack limit alone: each entry from the host starts at the top of the stack again. */
void curfew_engine_enter(void);
/* Readies the guest of a session for its next call: whatever the last one left pending is dropped. */
void curfew_engine_again(void);
/* Whether a stop is on its way out: nothing more of the program is to run. */
bool curfew_engine_stopping(void);
/*
 * Stops for one of CURFEW_STOP_*, from inside a builtin. It comes back in a session only: with an exception that
 * nothing catches, which the builtin hands on.
 */
JSValue curfew_engine_stop(uint32_t cause);
/* Text of the engine's that the host reads when the entry has ended: it is freed in the next call. */
void curfew_engine_keep_text(const char *text);
/* Takes the pending exception and describes it in the control block; returns result. */
int32_t curfew_engine_describe(int32_t result);
/* Where an error was thrown, as the engine recorded it; JS_UNDEFINED: it has no record. */
JSValue curfew_engine_trace_of(JSValueConst error);
/* Which loaded module wants an export that what it imports does not have, and how it names that; false: none. */
bool curfew_engine_find_lacking(JSValue *base, JSValue *specifier);
/* Gives an error the record of another one. */
void curfew_engine_set_trace(JSValueConst error, JSValueConst trace);
/*
 * What an iterator of a Map or Set still has to give, as an array: whether it gives pairs, and the items (of pairs:
 * key, value, key...); JS_UNDEFINED: it is none.
 */
JSValue curfew_engine_iterator_items(JSValueConst value);
/* Where JSON.stringify failed last: ".rows[3].total". */
JSValue curfew_engine_json_place(void);
/* A data property that make() gives its value when it is first looked at; make must not change the object. */
void curfew_engine_define_lazy(JSValueConst object, JSValueConst key, JSValueConst make);
/* Gives a data property of its own another value, also where it is read-only. */
void curfew_engine_replace(JSValueConst object, const char *name, JSValueConst value);
/* Describes an error of our own making. */
int32_t curfew_engine_refuse(const char *name, const char *message);
/* Compiles a script or module whose text has a line break put before it, and a NUL behind it. */
JSValue curfew_engine_compile(const char *source, size_t length, const char *name, int type);
/* Links a compiled module to what it imports; -1 with an exception pending. */
int curfew_engine_link(JSValueConst module);
/* The module of that name, if it was loaded. */
JSModuleDef *curfew_engine_loaded(const char *name);
/* Evaluates a module at once, and answers its namespace. */
JSValue curfew_engine_require(JSModuleDef *module);
/* What a compiled module imports, as an array of { name, kind }. */
JSValue curfew_engine_imports(JSValueConst module);
/* What a linked module exports, as an array of { name, kind, type }, sorted by name. */
JSValue curfew_engine_exports(JSValueConst module);
/* The program waits for this, where it is a promise; anything else: it is not known yet what it will wait for. */
void curfew_engine_expect(JSValueConst result);
/* Writes where the program is, or waits, into the control block. */
void curfew_trace(void);
/*
 * What the program's AsyncLocalStorage has here: whoever keeps a callback for later keeps this with it, and sets it
 * again before the call. JS_UNDEFINED: nothing. Setting takes the value over.
 */
JSValue curfew_engine_async_context(void);
void curfew_engine_set_async_context(JSValue context);
/* Runs the next job: 1, 0 if there was none, -1 if it threw. */
int curfew_engine_run_job(void);
/* Looks a global function up, lexical declarations included. JS_UNDEFINED if there is none. */
JSValue curfew_engine_global(const char *name);

/* timers.c */
void curfew_timers_init(JSValueConst native);
/* When the next timer is due, on the program's clock; INT64_MAX if none is pending. */
int64_t curfew_timers_next(void);
/* Forgets all of them. */
void curfew_timers_clear(void);
/* Whether any pending timer keeps the program alive. */
bool curfew_timers_wanted(void);
/* Takes the next timer that is due at now; JS_UNDEFINED if none is. The caller calls it with args, in the asynchronous
 * context that is set now. */
JSValue curfew_timers_take(int64_t now_ns, JSValue *args);

/* operations.c */
void curfew_operations_init(JSValueConst native);
/* Forgets all of them: the host has ended them. */
void curfew_operations_clear(void);
/* Whether an operation keeps the program alive. */
bool curfew_operations_wanted(void);
/* Whether an operation goes on, so that an event of it may come. */
bool curfew_operations_go_on(void);
/* Hands the next event to the prelude: 1, 0 if there was none, -1 if that threw. */
int curfew_operations_turn(void);

/* functions.c: functions of the host's. */
void curfew_functions_init(JSValueConst native);
/* Gives the program those that the control block lists; -1 with an exception pending. */
int curfew_functions_begin(void);

/* tasks.c */
void curfew_tasks_init(JSValueConst native);
/* Takes the task that was queued first, and sets its asynchronous context; JS_UNDEFINED: there is none. */
JSValue curfew_tasks_take(void);
bool curfew_tasks_pending(void);
/* Forgets all of them. */
void curfew_tasks_clear(void);

/* rejections.c */
void curfew_rejections_init(void);
/*
 * Whether the program was told that a promise was rejected, and took it. It is told then, too, when something handles
 * the promise after all. -1 with an exception pending.
 */
int curfew_rejections_report(JSValueConst promise);
/* Takes the oldest promise that was rejected and that nothing handles; JS_UNDEFINED: there is none. */
JSValue curfew_rejections_take(void);
/* Forgets all of them. */
void curfew_rejections_clear(void);

/* assets.c */
void curfew_assets_init(JSValueConst native);
/* A copy of that asset with a NUL behind it, to be freed; NULL: there is none of that name. */
char *curfew_assets_read(const char *name, size_t *length);

/* zones.c: whether there is a zone of this name, and how many seconds it is ahead of UTC at a time. */
bool curfew_zone_at(const char *name, size_t length, double ms, int32_t *offset, bool *is_summer);
/* zone_natives.c */
void curfew_zones_init(JSValueConst native);
/* How far the program's time zone is ahead at a time, and at what its clocks show, in ms. */
int64_t curfew_zone_offset(int64_t ms);
int64_t curfew_zone_offset_of_local(int64_t ms);
/* What English calls the program's time zone at that time. */
void curfew_zone_describe(int64_t ms, char *to, size_t room);

/* modules.c */
void curfew_modules_init(void);
void curfew_modules_natives(JSValueConst native);
void curfew_modules_set_entry(const char *name);
/*
 * The program's text without its types: a line break, the text and a NUL; free with free. *length: with the line break.
 * NULL: an exception is pending.
 */
char *curfew_modules_strip(const char *source, const char *name, size_t *length);
/* The program is loaded: forgets what that needed. */
void curfew_modules_loaded(void);
/* The program has nothing left to do; -1: an exception is pending. */
int curfew_modules_end(void);
/* Gives the program Node's globals; -1: an exception is pending. */
int curfew_modules_add_globals(void);
/* An export was missing: gives the pending exception the place of the import. */
void curfew_modules_place_lacking(void);
/*
 * What may be imported later is loaded, too: begins to look for it; a text has been loaded, whose first byte is a line
 * break; loads what was found, where it can be. -1: an exception is pending.
 */
int curfew_modules_begin_reaching(void);
int curfew_modules_note_reached(const char *name, const char *text, size_t length);
int curfew_modules_reach(void);
/* Reads the import map, which the host has; -1: an exception is pending. */
int curfew_modules_load_map(void);
/* Gives the program's own module its import.meta; false: an exception is pending. */
bool curfew_modules_fill_entry(JSValueConst module, const char *source, size_t length);
/* Gives the program, a script, what CommonJS files have, where it speaks of that; -1: an exception is pending. */
int curfew_modules_begin_script(const char *source, size_t length);
/* What it has exported; JS_UNDEFINED: nothing. */
JSValue curfew_modules_exports(void);

/* compression.c */
void curfew_compression_init(JSValueConst native);

/* crypto.c */
void curfew_crypto_init(JSValueConst native);
/* What only node:crypto has. */
void curfew_crypto_add_node(JSValueConst natives);

/* brotli.c: what node:zlib has of it. */
void curfew_brotli_add_node(JSValueConst natives);

/* url_pattern.cpp */
void curfew_url_pattern_init(JSContext *ctx, JSValueConst native);

/* node.c */
void curfew_node_init(JSValueConst native);

/* natives.c: what the prelude is given. */
void curfew_natives_init(JSValueConst native);

/* web.c: text and addresses, in C because they go over every byte. */
int curfew_web_init(JSContext *ctx, JSValueConst native);

#endif
