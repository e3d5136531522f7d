/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an instance: its memory limit, how it is resumed and stopped, and how it has ended. */
#include "wasm/instance.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/refuse.h"
#include "wasm/fuel.h"
#include "wasm/json_values.h"
#include "wasm/parts.h"

/* Fuel of a call out of the sandbox: about the number of instructions that it takes. */
#define CALL_FUEL 500
#define TABLE_ELEMENT_BYTES 8
/* A file that the program is given, or a directory of one, besides its contents. */
#define ENTRY_BYTES 512
/* The limit of what a component may pass in one call of a host function: this takes 30 ms, and nothing can stop it
 * meanwhile. */
#define PASSED_BYTES_MAX ((size_t)16 << 20)
/* The maximum length of an error's message. */
#define CAUSES_MAX 4096
/* A call that yields more often than this without an end is parked. */
#define POLLS_MAX 64

enum { STAGE_INSTANTIATE, STAGE_INITIALIZE, STAGE_CALL, STAGE_OVER };

static const curfew__part *part_of(const curfew__wasm *wasm)
{
	return wasm->code->is_component ? &curfew__part_component : &curfew__part_module;
}

/* ---- What it may use -------------------------------------------------------------------------------------- */

static bool charge_memory(void *context, size_t bytes)
{
	curfew__wasm *wasm = context;
	bool refused = bytes > wasm->memory_limit - wasm->memory_bytes;

	if (!refused)
		wasm->memory_bytes += bytes;
	if (wasm->memory_bytes > wasm->memory_peak)
		wasm->memory_peak = wasm->memory_bytes;
	wasm->host->growth(wasm->context, wasm->memory_bytes, refused);
	return !refused;
}

static bool grow_table(void *context, uint64_t from, uint64_t to)
{
	return to - from <= SIZE_MAX / TABLE_ELEMENT_BYTES &&
	       charge_memory(context, (size_t)(to - from) * TABLE_ELEMENT_BYTES);
}

static void stack_used(void *context, size_t bytes)
{
	curfew__wasm *wasm = context;
	if (bytes > wasm->stack_peak)
		wasm->stack_peak = bytes;
}

static curfew__call_verdict on_call(void *context, bool counts)
{
	curfew__wasm *wasm = context;
	bool goes = counts ? wasm->host->call(wasm->context) : !wasm->host->stopped(wasm->context);

	if (!goes)
		return CURFEW__CALL_REFUSED;
	curfew__target_note_call(&wasm->target);
	return curfew__wasm_charge_fuel(wasm, CALL_FUEL) ? CURFEW__CALL_GOES : CURFEW__CALL_OUT_OF_FUEL;
}

static bool on_returned(void *context)
{
	curfew__wasm *wasm = context;
	return !wasm->host->stopped(wasm->context);
}

static bool on_write(void *context, uint32_t stream, const char *bytes, size_t length)
{
	curfew__wasm *wasm = context;
	return wasm->host->write(wasm->context, stream, bytes, length);
}

/* ---- Its requests to the outside -------------------------------------------------------------------------- */

static uint32_t on_fetch_start(void *context, const char *request, size_t length)
{
	curfew__wasm *wasm = context;
	wasm->fetches = true;
	return wasm->host->fetch_start(wasm->context, request, length);
}

static bool on_fetch_send(void *context, uint32_t id, uint32_t kind, const void *bytes, size_t length)
{
	curfew__wasm *wasm = context;
	return wasm->host->fetch_send(wasm->context, id, kind, bytes, length);
}

static void on_fetch_cancel(void *context, uint32_t id)
{
	curfew__wasm *wasm = context;
	wasm->host->fetch_cancel(wasm->context, id);
}

static curfew__waker on_fetch_waker(void *context)
{
	curfew__wasm *wasm = context;
	return wasm->host->waker(wasm->context);
}

