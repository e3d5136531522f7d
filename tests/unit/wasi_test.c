/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The additions of engine/src to Wasmtime's C API for guests that wait and call out: futures, accounts, WASI. Guests
 * are text. Each run has its own store, and all share one reactor. Waits here end long before their limits, which only
 * keep a failing test from hanging.
 */
#include "../harness.h"
#include "engine/extra.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define HOUR_NS 3600000000000
#define PATIENCE_MS 20000

/* ---- What all runs share ---------------------------------------------------------------------------------- */

typedef struct bed {
	wasm_engine_t *engine;
	wasmtime_linker_t *linker;
	wasmtime_component_linker_t *components;
	curfew__reactor *reactor;
} bed;

static bed shared;

static void expect_none(wasmtime_error_t *error)
{
	wasm_byte_vec_t text;
	if (!error)
		return;
	wasmtime_error_message(error, &text);
	(void)fprintf(stderr, "%.*s\n", (int)text.size, text.data);
	_exit(1);
}

static void *set_up(void)
{
	wasm_config_t *config = wasm_config_new();
	wasmtime_config_wasm_component_model_async_set(config, false);
	shared.engine = wasm_engine_new_with_config(config);
	shared.linker = wasmtime_linker_new(shared.engine);
	shared.components = wasmtime_component_linker_new(shared.engine);
	shared.reactor = curfew__reactor_create();
	expect_none(curfew__linker_add_wasi(shared.linker));
	expect_none(curfew__component_linker_add_wasi(shared.components));
	return NULL;
}

static void tear_down(void *state)
{
	(void)state;
	curfew__reactor_destroy(shared.reactor);
	wasmtime_component_linker_delete(shared.components);
	wasmtime_linker_delete(shared.linker);
	wasm_engine_delete(shared.engine);
}

/* ---- One run ---------------------------------------------------------------------------------------------- */

typedef struct run {
	wasmtime_store_t *store;
	wasmtime_context_t *context;
	wasmtime_instance_t instance;
	wasmtime_component_instance_t component;
	wasmtime_extern_t called; /* a call borrows its function, arguments and results until it ends */
	int bell;
	atomic_int references; /* those of wakers */
	/* The account's answers, and what it was notified of. */
	uint64_t calls, counted, returns, calls_max, calls_paid;
	uint64_t grew_from, grew_to, grow_max;
	/* Output. */
	char output[2][200];
	size_t lengths[2], output_max;
	/* The result of the last call. */
	wasmtime_error_t *error;
	wasm_trap_t *trap;
} run;

static bool account_grow(void *context, uint64_t from, uint64_t to)
{
	run *r = context;
	r->grew_from = from;
	r->grew_to = to;
	return to <= r->grow_max;
}

static curfew__call_verdict account_call(void *context, bool counts)
{
	run *r = context;
	r->calls++;
	r->counted += counts;
	return r->calls > r->calls_max    ? CURFEW__CALL_REFUSED
	       : r->calls > r->calls_paid ? CURFEW__CALL_OUT_OF_FUEL
	                                  : CURFEW__CALL_GOES;
}

static bool account_returned(void *context)
{
	((run *)context)->returns++;
	return true;
}

static bool keep_output(void *context, uint32_t stream, const char *bytes, size_t length)
{
	run *r = context;
	size_t *used = &r->lengths[stream - 1];
	if (length > r->output_max - *used)
		return false;
	memcpy(r->output[stream - 1] + *used, bytes, length);
	*used += length;
	return true;
}

/* Programs of wasi:http are in tests/integration/wasi_http.py; here nothing makes a request. */
static uint32_t start_nothing(void *context, const char *request, size_t length)
{
	(void)context, (void)request, (void)length;
	return 0;
}

static bool send_nothing(void *context, uint32_t id, uint32_t kind, const void *bytes, size_t length)
{
	(void)context, (void)id, (void)kind, (void)bytes, (void)length;
	return false;
}

static void cancel_nothing(void *context, uint32_t id)
{
	(void)context, (void)id;
}

static void wake_nothing(void *context)
{
	(void)context;
}

static curfew__waker no_waker(void *context)
{
	(void)context;
	return (curfew__waker){NULL, wake_nothing, wake_nothing};
}

static const curfew__wasi_options plain = {
	.stdin_file = -1, .write = keep_output, .http = {start_nothing, send_nothing, cancel_nothing, no_waker}};

static void run_init(run *r, const curfew__wasi_options *options)
{
	char message[256] = "";
	*r = (run){
		.calls_max = UINT64_MAX, .calls_paid = UINT64_MAX, .grow_max = UINT64_MAX, .output_max = sizeof r->output[0]};
	curfew__account account = {r, account_grow, account_call, account_returned};
	curfew__wasi_options copy = *options;
	copy.context = r;
	r->bell = eventfd(0, EFD_CLOEXEC);
	r->store = wasmtime_store_new(shared.engine, NULL, NULL);
	r->context = wasmtime_store_context(r->store);
	CHECK(curfew__store_prepare(r->store, &account, &copy, message));
	CHECK_TEXT(message, "");
}

static void forget_end(run *r)
{
	if (r->error)
		wasmtime_error_delete(r->error);
	if (r->trap)
		wasm_trap_delete(r->trap);
	r->error = NULL;
	r->trap = NULL;
}

