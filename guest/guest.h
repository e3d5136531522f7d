/* SPDX-License-Identifier: Apache-2.0 */
/* The interfaces between the parts of the guest. All of it runs inside the sandbox, on one thread. */
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
extern JSValue curfew_hooks; /* the object that the prelude returned */

/* The host writes these fields while the guest runs. */
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

/* engine.c and the parts that it includes: everything that needs the engine's internals. */
/*
 * Creates the runtime and the context with everything that a program can see. add_natives fills the object that the
 * prelude receives.
 */
void curfew_engine_init(void (*add_natives)(JSValueConst native));
/* Prepares a fresh instance for a run: stack limit, seeds, loop counter. */
void curfew_engine_begin(void);
/* Called before an image is taken: from now on, allocations of runs lie in separate pages. */
void curfew_engine_allocate_together(void);
/* Sets only the stack limit: each entry from the host starts at the top of the stack again. */
void curfew_engine_enter(void);
/* Prepares a session's guest for its next call. Whatever the last call left pending is dropped. */
void curfew_engine_again(void);
/* Whether a stop is unwinding: no more code of the program may run. */
bool curfew_engine_stopping(void);
/*
 * Stops for one of CURFEW_STOP_*, from inside a builtin. It returns only in a session: with an exception that nothing
 * catches, which the builtin must pass on.
 */
JSValue curfew_engine_stop(uint32_t cause);
/* Keeps a text of the engine's that the host reads after the entry has ended. The next call frees it. */
void curfew_engine_keep_text(const char *text);
/* Takes the pending exception and describes it in the control block; returns result. */
int32_t curfew_engine_describe(int32_t result);
/* Where an error was thrown, as the engine recorded it. JS_UNDEFINED: it has no record. */
JSValue curfew_engine_trace_of(JSValueConst error);
/*
 * Finds a module, this one or one that it imports, that wants an export that its import lacks, and the specifier that
 * it used. False: there is none.
 */
bool curfew_engine_find_lacking(JSValueConst module, JSValue *base, JSValue *specifier);
/* What is called with a module that import() cannot link, while its exception is pending. */
void curfew_engine_set_lacking_hook(void (*hook)(JSValueConst module));
/* Gives an error the record of another error. */
void curfew_engine_set_trace(JSValueConst error, JSValueConst trace);
/*
 * The items that an iterator of a Map or Set still has to yield, as an array: first whether it yields pairs, then the
 * items (of pairs: key, value, key...). JS_UNDEFINED: the value is no such iterator.
 */
JSValue curfew_engine_iterator_items(JSValueConst value);
/* A structured clone of plain data. JS_UNDEFINED: it is not plain, and nothing was done. */
JSValue curfew_engine_clone_plain(JSValueConst value);
/* Where JSON.stringify failed last, such as ".rows[3].total". */
JSValue curfew_engine_json_place(void);
/* Whether JSON.stringify notes an object that it shows as {} although it is no plain one, and the first such note. */
void curfew_engine_note_empty(bool notes);
const char *curfew_engine_empty_note(void);
/* Defines a data property whose value make() computes at its first use. make must not change the object. */
void curfew_engine_define_lazy(JSValueConst object, JSValueConst key, JSValueConst make);
/* Gives an own data property another value, even if it is read-only. */
void curfew_engine_replace(JSValueConst object, const char *name, JSValueConst value);
/* Describes an error that the guest itself reports. */
int32_t curfew_engine_refuse(const char *name, const char *message);
/* Compiles a script or module. The text must begin with an added line break, and a NUL must follow it. */
JSValue curfew_engine_compile(const char *source, size_t length, const char *name, int type);
/* Links a compiled module to its imports. -1: an exception is pending. */
int curfew_engine_link(JSValueConst module);
/* The module of that name. NULL: it is not loaded. */
JSModuleDef *curfew_engine_loaded(const char *name);
/* Evaluates a module synchronously and returns its namespace. */
JSValue curfew_engine_require(JSModuleDef *module);
/* What a compiled module imports, as an array of { name, kind }. */
JSValue curfew_engine_imports(JSValueConst module);
/* What a linked module exports, as an array of { name, kind, type }, sorted by name. */
JSValue curfew_engine_exports(JSValueConst module);
/*
 * Notes that the program waits for this promise. If it is no promise, it is not known yet what the program will wait
 * for.
 */
void curfew_engine_expect(JSValueConst result);
/* Names the builtin that is called for no function of the program: a stop in it has a frame. NULL: it is over. */
void curfew_engine_note_native(const char *name);
/* Writes into the control block where the program is, or where it waits. */
void curfew_trace(void);
/*
 * The program's current asynchronous context (AsyncLocalStorage). Code that keeps a callback for later keeps this with
 * it, and sets it again before the call. JS_UNDEFINED: there is none. The setter takes ownership of the value.
 */
JSValue curfew_engine_async_context(void);
void curfew_engine_set_async_context(JSValue context);
/* Runs the next job. 1: it ran; 0: there was none; -1: it threw. */
int curfew_engine_run_job(void);
/* Queues a call of the function as a tick: see engine_trace.c. -1: an exception is pending. */
int curfew_engine_queue_tick(JSValueConst function);
/* The program was entered by something else than a job: its ticks run first. */
void curfew_engine_begin_jobs(void);
bool curfew_engine_has_jobs(void);
/* Whether it is a class of the program's. */
bool curfew_engine_is_class(JSValueConst value);
/* Throws the error for a function to be called that is missing. exports: what has the names that exist, if any does. */
void curfew_engine_throw_missing(const char *name, JSValueConst exports);
/* Looks up a global function, including lexical declarations. JS_UNDEFINED: there is none. */
JSValue curfew_engine_global(const char *name);

