/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupting guest code by a signal to the thread that executes it. The signal's handler makes the guest go on at an
 * instruction that traps, as if it had called it; a guest in a host function traps as that returns. Nothing of this is
 * in the guest's code, and nothing is paid while it runs.
 */
#ifndef CURFEW_ENGINE_INTERRUPT_H
#define CURFEW_ENGINE_INTERRUPT_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "curfew.h"
#include "engine/extra.h"

#define CURFEW__FRAMES_LEFT 64

/* How the system lets a thread run: what sched_setattr(2) takes. */
typedef struct curfew__priority {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
} curfew__priority;

/* One guest, as the watch and the handler see it. */
typedef struct curfew__target {
	/* The first three are known by their offsets to the code that a hijacked return comes to. */
	atomic_uint landed; /* it has been made to trap */
	const uintptr_t *return_address;
	uintptr_t landing;
	curfew__code_range code;
	curfew__exit exit;
	size_t stack_bytes;               /* of its native stack */
	atomic_bool wanted;               /* it is to be interrupted */
	atomic_bool is_away;              /* it is in a function of the embedder's, and no signal is sent */
	_Atomic pid_t thread;             /* that executes it; 0: none */
	atomic_uint answers;              /* signals that were looked at on its behalf */
	_Atomic uintptr_t interrupted_at; /* the instruction it was at; 0: in a host function, or not interrupted */
	unsigned seen_answers;            /* the rest is the watch's */
	int64_t step_ns;
	uintptr_t no_frames; /* what the store is told of, in place of the guest's frames, where they must not be found */
	bool ended_by_error; /* it has landed by that, and no frame is the landing's */
	unsigned left_count; /* frames that there were then, innermost first: an address behind the call in each */
	uintptr_t left[CURFEW__FRAMES_LEFT];
	pid_t raised; /* a thread that it has put before others, 0: none; and what that thread was before */
	curfew__priority before;
} curfew__target;

/*
 * Installs the handler, once for the process, and tries whether a signal arrives. False: *failure says why not.
 * Every engine calls this when it is made.
 */
bool curfew__interrupt_prepare(curfew_failure *failure);
/* From the watch: installs the handler once more if another one was put in its place. */
void curfew__interrupt_reclaim(void);

/* Lets the signal through to this thread; *before (may be NULL) gets what curfew__interrupt_restore wants. */
void curfew__interrupt_admit(sigset_t *before);
void curfew__interrupt_restore(const sigset_t *before);
/* The signal that executing threads must not block. */
int curfew__interrupt_signal(void);

/*
 * Makes a target of a store whose guest runs this code. function: one of a module in that store, or NULL. False: the
 * store is not as is known here.
 */
bool curfew__target_init(curfew__target *target, const curfew__code_range *code, wasmtime_context_t *context,
                         const wasmtime_func_t *function, size_t stack_bytes);
/* Forgets that it was interrupted: it may be entered again. Nobody interrupts it meanwhile. */
void curfew__target_reset(curfew__target *target);
/*
 * This thread is about to execute it; *before gets what curfew__target_leave wants, in any case. False: it is to be
 * interrupted, and must not be entered.
 */
bool curfew__target_enter(curfew__target *target, curfew__target **before);
void curfew__target_leave(curfew__target *target, curfew__target *before);
/* From the watch, until it is interrupted: one more attempt. When to make the next; CURFEW__NEVER: it is interrupted.
 */
int64_t curfew__target_interrupt(curfew__target *target, int64_t now);
/* From the watch: its thread has no processor; where the system allows it, it gets the next one. */
void curfew__target_hurry(curfew__target *target);
/* Undoes that, once the watch has let go. */
void curfew__target_calm(curfew__target *target);
/* It has come out with an error: that is the interruption's doing if it was left without frames before. */
void curfew__target_note_error(curfew__target *target);
/* Whether its trap, if any, is the interruption's: the innermost frame is then none of its own. */
bool curfew__target_has_landed(const curfew__target *target);

/* ---- What the handler does, for the test that tries it at every instruction (tests/torture/oracle.c) --------- */

typedef struct curfew__registers {
	uintptr_t pc, sp, fp;
} curfew__registers;

typedef enum curfew__frame {
	CURFEW__FRAME_WHOLE,  /* the frame pointer is this function's */
	CURFEW__FRAME_NONE,   /* the return address is on top of the stack, and the frame pointer the caller's */
	CURFEW__FRAME_PUSHED, /* the same, but the caller's frame pointer is pushed */
	CURFEW__FRAME_MOVING, /* a tail call is moving it: not now */
} curfew__frame;

/* What the registers mean at an instruction of a guest, whose functions begin at first. */
curfew__frame curfew__frame_at(const curfew__registers *at, uintptr_t first);
/* What this thread executes, or NULL. */
const curfew__target *curfew__target_current(void);
/* Makes the guest go on at the landing, if it can be done here; interrupted: the ucontext_t of a signal. */
void curfew__interrupt_answer(curfew__target *target, void *interrupted);

#endif
