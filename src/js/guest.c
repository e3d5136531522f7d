/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's imports with their checks, its entries, and the two ways to stop it. */
#include "js/guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "curfew.h"
#include "engine/extra.h"
#include "js/assets.h"
#include "js/embedded.h"

/* When the limit is used up, the guest's next poll ends it with an exact stack; INT64_MAX + 1 traps. */
#define LAST_FUEL (INT64_MAX - CURFEW__METER_RESERVE)
#define RANDOM_BYTES_MAX 65536
/* The maximum of stack that it keeps between two calls: faulting it in again would take longer than a call. */
#define REST_STACK_BYTES ((size_t)256 << 10)

static const char *const exports[CURFEW__GUEST_ENTRIES] = {
	"curfew_alloc", "curfew_load", "curfew_start", "curfew_resume", "curfew_again", "curfew_trace",
};

/* The counter that the guest's code adds to (engine/rewriter, meter.rs). */
static int64_t *count_of(const curfew__guest *guest)
{
	return (int64_t *)(void *)guest->count->base;
}

/* Do not charge the way out of a stop: the program does not cause it, and it must not end half-way. */
static void stop_counting(curfew__guest *guest)
{
	if (!guest->count || guest->unwinds)
		return;
	guest->fuel_spent = curfew__guest_fuel_used(guest);
	guest->unwinds = true;
	*count_of(guest) = 0;
}

/* ---- Imports ---------------------------------------------------------------------------------------------- */

/* Leaves the guest. False: it is being stopped, and its memory must not be touched. */
static bool leave_guest(curfew__guest *guest)
{
	unsigned inside = CURFEW__GUEST_INSIDE;
	return atomic_compare_exchange_strong(&guest->state, &inside, CURFEW__GUEST_OUTSIDE);
}

/* Re-enters the guest after a host function with this result. False: the call into the guest has to end. */
static bool reenter_guest(curfew__guest *guest, bool go_on)
{
	if (guest->host->stopped(guest->context)) {
		go_on = guest->host->unwinds(guest->context);
		if (go_on) {
			stop_counting(guest);
			atomic_store((_Atomic uint32_t *)&guest->control->stop, 1);
		}
	}
	atomic_store(&guest->state, CURFEW__GUEST_INSIDE);
	return go_on;
}

static char *span(const curfew__guest *guest, uint64_t address, uint64_t length)
{
	if ((uint32_t)length > guest->region->size || (uint32_t)address > guest->region->size - (uint32_t)length)
		return NULL;
	return (char *)guest->region->base + (uint32_t)address;
}

static bool import_write(void *context, uint64_t *values)
{
	curfew__guest *guest = context;
	const char *bytes;

	if (!leave_guest(guest))
		return false;
	bytes = span(guest, values[1], values[2]);
	bool go_on = bytes && guest->host->write(guest->context, (uint32_t)values[0], bytes, (uint32_t)values[2]);
	return reenter_guest(guest, go_on);
}

static bool import_emit(void *context, uint64_t *values)
{
	curfew__guest *guest = context;
	int32_t answer = 0;

	if (!leave_guest(guest))
		return false;
	const char *json = span(guest, values[1], values[2]);
	bool go_on = json && guest->host->emit(guest->context, (uint32_t)values[0], json, (uint32_t)values[2], &answer);
	values[0] = (uint32_t)answer;
	return reenter_guest(guest, go_on);
}

static bool import_random(void *context, uint64_t *values)
{
	curfew__guest *guest = context;

	if (!leave_guest(guest))
		return false;
	/* Bound the work of one call. The prelude requests no more either. */
	char *bytes = (uint32_t)values[1] <= RANDOM_BYTES_MAX ? span(guest, values[0], values[1]) : NULL;
	bool go_on = bytes && guest->host->random(guest->context, bytes, (uint32_t)values[1]);
	return reenter_guest(guest, go_on);
}

static bool import_clock(void *context, uint64_t *values)
{
	curfew__guest *guest = context;
	values[0] = (uint64_t)guest->host->clock(guest->context);
	return true;
}

static bool import_open(void *context, uint64_t *values)
{
	curfew__guest *guest = context;
	int32_t answer = -1;

	if (!leave_guest(guest))
		return false;
	const char *name = span(guest, values[0], values[1]);
	bool go_on = name && guest->host->import_open(guest->context, name, (uint32_t)values[1], &answer);
	values[0] = (uint32_t)answer;
	return reenter_guest(guest, go_on);
}

