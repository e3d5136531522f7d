/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's imports: the only ways out of the sandbox. Any of them may not return, when the run is to stop; to a
 * session's guest all but `stop` return, and `stop` of the control block is set.
 */
#ifndef CURFEW_GUEST_HOST_H
#define CURFEW_GUEST_HOST_H

#include "abi.h"

#define CURFEW_IMPORT(name) __attribute__((import_module("curfew"), import_name(name)))

/* stream 1: standard output, 2: standard error. Charged to the output limit. */
CURFEW_IMPORT("write") void host_write(uint32_t stream, const void *bytes, uint32_t length);
/* kind 0: the partial result, 1: progress. JSON text. A host call; 0, or -1 where it is larger than the output limit.
 */
CURFEW_IMPORT("emit") int32_t host_emit(uint32_t kind, const void *json, uint32_t length);
/* Random bytes; seeded when deterministic. A host call. */
CURFEW_IMPORT("random") void host_random(void *bytes, uint32_t length);
/* The program's monotonic clock in ns. */
CURFEW_IMPORT("clock") int64_t host_clock(void);
/*
 * Finds a file for an import: how many bytes its path, with every link resolved, a NUL and its text have together, or a
 * negative number where there is none (src/run/imports.c). A host call.
 */
CURFEW_IMPORT("import_open") int32_t host_import_open(const char *name, uint32_t length);
/* Copies what was found last. */
CURFEW_IMPORT("import_read") void host_import_read(void *bytes, uint32_t length);
/* Copies a secret of at most `room` bytes and answers its length; -1: there is none of that name. A host call. */
CURFEW_IMPORT("secret") int32_t host_secret(const char *name, uint32_t length, void *bytes, uint32_t room);
/*
 * Operations, which the host carries out meanwhile. Starts one (CURFEW_OPERATION_*): its id, or 0 where there is no
 * room for another. A host call.
 */
CURFEW_IMPORT("op_start") uint32_t host_op_start(uint32_t kind, const void *request, uint32_t length);
/* Sends something to one: 1, or 0 where it cannot be taken now. */
CURFEW_IMPORT("op_send") uint32_t host_op_send(uint32_t id, uint32_t kind, const void *bytes, uint32_t length);
/* Ends one; none of its events comes after this. */
CURFEW_IMPORT("op_cancel") void host_op_cancel(uint32_t id);
/* The next event: 1, or 0 where there is none. */
CURFEW_IMPORT("op_next") uint32_t host_op_next(curfew__event_record *event);
/* Copies the bytes of that event; length is the event's. */
CURFEW_IMPORT("op_take") void host_op_take(void *bytes, uint32_t length);
/*
 * Calls a function of the host's, by its place in the list, with a JSON array, and answers how many bytes of JSON came
 * back (0: undefined); n < 0: it threw, with a message of -1 - n bytes. What fits in `answer` is there; more of them
 * are to be taken. A host call.
 */
CURFEW_IMPORT("call")
int32_t host_call(uint32_t index, const void *json, uint32_t length, void *answer, uint32_t capacity);
CURFEW_IMPORT("call_take") void host_call_take(void *bytes, uint32_t length);
/* Finds an asset of the library's: how many bytes it has; -1: there is none of that name. Copies it. */
CURFEW_IMPORT("asset_open") int32_t host_asset_open(const char *name, uint32_t length);
CURFEW_IMPORT("asset_read") void host_asset_read(void *bytes, uint32_t length);
/* Does something with a file, as CURFEW_FILE_* has it. A host call, unless it closes one. */
CURFEW_IMPORT("file") int32_t host_file(curfew__file_request *request);
/* Ends this entry; the cause is one of CURFEW_STOP_*. */
CURFEW_IMPORT("stop") _Noreturn void host_stop(uint32_t cause);
/* Ends this entry, and the program with it: its exit code, from 0 to 255. */
CURFEW_IMPORT("exit") _Noreturn void host_exit(uint32_t code);
/* Makes that the cause of the stop, and comes back: a session's guest unwinds by itself. */
CURFEW_IMPORT("latch") void host_latch(uint32_t cause);
/* Whether the limit of fuel was passed. The rewriting puts the answer in the place of each call: engine/rewriter,
 * meter.rs. */
CURFEW_IMPORT("is_out_of_fuel") __attribute__((pure)) int32_t host_is_out_of_fuel(void);

#endif