void curfew__wasm_take_event(curfew__wasm *wasm, uint32_t id, uint32_t kind, bool is_last, const void *bytes,
                             size_t length)
{
	if (wasm->code->imports_wasi)
		curfew__http_event(wasm->store_context, id, kind, is_last, bytes, length);
}

static void serve_requests(curfew__wasm *wasm)
{
	if (!wasm->fetches)
		return;
	wasm->host->fetch_serve(wasm->context);
	curfew__http_serve(wasm->store_context);
}

/* ---- Interrupting it -------------------------------------------------------------------------------------- */

int64_t curfew__wasm_interrupt(curfew__wasm *wasm, int64_t now)
{
	return curfew__target_interrupt(&wasm->target, now);
}

void curfew__wasm_set_away(curfew__wasm *wasm, bool is_away)
{
	atomic_store(&wasm->target.is_away, is_away);
}

/* ---- Beginning -------------------------------------------------------------------------------------------- */

static void free_files(const curfew__wasi_options *wasi)
{
	for (size_t i = 0; i < wasi->file_count; i++) {
		free(wasi->files[i].name);
		free(wasi->files[i].bytes);
	}
}

/* Charges for the files that a program is given. False: it is given none, or cannot be. */
static bool may_have_files(curfew__wasm *wasm, const curfew__wasi_options *wasi)
{
	size_t bytes = 0;

	if (!wasi->file_count || !wasm->code->imports_wasi)
		return false;
	for (size_t i = 0; i < wasi->file_count; i++) {
		bytes += wasi->files[i].length + ENTRY_BYTES;
		for (const char *name = wasi->files[i].name; (name = strchr(name, '/')); name++)
			bytes += ENTRY_BYTES;
	}
	return charge_memory(wasm, bytes) || curfew__fail(&wasm->failure, "the memory limit does not allow the files");
}

static bool make_store(curfew__wasm *wasm, const curfew__wasm_options *options)
{
	const curfew__machine *machine = wasm->code->machine;
	curfew__wasi_options wasi = options->wasi;

	wasm->store = wasmtime_store_new(machine->engine, wasm, NULL);
	wasm->store_context = wasmtime_store_context(wasm->store);
	wasi.context = wasm;
	wasi.write = on_write;
	wasi.http = (curfew__wasi_http){on_fetch_start, on_fetch_send, on_fetch_cancel, on_fetch_waker};
	if (!may_have_files(wasm, &wasi)) {
		free_files(&wasi);
		wasi.file_count = 0;
		if (wasm->failure.message[0])
			return false;
	}
	wasm->account = (curfew__account){wasm, grow_table, on_call, on_returned};
	if (!curfew__store_prepare(wasm->store, &wasm->account, wasm->code->imports_wasi ? &wasi : NULL,
	                           wasm->failure.message))
		return false;
	curfew__store_hostcall_fuel(wasm->store_context,
	                            options->memory_bytes < PASSED_BYTES_MAX ? options->memory_bytes : PASSED_BYTES_MAX);
	if (!curfew__target_init(&wasm->target, &wasm->code->range, wasm->store_context, NULL, machine->stack_bytes)) {
		curfew__fail(&wasm->failure, "a store has an unknown layout: its guest could not be interrupted");
		return false;
	}
	return true;
}

/* Prepares the call. */
static curfew__wasm_end prepare_call(curfew__wasm *wasm, const curfew__wasm_options *options)
{
	const char *text = options->params ? options->params : "[]";

	wasm->context = options->context;
	curfew__wasm_limit_fuel(wasm, options->fuel);
	if (!curfew__params_open(&wasm->params, text, options->params ? options->params_length : 2, options->stop, "params",
	                         &wasm->failure) ||
	    !part_of(wasm)->prepare(wasm, options->call))
		return CURFEW__WASM_REFUSED;
	wasm->failure.message[0] = 0;
	return CURFEW__WASM_WAITS;
}

static void forget_call(curfew__wasm *wasm)
{
	part_of(wasm)->finish(wasm);
	free(wasm->name);
	wasm->name = NULL;
	wasm->starts = wasm->calls = false;
}