static void run_finish(run *r)
{
	forget_end(r);
	wasmtime_store_delete(r->store);
	/* A thread that was about to wake it still holds a waker. */
	for (int i = 0; atomic_load(&r->references) && i < PATIENCE_MS; i++)
		usleep(1000);
	CHECK_EQUAL(atomic_load(&r->references), 0);
	close(r->bell);
}

/* ---- Futures ---------------------------------------------------------------------------------------------- */

static void wake(void *context)
{
	eventfd_write(((run *)context)->bell, 1);
}

static void drop(void *context)
{
	atomic_fetch_sub(&((run *)context)->references, 1);
}

static curfew__future *hold(run *r, wasmtime_call_future_t *call)
{
	curfew__waker waker = {r, wake, drop};
	atomic_fetch_add(&r->references, 1);
	curfew__future *future = curfew__future_create(call, shared.reactor, &waker);
	CHECK(future != NULL);
	return future;
}

static bool wait_for_bell(run *r, int max_ms)
{
	struct pollfd one = {r->bell, POLLIN, 0};
	eventfd_t count;
	return poll(&one, 1, max_ms) == 1 && eventfd_read(r->bell, &count) == 0;
}

static void finish(run *r, wasmtime_call_future_t *call)
{
	curfew__future *future = hold(r, call);
	while (!curfew__future_poll(future))
		CHECK(wait_for_bell(r, PATIENCE_MS));
	CHECK(curfew__future_poll(future));
	curfew__future_destroy(future);
}

static void ended_well(run *r)
{
	expect_none(r->error);
	CHECK(r->trap == NULL);
}

static wasmtime_call_future_t *begin(run *r, const char *name, const wasmtime_val_t *arguments, size_t count,
                                     wasmtime_val_t *result)
{
	forget_end(r);
	CHECK(wasmtime_instance_export_get(r->context, &r->instance, name, strlen(name), &r->called));
	return wasmtime_func_call_async(r->context, &r->called.of.func, arguments, count, result, result ? 1 : 0, &r->trap,
	                                &r->error);
}

static int64_t call(run *r, const char *name, int32_t argument)
{
	wasmtime_val_t value = {.kind = WASMTIME_I32, .of.i32 = argument}, result = {0};
	finish(r, begin(r, name, &value, 1, &result));
	return result.kind == WASMTIME_I32 ? result.of.i32 : result.of.i64;
}

static int64_t call_well(run *r, const char *name, int32_t argument)
{
	int64_t result = call(r, name, argument);
	ended_well(r);
	return result;
}

/* ---- Guests ----------------------------------------------------------------------------------------------- */

static void binary(const char *text, wasm_byte_vec_t *wasm)
{
	expect_none(wasmtime_wat2wasm(text, strlen(text), wasm));
}

static wasmtime_module_t *module(const char *text)
{
	wasm_byte_vec_t wasm;
	wasmtime_module_t *made = NULL;
	binary(text, &wasm);
	expect_none(wasmtime_module_new(shared.engine, (const uint8_t *)wasm.data, wasm.size, &made));
	wasm_byte_vec_delete(&wasm);
	return made;
}

static void instantiate(run *r, const char *text)
{
	wasmtime_module_t *made = module(text);
	finish(r, wasmtime_linker_instantiate_async(shared.linker, r->context, made, &r->instance, &r->trap, &r->error));
	wasmtime_module_delete(made);
	ended_well(r);
}

static uint8_t *memory(run *r)
{
	wasmtime_extern_t item;
	CHECK(wasmtime_instance_export_get(r->context, &r->instance, "memory", 6, &item));
	return wasmtime_memory_data(r->context, &item.of.memory);
}

#define P1(name, type) "(import \"wasi_snapshot_preview1\" \"" #name "\" (func $" #name " " type "))"

