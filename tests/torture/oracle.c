/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests the assumptions of an interruption at every instruction. Guests are executed one instruction at a time. A
 * shadow stack is kept from the calls and returns, and at each instruction of a guest it is compared with the frames
 * that the handler would leave. Then the same guests are interrupted at their first, second, third... instruction, and
 * the stack in the report must be one that the program can have.
 *
 * Each guest is tried in both flavours, plain and metered, because their code differs.
 *
 * These assumptions must be tested again with every version of Wasmtime. CURFEW_ORACLE_STEPS is the number of
 * instructions to step.
 */
#include "../api/engine.h"

#include <signal.h>
#include <ucontext.h>

#include "engine/interrupt.h"

#define STEPS 2000
/* The number of interruptions, and ten times as many if more instructions are requested. */
#define INTERRUPTIONS 4
#define DEPTH 65536
#define FRAMES_COMPARED 200
/*
 * Steps in the host, before the guest's first instruction and for each wanted one: some guests call it in every turn.
 */
#define HOST_STEPS_FIRST 600000ul
#define HOST_STEPS_EACH 100ul
#define TRAP_FLAG 0x100
/* More than any run here uses. It selects the metered flavour. */
#define FUEL (900000ull * 1000000000)
#define METERED "metered_"

typedef struct guest {
	const char *name;
	/* the "callee<caller" pairs that a stack may have; "<" alone after the outermost; NULL: any */
	const char *edges;
	const char *text;   /* WebAssembly text */
	const char *script; /* or JavaScript */
	const char *params;
} guest;