curfew__wasm_end curfew__wasm_init(curfew__wasm *wasm, const curfew__code *code, const curfew__wasm_options *options)
{
	memset(wasm, 0, sizeof *wasm);
	wasm->code = code;
	wasm->host = options->host;
	wasm->context = options->context; /* set it first, because the store may call back */
	wasm->memory_limit = options->memory_bytes;
	if (code->metered && !(wasm->count = curfew__pool_take_plain(code->machine->pool, CURFEW__WASM_PAGE)))
		return CURFEW__WASM_FAILED;
	wasm->memory_host = (curfew__memory_host){code->machine, wasm, wasm->count, charge_memory, stack_used};
	if (!make_store(wasm, options))
		return CURFEW__WASM_REFUSED;
	return prepare_call(wasm, options);
}

curfew__wasm_end curfew__wasm_again(curfew__wasm *wasm, const curfew__wasm_options *options)
{
	forget_call(wasm);
	if (wasm->fetches)
		curfew__http_forget(wasm->store_context);
	wasm->fetches = false;
	curfew__target_reset(&wasm->target);
	wasm->failure.message[0] = 0;
	wasm->exit_code = 0;
	wasm->stage = STAGE_INITIALIZE;
	return prepare_call(wasm, options);
}

bool curfew__wasm_is_sound(const curfew__wasm *wasm)
{
	return wasm->instantiated && !wasm->future && !wasm->trap && !wasm->error && !atomic_load(&wasm->target.wanted);
}

/* ---- Going on --------------------------------------------------------------------------------------------- */

static wasmtime_call_future_t *next_future(curfew__wasm *wasm)
{
	const curfew__part *part = part_of(wasm);
	wasmtime_call_future_t *future = NULL;

	while (!future && wasm->stage != STAGE_OVER) {
		if (wasm->stage == STAGE_INSTANTIATE) {
			future = part->instantiate(wasm);
		} else if (wasm->stage == STAGE_INITIALIZE && wasm->calls && !wasm->initialized) {
			wasm->initialized = true;
			future = part->initialize(wasm);
		} else if (wasm->stage == STAGE_CALL && wasm->calls) {
			future = part->call(wasm);
		}
		wasm->stage++;
	}
	return future;
}

/* The meter ends a guest with `unreachable`; the host's charges end it with a trap of their own. */
static curfew__wasm_end classify_trap(const curfew__wasm *wasm, uint8_t code)
{
	if (code == WASMTIME_TRAP_CODE_STACK_OVERFLOW)
		return CURFEW__WASM_STACK;
	bool by_meter = code == WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED && curfew__wasm_is_out_of_fuel(wasm);
	return by_meter || code == WASMTIME_TRAP_CODE_OUT_OF_FUEL ? CURFEW__WASM_FUEL : CURFEW__WASM_TRAPPED;
}

/* An exit arrives as an error, and only wasmtime_error_t has its status. */
static curfew__wasm_end classify_error(curfew__wasm *wasm)
{
	uint8_t code;

	if (wasmtime_error_exit_status(wasm->error, &wasm->exit_code))
		return CURFEW__WASM_EXITED;
	if (curfew__error_trap_code(wasm->error, &code))
		return classify_trap(wasm, code);
	return wasm->stage == STAGE_INSTANTIATE + 1 && !wasm->host_trapped ? CURFEW__WASM_REFUSED : CURFEW__WASM_TRAPPED;
}

/* The result of the future that ended. CURFEW__WASM_DONE: the next one may begin. */
static curfew__wasm_end classify(curfew__wasm *wasm)
{
	wasmtime_trap_code_t code;

	if (wasm->error || wasm->trap)
		curfew__target_note_error(&wasm->target);
	/* The frames of the landing say nothing about the guest. */
	if (curfew__target_has_landed(&wasm->target))
		return CURFEW__WASM_TRAPPED;
	if (wasm->error)
		return classify_error(wasm);
	if (!wasm->trap)
		return CURFEW__WASM_DONE;
	return wasmtime_trap_code(wasm->trap, &code) ? classify_trap(wasm, code) : CURFEW__WASM_TRAPPED;
}