/* A function for each action of the tests. Strings that the tests pass are at 1024; data is read to 4096. */
static const char workshop[] = "(module" P1(args_sizes_get, "(param i32 i32) (result i32)") P1(
	args_get, "(param i32 i32) (result i32)") P1(environ_get, "(param i32 i32) (result i32)")
	P1(fd_write, "(param i32 i32 i32 i32) (result i32)") P1(fd_read, "(param i32 i32 i32 i32) (result i32)") P1(
		path_open,
		"(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)") P1(poll_oneoff,
                                                                       "(param i32 i32 i32 i32) (result i32)")
		P1(clock_time_get, "(param i32 i64 i32) (result i32)") P1(random_get, "(param i32 i32) (result i32)") P1(
			proc_exit,
			"(param i32)") "(memory (export \"memory\") 300) (table 1 funcref)"
						   /* Writes n bytes from 4096 to standard output. Returns the errno. */
						   "(func $say (export \"say\") (param i32) (result i32)"
						   "  (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (local.get 0))"
						   "  (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))"
						   /* Writes the arguments, each with its NUL, to standard output, and exits with the code. */
						   "(func (export \"command\") (param i32) (result i32)"
						   "  (drop (call $args_sizes_get (i32.const 16) (i32.const 20)))"
						   "  (drop (call $args_get (i32.const 24) (i32.const 4096)))"
						   "  (drop (call $say (i32.load (i32.const 20)))) (call $proc_exit (local.get 0)) (unreachable))"
						   "(func (export \"environment\") (param i32) (result i32) (call $environ_get (i32.const 24) (i32.const 4096)))"
						   /* Reads at most n bytes of file 0 or 4 to 4096. Returns how many, or the errno, negative. */
						   "(func $read (param $file i32) (param $most i32) (result i32) (local $errno i32)"
						   "  (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (local.get $most))"
						   "  (local.set $errno (call $fd_read (local.get $file) (i32.const 0) (i32.const 1) (i32.const 8)))"
						   "  (if (result i32) (local.get $errno) (then (i32.sub (i32.const 0) (local.get $errno)))"
						   "    (else (i32.load (i32.const 8)))))"
						   "(func (export \"input\") (param i32) (result i32) (call $read (i32.const 0) (local.get 0)))"
						   "(func (export \"file\") (param i32) (result i32) (call $read (i32.const 4) (local.get 0)))"
						   /* Opens the path, n bytes at 1024, in the first directory: to read; to create and write; its
                              errno. */
						   "(func (export \"open\") (param i32) (result i32) (call $path_open (i32.const 3) (i32.const 1) (i32.const 1024)"
						   "  (local.get 0) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 8)))"
						   "(func (export \"create\") (param i32) (result i32) (call $path_open (i32.const 3) (i32.const 0) (i32.const 1024)"
						   "  (local.get 0) (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 8)))"
						   /* Sleeps this many microseconds (a negative number: an hour) on the monotonic clock. */
						   "(func (export \"sleep\") (param i32) (result i32) (i32.store (i32.const 216) (i32.const 1))"
						   "  (i64.store (i32.const 224) (select (i64.const 3600000000000)"
						   "    (i64.mul (i64.const 1000) (i64.extend_i32_s (local.get 0))) (i32.lt_s (local.get 0) (i32.const 0))))"
						   "  (call $poll_oneoff (i32.const 200) (i32.const 256) (i32.const 1) (i32.const 300)))"
						   "(func (export \"clock\") (param i32) (result i64)"
						   "  (drop (call $clock_time_get (local.get 0) (i64.const 1) (i32.const 400))) (i64.load (i32.const 400)))"
						   "(func (export \"random\") (param i32) (result i64)"
						   "  (drop (call $random_get (i32.const 400) (i32.const 8))) (i64.load (i32.const 400)))"
						   "(func (export \"much random\") (param i32) (result i32) (call $random_get (i32.const 4096) (local.get 0)))"
						   "(func (export \"grow table\") (param i32) (result i32) (table.grow 0 (ref.null func) (local.get 0)))"
						   "(func (export \"grow memory\") (param i32) (result i32) (memory.grow (local.get 0)))"
						   "(func (export \"spin\") (param i32) (result i32) (loop (local.set 0 (i32.sub (local.get 0) (i32.const 1)))"
						   "  (br_if 0 (local.get 0))) (local.get 0)))";

static void open_workshop(run *r, const curfew__wasi_options *options)
{
	run_init(r, options);
	instantiate(r, workshop);
}

static int64_t call_with_path(run *r, const char *name, const char *path)
{
	memcpy(memory(r) + 1024, path, strlen(path));
	return call_well(r, name, (int32_t)strlen(path));
}

/* ---- Preview 1 -------------------------------------------------------------------------------------------- */

static void test_command_prints_arguments_and_exits(void)
{
	run r;
	const char *arguments[] = {"prog", "one", "zwö"};
	const char *environment[] = {"A=1=2", "EMPTY="};
	curfew__wasi_options options = plain;
	options.arguments = arguments;
	options.argument_count = 3;
	options.environment = environment;
	options.environment_count = 2;
	int code = -1;

	open_workshop(&r, &options);
	CHECK_EQUAL(call_well(&r, "environment", 0), 0);
	CHECK_BYTES(memory(&r) + 4096, "A=1=2\0EMPTY=", 13);
	call(&r, "command", 7);
	CHECK(r.trap == NULL);
	CHECK(r.error != NULL);
	CHECK(wasmtime_error_exit_status(r.error, &code));
	CHECK_EQUAL(code, 7);
	CHECK_EQUAL(r.lengths[0], 14);
	CHECK_BYTES(r.output[0], "prog\0one\0zwö", 14);
	run_finish(&r);

	open_workshop(&r, &options);
	call(&r, "command", 255);
	CHECK(wasmtime_error_exit_status(r.error, &code));
	CHECK_EQUAL(code, 255);
	run_finish(&r);
}

static void test_options_that_are_refused(void)
{
	curfew__wasi_directory directory = {"/does/not/exist", "/", false};
	curfew__wasi_options options = plain;
	run r = {0};
	curfew__account account = {&r, account_grow, account_call, account_returned};
	char message[256] = "";
	wasmtime_store_t *store = wasmtime_store_new(shared.engine, NULL, NULL);

	options.directories = &directory;
	options.directory_count = 1;
	CHECK(!curfew__store_prepare(store, &account, &options, message));
	CHECK(strstr(message, "/does/not/exist: ") != NULL);
	CHECK(strchr(message, '\n') == NULL);
	options = plain;
	options.stdin_file = 9999;
	CHECK(!curfew__store_prepare(store, &account, &options, message));
	CHECK(strstr(message, "standard input: ") != NULL);
	wasmtime_store_delete(store);
}

/* Starts a call that will not end by itself, and abandons it. */
static void abandon(run *r, const char *name, int32_t argument)
{
	wasmtime_val_t value = {.kind = WASMTIME_I32, .of.i32 = argument}, result;
	curfew__future *future = hold(r, begin(r, name, &value, 1, &result));

	CHECK(!curfew__future_poll(future));
	CHECK(!curfew__future_poll(future));
	curfew__future_destroy(future);
	ended_well(r);
}