static const guest guests[] = {
	{"loop", "run<,", "(module (func $run (export \"run\") (loop $l (br $l))))"},
	{"recursion", "fib<fib,fib<run,run<,",
     "(module (func $fib (param i32) (result i32) (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))"
     " (then (local.get 0)) (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))"
     " (call $fib (i32.sub (local.get 0) (i32.const 2)))))))"
     " (func $run (export \"run\") (loop $l (drop (call $fib (i32.const 30))) (br $l))))"},
	{"tail_calls", "few<run,many<run,some<run,run<,",
     "(module (func $few (param i32) (result i32) (return_call $many (local.get 0) (i32.const 2) (i32.const 3) (i32.const 4)"
     " (i32.const 5) (i32.const 6) (i32.const 7) (i32.const 8) (i32.const 9) (i32.const 10) (i32.const 11) (i32.const 12)))"
     " (func $many (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)"
     " (if (i32.eqz (i32.rem_u (local.get 0) (i32.const 50))) (then (return (local.get 11))))"
     " (return_call $some (i32.sub (local.get 0) (i32.const 1)) (local.get 1) (local.get 2) (local.get 3) (local.get 4)"
     " (local.get 5) (local.get 6) (local.get 7) (local.get 9)))"
     " (func $some (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (return_call $few (local.get 0)))"
     " (func $run (export \"run\") (loop $l (drop (call $few (i32.const 1234))) (br $l))))"},
	{"indirect_calls", "run<,a<run,b<run,",
     "(module (type $t (func (param i32) (result i32))) (table 2 funcref) (elem (i32.const 0) $a $b)"
     " (func $a (type $t) (i32.add (local.get 0) (i32.const 5))) (func $b (type $t) (i32.mul (local.get 0) (i32.const 3)))"
     " (func $run (export \"run\") (local $x i32) (loop $l (local.set $x (call_indirect (type $t) (local.get $x)"
     " (i32.and (local.get $x) (i32.const 1)))) (br $l))))"},
	{"many_values", "run<,sum<run,turn<sum,",
     "(module (func $turn (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64 i64 i64 i64 i64)"
     " (local.get 9) (local.get 8) (local.get 7) (local.get 6) (local.get 5) (local.get 4) (local.get 3) (local.get 2))"
     " (func $sum (param i64) (result i64) (call $turn (local.get 0) (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)"
     " (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8) (local.get 0))"
     " i64.add i64.xor i64.add i64.add i64.xor i64.add i64.add)"
     " (func $run (export \"run\") (local $x i64) (loop $l (local.set $x (call $sum (local.get $x))) (br $l))))"},
	{"exceptions", "run<,inner<run,thrower<inner,",
     "(module (tag $t (param i32)) (func $thrower (param i32) (throw $t (local.get 0)))"
     " (func $inner (param i32) (if (i32.eqz (i32.and (local.get 0) (i32.const 63))) (then (call $thrower (local.get 0)))))"
     " (func $run (export \"run\") (local $i i32) (loop $l (block $h (try_table (catch_all $h)"
     " (loop $in (local.set $i (i32.add (local.get $i) (i32.const 1))) (call $inner (local.get $i)) (br $in)))) (br $l))))"},
	{"memory", "run<,",
     "(module (memory 4) (func $run (export \"run\") (local $at i32) (loop $l (i32.store (local.get $at) (i32.const 7))"
     " (memory.fill (local.get $at) (i32.const 1) (i32.const 100)) (drop (memory.grow (i32.const 0)))"
     " (local.set $at (i32.and (i32.add (local.get $at) (i32.const 4096)) (i32.const 0x1ffff))) (br $l))))"},
	{"bulk_64", "run<,",
     "(module (memory i64 4) (table $t i64 100 funcref) (func $run (export \"run\") (local $n i64)"
     " (loop $l (local.set $n (i64.and (i64.add (local.get $n) (i64.const 37)) (i64.const 63)))"
     " (memory.fill (local.get $n) (i32.const 1) (i64.mul (local.get $n) (i64.const 100)))"
     " (memory.copy (i64.const 3) (local.get $n) (i64.mul (local.get $n) (i64.const 50)))"
     " (table.fill $t (local.get $n) (ref.null func) (i64.const 36)) (table.copy $t $t (i64.const 1) (i64.const 0) (local.get $n))"
     " (br $l))))"},
	{"vectors", "run<,mix<run,",
     "(module (memory 1) (func $mix (param v128 v128) (result v128) (i32x4.mul (i8x16.add (local.get 0) (local.get 1))"
     " (i16x8.avgr_u (local.get 0) (local.get 1)))) (func $run (export \"run\") (local $a v128) (local $b v128)"
     " (loop $l (local.set $b (call $mix (local.get $a) (v128.load (i32.const 64))))"
     " (local.set $a (call $mix (local.get $b) (local.get $a))) (v128.store (i32.const 64) (local.get $a)) (br $l))))"},
	{"composition", NULL,
     "(component (component $a (core module $m (memory (export \"mem\") 8)"
     " (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 1024))"
     " (func (export \"take\") (param i32 i32) (result i32) (local.get 1)))"
     " (core instance $i (instantiate $m)) (func (export \"take\") (param \"l\" (list (tuple u8 u32))) (result u32)"
     " (canon lift (core func $i \"take\") (memory (core memory $i \"mem\")) (realloc (core func $i \"realloc\")))))"
     " (component $b (import \"take\" (func $take (param \"l\" (list (tuple u8 u32))) (result u32)))"
     " (core module $libc (memory (export \"mem\") 8)) (core instance $libc (instantiate $libc))"
     " (core func $lowered (canon lower (func $take) (memory (core memory $libc \"mem\"))))"
     " (core module $m (import \"i\" \"take\" (func $take (param i32 i32) (result i32)))"
     " (func (export \"run\") (loop $l (drop (call $take (i32.const 0) (i32.const 40))) (br $l))))"
     " (core instance $i (instantiate $m (with \"i\" (instance (export \"take\" (func $lowered))))))"
     " (func (export \"run\") (canon lift (core func $i \"run\"))))"
     " (instance $ia (instantiate $a)) (instance $ib (instantiate $b (with \"take\" (func $ia \"take\"))))"
     " (export \"run\" (func $ib \"run\")))"},
	/* Resources, parameters and results in memory, the system interface, and a function of the embedder's. */
	{"component", NULL,
     "(component (import \"tick\" (func $tick (param \"n\" u32) (result u32)))"
     " (import \"wasi:clocks/monotonic-clock@0.2.0\" (instance $clock (export \"now\" (func (result u64)))))"
     " (core func $tick (canon lower (func $tick))) (core func $now (canon lower (func $clock \"now\")))"
     " (core module $end (func (export \"end\") (param i32))) (core instance $end (instantiate $end))"
     " (type $thing (resource (rep i32) (dtor (core func $end \"end\")))) (core func $new (canon resource.new $thing))"
     " (core func $rep (canon resource.rep $thing)) (core func $drop (canon resource.drop $thing))"
     " (core module $m (import \"i\" \"tick\" (func $tick (param i32) (result i32))) (import \"i\" \"now\" (func $now (result i64)))"
     " (import \"i\" \"new\" (func $new (param i32) (result i32))) (import \"i\" \"rep\" (func $rep (param i32) (result i32)))"
     " (import \"i\" \"drop\" (func $drop (param i32)))"
     " (memory (export \"mem\") 1) (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 1024))"
     " (func $compute (param $n i32) (result i32) (local $sum i32) (loop $l (local.set $sum (i32.add (i32.mul (local.get $sum)"
     " (i32.const 31)) (local.get $n))) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (local.get $sum))"
     " (func (export \"run\") (param i32 i32) (result i32) (local $thing i32)"
     " (loop $l (local.set $thing (call $new (call $compute (i32.const 300))))"
     " (i32.store (i32.const 64) (call $compute (i32.add (i32.const 1) (i32.and (call $rep (local.get $thing)) (i32.const 255)))))"
     " (call $drop (local.get $thing)) (i32.store (i32.const 64) (call $tick (call $compute (i32.const 300))))"
     " (i64.store (i32.const 64) (call $now)) (br $l)) (i32.const 0)))"
     " (core instance $i (instantiate $m (with \"i\" (instance (export \"tick\" (func $tick)) (export \"now\" (func $now))"
     " (export \"new\" (func $new)) (export \"rep\" (func $rep)) (export \"drop\" (func $drop))))))"
     " (func (export \"run\") (param \"words\" (list string)) (result (list string))"
     " (canon lift (core func $i \"run\") (memory (core memory $i \"mem\")) (realloc (core func $i \"realloc\")))))",
     .params = "[[\"one\",\"two\"]]"},
	{"javascript", NULL, NULL,
     "function spin(n) { return n > 0 ? spin(n - 1) + 1 : [3, 1, 2].sort().join('').length; } for (;;) spin(5);"},
	/* Builtins that compute, that call back and that throw; generators, jobs, and a function of the embedder's. */
	{"builtins", NULL, NULL,
     "function* powers() { for (let i = 0; ; i++) yield BigInt(i) ** 20n; } const numbers = powers();"
     "(async () => { for (;;) { try {"
     " const text = JSON.stringify({ n: [...'abc'].map((c) => c + numbers.next().value) }, null, host.tick(1));"
     " JSON.parse(text.replace(/(\\d)\\1/g, (all) => all) + (/^(a|aa)+$/.test('aaaaaaab') ? '' : ']'));"
     " } catch (error) { await error.message; } } })()"},
};

