/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a run and its references, which every part of the pool may use. */
#include "inside.h"

#include <assert.h>
#include <stdlib.h>

/* The legal transitions: for each state, a bit for each state that may follow. */
static const unsigned may_follow[RUN_STATES] = {
	[RUN_QUEUED] = 1u << RUN_SENT | 1u << RUN_DONE,
	[RUN_SENT] = 1u << RUN_STARTED | 1u << RUN_QUEUED | 1u << RUN_DONE,
	[RUN_STARTED] = 1u << RUN_STOPPED | 1u << RUN_QUEUED | 1u << RUN_DONE,
	[RUN_STOPPED] = 1u << RUN_QUEUED | 1u << RUN_DONE,
};

void worker_run_move(worker_run *run, run_state state)
{
	assert((may_follow[run->state] >> state & 1) != 0);
	run->state = state;
}

worker_message *worker_message_create(uint64_t sender, uint8_t kind, size_t length)
{
	worker_message *made = malloc(sizeof *made);
	char *body = length < SIZE_MAX ? malloc(length + 1) : NULL;
	if (made == NULL || body == NULL) {
		free(made);
		free(body);
		return NULL;
	}
	body[length] = '\0';
	*made = (worker_message){.sender = sender, .kind = kind, .length = length, .body = body};
	return made;
}

void worker_message_free(worker_message *message)
{
	if (message == NULL)
		return;
	free(message->body);
	free(message);
}

void worker_run_unref(worker_run *run)
{
	if (run == NULL || atomic_fetch_sub(&run->references, 1) != 1)
		return;
	worker_bytes_finish(&run->frame);
	worker_bytes_finish(&run->streams[0]);
	worker_bytes_finish(&run->streams[1]);
	worker_bytes_finish(&run->partial);
	worker_message_free(run->incoming);
	curfew_broker_destroy(run->broker);
	worker_program_unref(run->program);
	worker_pool_unref(run->pool);
	free(run);
}

const char *worker_run_get_id(const worker_run *run)
{
	return run->id;
}

worker_run *worker_process_find(process *p, uint64_t number)
{
	size_t slot = worker_slot(number);
	worker_lock(p->pool);
	worker_run *run = slot < p->slot_count ? p->runs[slot] : NULL;
	worker_unlock(p->pool);
	return run != NULL && run->number == number ? run : NULL;
}

void worker_run_publish(worker_run *run)
{
	if (run->published)
		return;
	run->published = true;
	/* Wipe the message, which contains secrets and is no longer needed. */
	worker_lock(run->pool);
	worker_bytes_finish(&run->frame);
	worker_unlock(run->pool);
}