static void test_sleeps_and_is_abandoned(void)
{
	run r;
	open_workshop(&r, &plain);
	CHECK_EQUAL(call_well(&r, "sleep", 2000), 0);
	CHECK_EQUAL(r.calls, 1);
	CHECK_EQUAL(r.returns, 1);
	abandon(&r, "sleep", -1);
	CHECK_EQUAL(r.calls, 2);
	CHECK_EQUAL(r.returns, 2);
	run_finish(&r);
}

/* Options with a pipe as input: ends[0], to be closed. */
static curfew__wasi_options reading(int ends[2])
{
	curfew__wasi_options options = plain;
	CHECK_EQUAL(pipe(ends), 0);
	options.stdin_file = ends[0];
	return options;
}

static void test_input(void)
{
	run r;
	int ends[2];
	curfew__wasi_options options = reading(ends);

	open_workshop(&r, &options);
	CHECK_EQUAL(write(ends[1], "hello", 5), 5);
	CHECK_EQUAL(call_well(&r, "input", 4), 4);
	CHECK_BYTES(memory(&r) + 4096, "hell", 4);
	CHECK_EQUAL(call_well(&r, "input", 100), 1);
	CHECK_BYTES(memory(&r) + 4096, "o", 1);
	abandon(&r, "input", 100);
	run_finish(&r);

	/* The duplicate belonged to the guest, and data that the abandoned wait did not read is still there. */
	open_workshop(&r, &options);
	CHECK_EQUAL(write(ends[1], "more", 4), 4);
	close(ends[1]);
	CHECK_EQUAL(call_well(&r, "input", 100), 4);
	CHECK_EQUAL(call_well(&r, "input", 100), 0);
	CHECK_EQUAL(call_well(&r, "input", 100), 0);
	run_finish(&r);
	close(ends[0]);

	open_workshop(&r, &plain);
	CHECK_EQUAL(call_well(&r, "input", 100), 0);
	run_finish(&r);
}

static void test_input_comes_while_waiting(void)
{
	run r;
	int ends[2];
	curfew__wasi_options options = reading(ends);

	open_workshop(&r, &options);
	wasmtime_val_t most = {.kind = WASMTIME_I32, .of.i32 = 10}, result;
	curfew__future *future = hold(&r, begin(&r, "input", &most, 1, &result));
	CHECK(!curfew__future_poll(future));
	CHECK_EQUAL(write(ends[1], "late", 4), 4);
	while (!curfew__future_poll(future))
		CHECK(wait_for_bell(&r, PATIENCE_MS));
	curfew__future_destroy(future);
	CHECK_EQUAL(result.of.i32, 4);
	run_finish(&r);
	close(ends[0]);
	close(ends[1]);
}

/* The waiting thread ends before the store whose input it waits for. */
static void test_reactor_goes_first(void)
{
	run r;
	int ends[2];
	curfew__reactor *before = shared.reactor;
	curfew__wasi_options options = reading(ends);

	shared.reactor = curfew__reactor_create();
	open_workshop(&r, &options);
	abandon(&r, "input", 10);
	curfew__reactor_destroy(shared.reactor);
	run_finish(&r);
	shared.reactor = before;
	close(ends[0]);
	close(ends[1]);
	curfew__reactor_destroy(curfew__reactor_create());
	curfew__reactor_destroy(NULL);
	curfew__future_destroy(NULL);
}

static void test_input_from_a_file(void)
{
	run r;
	char path[] = "/tmp/curfew-wasi-input-XXXXXX";
	curfew__wasi_options options = plain;
	options.stdin_file = mkstemp(path);
	CHECK_EQUAL(pwrite(options.stdin_file, "abc", 3, 0), 3);
	open_workshop(&r, &options);
	CHECK_EQUAL(call_well(&r, "input", 2), 2);
	CHECK_EQUAL(call_well(&r, "input", 2), 1);
	CHECK_EQUAL(call_well(&r, "input", 2), 0);
	run_finish(&r);
	close(options.stdin_file);
	unlink(path);
}

/* ---- Directories ---------------------------------------------------------------------------------------------- */

enum { ERRNO_PERM = 63, ERRNO_NOTCAPABLE = 76, ERRNO_NOENT = 44, ERRNO_NOTSUP = 58 };

static void put_file(const char *directory, const char *name, const char *text)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	FILE *file = fopen(path, "w");
	CHECK(file != NULL);
	fputs(text, file);
	fclose(file);
}

static void remove_in(const char *directory, const char *name)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	remove(path);
}