static bool import_read(void *context, uint64_t *values)
{
	curfew__guest *guest = context;

	if (!leave_guest(guest))
		return false;
	char *bytes = span(guest, values[0], values[1]);
	if (bytes)
		guest->host->import_read(guest->context, bytes, (uint32_t)values[1]);
	return reenter_guest(guest, bytes != 0);
}

static bool import_asset_open(void *context, uint64_t *values)
{
	curfew__guest *guest = context;

	if (!leave_guest(guest))
		return false;
	const char *name = span(guest, values[0], values[1]);
	guest->asset = name ? curfew__asset_find(name, (uint32_t)values[1]) : NULL;
	values[0] = guest->asset ? guest->asset->length : UINT32_MAX;
	return reenter_guest(guest, name != 0);
}

static bool import_asset_read(void *context, uint64_t *values)
{
	curfew__guest *guest = context;

	if (!leave_guest(guest))
		return false;
	char *to = span(guest, values[0], values[1]);
	bool read = to && guest->asset && (uint32_t)values[1] == guest->asset->length &&
	            curfew__asset_read(guest->asset, to);
	return reenter_guest(guest, read);
}

static bool import_secret(void *context, uint64_t *values)
{
	curfew__guest *guest = context;
	int32_t answer = -1;

	if (!leave_guest(guest))
		return false;
	const char *name = span(guest, values[0], values[1]);
	char *bytes = span(guest, values[2], values[3]);
	bool go_on = name && bytes &&
	             guest->host->secret(guest->context, name, (uint32_t)values[1], bytes, (uint32_t)values[3], &answer);
	values[0] = (uint32_t)answer;
	return reenter_guest(guest, go_on);
}

/* Checks a span that may be missing. False: it is not in the guest's memory. */
static bool optional_span(const curfew__guest *guest, uint32_t address, uint32_t length, char **found)
{
	*found = address ? span(guest, address, length) : NULL;
	return !address || *found;
}

static bool import_file(void *context, uint64_t *values)
{
	curfew__guest *guest = context;
	curfew__guest_file call;
	char *path = NULL, *other = NULL;
	int32_t answer = 0;

	if (!leave_guest(guest))
		return false;
	char *at = span(guest, values[0], sizeof call.request);
	if (at)
		memcpy(&call.request, at, sizeof call.request);
	const curfew__file_request *request = &call.request;
	bool go_on = at && optional_span(guest, request->path, request->path_length, &path) &&
	             optional_span(guest, request->other, request->other_length, &other) &&
	             optional_span(guest, request->bytes, request->length, &call.bytes);
	call.path = path;
	call.other = other;
	go_on = go_on && guest->host->file(guest->context, &call, &answer);
	if (go_on)
		memcpy(at + offsetof(curfew__file_request, status), &call.request.status, sizeof call.request.status);
	values[0] = (uint32_t)answer;
	return reenter_guest(guest, go_on);
}

/* ---- Operations ------------------------------------------------------------------------------------------- */

static bool import_op_start(void *context, uint64_t *values)
{
	curfew__guest *guest = context;
	uint32_t id = 0;

	if (!leave_guest(guest))
		return false;
	const char *request = span(guest, values[1], values[2]);
	bool go_on = request &&
	             guest->host->op_start(guest->context, (uint32_t)values[0], request, (uint32_t)values[2], &id);
	values[0] = id;
	return reenter_guest(guest, go_on);
}

static bool import_op_send(void *context, uint64_t *values)
{
	curfew__guest *guest = context;

	if (!leave_guest(guest))
		return false;
	const char *bytes = span(guest, values[2], values[3]);
	bool taken = bytes && guest->host->op_send(guest->context, (uint32_t)values[0], (uint32_t)values[1], bytes,
	                                           (uint32_t)values[3]);
	values[0] = taken;
	return reenter_guest(guest, bytes != 0);
}

static bool import_op_cancel(void *context, uint64_t *values)
{
	curfew__guest *guest = context;

	if (!leave_guest(guest))
		return false;
	guest->host->op_cancel(guest->context, (uint32_t)values[0]);
	return reenter_guest(guest, true);
}

static bool import_op_next(void *context, uint64_t *values)
{
	curfew__guest *guest = context;
	curfew__event_record event;

	if (!leave_guest(guest))
		return false;
	char *to = span(guest, values[0], sizeof event);
	bool found = to && guest->host->op_next(guest->context, &event);
	if (found)
		memcpy(to, &event, sizeof event);
	values[0] = found;
	return reenter_guest(guest, to != 0);
}

