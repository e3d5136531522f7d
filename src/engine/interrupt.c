/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handler, and sending the signal.
 *
 * Where it may act. All functions of a guest, including adapters between components, are one block in the image that
 * contains them. An address in that block is guest code, and a thread there holds no lock of the host's. At any other
 * address the guest is in a host function or a trampoline; the store's notes say how it got there.
 *
 * How. A trap needs a valid frame pointer, and so does walking the stack afterwards. At the first and last instructions
 * of a function the frame pointer is still, or again, the caller's; so the handler completes the frame first. Then it
 * pushes a call, as if the instruction had called the landing, which is an instruction that traps. The stack walker
 * subtracts one from a return address, so that it finds the interrupted instruction.
 *
 * A late signal, or one too many, has no effect. A guest that nobody interrupts pays nothing.
 */
#include "engine/interrupt.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/refuse.h"
#include "common/mutex.h"
#include "common/clock.h"

#if !defined(__x86_64__) || !defined(__linux__)
#error "guests are interrupted on Linux on x86-64 only"
#endif

#define SIGNAL SIGURG
/* After an attempt that failed, the next follows after this time; after one that was not answered, after twice the last
 * interval. */
#define STEP_FIRST_NS (20 * CURFEW__MICROSECOND)
#define STEP_LAST_NS (640 * CURFEW__MICROSECOND)
/*
 * A guest with a processor responds within the second of these times. If the response did not make it trap, because it
 * was at an instruction where that is impossible, it is asked again at once, up to the first of these times.
 */
#define BURST_NS (150 * CURFEW__MICROSECOND)
#define ANSWER_NS (40 * CURFEW__MICROSECOND)
/* A thread whose CPU time is the same after this long has no processor. */
#define GLANCE_NS (3 * CURFEW__MICROSECOND)
/* A guest in a function of the embedder's gets no signal: it checks by itself when that function returns. */
#define STEP_AWAY_NS (50 * CURFEW__MICROSECOND)
/* A host function's frames may lie this far below a guest's lowest. */
#define HOST_STACK_BYTES ((uintptr_t)2 << 20)
/* How long an engine waits for the signal that it sends itself. */
#define TRIAL_NS (2 * CURFEW__SECOND)

#if defined(__clang__)
#define HANDLER_CODE __attribute__((disable_sanitizer_instrumentation))
#else
#define HANDLER_CODE __attribute__((no_sanitize("address", "thread", "undefined")))
#endif

/* The target that this thread executes. The handler reads it, so it uses the initial-exec model, in which no access
 * allocates or locks. */
__attribute__((visibility("hidden"), tls_model("initial-exec"))) _Thread_local curfew__target *volatile curfew__current;

_Static_assert(offsetof(curfew__target, landed) == 0, "known to the code below");
_Static_assert(offsetof(curfew__target, return_address) == 8, "known to the code below");
_Static_assert(offsetof(curfew__target, landing) == 16, "known to the code below");

/*
 * Where a hijacked return comes to: the return address is pushed back to where it was, which makes this a call from
 * there, and the landing is next. The target's thread has it as the current one whenever its guest can return.
 */
void curfew__hijacked(void);
extern const char curfew__hijacked_end[];
__asm__(".text\n"
        ".hidden curfew__hijacked\n"
        ".hidden curfew__hijacked_end\n"
        ".globl curfew__hijacked\n"
        ".globl curfew__hijacked_end\n"
        ".type curfew__hijacked, @function\n"
        "curfew__hijacked:\n"
        "	movq curfew__current@gottpoff(%rip), %r11\n"
        "	movq %fs:(%r11), %r11\n"
        "	movl $1, 0(%r11)\n"
        "	movq 8(%r11), %r10\n"
        "	pushq (%r10)\n"
        "	pushq %rbp\n"
        "	movq %rsp, %rbp\n"
        "	jmp *16(%r11)\n"
        "curfew__hijacked_end:\n"
        ".size curfew__hijacked, .-curfew__hijacked\n");

