/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One JavaScript guest alive, seen from outside: entering it, stopping it, reading what it left. Nothing that it
 * wrote is believed: addresses and lengths are checked, and no outcome is taken from it.
 *
 * Who may touch its memory when is decided by one word. The executing thread moves it INSIDE -> OUTSIDE on the way out
 * and back again by compare-and-swap. A guest that answers no signal loses its memory: the watch thread moves
 * INSIDE -> STOPPING and only then takes it away. A host function that finds STOPPING touches nothing and ends the
 * call.
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
	CURFEW__GUEST_STOPPING, /* its memory was taken away, or is about to be */
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

/* What a guest asks of a file, its addresses checked and turned into ours; each is NULL where it gave none. */
typedef struct curfew__guest_file {
	curfew__file_request request; /* its status goes back to the guest */
	const char *path;             /* [request.path_length] */
	const char *other;            /* [request.other_length] */
	char *bytes;                  /* [request.length] */
} curfew__guest_file;

/* What the host does for a guest. Those that answer false end the call into the guest. */
typedef struct curfew__guest_host {
	bool (*write)(void *context, uint32_t stream, const char *bytes, size_t length);
	/* *answer: 0 or -1, as guest/host.h says. */
	bool (*emit)(void *context, uint32_t kind, const char *json, size_t length, int32_t *answer);
	bool (*random)(void *context, void *bytes, size_t length);
	int64_t (*clock)(void *context);
	bool (*import_open)(void *context, const char *name, size_t length, int32_t *answer);
	void (*import_read)(void *context, void *bytes, size_t length);
	/* Operations, as guest/host.h has them. */
	bool (*op_start)(void *context, uint32_t kind, const char *request, size_t length, uint32_t *id);
	bool (*op_send)(void *context, uint32_t id, uint32_t kind, const char *bytes, size_t length);
	void (*op_cancel)(void *context, uint32_t id);
	bool (*op_next)(void *context, curfew__event_record *event);
	bool (*op_take)(void *context, void *bytes, size_t length);
	/* The program ends itself; the call into the guest ends here. */
	void (*exit)(void *context, uint32_t code);
	/* The guest asks to be stopped, for one of CURFEW_STOP_*. */
	void (*stop)(void *context, uint32_t cause);
	/* Whether the run is to be stopped: looked at after every host function. */
	bool (*stopped)(void *context);
	/*
	 * It is, and the guest is in a host function: whether it may go back, to end by itself at its next look. False: the
	 * call into the guest ends here.
	 */
	bool (*unwinds)(void *context);
	/* The memory is to have so many bytes, the stack left out; refused: its limit does not allow that. */
	void (*growth)(void *context, size_t bytes, bool refused);
	/* Host functions, as guest/host.h has them. */
	bool (*call)(void *context, uint32_t index, const char *json, size_t length, int32_t *answer);
	bool (*call_take)(void *context, void *bytes, size_t length);
	/* Copies a secret of at most `room` bytes; *answer: its length, or -1 where there is none of that name. */
	bool (*secret)(void *context, const char *name, size_t name_length, char *bytes, size_t room, int32_t *answer);
	/* Files, as guest/abi.h has them. */
	bool (*file)(void *context, curfew__guest_file *call, int32_t *answer);
} curfew__guest_host;

typedef struct curfew__guest {
	atomic_uint state;
	curfew__instance *instance;
	curfew__region *region;
	curfew__pool *pool;
	curfew__control *control;                /* in guest memory */
	_Atomic int32_t *counter;                /* in guest memory */
	const struct curfew__asset_entry *asset; /* that was found last */
	const curfew__guest_host *host;
	void *context;
	size_t scratch_used;
	curfew__region *count; /* where its fuel is counted; NULL: it is not */
	uint64_t counted_from; /* what stood there when the counting began */
	bool unwinds;          /* it is being stopped, and nothing that it does counts any more */
	uint64_t fuel_spent;   /* what it had used then */
	atomic_bool soft_asked;
	int32_t taken; /* of the counter, by the last soft stop that took effect */
} curfew__guest;

/*
 * The engine checks its stack in guest memory; the native stack of the same frames is up to sixteen times as large
 * (measured: its parser). So that the check always comes first, a guest with a given stack limit runs in an engine of
 * the class whose native stack is that much larger.
 */