static bool import_op_take(void *context, uint64_t *values)
{
	curfew__guest *guest = context;

	if (!leave_guest(guest))
		return false;
	char *to = span(guest, values[0], values[1]);
	bool taken = to && guest->host->op_take(guest->context, to, (uint32_t)values[1]);
	return reenter_guest(guest, taken != 0);
}

static bool import_call(void *context, uint64_t *values)
{
	curfew__guest *guest = context;
	int32_t answer = 0;

	if (!leave_guest(guest))
		return false;
	const char *json = span(guest, values[1], values[2]);
	char *to = span(guest, values[3], values[4]);
	bool go_on = json && to &&
	             guest->host->call(guest->context, (uint32_t)values[0], json, (uint32_t)values[2], &answer);
	uint32_t length = answer < 0 ? (uint32_t)(-1 - answer) : (uint32_t)answer;
	if (go_on && length && length <= (uint32_t)values[4])
		go_on = guest->host->call_take(guest->context, to, length);
	values[0] = (uint32_t)answer;
	return reenter_guest(guest, go_on);
}

static bool import_call_take(void *context, uint64_t *values)
{
	curfew__guest *guest = context;

	if (!leave_guest(guest))
		return false;
	char *to = span(guest, values[0], values[1]);
	bool taken = to && guest->host->call_take(guest->context, to, (uint32_t)values[1]);
	return reenter_guest(guest, taken != 0);
}

static bool import_stop(void *context, uint64_t *values)
{
	curfew__guest *guest = context;
	guest->host->stop(guest->context, (uint32_t)values[0]);
	return false;
}

static bool import_exit(void *context, uint64_t *values)
{
	curfew__guest *guest = context;
	guest->host->exit(guest->context, (uint32_t)values[0]);
	return false;
}

static bool import_latch(void *context, uint64_t *values)
{
	curfew__guest *guest = context;

	if (!leave_guest(guest))
		return false;
	guest->host->stop(guest->context, (uint32_t)values[0]);
	return reenter_guest(guest, true);
}

/* Never called, because the rewriter replaces each call by the answer. */
static bool import_is_out_of_fuel(void *context, uint64_t *values)
{
	(void)context, (void)values;
	return false;
}

/* ---- What the C library of the guest imports ---------------------------------------------------------------- */

#define WASI_BADF 8

static bool wasi_clock(void *context, uint64_t *values)
{
	curfew__guest *guest = context;

	if (!leave_guest(guest))
		return false;
	char *to = span(guest, values[2], sizeof(int64_t));
	if (to) {
		int64_t now = guest->host->clock(guest->context);
		/* 0 is the time of day, which is computed as an offset to the run's only clock. */
		if ((uint32_t)values[0] == 0)
			now = (int64_t)((uint64_t)now + (uint64_t)guest->control->realtime_offset_us * 1000);
		memcpy(to, &now, sizeof now);
	}
	values[0] = 0;
	return reenter_guest(guest, to != 0);
}

static bool wasi_refuse(void *context, uint64_t *values)
{
	(void)context;
	values[0] = WASI_BADF;
	return true;
}

static const curfew__import imports[] = {
	{"curfew", "write", "iii", "", import_write},
	{"curfew", "emit", "iii", "i", import_emit},
	{"curfew", "random", "ii", "", import_random},
	{"curfew", "clock", "", "l", import_clock},
	{"curfew", "import_open", "ii", "i", import_open},
	{"curfew", "import_read", "ii", "", import_read},
	{"curfew", "asset_open", "ii", "i", import_asset_open},
	{"curfew", "asset_read", "ii", "", import_asset_read},
	{"curfew", "secret", "iiii", "i", import_secret},
	{"curfew", "op_start", "iii", "i", import_op_start},
	{"curfew", "op_send", "iiii", "i", import_op_send},
	{"curfew", "op_cancel", "i", "", import_op_cancel},
	{"curfew", "op_next", "i", "i", import_op_next},
	{"curfew", "op_take", "ii", "", import_op_take},
	{"curfew", "call", "iiiii", "i", import_call},
	{"curfew", "call_take", "ii", "", import_call_take},
	{"curfew", "file", "i", "i", import_file},
	{"curfew", "stop", "i", "", import_stop},
	{"curfew", "exit", "i", "", import_exit},
	{"curfew", "latch", "i", "", import_latch},
	{"curfew", "is_out_of_fuel", "", "i", import_is_out_of_fuel},
	{"wasi_snapshot_preview1", "clock_time_get", "ili", "i", wasi_clock},
	{"wasi_snapshot_preview1", "fd_close", "i", "i", wasi_refuse},
	{"wasi_snapshot_preview1", "fd_fdstat_get", "ii", "i", wasi_refuse},
	{"wasi_snapshot_preview1", "fd_seek", "ilii", "i", wasi_refuse},
	{"wasi_snapshot_preview1", "fd_write", "iiii", "i", wasi_refuse},
};