/* Opening a FIFO would wait for its other end, and a device may wait in other ways. So they are not opened. */
static void test_directory_with_a_fifo(void)
{
	run r;
	char path[HARNESS_PATH], fifo[100], link[100], device[100], null[100];
	harness_directory(path, "fifo");
	snprintf(fifo, sizeof fifo, "%s/fifo", path);
	snprintf(link, sizeof link, "%s/link", path);
	snprintf(device, sizeof device, "%s/socket", path);
	snprintf(null, sizeof null, "%s/null", path);
	CHECK_EQUAL(mkfifo(fifo, 0600), 0);
	CHECK_EQUAL(symlink("fifo", link), 0);
	CHECK_EQUAL(mknod(device, S_IFSOCK | 0600, 0), 0);
	/* Only root can make a device. */
	bool has_device = !mknod(null, S_IFCHR | 0600, makedev(1, 3));
	curfew__wasi_directory directory = {path, "/", true};
	curfew__wasi_options options = plain;
	options.directories = &directory;
	options.directory_count = 1;

	open_workshop(&r, &options);
	CHECK_EQUAL(call_with_path(&r, "open", "fifo"), ERRNO_NOTSUP);
	CHECK_EQUAL(call_with_path(&r, "create", "fifo"), ERRNO_NOTSUP);
	CHECK_EQUAL(call_with_path(&r, "open", "link"), ERRNO_NOTSUP);
	CHECK_EQUAL(call_with_path(&r, "open", "socket"), ERRNO_NOTSUP);
	if (has_device)
		CHECK_EQUAL(call_with_path(&r, "open", "null"), ERRNO_NOTSUP);
	run_finish(&r);
	unlink(fifo);
	unlink(link);
	unlink(device);
	unlink(null);
	rmdir(path);
}

static void test_directory(void)
{
	run r;
	char outside[HARNESS_PATH], inside[100], link[120], absolute[120];
	harness_directory(outside, "wasi");
	snprintf(inside, sizeof inside, "%s/inside", outside);
	snprintf(link, sizeof link, "%s/link", inside);
	snprintf(absolute, sizeof absolute, "%s/absolute", inside);
	mkdir(inside, 0700);
	put_file(outside, "secret", "secret");
	put_file(inside, "open", "open");
	CHECK_EQUAL(symlink("../secret", link), 0);
	CHECK_EQUAL(symlink("/etc/passwd", absolute), 0);
	curfew__wasi_directory directory = {inside, "/data", false};
	curfew__wasi_options options = plain;
	options.directories = &directory;
	options.directory_count = 1;

	open_workshop(&r, &options);
	CHECK_EQUAL(call_with_path(&r, "open", "open"), 0);
	CHECK_EQUAL(call_well(&r, "file", 100), 4);
	CHECK_BYTES(memory(&r) + 4096, "open", 4);
	CHECK_EQUAL(call_with_path(&r, "open", "none"), ERRNO_NOENT);
	CHECK_EQUAL(call_with_path(&r, "open", "../secret"), ERRNO_PERM);
	CHECK_EQUAL(call_with_path(&r, "open", "link"), ERRNO_PERM);
	CHECK_EQUAL(call_with_path(&r, "open", "absolute"), ERRNO_PERM);
	CHECK_EQUAL(call_with_path(&r, "open", "/etc/passwd"), ERRNO_PERM);
	CHECK(call_with_path(&r, "create", "new") != 0);
	CHECK(call_with_path(&r, "create", "open") != 0);
	run_finish(&r);

	directory.writable = true;
	open_workshop(&r, &options);
	CHECK_EQUAL(call_with_path(&r, "create", "new"), 0);
	CHECK_EQUAL(call_with_path(&r, "create", "../new"), ERRNO_PERM);
	/* The size of a guest's files is limited: the call that exceeds the limit ends it. */
	memcpy(memory(&r) + 1024, "new", 3);
	for (int i = 0; i < 1000 && !r.error && !r.trap; i++)
		call(&r, "open", 3);
	CHECK(r.error != NULL);
	run_finish(&r);

	remove_in(inside, "new");
	remove_in(inside, "open");
	remove_in(inside, "link");
	remove_in(inside, "absolute");
	remove_in(outside, "secret");
	rmdir(inside);
	CHECK_EQUAL(rmdir(outside), 0);
}

/* ---- Determinism ------------------------------------------------------------------------------------------ */

static void test_deterministic(void)
{
	run r;
	int64_t seen[3];
	curfew__wasi_options options = plain;
	options.deterministic = true;
	options.fixed_wall_ns = 1000000;

	for (int i = 0; i < 3; i++) {
		options.seed = i < 2 ? 5 : 6;
		open_workshop(&r, &options);
		CHECK_EQUAL(call_well(&r, "clock", 0), 1000000);
		CHECK_EQUAL(call_well(&r, "clock", 1), 0);
		CHECK_EQUAL(call_well(&r, "sleep", 1500), 0);
		CHECK_EQUAL(call_well(&r, "clock", 0), 2500000);
		CHECK_EQUAL(call_well(&r, "clock", 1), 1500000);
		abandon(&r, "sleep", -1);
		seen[i] = call_well(&r, "random", 0);
		CHECK(call_well(&r, "random", 0) != seen[i]);
		run_finish(&r);
	}
	CHECK_EQUAL(seen[0], seen[1]);
	CHECK(seen[0] != seen[2]);
}

static void test_not_deterministic(void)
{
	run r;
	open_workshop(&r, &plain);
	int64_t before = call_well(&r, "clock", 1);
	CHECK(call_well(&r, "clock", 0) > INT64_C(1600000000000000000));
	CHECK(call_well(&r, "clock", 1) > before);
	CHECK(call_well(&r, "random", 0) != call_well(&r, "random", 0));
	CHECK_EQUAL(call_well(&r, "much random", 1 << 20), 0);
	call(&r, "much random", (4 << 20) + 1);
	CHECK(r.error != NULL);
	run_finish(&r);
}

/* ---- Accounts --------------------------------------------------------------------------------------------- */

static void test_output_refused(void)
{
	run r;
	int code;
	open_workshop(&r, &plain);
	r.output_max = 5;
	CHECK_EQUAL(call_well(&r, "say", 5), 0);
	call(&r, "say", 1);
	CHECK(r.error || r.trap);
	CHECK(!(r.error && wasmtime_error_exit_status(r.error, &code)));
	CHECK_EQUAL(r.lengths[0], 5);
	run_finish(&r);
}