enum { CURFEW__STACK_SMALL, CURFEW__STACK_USUAL, CURFEW__STACK_LARGE, CURFEW__STACK_CLASSES };
int curfew__guest_stack_class(uint64_t stack_bytes);
size_t curfew__guest_native_stack(int stack_class);

/* The guest's compiled code and what it starts from. */
curfew__vm *curfew__guest_vm_create(bool metered, int stack_class, const char *cache_dir, curfew_failure *failure);
curfew__image *curfew__guest_image_create(void);
/* A number that changes with the guest's code or image: program images belong to one. [32 bytes] */
const uint8_t *curfew__guest_build_id(void);

/* Brings a guest to life; memory_bytes includes nothing of the stack. False: out of memory or address space. */
bool curfew__guest_init(curfew__guest *guest, curfew__vm *vm, bool metered, curfew__pool *pool, curfew__image *image,
                        size_t memory_bytes, const curfew__guest_host *host, void *context);
/* Readies it for its next call, which may be another run's. */
void curfew__guest_again(curfew__guest *guest, void *context);
/* Between two calls: gives back a large stack. *stack_peak: bytes of it that were touched since it was small, in pages.
 */
void curfew__guest_rest(curfew__guest *guest, size_t *stack_peak);
/*
 * Ends it and gives its memory back; may_put_off: clearing what it left there may be put off. *stack_peak: bytes of
 * stack it touched, in pages.
 */
void curfew__guest_finish(curfew__guest *guest, bool may_put_off, size_t *stack_peak);

/* Copies bytes in and answers their address (0: the call for room ended otherwise, see *end). */
uint32_t curfew__guest_put(curfew__guest *guest, const void *bytes, size_t length, curfew__vm_end *end);
/* Enters; *status is one of CURFEW_GUEST_* where the guest returned. Afterwards the state is IDLE or STOPPING. */
curfew__vm_end curfew__guest_enter(curfew__guest *guest, curfew__guest_entry entry, const uint32_t *argument,
                                   int32_t *status);
/* After an entry that was stopped and with the watch disarmed: makes it accessible and able to be entered again. */
bool curfew__guest_settle(curfew__guest *guest);

/* While it waits: gives back what it can do without. */
void curfew__guest_trim(curfew__guest *guest);

/* From the watch: asks the next poll to stop; whether one has seen that already. */
bool curfew__guest_stop_soft(curfew__guest *guest);
/*
 * From the watch: interrupts it where it is, unless it is in a host function, which looks by itself. When to try again;
 * CURFEW__NEVER: it is interrupted.
 */
int64_t curfew__guest_interrupt(curfew__guest *guest, int64_t now);
/* From the watch: see curfew__target_hurry. */
void curfew__guest_hurry(curfew__guest *guest);
/* Whether it was interrupted, or its memory was taken away, before it came out by itself. */
bool curfew__guest_was_stopped_hard(const curfew__guest *guest);
/* From the watch, the last resort: takes the memory away. False: it is in a host function, or the system refused. */
bool curfew__guest_protect(curfew__guest *guest);
/* From the watch, or while the guest does not execute: lets the program see that its time is up. */
void curfew__guest_tell_aborted(curfew__guest *guest, uint32_t kind);

/* Bytes that the guest points to; NULL if they are not all in its memory. */
const char *curfew__guest_bytes(const curfew__guest *guest, uint32_t address, uint32_t length);
/* Loops and calls so far. */
uint64_t curfew__guest_loops(const curfew__guest *guest);
/* Starts counting fuel: limit (CURFEW_UNLIMITED: none) from here. */
void curfew__guest_set_fuel(curfew__guest *guest, uint64_t limit);
/* What was used since; more than the limit where that was passed. CURFEW_UNLIMITED: nothing is counted. */
uint64_t curfew__guest_fuel_used(const curfew__guest *guest);
/* Takes fuel for what the host does; while the guest is in a host function. False: that passes the limit. */
bool curfew__guest_charge_fuel(curfew__guest *guest, uint64_t fuel);
/* Guest memory in bytes, the stack left out. */
size_t curfew__guest_memory(const curfew__guest *guest);

#endif