const curfew__import *curfew__guest_imports(size_t *count)
{
	*count = sizeof imports / sizeof *imports;
	return imports;
}

/* ---- Code and image --------------------------------------------------------------------------------------- */

static const size_t stack_classes[CURFEW__STACK_CLASSES] = {(size_t)320 << 10, (size_t)1 << 20, (size_t)4 << 20};

int curfew__guest_stack_class(uint64_t stack_bytes)
{
	int stack_class = 0;
	while (stack_class < CURFEW__STACK_LARGE && stack_bytes > stack_classes[stack_class])
		stack_class++;
	return stack_class;
}

size_t curfew__guest_native_use(uint64_t stack_bytes)
{
	return stack_bytes * 18;
}

size_t curfew__guest_native_stack(int stack_class)
{
	return curfew__guest_native_use(stack_classes[stack_class]);
}

curfew__vm *curfew__guest_vm_create(bool metered, int stack_class, const char *cache_dir, curfew_failure *failure)
{
	const curfew__embedded_image *image = (const curfew__embedded_image *)(const void *)curfew__embedded_image_start;
	curfew__vm_options options = {
		.metered = metered,
		.native_stack = curfew__guest_native_stack(stack_class),
		.imports = imports,
		.import_count = sizeof imports / sizeof *imports,
		.exports = exports,
		.export_count = CURFEW__GUEST_ENTRIES,
		.wasm = curfew__embedded_wasm,
		.wasm_length = image->wasm_length,
		.wasm_packed = (size_t)(curfew__embedded_wasm_end - curfew__embedded_wasm),
		.compiled = curfew__embedded_plain,
		.compiled_length = (size_t)(curfew__embedded_plain_end - curfew__embedded_plain),
		.cache_dir = cache_dir,
	};
	if (metered) {
		uint64_t length;
		memcpy(&length, curfew__embedded_metered, sizeof length);
		options.compiled = curfew__embedded_metered + sizeof length;
		options.compiled_length = length;
		options.compiled_packed = (size_t)(curfew__embedded_metered_end - curfew__embedded_metered) - sizeof length;
	}
	return curfew__vm_create(&options, failure);
}

curfew__image *curfew__guest_image_create(void)
{
	const curfew__embedded_image *image = (const curfew__embedded_image *)(const void *)curfew__embedded_image_start;
	const uint32_t *numbers = (const uint32_t *)(image + 1);
	const uint8_t *pages = curfew__embedded_image_start + image->pages_offset;

	return curfew__image_create(NULL, image->length, &image->layout, numbers, pages, image->page_count);
}

const uint8_t *curfew__guest_build_id(void)
{
	const curfew__embedded_image *image = (const curfew__embedded_image *)(const void *)curfew__embedded_image_start;
	return image->build_id;
}

/* ---- Life ------------------------------------------------------------------------------------------------- */

static void on_growth(void *context, bool refused)
{
	curfew__guest *guest = context;
	guest->host->growth(guest->context, curfew__guest_memory(guest), refused);
}

/* Releases the memories. Returns the lowest address of the stack that was written. */
static size_t give_regions(curfew__guest *guest, bool may_put_off)
{
	size_t lowest = 0;

	if (guest->count) {
		*count_of(guest) = 0; /* the only write to that memory */
		curfew__pool_give_plain(guest->pool, guest->count, true);
	}
	if (guest->region && (!may_put_off || !curfew__pool_give_later(guest->pool, guest->region, &lowest)))
		curfew__pool_give(guest->pool, guest->region, &lowest);
	guest->count = guest->region = NULL;
	return lowest;
}