/* Begins the next future. False: there is none, or it cannot begin. */
static bool begin_next(curfew__wasm *wasm, curfew__wasm_end *end)
{
	wasmtime_call_future_t *future = next_future(wasm);
	curfew__waker waker;

	*end = wasm->failure.message[0] ? CURFEW__WASM_REFUSED : CURFEW__WASM_DONE;
	if (!future)
		return false;
	waker = wasm->host->waker(wasm->context);
	wasm->future = curfew__future_create(future, wasm->code->machine->reactor, &waker);
	if (!wasm->future)
		*end = CURFEW__WASM_FAILED;
	return wasm->future != NULL;
}

/*
 * Polls the future again if the guest only yielded for a moment, as Wasmtime does while it collects garbage. Nothing
 * has to be waited for. A guest that is to be interrupted then reaches a point where it can be, which shows where it
 * is.
 */
static bool poll(curfew__wasm *wasm)
{
	for (int polls = 1;; polls++) {
		serve_requests(wasm);
		if (curfew__future_poll(wasm->future))
			return true;
		/* After the last attempt the thread that parks the run checks whether it was woken. */
		if (polls == POLLS_MAX || !wasm->host->woken(wasm->context))
			return false;
	}
}

static curfew__wasm_end poll_future(curfew__wasm *wasm)
{
	curfew__wasm_end end;

	for (;;) {
		if (!wasm->future && !begin_next(wasm, &end))
			return end;
		if (!poll(wasm))
			return CURFEW__WASM_WAITS;
		curfew__future_destroy(wasm->future);
		wasm->future = NULL;
		if ((end = classify(wasm)) != CURFEW__WASM_DONE)
			return end;
		wasm->instantiated = true;
	}
}

curfew__wasm_end curfew__wasm_go_on(curfew__wasm *wasm)
{
	curfew__memory_host *before = curfew__memory_host_set(&wasm->memory_host);
	curfew__target *outer;
	curfew__wasm_end end = curfew__target_enter(&wasm->target, &outer) ? poll_future(wasm) : CURFEW__WASM_TRAPPED;

	curfew__target_leave(&wasm->target, outer);
	curfew__memory_host_set(before);
	if (end == CURFEW__WASM_DONE && wasm->calls)
		return part_of(wasm)->outcome(wasm);
	return end;
}

/* ---- What its end says ------------------------------------------------------------------------------------ */

void curfew__wasm_value(curfew__wasm *wasm, curfew__buffer *buffer)
{
	if (wasm->calls)
		part_of(wasm)->value(wasm, buffer);
}