/* A call without enough fuel has no effect. */
static void test_calls_are_charged(void)
{
	/* Claim L33. */
	run r;
	open_workshop(&r, &plain);
	r.calls_paid = 1;
	call_well(&r, "clock", 1);
	call(&r, "say", 5);
	wasmtime_trap_code_t code;
	CHECK(r.trap != NULL);
	CHECK(wasmtime_trap_code(r.trap, &code));
	CHECK_EQUAL(code, WASMTIME_TRAP_CODE_OUT_OF_FUEL);
	CHECK_EQUAL(r.lengths[0], 0);
	run_finish(&r);
}

static void test_calls_are_counted_and_refused(void)
{
	/* Claim L50. */
	run r;
	open_workshop(&r, &plain);
	call_well(&r, "spin", 1000);
	CHECK_EQUAL(call_well(&r, "grow memory", 1), 300);
	CHECK_EQUAL(r.calls, 0);
	call_well(&r, "random", 0);
	CHECK_EQUAL(r.counted, 1);
	r.calls = r.returns = 0;
	r.calls_max = 2;
	call_well(&r, "say", 1);
	call_well(&r, "say", 1);
	CHECK_EQUAL(r.calls, 2);
	CHECK_EQUAL(r.counted, 1);
	CHECK_EQUAL(r.returns, 2);
	call(&r, "say", 1);
	CHECK(r.error || r.trap);
	CHECK_EQUAL(r.calls, 3);
	CHECK_EQUAL(r.lengths[0], 2);
	run_finish(&r);
}

static void test_tables(void)
{
	/* Claim L41. */
	run r;
	open_workshop(&r, &plain);
	CHECK_EQUAL(r.grew_from, 0);
	CHECK_EQUAL(r.grew_to, 1);
	CHECK_EQUAL(call_well(&r, "grow table", 9), 1);
	CHECK_EQUAL(r.grew_from, 1);
	CHECK_EQUAL(r.grew_to, 10);
	r.grow_max = 10;
	CHECK_EQUAL(call_well(&r, "grow table", 1), -1);
	CHECK_EQUAL(r.grew_to, 11);
	run_finish(&r);

	run_init(&r, &plain);
	r.grow_max = 99;
	wasmtime_module_t *made = module("(module (table 100 funcref))");
	finish(&r, wasmtime_linker_instantiate_async(shared.linker, r.context, made, &r.instance, &r.trap, &r.error));
	CHECK(r.error || r.trap);
	wasmtime_module_delete(made);
	run_finish(&r);
}

/* ---- Components ------------------------------------------------------------------------------------------- */

static const char component_text[] =
	"(component"
	"  (import \"wasi:io/error@0.2.0\" (instance $error (export \"error\" (type (sub resource)))))"
	"  (alias export $error \"error\" (type $error-type))"
	"  (import \"wasi:io/poll@0.2.0\" (instance $poll (export \"pollable\" (type $p (sub resource)))"
	"    (export \"[method]pollable.block\" (func (param \"self\" (borrow $p))))))"
	"  (alias export $poll \"pollable\" (type $pollable))"
	"  (import \"wasi:io/streams@0.2.0\" (instance $streams"
	"    (export \"error\" (type $e (eq $error-type)))"
	"    (export \"output-stream\" (type $o (sub resource)))"
	"    (type $v (variant (case \"last-operation-failed\" (own $e)) (case \"closed\")))"
	"    (export \"stream-error\" (type $s (eq $v)))"
	"    (export \"[method]output-stream.blocking-write-and-flush\""
	"      (func (param \"self\" (borrow $o)) (param \"contents\" (list u8)) (result (result (error $s)))))))"
	"  (alias export $streams \"output-stream\" (type $output))"
	"  (import \"wasi:cli/stdout@0.2.0\" (instance $stdout (export \"output-stream\" (type $o (eq $output)))"
	"    (export \"get-stdout\" (func (result (own $o))))))"
	"  (import \"wasi:clocks/monotonic-clock@0.2.0\" (instance $clock (export \"pollable\" (type $p (eq $pollable)))"
	"    (export \"now\" (func (result u64)))"
	"    (export \"subscribe-duration\" (func (param \"when\" u64) (result (own $p))))))"
	"  (import \"wasi:cli/exit@0.2.0\" (instance $exit (export \"exit\" (func (param \"status\" (result))))))"
	"  (import \"wasi:random/random@0.2.0\" (instance $random (export \"get-random-u64\" (func (result u64)))))"
	"  (core module $storage (memory (export \"memory\") 1)"
	"    (data (i32.const 100) \"hello\"))"
	"  (core instance $storage (instantiate $storage))"
	"  (alias core export $storage \"memory\" (core memory $memory))"
	"  (core func $write (canon lower (func $streams \"[method]output-stream.blocking-write-and-flush\")"
	"    (memory $memory)))"
	"  (core func $get-stdout (canon lower (func $stdout \"get-stdout\")))"
	"  (core func $now (canon lower (func $clock \"now\")))"
	"  (core func $subscribe (canon lower (func $clock \"subscribe-duration\")))"
	"  (core func $block (canon lower (func $poll \"[method]pollable.block\")))"
	"  (core func $drop (canon resource.drop $pollable))"
	"  (core func $exit-now (canon lower (func $exit \"exit\")))"
	"  (core func $u64 (canon lower (func $random \"get-random-u64\")))"
	"  (core module $code"
	"    (import \"\" \"get-stdout\" (func $get-stdout (result i32)))"
	"    (import \"\" \"write\" (func $write (param i32 i32 i32 i32)))"
	"    (import \"\" \"now\" (func $now (result i64)))"
	"    (import \"\" \"subscribe\" (func $subscribe (param i64) (result i32)))"
	"    (import \"\" \"block\" (func $block (param i32)))"
	"    (import \"\" \"drop\" (func $drop (param i32)))"
	"    (import \"\" \"exit\" (func $exit (param i32)))"
	"    (import \"\" \"random\" (func $random (result i64)))"
	"    (func (export \"hello\") (param i64) (result i64)"
	"      (call $write (call $get-stdout) (i32.const 100) (i32.const 5) (i32.const 0)) (i64.const 0))"
	"    (func (export \"nap\") (param i64) (result i64) (local $sleep i32)"
	"      (local.set $sleep (call $subscribe (local.get 0)))"
	"      (call $block (local.get $sleep)) (call $drop (local.get $sleep)) (call $now))"
	"    (func (export \"quit\") (param i64) (result i64) (call $exit (i32.wrap_i64 (local.get 0))) (unreachable))"
	"    (func (export \"random\") (param i64) (result i64) (call $random)))"
	"  (core instance $code (instantiate $code (with \"\" (instance"
	"    (export \"get-stdout\" (func $get-stdout)) (export \"write\" (func $write)) (export \"now\" (func $now))"
	"    (export \"subscribe\" (func $subscribe)) (export \"block\" (func $block)) (export \"drop\" (func $drop))"
	"    (export \"exit\" (func $exit-now)) (export \"random\" (func $u64))))))"
	"  (func (export \"hello\") (param \"n\" u64) (result u64) (canon lift (core func $code \"hello\")))"
	"  (func (export \"nap\") (param \"n\" u64) (result u64) (canon lift (core func $code \"nap\")))"
	"  (func (export \"quit\") (param \"n\" u64) (result u64) (canon lift (core func $code \"quit\")))"
	"  (func (export \"random\") (param \"n\" u64) (result u64) (canon lift (core func $code \"random\"))))";

