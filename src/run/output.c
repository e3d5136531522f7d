/* SPDX-License-Identifier: Apache-2.0 */
/* Output, events, host calls, memory and clocks of a run. Each is charged before it happens; an exceeded limit is
 * latched. */
#include "run/run.h"

#include <errno.h>
#include <sys/random.h>

#include "common/clock.h"
#include "engine/interrupt.h"
#include "run/stop.h"

size_t curfew__run_charge_output(curfew_run *run, size_t length)
{
	uint64_t used = atomic_load(&run->output.bytes), limit = run->limits.output_bytes;
	size_t room = limit > used ? (size_t)(limit - used) : 0;

	if (length > room) {
		run->output.truncated = true;
		curfew__run_latch(run, CURFEW_OUTCOME_OUTPUT, clock_now_ns());
		length = room;
	}
	atomic_store(&run->output.bytes, used + length);
	return length;
}

bool curfew__run_charge_call(curfew_run *run)
{
	if (run->host_calls >= run->limits.host_calls) {
		curfew__run_latch(run, CURFEW_OUTCOME_HOST_CALLS, clock_now_ns());
		return false;
	}
	run->host_calls++;
	return true;
}

void curfew__run_notify(curfew_run *run, curfew_event_kind kind, const char *bytes, size_t length)
{
	if (!run->given->on_event)
		return;
	run->given->on_event(run->given->on_event_context, kind, bytes, length);
	curfew__interrupt_admit(NULL); /* the callback may have blocked SIGURG */
}

bool curfew__run_pass_output(curfew_run *run, bool is_error, const char *bytes, size_t length)
{
	size_t passed = curfew__run_charge_output(run, length);

	if (!(run->flags & CURFEW_RUN_PASS_OUTPUT))
		curfew__buffer_add(&run->output.streams[is_error], bytes, passed);
	if (passed)
		curfew__run_notify(run, is_error ? CURFEW_EVENT_STDERR : CURFEW_EVENT_STDOUT, bytes, passed);
	return passed == length;
}

bool curfew__run_write(curfew_run *run, uint32_t stream, const char *bytes, size_t length)
{
	bool is_error = stream == 2;

	if (run->given->redactor)
		return curfew__redact_write(&run->output.redacted[is_error], bytes, length);
	return curfew__run_pass_output(run, is_error, bytes, length);
}

void curfew__run_growth(curfew_run *run, size_t bytes, bool refused)
{
	atomic_store_explicit(&run->memory_bytes, bytes, memory_order_relaxed);
	/* A guest that is already being stopped for another cause may still exceed this limit on its way out. */
	if (refused && !atomic_load(&run->stop.cause))
		curfew__run_latch(run, CURFEW_OUTCOME_MEMORY, clock_now_ns());
}

int64_t curfew__run_clock(const curfew_run *run)
{
	return curfew__run_is_deterministic(run) ? run->clock.virtual_ns : clock_now_ns();
}

bool curfew__run_fill_random(void *bytes, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t got = getrandom((char *)bytes + done, length - done, 0);
		if (got < 0 && errno != EINTR)
			return false;
		done += got > 0 ? (size_t)got : 0;
	}
	return true;
}

static void on_operation(void *context)
{
	curfew__run_wake(context);
}

curfew__operations *curfew__run_operations(curfew_run *run)
{
	curfew__operations *operations = atomic_load(&run->operations);

	if (operations)
		return operations;
	operations = curfew__operations_create(on_operation, run);
	atomic_store(&run->operations, operations);
	return operations;
}