/* ---- Registers ---------------------------------------------------------------------------------------------- */

typedef curfew__registers registers;

HANDLER_CODE static inline bool starts_with(const uint8_t *code, uint8_t a, uint8_t b, uint8_t c)
{
	return code[0] == a && code[1] == b && code[2] == c;
}

/* A move through r11 to or from the top of the stack, by which a tail call moves its frame. */
HANDLER_CODE static bool is_moving(const uint8_t *code)
{
	bool loads = starts_with(code, 0x4c, 0x8b, 0x5c) || starts_with(code, 0x4c, 0x8b, 0x9c);
	bool stores = starts_with(code, 0x4c, 0x89, 0x5c);

	return ((loads || stores) && code[3] == 0x24) || (starts_with(code, 0x4c, 0x89, 0x1c) && code[3] == 0x24);
}

/*
 * What the registers mean at an instruction of a guest. Cranelift begins functions with `push rbp; mov rbp, rsp`, ends
 * them with `pop rbp; ret`, and keeps the stack aligned to 16 bytes between.
 */
HANDLER_CODE curfew__frame curfew__frame_at(const registers *at, uintptr_t first)
{
	const uint8_t *code = (const uint8_t *)at->pc;

	if (at->sp % 16 == 8)
		return CURFEW__FRAME_NONE;
	if (starts_with(code, 0x48, 0x89, 0xe5))
		return at->pc > first && code[-1] == 0x55 ? CURFEW__FRAME_PUSHED : CURFEW__FRAME_WHOLE;
	return at->sp == at->fp && is_moving(code) ? CURFEW__FRAME_MOVING : CURFEW__FRAME_WHOLE;
}

HANDLER_CODE static void push(registers *at, uintptr_t value)
{
	at->sp -= sizeof value;
	*(uintptr_t *)at->sp = value;
}

/* Makes the guest continue at the landing, as if its next instruction had called it. False: impossible at this
 * instruction. */
HANDLER_CODE static bool redirect(curfew__target *target, registers *at)
{
	curfew__frame frame = curfew__frame_at(at, target->code.first);

	if (frame == CURFEW__FRAME_MOVING)
		return false;
	if (frame == CURFEW__FRAME_NONE)
		push(at, at->fp);
	if (frame != CURFEW__FRAME_WHOLE)
		at->fp = at->sp;
	push(at, at->pc + 1);
	push(at, at->fp);
	at->fp = at->sp;
	atomic_store_explicit(&target->interrupted_at, at->pc, memory_order_relaxed);
	at->pc = target->landing;
	atomic_store_explicit(&target->landed, 1, memory_order_relaxed);
	return true;
}

/* With shadow stacks a return address cannot be changed. */
HANDLER_CODE static bool has_shadow_stack(void)
{
	uintptr_t shadow = 0;
	__asm__("rdsspq %0" : "+r"(shadow));
	return shadow != 0;
}

/* Notes the return addresses of a trampoline's callers, from the frame pointer that it has saved up to the entry. */
HANDLER_CODE static void find_frames(curfew__target *target, uintptr_t frame, uintptr_t address, uintptr_t entry,
                                     uintptr_t top)
{
	uintptr_t fp = *(const uintptr_t *)frame;
	unsigned count = 0;

	for (uintptr_t low = frame;
	     fp > low && fp % 16 == 0 && fp + 16 <= top && fp != entry && count < CURFEW__FRAMES_LEFT;) {
		target->left[count++] = address;
		address = ((const uintptr_t *)fp)[1];
		low = fp;
		fp = *(const uintptr_t *)fp;
	}
	target->left_count = count;
}

/*
 * A host function that throws searches for a frame that catches, and continues there: it never returns. So the store's
 * note of where the frames begin is changed to an empty chain; an exception then ends the guest. The report shows the
 * frames as they were.
 */