bool curfew__guest_init(curfew__guest *guest, curfew__vm *vm, bool metered, curfew__pool *pool, curfew__image *image,
                        size_t memory_bytes, const curfew__guest_host *host, void *context)
{
	size_t limit = CURFEW__REGION_RESERVE - CURFEW__WASM_PAGE;

	memset(guest, 0, sizeof *guest);
	if (memory_bytes < limit - image->layout.stack_top)
		limit = memory_bytes + image->layout.stack_top;
	if (limit < image->length)
		limit = image->length;
	guest->pool = pool;
	guest->region = curfew__pool_take(pool, image, limit / CURFEW__PAGE * CURFEW__PAGE);
	guest->count = metered ? curfew__pool_take_plain(pool, CURFEW__WASM_PAGE) : NULL;
	if (!guest->region || (metered && !guest->count)) {
		give_regions(guest, false);
		return false;
	}
	guest->region->on_growth = on_growth;
	guest->region->context = guest;
	guest->host = host;
	guest->context = context;
	guest->control = (curfew__control *)(void *)(guest->region->base + image->layout.control);
	guest->counter = (_Atomic int32_t *)(void *)(guest->region->base + image->layout.counter);
	guest->instance = curfew__instance_create(vm, guest->region, guest->count, guest);
	if (!guest->instance)
		give_regions(guest, false);
	return guest->instance != NULL;
}

void curfew__guest_again(curfew__guest *guest, void *context)
{
	guest->context = context;
	guest->scratch_used = 0;
	guest->taken = 0;
	atomic_store(&guest->soft_asked, false);
	curfew__target_reset(curfew__instance_target(guest->instance));
	curfew__guest_set_fuel(guest, CURFEW_UNLIMITED);
}

void curfew__guest_rest(curfew__guest *guest, size_t *stack_peak)
{
	*stack_peak = guest->region->image->layout.stack_top - curfew__pool_stack_low(guest->pool, guest->region);
	if (*stack_peak > REST_STACK_BYTES)
		curfew__pool_trim(guest->pool, guest->region);
}

void curfew__guest_finish(curfew__guest *guest, bool may_put_off, size_t *stack_peak)
{
	*stack_peak = 0;
	if (!guest->region)
		return;
	size_t top = guest->region->image->layout.stack_top;
	curfew__instance_destroy(guest->instance);
	guest->instance = NULL;
	*stack_peak = top - give_regions(guest, may_put_off);
}

uint32_t curfew__guest_put(curfew__guest *guest, const void *bytes, size_t length, curfew__vm_end *end)
{
	uint32_t address = 0, wanted = (uint32_t)length;

	*end = CURFEW__VM_RETURNED;
	if (length < CURFEW_GUEST_SCRATCH_BYTES - guest->scratch_used) {
		char *to = guest->control->scratch + guest->scratch_used;
		memcpy(to, bytes, length);
		to[length] = 0;
		guest->scratch_used += length + 1;
		return (uint32_t)(to - (char *)guest->region->base);
	}
	int32_t answer;
	*end = curfew__guest_enter(guest, CURFEW__GUEST_ALLOC, &wanted, &answer);
	address = (uint32_t)answer;
	if (*end != CURFEW__VM_RETURNED)
		return 0;
	char *to = address ? span(guest, address, length + 1) : NULL;
	if (!to)
		return 0;
	memcpy(to, bytes, length);
	to[length] = 0;
	return address;
}

curfew__vm_end curfew__guest_enter(curfew__guest *guest, curfew__guest_entry entry, const uint32_t *argument,
                                   int32_t *status)
{
	unsigned inside = CURFEW__GUEST_INSIDE;

	if (entry != CURFEW__GUEST_TRACE) /* tracing a guest at rest writes only to memory that such a guest keeps */
		guest->region->at_rest = false;
	curfew__region_note_use(guest->region);
	atomic_store(&guest->state, CURFEW__GUEST_INSIDE);
	curfew__vm_end end = curfew__instance_call(guest->instance, entry, argument, status);
	bool has_memory = atomic_compare_exchange_strong(&guest->state, &inside, CURFEW__GUEST_IDLE);
	/* The guest was stopped on its way out, so reading its memory now would fault. */
	return has_memory || end != CURFEW__VM_RETURNED ? end : CURFEW__VM_STOPPED;
}

bool curfew__guest_settle(curfew__guest *guest)
{
	curfew__calm(&curfew__instance_target(guest->instance)->hurried);
	curfew__target_reset(curfew__instance_target(guest->instance));
	if (atomic_exchange(&guest->state, CURFEW__GUEST_IDLE) != CURFEW__GUEST_STOPPING)
		return true;
	return curfew__region_unprotect(guest->region);
}

void curfew__guest_trim(curfew__guest *guest)
{
	curfew__pool_trim(guest->pool, guest->region);
}

/* ---- Stops ------------------------------------------------------------------------------------------------ */

