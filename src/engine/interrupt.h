/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts guest code by a signal to the thread that executes it. The handler makes the guest continue at an
 * instruction that traps, as if it had called it; a guest in a host function traps when that returns. The guest's code
 * contains nothing for this, and running it costs nothing.
 */
#ifndef CURFEW_ENGINE_INTERRUPT_H
#define CURFEW_ENGINE_INTERRUPT_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/scheduling.h"
#include "curfew.h"
#include "engine/extra.h"

#define CURFEW__FRAMES_LEFT 64

/* A thread whose priority the watch has raised; 0: none. And its scheduling before. */
typedef struct curfew__hurried {
	pid_t thread;
	curfew__scheduling before;
} curfew__hurried;

/* One guest, as the watch and the handler see it. */
typedef struct curfew__target {
	/* The code that a hijacked return comes to knows the offsets of the first three. */
	atomic_uint landed; /* it has been made to trap */
	const uintptr_t *return_address;
	uintptr_t landing;
	curfew__code_range code;
	curfew__exit exit;
	size_t stack_bytes;               /* of its native stack */
	atomic_bool wanted;               /* it has to be interrupted */
	atomic_bool is_away;              /* it is in a function of the embedder's, and no signal is sent */
	_Atomic pid_t thread;             /* the thread that executes it; 0: none */
	atomic_uint answers;              /* signals that its thread has handled */
	_Atomic uintptr_t interrupted_at; /* the interrupted instruction; 0: in a host function, or not interrupted */
	unsigned seen_answers;            /* only the watch uses the rest */
	int64_t step_ns;
	uintptr_t no_frames; /* an empty chain of frames for the store, when the guest's frames must not be found */
	bool ended_by_error; /* it has landed in that way, and no frame is the landing's */
	unsigned left_count; /* the frames at that time, innermost first: the return address in each */
	uintptr_t left[CURFEW__FRAMES_LEFT];
	/* Where it made its last call to the host: its trampoline's frame, the return address, the entry, the stack's end.
	 */
	uintptr_t call_frame, call_address, call_entry, call_top;
	curfew__hurried hurried;
} curfew__target;

/*
 * Installs the handler, once for the process, and verifies that a signal arrives. False: *failure says why not. Every
 * engine calls this when it is created.
 */
bool curfew__interrupt_prepare(curfew_failure *failure);
/* From the watch: installs the handler again if another one has replaced it. */
void curfew__interrupt_reclaim(void);

/* Unblocks the signal on this thread; *before (may be NULL) is for curfew__interrupt_restore. */
void curfew__interrupt_admit(sigset_t *before);
void curfew__interrupt_restore(const sigset_t *before);
/* The signal that executing threads must not block. */
int curfew__interrupt_signal(void);

/*
 * Makes a target of a store whose guest runs this code. function is one of a module in that store, or NULL. False: the
 * store has an unknown layout.
 */
bool curfew__target_init(curfew__target *target, const curfew__code_range *code, wasmtime_context_t *context,
                         const wasmtime_func_t *function, size_t stack_bytes);
/* Resets an interrupted target, so that it may be entered again. Nobody may interrupt it meanwhile. */
void curfew__target_reset(curfew__target *target);
/*
 * Called before this thread executes the target; *before is for curfew__target_leave, in any case. False: the target
 * has to be interrupted, and must not be entered.
 */
bool curfew__target_enter(curfew__target *target, curfew__target **before);
void curfew__target_leave(curfew__target *target, curfew__target *before);
/* From the watch, until it is interrupted: makes one more attempt. Returns when to make the next; CURFEW__NEVER: it is
 * interrupted. */
int64_t curfew__target_interrupt(curfew__target *target, int64_t now);
/* From the watch: raises the priority of its thread, which has no processor, if the system allows it. */
void curfew__target_hurry(curfew__target *target);

/* The same for a thread that executes none of a guest's code: it has only to notice that its run is stopped. */
void curfew__hurry(curfew__hurried *hurried, pid_t thread);
/* Restores the priority, once the watch no longer raises it. */
void curfew__calm(curfew__hurried *hurried);
/* The id of this thread, which is asked for once. */
pid_t curfew__thread_id(void);

/* Notes where the guest has made a call that it may wait in. Called during that call. */
void curfew__target_note_call(curfew__target *target);
/* Finds the frames of a guest that waits in that call: left. Its stack must still be there. */
void curfew__target_find_frames(curfew__target *target);

/* Notes that the guest ended with an error. The interruption caused it if the frames were hidden before. */
void curfew__target_note_error(curfew__target *target);
/* Whether the interruption caused its trap, if any. The innermost frame is then not the guest's own. */
bool curfew__target_has_landed(const curfew__target *target);

/* ---- What the handler does, for the test that tries it at every instruction (tests/torture/oracle.c) --------- */

typedef struct curfew__registers {
	uintptr_t pc, sp, fp;
} curfew__registers;

typedef enum curfew__frame {
	CURFEW__FRAME_WHOLE,  /* the frame pointer is this function's */
	CURFEW__FRAME_NONE,   /* the return address is on top of the stack, and the frame pointer the caller's */
	CURFEW__FRAME_PUSHED, /* the same, but the caller's frame pointer is pushed already */
	CURFEW__FRAME_MOVING, /* a tail call is moving it: not now */
} curfew__frame;

/* What the registers mean at an instruction of a guest, whose functions begin at first. */
curfew__frame curfew__frame_at(const curfew__registers *at, uintptr_t first);
/* The target that this thread executes, or NULL. */
const curfew__target *curfew__target_current(void);
/* Makes the guest continue at the landing, if that is possible here. interrupted: the ucontext_t of a signal. */
void curfew__interrupt_answer(curfew__target *target, void *interrupted);

#endif