HANDLER_CODE static void hide_frames(curfew__target *target, uintptr_t *note, uintptr_t address, uintptr_t top)
{
	uintptr_t entry = *(const uintptr_t *)target->exit.entry;

	find_frames(target, *note, address, entry, top);
	target->no_frames = entry;
	*note = (uintptr_t)&target->no_frames;
}

/*
 * The guest is in a host function, or was called from one. The trampoline between them has noted the guest's return
 * address and its place. An old note is recognised: its place is outside the stack, or has another value.
 */
HANDLER_CODE static void hijack(curfew__target *target, const registers *at)
{
	uintptr_t *note = (uintptr_t *)target->exit.frame;
	uintptr_t frame = *note, address = *(const uintptr_t *)target->exit.address;
	uintptr_t limit = *(const uintptr_t *)target->exit.stack_limit, top = limit + target->stack_bytes;

	/* The notes do not apply to code on another stack, and beyond this thread's stack there may be no memory. */
	if (top < limit || at->sp + HOST_STACK_BYTES < limit || at->sp >= top)
		return;
	if (frame < at->sp || frame % 16 || frame + 16 > top)
		return;
	if (address <= target->code.first || address >= target->code.end || has_shadow_stack())
		return;
	uintptr_t *slot = (uintptr_t *)(frame + 8);
	if (*slot != address)
		return;
	*slot = (uintptr_t)curfew__hijacked;
	hide_frames(target, note, address, top);
}

/* ---- The handler -------------------------------------------------------------------------------------------- */

HANDLER_CODE void curfew__interrupt_answer(curfew__target *target, void *interrupted)
{
	ucontext_t *context = interrupted;
	greg_t *saved = context->uc_mcontext.gregs;
	registers at = {(uintptr_t)saved[REG_RIP], (uintptr_t)saved[REG_RSP], (uintptr_t)saved[REG_RBP]};
	const curfew__code_range *code = &target->code;

	if (atomic_load_explicit(&target->landed, memory_order_relaxed))
		return;
	if (at.pc >= code->first && at.pc < code->end) {
		if (redirect(target, &at)) {
			saved[REG_RIP] = (greg_t)at.pc;
			saved[REG_RSP] = (greg_t)at.sp;
			saved[REG_RBP] = (greg_t)at.fp;
		}
		return;
	}
	/* Do nothing: a trampoline may be about to write the notes, or a hijacked return is in progress. */
	bool in_trampoline = at.pc >= code->text && at.pc < code->text_end;
	bool is_hijacked = at.pc >= (uintptr_t)curfew__hijacked && at.pc < (uintptr_t)curfew__hijacked_end;
	if (target->exit.frame && !in_trampoline && !is_hijacked)
		hijack(target, &at);
}

/* The argument of rt_sigaction(2). It is called directly, because the C library's function may be replaced by one that
 * delays signals. */
typedef struct action {
	union {
		void (*plain)(int);
		void (*full)(int, siginfo_t *, void *);
	} call;
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
} action;

#define HAS_RESTORER 0x04000000ul

static action before; /* the action before ours was installed */
static curfew__mutex installing = {PTHREAD_MUTEX_INITIALIZER};
static const char mark; /* its address marks our own signals */

/* Debuggers recognise a signal frame by exactly these bytes. */
void curfew__signal_return(void);
__asm__(".text\n"
        ".hidden curfew__signal_return\n"
        ".globl curfew__signal_return\n"
        ".type curfew__signal_return, @function\n"
        "curfew__signal_return:\n"
        "	.byte 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05\n"
        ".size curfew__signal_return, .-curfew__signal_return\n");

HANDLER_CODE static void pass_on(int number, siginfo_t *info, void *context)
{
	if (before.flags & SA_SIGINFO)
		before.call.full(number, info, context);
	else if (before.call.plain != SIG_DFL && before.call.plain != SIG_IGN)
		before.call.plain(number);
}