static void tick(void *context, curfew_host_call *call)
{
	(void)context;
	curfew_host_call_return(call, "2", 1);
}

static const curfew_host_function functions[] = {
	{.size = sizeof(curfew_host_function), .name = "tick", .call = tick},
};

static curfew_engine *engine;
static curfew_program *program;
static curfew_cancel *cancel;
static bool is_metered;

/* ---- Stepping --------------------------------------------------------------------------------------------- */

static struct {
	uintptr_t shadow[DEPTH]; /* return addresses */
	size_t depth;
	curfew__registers before;
	bool has_before;
	unsigned long steps, host_steps, budget;
	unsigned long seen[4]; /* instructions by the kind of frame */
	unsigned long wrong;
	uintptr_t first_wrong; /* an address in the guest's code */
	bool interrupts;       /* at the end of the budget */
	volatile bool is_over;
} oracle;

static uintptr_t word_at(uintptr_t address)
{
	return *(const uintptr_t *)address;
}

static bool is_guests(const curfew__target *target, uintptr_t address)
{
	return target != NULL && address >= target->code.first && address < target->code.end;
}

static void pop_to(uintptr_t address)
{
	while (oracle.depth > 0 && oracle.shadow[oracle.depth] != address)
		oracle.depth--;
}

/* Follows one instruction: a call, a return, or the landing of an exception. */
static void follow(const curfew__target *target, const curfew__registers *at)
{
	const curfew__registers *before = &oracle.before;
	const uint8_t *code = (const uint8_t *)before->pc;
	bool pushed = at->sp + 8 == before->sp;
	uintptr_t top = pushed ? word_at(at->sp) : 0;

	if (pushed && top > before->pc && top <= before->pc + 15 && at->pc != top) {
		CHECK(oracle.depth + 1 < DEPTH);
		oracle.shadow[oracle.depth++] = top;
	} else if (code[0] == 0xc3 || code[0] == 0xc2 || (code[0] == 0xf3 && code[1] == 0xc3)) {
		if (oracle.depth > 0) {
			oracle.depth--;
			pop_to(at->pc);
		}
	} else if (is_guests(target, at->pc) && !is_guests(target, before->pc)) {
		while (oracle.depth > 0 && oracle.shadow[oracle.depth - 1] != word_at(at->fp + 8))
			oracle.depth--;
	}
}