static curfew__component_pre *ready_component(void)
{
	wasm_byte_vec_t wasm;
	wasmtime_component_t *component = NULL;
	wasmtime_error_t *error = NULL;
	binary(component_text, &wasm);
	expect_none(wasmtime_component_new(shared.engine, (const uint8_t *)wasm.data, wasm.size, &component));
	wasm_byte_vec_delete(&wasm);
	curfew__component_pre *pre = curfew__component_pre_create(shared.components, component, &error);
	expect_none(error);
	wasmtime_component_delete(component);
	return pre;
}

static void open_component(run *r, const curfew__component_pre *pre, const curfew__wasi_options *options)
{
	run_init(r, options);
	finish(r, curfew__component_pre_instantiate(pre, r->context, &r->component, &r->error));
	ended_well(r);
}

static wasmtime_component_func_t component_function(run *r, const char *name)
{
	wasmtime_component_func_t function;
	wasmtime_component_export_index_t *index = wasmtime_component_instance_get_export_index(&r->component, r->context,
	                                                                                        NULL, name, strlen(name));
	CHECK(index != NULL);
	CHECK(wasmtime_component_instance_get_func(&r->component, r->context, index, &function));
	wasmtime_component_export_index_delete(index);
	forget_end(r);
	return function;
}

static uint64_t call_component(run *r, const char *name, uint64_t argument)
{
	wasmtime_component_func_t function = component_function(r, name);
	wasmtime_component_val_t value = {.kind = WASMTIME_COMPONENT_U64, .of.u64 = argument}, result = {0};
	finish(r, wasmtime_component_func_call_async(&function, r->context, &value, 1, &result, 1, &r->error));
	return result.of.u64;
}

static void test_component(void)
{
	run r;
	int code = -1;
	curfew__component_pre *pre = ready_component();
	curfew__wasi_options options = plain;

	open_component(&r, pre, &options);
	call_component(&r, "hello", 0);
	ended_well(&r);
	CHECK_EQUAL(r.lengths[0], 5);
	CHECK_BYTES(r.output[0], "hello", 5);
	CHECK_EQUAL(r.calls, 2);
	CHECK_EQUAL(r.returns, 2);
	CHECK(call_component(&r, "nap", 1000000) > 0);
	ended_well(&r);
	CHECK_EQUAL(r.calls, 6);
	call_component(&r, "quit", 1);
	CHECK(r.error != NULL);
	CHECK(wasmtime_error_exit_status(r.error, &code));
	CHECK_EQUAL(code, 1);
	run_finish(&r);

	open_component(&r, pre, &options);
	r.calls_max = 1;
	call_component(&r, "hello", 0);
	CHECK(r.error != NULL);
	CHECK_EQUAL(r.lengths[0], 0);
	run_finish(&r);

	open_component(&r, pre, &options);
	r.output_max = 4;
	call_component(&r, "hello", 0);
	CHECK(r.error != NULL);
	CHECK_EQUAL(r.lengths[0], 0);
	run_finish(&r);

	options.deterministic = true;
	options.seed = 5;
	open_component(&r, pre, &options);
	CHECK_EQUAL(call_component(&r, "nap", 1500000), 1500000);
	CHECK_EQUAL(call_component(&r, "nap", 1), 1500001);
	uint64_t random = call_component(&r, "random", 0);
	run_finish(&r);
	open_component(&r, pre, &options);
	CHECK_EQUAL(call_component(&r, "random", 0), random);
	run_finish(&r);
	curfew__component_pre_destroy(pre);
}