/* The report's names of traps. The sentences are those of the WebAssembly specification's tests, if it has one. */
static const struct {
	const char *name, *sentence;
} traps[] = {
	[WASMTIME_TRAP_CODE_STACK_OVERFLOW] = {"stack_overflow", "call stack exhausted"},
	[WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS] = {"memory_out_of_bounds", "out of bounds memory access"},
	[WASMTIME_TRAP_CODE_HEAP_MISALIGNED] = {"unaligned_atomic", "unaligned atomic"},
	[WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS] = {"table_out_of_bounds", "out of bounds table access"},
	[WASMTIME_TRAP_CODE_INDIRECT_CALL_TO_NULL] = {"uninitialized_element", "uninitialized element"},
	[WASMTIME_TRAP_CODE_BAD_SIGNATURE] = {"indirect_call_type_mismatch", "indirect call type mismatch"},
	[WASMTIME_TRAP_CODE_INTEGER_OVERFLOW] = {"integer_overflow", "integer overflow"},
	[WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO] = {"integer_divide_by_zero", "integer divide by zero"},
	[WASMTIME_TRAP_CODE_BAD_CONVERSION_TO_INTEGER] = {"invalid_conversion_to_integer", "invalid conversion to integer"},
	[WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED] = {"unreachable", "unreachable executed"},
	[WASMTIME_TRAP_CODE_OUT_OF_FUEL] = {"out_of_fuel", "the fuel limit was exceeded"},
	[WASMTIME_TRAP_CODE_NULL_REFERENCE] = {"null_reference", "null reference"},
	[WASMTIME_TRAP_CODE_ALLOCATION_TOO_LARGE] = {"allocation_too_large", "allocation size too large"},
	[WASMTIME_TRAP_CODE_CANNOT_ENTER_COMPONENT] = {"cannot_enter_component", "cannot enter component instance"},
	[WASMTIME_TRAP_CODE_CANNOT_LEAVE_COMPONENT] = {"cannot_leave_component", "cannot leave component instance"},
	[WASMTIME_TRAP_CODE_INVALID_CHAR] = {"invalid_char", "a char is not a Unicode scalar value"},
	[WASMTIME_TRAP_CODE_STRING_OUT_OF_BOUNDS] = {"string_out_of_bounds", "a string lies outside the memory"},
	[WASMTIME_TRAP_CODE_LIST_OUT_OF_BOUNDS] = {"list_out_of_bounds", "a list lies outside the memory"},
	[WASMTIME_TRAP_CODE_INVALID_DISCRIMINANT] = {"invalid_discriminant", "a variant has no such case"},
	[WASMTIME_TRAP_CODE_UNALIGNED_POINTER] = {"unaligned_pointer", "a pointer is not aligned"},
	[WASMTIME_TRAP_CODE_UNCAUGHT_EXCEPTION] = {"uncaught_exception", "an exception was not caught"},
};

const char *curfew__wasm_trap_name(const curfew__wasm *wasm, const char **sentence)
{
	wasmtime_trap_code_t code;
	uint8_t number = UINT8_MAX;

	if (wasm->trap && wasmtime_trap_code(wasm->trap, &code))
		number = (uint8_t)code;
	else if (wasm->error)
		curfew__error_trap_code(wasm->error, &number);
	bool known = number < sizeof traps / sizeof *traps && traps[number].name;
	*sentence = known ? traps[number].sentence : NULL;
	return known ? traps[number].name : NULL;
}

/* Adds one line of a list of causes, which may be numbered. */
static void add_cause(curfew__buffer *buffer, const char *line, size_t length)
{
	size_t start = strspn(line, " 0123456789");

	start = start < length && line[start] == ':' ? start + 1 : 0;
	while (start < length && line[start] == ' ')
		start++;
	if (start < length && buffer->length)
		curfew__buffer_add(buffer, ": ", 2);
	if (start < length)
		curfew__buffer_add(buffer, line + start, length - start);
}

/* Joins all causes, outermost first, without the frames before them, in one line. */
static char *causes_of(const char *data, size_t size)
{
	char *text = strndup(data, size), *causes = text ? strstr(text, "Caused by:") : NULL;
	curfew__buffer buffer;

	if (!causes) {
		if (text)
			text[strcspn(text, "\n")] = 0;
		return text;
	}
	curfew__buffer_init(&buffer, CAUSES_MAX);
	const char *line = causes + strlen("Caused by:");
	for (line += *line == '\n'; *line && *line != '\n';) {
		size_t length = strcspn(line, "\n");
		add_cause(&buffer, line, length);
		line += length + (line[length] == '\n');
	}
	free(text);
	return curfew__buffer_take(&buffer, NULL);
}

char *curfew__wasm_failure_text(const curfew__wasm *wasm)
{
	wasm_byte_vec_t text = {0};
	char *cause;

	if (wasm->failure.message[0])
		return strdup(wasm->failure.message);
	if (wasm->error)
		wasmtime_error_message(wasm->error, &text);
	else if (wasm->trap)
		wasm_trap_message(wasm->trap, &text);
	cause = text.size ? causes_of(text.data, text.size) : strdup("");
	wasm_byte_vec_delete(&text);
	return cause;
}

