/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One live JavaScript guest, seen from outside: entering it, stopping it, reading its state. Nothing that it wrote is
 * trusted: addresses and lengths are checked, and no outcome comes from it.
 *
 * One word decides who may touch its memory. The executing thread moves it INSIDE -> OUTSIDE on the way out and back
 * again by compare-and-swap. A guest that does not respond to signals loses its memory: the watch thread moves INSIDE
 * -> STOPPING and only then protects it. A host function that finds STOPPING touches nothing and ends the call.
 */
#ifndef CURFEW_JS_GUEST_H
#define CURFEW_JS_GUEST_H

#include <stdatomic.h>

#include "../guest/abi.h"
#include "engine/vm.h"

enum curfew__guest_state {
	CURFEW__GUEST_IDLE,     /* not executing */
	CURFEW__GUEST_INSIDE,   /* executing guest code */
	CURFEW__GUEST_OUTSIDE,  /* in a host function */
	CURFEW__GUEST_STOPPING, /* its memory is protected, or is about to be */
};

typedef enum curfew__guest_entry {
	CURFEW__GUEST_ALLOC,
	CURFEW__GUEST_LOAD,
	CURFEW__GUEST_START,
	CURFEW__GUEST_RESUME,
	CURFEW__GUEST_AGAIN,
	CURFEW__GUEST_TRACE,
	CURFEW__GUEST_ENTRIES,
} curfew__guest_entry;

/* A guest's file request, with its addresses checked and converted to pointers, which are NULL if it gave none. */
typedef struct curfew__guest_file {
	curfew__file_request request; /* its status is returned to the guest */
	const char *path;             /* [request.path_length] */
	const char *other;            /* [request.other_length] */
	char *bytes;                  /* [request.length] */
} curfew__guest_file;

/* What the host does for a guest. If one of these returns false, the call into the guest ends. */
typedef struct curfew__guest_host {
	bool (*write)(void *context, uint32_t stream, const char *bytes, size_t length);
	/* *answer: 0 or -1, as guest/host.h says. */
	bool (*emit)(void *context, uint32_t kind, const char *json, size_t length, int32_t *answer);
	bool (*random)(void *context, void *bytes, size_t length);
	int64_t (*clock)(void *context);
	bool (*import_open)(void *context, const char *name, size_t length, int32_t *answer);
	void (*import_read)(void *context, void *bytes, size_t length);
	/* Operations, in the form of guest/host.h. */
	bool (*op_start)(void *context, uint32_t kind, const char *request, size_t length, uint32_t *id);
	bool (*op_send)(void *context, uint32_t id, uint32_t kind, const char *bytes, size_t length);
	void (*op_cancel)(void *context, uint32_t id);
	bool (*op_next)(void *context, curfew__event_record *event);
	bool (*op_take)(void *context, void *bytes, size_t length);
	/* The program exits; the call into the guest ends here. */
	void (*exit)(void *context, uint32_t code);
	/* The guest requests its stop, for one of CURFEW_STOP_*. */
	void (*stop)(void *context, uint32_t cause);
	/* Whether the run is to be stopped; checked after every host function. */
	bool (*stopped)(void *context);
	/*
	 * The run is to be stopped, and the guest is in a host function. Returns whether the guest may continue, to end by
	 * itself at its next check. False: the call into the guest ends here.
	 */
	bool (*unwinds)(void *context);
	/* The memory has this many bytes now, without the stack. refused: its limit does not allow that. */
	void (*growth)(void *context, size_t bytes, bool refused);
	/* Host functions, in the form of guest/host.h. */
	bool (*call)(void *context, uint32_t index, const char *json, size_t length, int32_t *answer);
	bool (*call_take)(void *context, void *bytes, size_t length);
	/* Copies a secret of at most `room` bytes. *answer: its length, or -1 if none has that name. */
	bool (*secret)(void *context, const char *name, size_t name_length, char *bytes, size_t room, int32_t *answer);
	/* Files, in the form of guest/abi.h. */
	bool (*file)(void *context, curfew__guest_file *call, int32_t *answer);
} curfew__guest_host;

typedef struct curfew__guest {
	atomic_uint state;
	curfew__instance *instance;
	curfew__region *region;
	curfew__pool *pool;
	curfew__control *control;                /* in guest memory */
	_Atomic int32_t *counter;                /* in guest memory */
	const struct curfew__asset_entry *asset; /* the asset that was found last */
	const curfew__guest_host *host;
	void *context;
	size_t scratch_used;
	curfew__region *count; /* memory of the fuel counter; NULL: not metered */
	uint64_t counted_from; /* the counter's value when counting began */
	bool unwinds;          /* it is being stopped, and its use no longer counts */
	uint64_t fuel_spent;   /* what it had used then */
	atomic_bool soft_asked;
	int32_t taken; /* what the last effective soft stop took from the counter */
} curfew__guest;

