/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's imports: the only ways out of the sandbox. Any of them may not return, when the run is to stop.
 */
#ifndef CURFEW_GUEST_HOST_H
#define CURFEW_GUEST_HOST_H

#include <stdint.h>

#define CURFEW_IMPORT(name) __attribute__((import_module("curfew"), import_name(name)))

/* stream 1: standard output, 2: standard error. Charged to the output limit. */
CURFEW_IMPORT("write") void host_write(uint32_t stream, const void *bytes, uint32_t length);
/* kind 0: the partial result, 1: progress. JSON text. A host call; 0, or -1 where it is larger than the output limit. */
CURFEW_IMPORT("emit") int32_t host_emit(uint32_t kind, const void *json, uint32_t length);
/* Random bytes; seeded when deterministic. A host call. */
CURFEW_IMPORT("random") void host_random(void *bytes, uint32_t length);
/* The program's monotonic clock in ns. */
CURFEW_IMPORT("clock") int64_t host_clock(void);
/* Finds a module's text: how many bytes it has, or a negative CURFEW_IMPORT_* code. A host call. */
CURFEW_IMPORT("import_open") int32_t host_import_open(const char *name, uint32_t length);
/* Copies the text found last. */
CURFEW_IMPORT("import_read") void host_import_read(void *bytes, uint32_t length);
/* Copies a secret of at most `room` bytes and answers its length; -1: there is none of that name. A host call. */
CURFEW_IMPORT("secret") int32_t host_secret(const char *name, uint32_t length, void *bytes, uint32_t room);
/* Ends this entry; the cause is one of CURFEW_STOP_*. */
CURFEW_IMPORT("stop") _Noreturn void host_stop(uint32_t cause);
/* Fuel left; metered engines only. */
CURFEW_IMPORT("fuel") uint64_t host_fuel(void);

#endif