/* Whether the frames from here equal the shadow stack without this many entries at its top. */
static bool agrees(const curfew__target *target, size_t without, uintptr_t fp)
{
	size_t left = oracle.depth - without;

	if (without > 0 && !is_guests(target, oracle.shadow[left]))
		return true; /* the outermost function of the guest is just being entered or left */
	for (unsigned count = 0; left > 0 && count < FRAMES_COMPARED; count++, left--) {
		if (word_at(fp + 8) != oracle.shadow[left - 1])
			return false;
		if (!is_guests(target, oracle.shadow[left - 1]))
			return true;
		fp = word_at(fp);
	}
	return true;
}

static bool is_right(const curfew__target *target, const curfew__registers *at, curfew__frame frame)
{
	uintptr_t caller = oracle.depth > 0 ? oracle.shadow[oracle.depth - 1] : 0;

	switch (frame) {
	case CURFEW__FRAME_WHOLE: return agrees(target, 0, at->fp);
	case CURFEW__FRAME_NONE: return word_at(at->sp) == caller && agrees(target, 1, at->fp);
	case CURFEW__FRAME_PUSHED:
		return word_at(at->sp + 8) == caller && word_at(at->sp) == at->fp && agrees(target, 1, at->fp);
	default: return true;
	}
}

static void end(greg_t *saved)
{
	oracle.is_over = true;
	saved[REG_EFL] &= ~TRAP_FLAG;
	if (!oracle.interrupts)
		curfew_cancel_fire(cancel);
}

static void on_step(int number, siginfo_t *info, void *context)
{
	greg_t *saved = ((ucontext_t *)context)->uc_mcontext.gregs;
	curfew__registers at = {(uintptr_t)saved[REG_RIP], (uintptr_t)saved[REG_RSP], (uintptr_t)saved[REG_RBP]};
	curfew__target *target = (curfew__target *)(uintptr_t)curfew__target_current();
	(void)number, (void)info;

	if (oracle.is_over) {
		saved[REG_EFL] &= ~TRAP_FLAG;
		return;
	}
	if (oracle.has_before)
		follow(target, &at);
	oracle.before = at;
	oracle.has_before = true;
	if (!is_guests(target, at.pc)) {
		if (++oracle.host_steps > HOST_STEPS_FIRST + HOST_STEPS_EACH * oracle.budget)
			end(saved);
		return;
	}
	curfew__frame frame = curfew__frame_at(&at, target->code.first);
	oracle.steps++;
	oracle.seen[frame]++;
	if (!is_right(target, &at, frame) && oracle.wrong++ == 0)
		oracle.first_wrong = at.pc - target->code.text;
	if (oracle.steps < oracle.budget || frame == CURFEW__FRAME_MOVING)
		return;
	end(saved);
	if (oracle.interrupts) {
		atomic_store(&target->wanted, true);
		curfew__interrupt_answer(target, context);
	}
}

static void begin_stepping(void)
{
	__asm__ volatile("pushfq\n orq $0x100, (%%rsp)\n popfq" ::: "cc", "memory");
}

static void end_stepping(void)
{
	oracle.is_over = true;
	__asm__ volatile("nop" ::: "memory");
}

/* ---- Runs ------------------------------------------------------------------------------------------------- */

static curfew_report *run_once(const guest *given, uint64_t timeout_ms)
{
	curfew_limits limits = {.size = sizeof limits,
	                        .timeout_ns = harness_ms(timeout_ms),
	                        .stack_bytes = 256 << 10,
	                        .host_calls = CURFEW_UNLIMITED,
	                        .fuel = is_metered ? FUEL : 0};
	curfew_run_options options = {.size = sizeof options, .limits = &limits, .cancel = cancel};
	curfew_report *report = NULL;
	if (curfew_program_kind(program)[0] != 'j')
		options.call = "run";
	options.params = given->params;
	options.params_length = given->params != NULL ? strlen(given->params) : 0;
	curfew_failure failure = {.message = ""};
	curfew_status status = curfew_program_run(program, &options, &report, &failure);
	if (status != CURFEW_OK)
		(void)fprintf(stderr, "%s: %s\n", given->name, failure.message);
	CHECK_OK(status);
	return report;
}