/* If too many signals are pending, the system drops the data that they carry. */
HANDLER_CODE static void on_signal(int number, siginfo_t *info, void *context)
{
	curfew__target *target = curfew__current;
	bool is_ours = info->si_code == SI_QUEUE && info->si_value.sival_ptr == (void *)(uintptr_t)&mark;

	if (target && atomic_load_explicit(&target->wanted, memory_order_acquire)) {
		curfew__interrupt_answer(target, context);
		atomic_fetch_add_explicit(&target->answers, 1, memory_order_release);
	}
	if (!is_ours)
		pass_on(number, info, context);
}

static long set_action(const action *wanted, action *old)
{
	return syscall(SYS_rt_sigaction, SIGNAL, wanted, old, sizeof wanted->mask);
}

static bool is_installed(void)
{
	action now = {0};
	return !set_action(NULL, &now) && (now.flags & SA_SIGINFO) && now.call.full == on_signal;
}

/* Under the lock. */
static void install(void)
{
	action ours = {.call.full = on_signal,
	               .restorer = curfew__signal_return,
	               .flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | HAS_RESTORER};

	if (is_installed() || set_action(NULL, &before))
		return;
	/* Block the other handler's mask, which it may rely on. */
	ours.mask = before.mask;
	set_action(&ours, NULL);
}

void curfew__interrupt_reclaim(void)
{
	curfew__mutex_lock(&installing);
	install();
	curfew__mutex_unlock(&installing);
}

/* ---- Sending ------------------------------------------------------------------------------------------------ */

int curfew__interrupt_signal(void)
{
	return SIGNAL;
}

static _Thread_local pid_t own_id;

static void forget_id(void)
{
	own_id = 0;
}

/* The child of a fork has another id, and the thread-local variables of the thread that forked. */
static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, forget_id);
}

/* Asking is a system call, and a guest is entered often. */
pid_t curfew__thread_id(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, watch_forks);
	if (!own_id)
		own_id = gettid();
	return own_id;
}

/* tgkill never signals another process, even if the thread has ended. */
static bool send_interrupt(pid_t thread)
{
	siginfo_t info = {0};

	info.si_code = SI_QUEUE;
	info.si_pid = getpid();
	info.si_value.sival_ptr = (void *)(uintptr_t)&mark;
	return !syscall(SYS_rt_tgsigqueueinfo, info.si_pid, thread, SIGNAL, &info);
}

void curfew__interrupt_admit(sigset_t *old)
{
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &ours, old);
}

void curfew__interrupt_restore(const sigset_t *old)
{
	if (sigismember(old, SIGNAL))
		pthread_sigmask(SIG_SETMASK, old, NULL);
}

/* Sends this thread a signal and waits for it. NULL: it has arrived. */
static const char *try_signal(void)
{
	curfew__target trial = {.thread = curfew__thread_id()}, *old = curfew__current;
	int64_t until = clock_now_ns() + TRIAL_NS;
	const char *wrong = NULL;

	atomic_store(&trial.wanted, true);
	curfew__current = &trial;
	if (!send_interrupt(atomic_load(&trial.thread)))
		wrong = strerror(errno);
	while (!wrong && !atomic_load(&trial.answers) && is_installed() && clock_now_ns() < until)
		nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
	curfew__current = old;
	if (!wrong && !atomic_load(&trial.answers))
		wrong = is_installed() ? "it does not arrive"
		                       : "another handler took its place and does not call the one before it";
	return wrong;
}

bool curfew__interrupt_prepare(curfew_failure *failure)
{
	static bool was_installed;
	sigset_t old;

	/* A handler that replaces ours later has to pass signals on. Restoring ours could make two handlers call each other
	 * for ever. */
	curfew__mutex_lock(&installing);
	if (!was_installed)
		install();
	was_installed = true;
	curfew__mutex_unlock(&installing);
	curfew__interrupt_admit(&old);
	const char *wrong = try_signal();
	curfew__interrupt_restore(&old);
	if (wrong)
		curfew__fail(failure, "guests cannot be interrupted by SIGURG: %s", wrong);
	return !wrong;
}