/* A stack overflow is detected before a function's first instruction, which has no position. */
static void place_entry(const wasm_frame_t *frame, curfew__wasm_place place, void *context)
{
	const wasm_name_t *known = wasmtime_frame_func_name(frame);
	char name[256];

	if (known)
		snprintf(name, sizeof name, "%.*s", (int)(known->size < sizeof name ? known->size : sizeof name - 1),
		         known->data);
	else
		snprintf(name, sizeof name, "func[%" PRIu32 "]", wasm_frame_func_index(frame));
	place(context, &(curfew__location){.function = name, .offset = CURFEW__NO_OFFSET});
}

/* Whether the innermost frame is that of the landing. *at is the guest's own instruction, if it was interrupted at one.
 */
static bool is_interrupted(const curfew__wasm *wasm, uintptr_t *at)
{
	uint8_t code;
	bool has_trapped = wasm->trap || (wasm->error && curfew__error_trap_code(wasm->error, &code));

	/* Otherwise the host may have ended the guest meanwhile, and the frames are the guest's own. */
	if (!has_trapped || !curfew__target_has_landed(&wasm->target) || wasm->target.ended_by_error)
		return false;
	*at = atomic_load(&wasm->target.interrupted_at);
	return true;
}

bool curfew__wasm_trace(curfew__wasm *wasm, curfew__wasm_program *program, curfew__wasm_place place, void *context)
{
	wasm_frame_vec_t frames = {0};
	bool whole = true;

	if (wasm->trap)
		wasm_trap_trace(wasm->trap, &frames);
	else if (wasm->error)
		wasmtime_error_wasm_trace(wasm->error, &frames);
	uintptr_t interrupted_at = 0;
	size_t first = is_interrupted(wasm, &interrupted_at);
	for (size_t i = first; i < frames.size; i++) {
		size_t offset = wasm_frame_module_offset(frames.data[i]);
		bool is_reported = offset == SIZE_MAX && i == first && interrupted_at &&
		                   curfew__wasm_program_locate_address(program, wasm->code, interrupted_at, place, context);
		if (is_reported)
			continue;
		if (offset == SIZE_MAX)
			place_entry(frames.data[i], place, context);
		else
			whole &= curfew__wasm_program_locate(
				program, wasm->code->metered, offset - wasm_frame_func_offset(frames.data[i]), offset, place, context);
	}
	/* A guest that waits, and an error that was thrown where frames were hidden, have none. */
	if (frames.size == 0 && wasm->target.left_count == 0 && wasm->future)
		curfew__target_find_frames(&wasm->target);
	for (unsigned i = 0; frames.size == 0 && i < wasm->target.left_count; i++)
		curfew__wasm_program_locate_address(program, wasm->code, wasm->target.left[i] - 1, place, context);
	wasm_frame_vec_delete(&frames);
	return whole;
}

/* ---- Ending ----------------------------------------------------------------------------------------------- */

void curfew__wasm_finish(curfew__wasm *wasm)
{
	/* Dropping the future unwinds a guest that waits. That may run destructors in host functions, but never continues
	 * the guest. */
	curfew__memory_host *before = curfew__memory_host_set(&wasm->memory_host);
	curfew__target *outer;

	curfew__target_enter(&wasm->target, &outer);
	if (wasm->future)
		curfew__future_destroy(wasm->future);
	if (wasm->store)
		forget_call(wasm);
	if (wasm->trap)
		wasm_trap_delete(wasm->trap);
	if (wasm->error)
		wasmtime_error_delete(wasm->error);
	if (wasm->store)
		wasmtime_store_delete(wasm->store);
	curfew__target_leave(&wasm->target, outer);
	curfew__memory_host_set(before);
	if (wasm->count) {
		*curfew__wasm_count(wasm) = 0; /* the only write to that memory */
		curfew__pool_give_plain(wasm->code->machine->pool, wasm->count, true);
	}
	wasm->store = NULL;
	wasm->future = NULL;
	wasm->count = NULL;
}