static void test_component_sleeps_and_is_abandoned(void)
{
	run r;
	curfew__component_pre *pre = ready_component();
	open_component(&r, pre, &plain);
	wasmtime_component_func_t function = component_function(&r, "nap");
	wasmtime_component_val_t value = {.kind = WASMTIME_COMPONENT_U64, .of.u64 = HOUR_NS}, result = {0};
	curfew__future *future = hold(
		&r, wasmtime_component_func_call_async(&function, r.context, &value, 1, &result, 1, &r.error));
	CHECK(!curfew__future_poll(future));
	CHECK(!(wait_for_bell(&r, 1) && curfew__future_poll(future)));
	curfew__future_destroy(future);
	CHECK_EQUAL(r.calls, 2);
	CHECK_EQUAL(r.returns, 2);
	run_finish(&r);
	curfew__component_pre_destroy(pre);
}

static void test_component_imports_the_unknown(void)
{
	static const char text[] = "(component (import \"no:such/thing\" (func)))";
	wasm_byte_vec_t wasm;
	wasmtime_component_t *component = NULL;
	wasmtime_error_t *error = NULL;
	binary(text, &wasm);
	expect_none(wasmtime_component_new(shared.engine, (const uint8_t *)wasm.data, wasm.size, &component));
	wasm_byte_vec_delete(&wasm);
	CHECK(curfew__component_pre_create(shared.components, component, &error) == NULL);
	CHECK(error != NULL);
	wasmtime_error_delete(error);
	wasmtime_component_delete(component);
}

/* ---- Many ------------------------------------------------------------------------------------------------- */

#define CROWD 1000

static int threads(void)
{
	int count = 0;
	DIR *tasks = opendir("/proc/self/task");
	CHECK(tasks != NULL);
	while (readdir(tasks))
		count++;
	closedir(tasks);
	return count - 2;
}

/* A thousand guests wait at once, for a clock or for input, and all are abandoned. */
static void crowd(const char *name, int32_t argument, const curfew__wasi_options *options)
{
	static run runs[CROWD];
	static curfew__future *futures[CROWD];
	static wasmtime_val_t values[CROWD], results[CROWD];
	wasmtime_module_t *made = module(workshop);

	for (int i = 0; i < CROWD; i++) {
		run *r = &runs[i];
		run_init(r, options);
		close(r->bell);
		r->bell = -1;
		finish(r,
		       wasmtime_linker_instantiate_async(shared.linker, r->context, made, &r->instance, &r->trap, &r->error));
		ended_well(r);
		values[i] = (wasmtime_val_t){.kind = WASMTIME_I32, .of.i32 = argument};
		futures[i] = hold(r, begin(r, name, &values[i], 1, &results[i]));
		CHECK(!curfew__future_poll(futures[i]));
	}
	for (int i = 0; i < CROWD; i++) {
		curfew__future_destroy(futures[i]);
		run_finish(&runs[i]);
	}
	wasmtime_module_delete(made);
}

static void test_crowd(void)
{
	run r;
	int ends[2];
	open_workshop(&r, &plain);
	CHECK_EQUAL(call_well(&r, "sleep", 10), 0);
	run_finish(&r);
	int before = threads();
	crowd("sleep", -1, &plain);
	CHECK(threads() <= before);
	curfew__wasi_options options = reading(ends);
	crowd("input", 100, &options);
	CHECK(threads() <= before);
	close(ends[0]);
	close(ends[1]);
}

/* The fixture of each test. */
#define FIXTURE .set_up = set_up, .tear_down = tear_down

static const harness_test tests[] = {
	{"command_prints_arguments_and_exits", test_command_prints_arguments_and_exits, FIXTURE},
	{"options_that_are_refused", test_options_that_are_refused, FIXTURE},
	{"sleeps_and_is_abandoned", test_sleeps_and_is_abandoned, FIXTURE},
	{"input", test_input, FIXTURE},
	{"input_comes_while_waiting", test_input_comes_while_waiting, FIXTURE},
	{"reactor_goes_first", test_reactor_goes_first, FIXTURE},
	{"input_from_a_file", test_input_from_a_file, FIXTURE},
	{"directory", test_directory, FIXTURE},
	{"directory_with_a_fifo", test_directory_with_a_fifo, FIXTURE},
	{"deterministic", test_deterministic, FIXTURE},
	{"not_deterministic", test_not_deterministic, FIXTURE},
	{"output_refused", test_output_refused, FIXTURE},
	{"calls_are_charged", test_calls_are_charged, FIXTURE},
	{"calls_are_counted_and_refused", test_calls_are_counted_and_refused, FIXTURE},
	{"tables", test_tables, FIXTURE},
	{"component", test_component, FIXTURE},
	{"component_sleeps_and_is_abandoned", test_component_sleeps_and_is_abandoned, FIXTURE},
	{"component_imports_the_unknown", test_component_imports_the_unknown, FIXTURE},
	{"crowd", test_crowd, FIXTURE},
};

HARNESS_MAIN(tests)