/* ---- Targets ------------------------------------------------------------------------------------------------ */

bool curfew__target_init(curfew__target *target, const curfew__code_range *code, wasmtime_context_t *context,
                         const wasmtime_func_t *function, size_t stack_bytes)
{
	memset(target, 0, sizeof *target);
	target->code = *code;
	target->landing = code->landing;
	target->stack_bytes = stack_bytes;
	if (!curfew__exit_find(context, function, &target->exit))
		return false;
	target->return_address = (const uintptr_t *)target->exit.address;
	return true;
}

void curfew__target_note_call(curfew__target *target)
{
	if (!target->exit.frame)
		return;
	target->call_frame = *(const uintptr_t *)target->exit.frame;
	target->call_address = *(const uintptr_t *)target->exit.address;
	target->call_entry = *(const uintptr_t *)target->exit.entry;
	target->call_top = *(const uintptr_t *)target->exit.stack_limit + target->stack_bytes;
}

void curfew__target_find_frames(curfew__target *target)
{
	uintptr_t frame = target->call_frame, address = target->call_address, top = target->call_top;

	/* As in hijack: a note may be an old one. */
	if (frame % 16 || frame + 16 > top || frame + target->stack_bytes < top)
		return;
	if (address <= target->code.first || address >= target->code.end || ((const uintptr_t *)frame)[1] != address)
		return;
	find_frames(target, frame, address, target->call_entry, top);
}

void curfew__target_reset(curfew__target *target)
{
	atomic_store(&target->wanted, false);
	atomic_store(&target->landed, 0);
	atomic_store(&target->interrupted_at, 0);
	target->left_count = 0;
	target->call_frame = target->call_top = 0;
	target->ended_by_error = false;
	atomic_store(&target->answers, 0);
	target->seen_answers = 0;
	target->step_ns = 0;
}

bool curfew__target_enter(curfew__target *target, curfew__target **old)
{
	*old = curfew__current;
	curfew__current = target;
	atomic_store(&target->thread, curfew__thread_id());
	/* The order of these accesses ensures that either the watch sees this thread, or this thread sees its request. */
	return !atomic_load(&target->wanted);
}

void curfew__target_leave(curfew__target *target, curfew__target *old)
{
	atomic_store(&target->thread, 0);
	curfew__current = old;
}

const curfew__target *curfew__target_current(void)
{
	return curfew__current;
}

void curfew__target_note_error(curfew__target *target)
{
	if (!target->left_count || atomic_load(&target->landed))
		return;
	target->ended_by_error = true;
	atomic_store(&target->landed, 1);
}

bool curfew__target_has_landed(const curfew__target *target)
{
	return atomic_load(&target->landed) != 0;
}

/* ---- Priority ----------------------------------------------------------------------------------------------- */

static bool set_priority(pid_t thread, const curfew__scheduling *priority)
{
	return !syscall(SYS_sched_setattr, thread, priority, 0);
}

/* Whether this thread runs before one of that priority. Otherwise it could not stop it on the same processor. */
static bool comes_before(const curfew__scheduling *priority)
{
	curfew__scheduling own;
	return !syscall(SYS_sched_getattr, 0, &own, sizeof own, 0) && own.policy == SCHED_FIFO &&
	       own.priority > priority->priority;
}

/*
 * On a busy machine a thread that has to trap, or to notice a stop, waits for its turn like every thread, for some
 * milliseconds. It needs only microseconds more, so it may have priority.
 */