/* Compiles it and starts its threads, because these must not be stepped. */
static void prepare(const guest *given)
{
	struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	CHECK_EQUAL(sigaction(SIGTRAP, &action, NULL), 0);
	CHECK_OK(curfew_engine_create(NULL, &engine, NULL));
	const char *text = given->text != NULL ? given->text : given->script;
	curfew_source source = {.size = sizeof source,
	                        .name = "a",
	                        .text = text,
	                        .text_length = strlen(text),
	                        .language = given->text != NULL ? CURFEW_LANGUAGE_WAT : CURFEW_LANGUAGE_JS};
	CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
	CHECK_OK(curfew_program_set_functions(program, functions, 1, NULL));
	CHECK_OK(curfew_program_compile(program, NULL, NULL, NULL));
	curfew_report *report = run_once(given, 100);
	CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_DEADLINE);
	curfew_report_destroy(report);
}

static curfew_report *step_through(const guest *given, unsigned long budget, bool interrupts)
{
	memset(&oracle, 0, sizeof oracle);
	oracle.budget = budget;
	oracle.interrupts = interrupts;
	CHECK_OK(curfew_cancel_create(engine, &cancel));
	begin_stepping();
	curfew_report *report = run_once(given, 100000);
	end_stepping();
	curfew_cancel_destroy(cancel);
	cancel = NULL;
	return report;
}

static void expect_stack(const guest *given, const curfew_report *report, unsigned long at)
{
	for (size_t i = 0; given->edges != NULL && i < report->frame_count; i++) {
		char edge[256];
		const char *caller = i + 1 < report->frame_count ? report->frames[i + 1].function : "";
		(void)snprintf(edge, sizeof edge, "%s<%s,", report->frames[i].function, caller);
		const char *found = strstr(given->edges, edge);
		if (found == NULL)
			(void)fprintf(stderr, "%s, interrupted at its instruction %lu: no stack has %s\n", given->name, at, edge);
		CHECK(found != NULL);
	}
	CHECK(given->edges == NULL || report->frame_count > 0);
}

static unsigned long steps_wanted(void)
{
	const char *text = getenv("CURFEW_ORACLE_STEPS");
	unsigned long steps = text != NULL ? strtoul(text, NULL, 10) : 0;
	return steps > 0 ? steps : STEPS;
}

static void try_guest(const guest *given, bool metered)
{
	unsigned long steps = steps_wanted();
	is_metered = metered;
	prepare(given);
	curfew_report_destroy(step_through(given, steps, false));
	if (oracle.wrong > 0)
		(void)fprintf(stderr, "%s: %lu of %lu instructions, the first at 0x%lx of the code\n", given->name,
		              oracle.wrong, oracle.steps, (unsigned long)oracle.first_wrong);
	CHECK_EQUAL(oracle.wrong, 0);
	if (oracle.steps < steps / 4)
		(void)fprintf(stderr, "%s: %lu instructions of the guest, %lu of the host\n", given->name, oracle.steps,
		              oracle.host_steps);
	CHECK(oracle.steps >= steps / 4 && oracle.seen[CURFEW__FRAME_NONE] > 0 && oracle.seen[CURFEW__FRAME_PUSHED] > 0);
	/* Each of the first ones, then with growing distances. */
	for (unsigned long k = 1; k <= (steps > STEPS ? 10 * INTERRUPTIONS : INTERRUPTIONS); k++) {
		unsigned long at = k + k * k / 4;
		curfew_report *report = step_through(given, at, true);
		CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_TRAPPED);
		expect_stack(given, report, at);
		curfew_report_destroy(report);
	}
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

int main(int argument_count, char **arguments)
{
	size_t count = sizeof guests / sizeof *guests;
	bool metered = argument_count > 1 && strncmp(arguments[1], METERED, sizeof METERED - 1) == 0;
	const char *name = argument_count > 1 ? arguments[1] + (metered ? sizeof METERED - 1 : 0) : "";
	for (size_t i = 0; i < count; i++) {
		if (argument_count < 2)
			(void)printf("%s\n" METERED "%s\n", guests[i].name, guests[i].name);
		else if (strcmp(name, guests[i].name) == 0)
			return try_guest(&guests[i], metered), 0;
	}
	return argument_count < 2 ? 0 : 2;
}