/* timers.c */
void curfew_timers_init(JSValueConst native);
/* When the next timer is due, on the program's clock. INT64_MAX: none is pending. */
int64_t curfew_timers_next(void);
/* Drops all timers. */
void curfew_timers_clear(void);
/* Whether any pending timer keeps the program alive. */
bool curfew_timers_wanted(void);
/*
 * Takes the next timer that is due now, sets its asynchronous context and returns its callback, which the caller calls
 * with `args`. JS_UNDEFINED: none is due.
 */
JSValue curfew_timers_take(int64_t now_ns, JSValue *args);

/* operations.c */
void curfew_operations_init(JSValueConst native);
/* Forgets all operations: the host has ended them. */
void curfew_operations_clear(void);
/* Whether an operation keeps the program alive. */
bool curfew_operations_wanted(void);
/* Whether an operation is in progress, so that an event of it may arrive. */
bool curfew_operations_go_on(void);
/* Passes the next event to the prelude. 1: done; 0: there was none; -1: the prelude threw. */
int curfew_operations_turn(void);

/* functions.c: host functions. */
void curfew_functions_init(JSValueConst native);
/* Gives the program the host functions that the control block lists. -1: an exception is pending. */
int curfew_functions_begin(void);

/* tasks.c */
void curfew_tasks_init(JSValueConst native);
/* Takes the task that was queued first, and sets its asynchronous context. JS_UNDEFINED: there is none. */
JSValue curfew_tasks_take(void);
bool curfew_tasks_pending(void);
/* Drops all tasks. */
void curfew_tasks_clear(void);

/* rejections.c */
void curfew_rejections_init(void);
/*
 * Reports a rejected promise to the program; whether the program handled that report. If so, the program is also
 * notified when something handles the promise later. -1: an exception is pending.
 */
int curfew_rejections_report(JSValueConst promise);
/* Takes the oldest rejected promise that nothing handles. JS_UNDEFINED: there is none. */
JSValue curfew_rejections_take(void);
/* Forgets all rejections. */
void curfew_rejections_clear(void);

/* assets.c */
void curfew_assets_init(JSValueConst native);
/* A copy of the asset with a NUL after it; free it with free. NULL: there is no asset of that name. */
char *curfew_assets_read(const char *name, size_t *length);

/* zones.c: whether there is a zone of this name, and how many seconds it is ahead of UTC at a time. */
bool curfew_zone_at(const char *name, size_t length, double ms, int32_t *offset, bool *is_summer);
/* zone_natives.c */
void curfew_zones_init(JSValueConst native);
/* How many ms the program's time zone is ahead of UTC, at a time and at a local time. */
int64_t curfew_zone_offset(int64_t ms);
int64_t curfew_zone_offset_of_local(int64_t ms);
/* The English name of the program's time zone at that time. */
void curfew_zone_describe(int64_t ms, char *to, size_t room);

/* modules.c */
void curfew_modules_init(void);
void curfew_modules_natives(JSValueConst native);
void curfew_modules_set_entry(const char *name);
/*
 * The program's text without its types: a line break, the text and a NUL; free it with free. *length includes the line
 * break. NULL: an exception is pending.
 */
char *curfew_modules_strip(const char *source, const char *name, size_t *length);
/* Called when the program is loaded: frees what only loading needed. */
void curfew_modules_loaded(void);
/* Called when the program has nothing left to do. 1: listeners may have begun more; -1: an exception is pending. */
int curfew_modules_before_end(void);
/* Called when nothing is left after that. -1: an exception is pending. */
int curfew_modules_end(void);

/* Notifies a program that listens that it has failed, with the exit code of that. */
void curfew_modules_failed(int code);
/* Gives the program Node's globals. -1: an exception is pending. */
int curfew_modules_add_globals(void);
/* Called when an export was missing, of an import below this module: gives the pending exception its position. */
void curfew_modules_place_lacking(JSValueConst module);
/*
 * Loading what may be imported later takes three steps: begin; note each loaded text, whose first byte is a line break;
 * load what was found, as far as possible. -1: an exception is pending.
 */
int curfew_modules_begin_reaching(void);
int curfew_modules_note_reached(const char *name, const char *text, size_t length);
int curfew_modules_reach(void);
/* Reads the import map from the host. -1: an exception is pending. */
int curfew_modules_load_map(void);
/* Gives the program's own module its import.meta. False: an exception is pending. */
bool curfew_modules_fill_entry(JSValueConst module, const char *source, size_t length);
/* If the program is a script that mentions CommonJS's variables, gives it those. -1: an exception is pending. */
int curfew_modules_begin_script(const char *source, size_t length);
/* What that script has exported. JS_UNDEFINED: nothing. */
JSValue curfew_modules_exports(void);

/* compression.c */
void curfew_compression_init(JSValueConst native);

/* crypto.c */
void curfew_crypto_init(JSValueConst native);
/* Adds what only node:crypto needs. */
void curfew_crypto_add_node(JSValueConst natives);
void curfew_hashes_add_node(JSValueConst natives);

/* brotli.c: adds the natives of Brotli. */
void curfew_brotli_init(JSValueConst native);

/* url_pattern.cpp */
void curfew_url_pattern_init(JSContext *ctx, JSValueConst native);

/* node.c */
void curfew_node_init(JSValueConst native);

/* natives.c: the object that the prelude receives. */
void curfew_natives_init(JSValueConst native);

/* web.c: text and URLs. They are in C because they process every byte. */
int curfew_web_init(JSContext *ctx, JSValueConst native);

#endif