/*
 * The engine checks its stack in guest memory. The native stack of the same frames is up to sixteen times as large
 * (measured: its parser). The check must always come first, so a guest with a given stack limit runs in an engine of
 * the class whose native stack is that much larger.
 */
enum { CURFEW__STACK_SMALL, CURFEW__STACK_USUAL, CURFEW__STACK_LARGE, CURFEW__STACK_CLASSES };
int curfew__guest_stack_class(uint64_t stack_bytes);
size_t curfew__guest_native_stack(int stack_class);
/* The native stack that a guest with this much of its own uses at most. */
size_t curfew__guest_native_use(uint64_t stack_bytes);

/* The guest's compiled code and what it starts from. */
curfew__vm *curfew__guest_vm_create(bool metered, int stack_class, const char *cache_dir, curfew_failure *failure);
curfew__image *curfew__guest_image_create(void);
/* Identifies the guest's code and image, which program images belong to. [32 bytes] */
const uint8_t *curfew__guest_build_id(void);

/* Creates a guest. memory_bytes does not include the stack. False: out of memory or address space. */
bool curfew__guest_init(curfew__guest *guest, curfew__vm *vm, bool metered, curfew__pool *pool, curfew__image *image,
                        size_t memory_bytes, const curfew__guest_host *host, void *context);
/* Prepares it for its next call, which may be another run's. */
void curfew__guest_again(curfew__guest *guest, void *context);
/* Called between two calls: releases a large stack. *stack_peak: bytes of it that were touched since it was small, in
 * pages. */
void curfew__guest_rest(curfew__guest *guest, size_t *stack_peak);
/*
 * Ends the guest and releases its memory. may_put_off: clearing the memory may be put off. *stack_peak: bytes of stack
 * that it touched, in pages.
 */
void curfew__guest_finish(curfew__guest *guest, bool may_put_off, size_t *stack_peak);

/* Copies bytes in and returns their address. 0: the guest's call for memory failed, see *end. */
uint32_t curfew__guest_put(curfew__guest *guest, const void *bytes, size_t length, curfew__vm_end *end);
/* Enters the guest. *status is one of CURFEW_GUEST_* if it returned. Afterwards the state is IDLE or STOPPING. */
curfew__vm_end curfew__guest_enter(curfew__guest *guest, curfew__guest_entry entry, const uint32_t *argument,
                                   int32_t *status);
/* After an entry that was stopped, and with the watch disarmed: unprotects its memory, so that it can be entered again.
 */
bool curfew__guest_settle(curfew__guest *guest);

/* While it waits: releases memory that it does not need. */
void curfew__guest_trim(curfew__guest *guest);

/* From the watch: asks the next poll to stop. Returns whether one has seen that already. */
bool curfew__guest_stop_soft(curfew__guest *guest);
/*
 * From the watch: interrupts it where it is, unless it is in a host function, which checks by itself. Returns when to
 * try again; CURFEW__NEVER: it is interrupted.
 */
int64_t curfew__guest_interrupt(curfew__guest *guest, int64_t now);
/* From the watch: see curfew__target_hurry. */
void curfew__guest_hurry(curfew__guest *guest);
/* Whether it was interrupted, or its memory was protected, before it returned by itself. */
bool curfew__guest_was_stopped_hard(const curfew__guest *guest);
/* From the watch, the last resort: protects the memory. False: it is in a host function, or the system refused. */
bool curfew__guest_protect(curfew__guest *guest);
/* From the watch, or while the guest does not execute: notifies the program that its time is up. */
void curfew__guest_dispatch_abort(curfew__guest *guest, uint32_t kind);

/* The bytes that the guest points to. NULL if they are not all in its memory. */
const char *curfew__guest_bytes(const curfew__guest *guest, uint32_t address, uint32_t length);
/* Loops and calls so far. */
uint64_t curfew__guest_loops(const curfew__guest *guest);
/* Starts counting fuel: limit (CURFEW_UNLIMITED: none) from here. */
void curfew__guest_set_fuel(curfew__guest *guest, uint64_t limit);
/* Fuel used since then; more than the limit if that was exceeded. CURFEW_UNLIMITED: not metered. */
uint64_t curfew__guest_fuel_used(const curfew__guest *guest);
/* Charges fuel for work of the host, while the guest is in a host function. False: that exceeds the limit. */
bool curfew__guest_charge_fuel(curfew__guest *guest, uint64_t fuel);
/* Guest memory in bytes, without the stack. */
size_t curfew__guest_memory(const curfew__guest *guest);

#endif