void curfew__hurry(curfew__hurried *hurried, pid_t thread)
{
	curfew__scheduling first = {
		.size = sizeof first, .policy = SCHED_FIFO, .flags = CURFEW__RESET_ON_FORK, .priority = CURFEW__PRIORITY_GUEST};
	static atomic_bool is_refused;

	if (!thread || hurried->thread || atomic_load(&is_refused) || !comes_before(&first))
		return;
	bool is_known = !syscall(SYS_sched_getattr, thread, &hurried->before, sizeof hurried->before, 0);
	if (is_known && hurried->before.policy != SCHED_OTHER && hurried->before.policy != SCHED_BATCH)
		return;
	if (is_known && set_priority(thread, &first))
		hurried->thread = thread;
	else if (errno == EPERM)
		atomic_store(&is_refused, true);
}

void curfew__target_hurry(curfew__target *target)
{
	if (!atomic_load(&target->is_away))
		curfew__hurry(&target->hurried, atomic_load(&target->thread));
}

void curfew__calm(curfew__hurried *hurried)
{
	if (!hurried->thread)
		return;
	/* Without the privilege the flag stays set, which has no effect on a thread like this. */
	if (!set_priority(hurried->thread, &hurried->before)) {
		hurried->before.flags |= CURFEW__RESET_ON_FORK;
		set_priority(hurried->thread, &hurried->before);
	}
	hurried->thread = 0;
}

/* ---- From the watch ----------------------------------------------------------------------------------------- */

static bool has_answered(const curfew__target *target, unsigned seen)
{
	return atomic_load(&target->answers) != seen || atomic_load(&target->landed);
}

/* The clock of a thread's CPU time (clock_getcpuclockid(3) has the one of a process). */
static clockid_t cpu_clock_of(pid_t thread)
{
	return (clockid_t)(~(unsigned)thread << 3 | 6);
}

/* Waits for a response as long as the thread has a processor. False: there was none. */
static bool await_answer(const curfew__target *target, unsigned answers, pid_t thread)
{
	int64_t start = clock_now_ns(), looked = start, now = start, used = clock_read_ns(cpu_clock_of(thread));

	while (!has_answered(target, answers) && now - start < ANSWER_NS) {
		__builtin_ia32_pause();
		now = clock_now_ns();
		if (now - looked < GLANCE_NS)
			continue;
		int64_t before_that = used;
		used = clock_read_ns(cpu_clock_of(thread));
		looked = now;
		if (used == before_that)
			break;
	}
	return has_answered(target, answers);
}

/* Sends a signal and waits briefly for the response. False: there was none. */
static bool ask_now(curfew__target *target)
{
	unsigned answers = atomic_load(&target->answers);
	pid_t thread = atomic_load(&target->thread);

	if (!thread || atomic_load(&target->is_away))
		return false;
	send_interrupt(thread);
	return await_answer(target, answers, thread);
}

/* Repeats that while the guest responds, until it has landed. False: it does not respond. */
static bool ask_often(curfew__target *target)
{
	int64_t until = clock_now_ns() + BURST_NS;

	while (ask_now(target))
		if (atomic_load(&target->landed) || clock_now_ns() >= until)
			return true;
	return false;
}

int64_t curfew__target_interrupt(curfew__target *target, int64_t now)
{
	bool is_first = !target->step_ns;
	bool was_answered = is_first || atomic_load(&target->answers) != target->seen_answers;

	atomic_store(&target->wanted, true);
	if (atomic_load(&target->landed))
		return CURFEW__NEVER;
	if (atomic_load(&target->is_away))
		return now + STEP_AWAY_NS;
	if (ask_often(target))
		was_answered = true;
	else
		curfew__target_hurry(target);
	if (atomic_load(&target->landed))
		return CURFEW__NEVER;
	int64_t longer = target->step_ns * 2 < STEP_LAST_NS ? target->step_ns * 2 : STEP_LAST_NS;
	target->step_ns = was_answered ? STEP_FIRST_NS : longer;
	target->seen_answers = atomic_load(&target->answers);
	return clock_now_ns() + target->step_ns;
}
