/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's imports: the only ways out of the sandbox. If the run is to stop, an import need not return. In a session
 * every import except `stop` returns, and `stop` in the control block is set.
 */
#ifndef CURFEW_GUEST_HOST_H
#define CURFEW_GUEST_HOST_H

#include "abi.h"

#define CURFEW_IMPORT(name) __attribute__((import_module("curfew"), import_name(name)))

/* Stream 1 is standard output, 2 standard error. The bytes are charged to the output limit. */
CURFEW_IMPORT("write") void host_write(uint32_t stream, const void *bytes, uint32_t length);
/* Kind 0 is the partial result, 1 progress; both are JSON text. -1: it is larger than the output limit. A host call. */
CURFEW_IMPORT("emit") int32_t host_emit(uint32_t kind, const void *json, uint32_t length);
/* Random bytes; from the seed if the run is deterministic. A host call. */
CURFEW_IMPORT("random") void host_random(void *bytes, uint32_t length);
/* The program's monotonic clock, in ns. */
CURFEW_IMPORT("clock") int64_t host_clock(void);
/*
 * Finds a file for an import. Returns the total number of bytes of its path (with every link resolved), a NUL and its
 * text, or a negative number if there is none (src/run/imports.c). A host call.
 */
CURFEW_IMPORT("import_open") int32_t host_import_open(const char *name, uint32_t length);
/* Copies the file that was found last. */
CURFEW_IMPORT("import_read") void host_import_read(void *bytes, uint32_t length);
/* Copies a secret of at most `room` bytes and returns its length. -1: there is none of that name. A host call. */
CURFEW_IMPORT("secret") int32_t host_secret(const char *name, uint32_t length, void *bytes, uint32_t room);
/*
 * Operations: the host executes them while the program continues. Starts one (CURFEW_OPERATION_*) and returns its id.
 * 0: too many are in progress. A host call.
 */
CURFEW_IMPORT("op_start") uint32_t host_op_start(uint32_t kind, const void *request, uint32_t length);
/* Sends data to an operation. 0: it cannot accept that now; otherwise 1. */
CURFEW_IMPORT("op_send") uint32_t host_op_send(uint32_t id, uint32_t kind, const void *bytes, uint32_t length);
/* Ends an operation. None of its events arrives after this. */
CURFEW_IMPORT("op_cancel") void host_op_cancel(uint32_t id);
/* Takes the next event. 0: there is none; otherwise 1. */
CURFEW_IMPORT("op_next") uint32_t host_op_next(curfew__event_record *event);
/* Copies the bytes of that event. `length` is the event's. */
CURFEW_IMPORT("op_take") void host_op_take(void *bytes, uint32_t length);
/*
 * Calls a host function by its index in the list, with a JSON array. Returns how many bytes of JSON came back (0:
 * undefined). n < 0: it threw, with a message of -1 - n bytes. `answer` receives what fits in it; if there is more,
 * call_take copies it. A host call.
 */
CURFEW_IMPORT("call")
int32_t host_call(uint32_t index, const void *json, uint32_t length, void *answer, uint32_t capacity);
CURFEW_IMPORT("call_take") void host_call_take(void *bytes, uint32_t length);
/* Finds one of the library's assets and returns its size; -1: there is none of that name. asset_read copies it. */
CURFEW_IMPORT("asset_open") int32_t host_asset_open(const char *name, uint32_t length);
CURFEW_IMPORT("asset_read") void host_asset_read(void *bytes, uint32_t length);
/* Executes a file request (CURFEW_FILE_*). A host call, unless it closes a file. */
CURFEW_IMPORT("file") int32_t host_file(curfew__file_request *request);
/* Ends this entry. The cause is one of CURFEW_STOP_*. */
CURFEW_IMPORT("stop") _Noreturn void host_stop(uint32_t cause);
/* Ends this entry and the program, with an exit code from 0 to 255. */
CURFEW_IMPORT("exit") _Noreturn void host_exit(uint32_t code);
/* Latches the cause of the stop and returns: a session's guest then unwinds by itself. */
CURFEW_IMPORT("latch") void host_latch(uint32_t cause);
/*
 * Whether the fuel limit has been exceeded. The rewriter replaces each call by the comparison itself: engine/rewriter,
 * meter.rs.
 */
CURFEW_IMPORT("is_out_of_fuel") __attribute__((pure)) int32_t host_is_out_of_fuel(void);

#endif