/*
 * The guest counts down without atomics. In a tight loop each count is read back from its core's store buffer, and a
 * value that is written here is not seen; but then the count runs out by itself within microseconds, and that poll sees
 * `stop`. If counts are far apart the 1 stays, and the next count polls. Only the last exchange is accounted for.
 */
bool curfew__guest_stop_soft(curfew__guest *guest)
{
	if (atomic_load(&guest->state) != CURFEW__GUEST_INSIDE)
		return false; /* its memory is protected already, or is being trimmed while it waits */
	curfew__region_note_use(guest->region);
	atomic_store((_Atomic uint32_t *)&guest->control->stop, 1);
	if (!atomic_load((_Atomic uint32_t *)&guest->control->answering) && atomic_load(guest->counter) > 1) {
		guest->taken = atomic_exchange(guest->counter, 1) - 1;
		atomic_store(&guest->soft_asked, true);
	}
	return atomic_load((_Atomic uint32_t *)&guest->control->answering) != 0;
}

int64_t curfew__guest_interrupt(curfew__guest *guest, int64_t now)
{
	curfew__target *target = curfew__instance_target(guest->instance);

	atomic_store(&target->is_away, atomic_load(&guest->state) == CURFEW__GUEST_OUTSIDE);
	return curfew__target_interrupt(target, now);
}

void curfew__guest_hurry(curfew__guest *guest)
{
	curfew__target *target = curfew__instance_target(guest->instance);

	atomic_store(&target->is_away, atomic_load(&guest->state) == CURFEW__GUEST_OUTSIDE);
	curfew__target_hurry(target);
}

bool curfew__guest_was_stopped_hard(const curfew__guest *guest)
{
	return atomic_load(&guest->state) == CURFEW__GUEST_STOPPING ||
	       curfew__target_has_landed(curfew__instance_target(guest->instance));
}

bool curfew__guest_protect(curfew__guest *guest)
{
	unsigned inside = CURFEW__GUEST_INSIDE;

	if (!atomic_compare_exchange_strong(&guest->state, &inside, CURFEW__GUEST_STOPPING) &&
	    inside != CURFEW__GUEST_STOPPING)
		return false;
	return curfew__region_protect(guest->region);
}

void curfew__guest_dispatch_abort(curfew__guest *guest, uint32_t kind)
{
	if (atomic_load(&guest->state) == CURFEW__GUEST_STOPPING)
		return;
	curfew__region_note_use(guest->region);
	atomic_store((_Atomic uint32_t *)&guest->control->aborted, kind);
}

/* ---- Reading ---------------------------------------------------------------------------------------------- */

const char *curfew__guest_bytes(const curfew__guest *guest, uint32_t address, uint32_t length)
{
	return span(guest, address, length);
}

uint64_t curfew__guest_loops(const curfew__guest *guest)
{
	const curfew__control *control = guest->control;
	int64_t counter = atomic_load(guest->counter);
	int64_t taken = 0;

	/* Still 1 or less: the exchange took effect, so the replaced count was never counted down. */
	if (atomic_load(&guest->soft_asked) && counter <= 1)
		taken = guest->taken;
	int64_t since = (int64_t)control->interval - counter - taken;
	return since > 0 ? control->polls + (uint64_t)since : control->polls;
}

void curfew__guest_set_fuel(curfew__guest *guest, uint64_t limit)
{
	guest->unwinds = false;
	if (!guest->count)
		return;
	guest->counted_from = limit < LAST_FUEL ? LAST_FUEL - limit : 0;
	*count_of(guest) = (int64_t)guest->counted_from;
}

uint64_t curfew__guest_fuel_used(const curfew__guest *guest)
{
	if (!guest->count)
		return CURFEW_UNLIMITED;
	return guest->unwinds ? guest->fuel_spent : (uint64_t)*count_of(guest) - guest->counted_from;
}

bool curfew__guest_charge_fuel(curfew__guest *guest, uint64_t fuel)
{
	if (!guest->count)
		return true;
	int64_t *count = count_of(guest);
	bool enough = *count >= 0 && *count <= LAST_FUEL && fuel <= (uint64_t)(LAST_FUEL - *count);

	/* A charge beyond the limit leaves the reserve that the guest needs to end by itself. */
	*count = enough ? *count + (int64_t)fuel : LAST_FUEL + 1;
	return enough;
}

size_t curfew__guest_memory(const curfew__guest *guest)
{
	return guest->region->size - guest->region->image->layout.stack_top;
}

const char *curfew_quickjs_version(void)
{
	return CURFEW_QUICKJS_VERSION;
}
