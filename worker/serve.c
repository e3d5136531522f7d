/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker: one thread reads the pool's messages and starts runs; the engine's threads execute them and send events
 * and results. A thread that sends also sends what others have added meanwhile. Nobody waits for the pool to read,
 * because a run that waited here could not be stopped.
 */
#include "common/mutex.h"
#include "common/clock.h"
#include "common/utf8.h"
#include "confine.h"
#include "frame.h"
#include "pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Memory that the process itself needs in addition to its guests: the engine, and the stack of each thread. */
#define OWN_DATA_BYTES ((uint64_t)1 << 30)
#define THREAD_DATA_BYTES ((uint64_t)128 << 20)

typedef struct kept_program {
	curfew_program *program; /* NULL: it could not be made */
	curfew_status status;
	curfew_failure failure;
	char *name;
} kept_program;

typedef struct service service;

/*
 * A run's events are sent as they come, up to this many at once; further ones wait for a moment. Of the waiting events
 * a few keep their order. Those after them are combined: output of one kind becomes one piece, and of progress and of
 * checkpoints only the last one stays. So however often a guest writes, nobody else waits behind thousands of its
 * messages. A large event counts as several, so that nobody waits behind many large ones either. Events are not sent
 * before the pool has read what was sent: its reading is the credit that all runs of a worker have. Runs with waiting
 * events take turns, part by part, and a long report waits like an event.
 */
#define EVENT_EVERY_NS ((int64_t)1000000)
enum {
	EVENTS_IN_A_ROW = 64,
	EVENTS_WAIT_MS = 4,
	EVENTS_IN_ORDER = 4,
	EVENTS_IN_ORDER_ALONE = 1024,
	BYTES_IN_ORDER = 16 << 20,
	EVENT_KINDS = 4,
	EVENT_BYTES_EACH = 16 << 10, /* of a large event, what counts as one */
	UNREAD_BYTES_MAX = 64 << 10,
	PARCEL_BYTES_MIN = 4 << 10,
	PARTS_IN_A_ROW = 4 /* before the thread that sends them reads again */
};
_Static_assert((int)CURFEW_EVENT_CHECKPOINT == EVENT_KINDS - 1, "a place for each kind");

/* An event or a report that waits. */
typedef struct parcel {
	struct parcel *next;
	worker_frame_kind kind;
	union {
		worker_event_head event;
		worker_done_head done;
		char bytes[8];
	} head;
	char *data; /* what follows this, or text */
	char *text; /* from the library; NULL: none */
	size_t at, length, capacity;
} parcel;
_Static_assert(sizeof(worker_event_head) == sizeof(worker_done_head), "heads of one size");

typedef struct parcels {
	parcel *first, *last;
} parcels;

typedef struct task {
	service *service;
	uint64_t number;
	curfew_run *run;     /* under runs_lock */
	atomic_bool stopped; /* the pool was notified that the run is about to end */
	/* Guarded by out_lock: waiting events, and the budget for sending further ones at once. */
	parcels events;
	size_t event_bytes;
	unsigned event_count;
	parcels later[EVENT_KINDS]; /* those after them, combined by kind */
	int64_t allowance_ns;       /* EVENT_EVERY_NS for each event that may be sent at once */
	int64_t seen_ns;
	struct task *next_waiting;
	bool is_waiting;
	bool is_done; /* its report waits, and this is freed after that */
} task;

struct service {
	curfew_engine *engine;
	worker_bytes in;
	worker_files files; /* received files, in order */

	curfew__mutex out_lock;
	worker_bytes out;   /* messages are added here */
	worker_bytes going; /* being sent, without the lock, by the thread that has set `sending` */
	size_t unsent;      /* the bytes of it that were left when that thread last had the lock */
	bool sending;
	task *waiting, **last_waiting; /* tasks with waiting events, in turn */
	int64_t release_ns;            /* when these are sent, if there are any */
	bool is_cut;                   /* more could be sent as soon as there is credit */
	bool releasing;                /* the reading thread sends them */
	unsigned events_in_order;      /* of a run, that wait */
	bool blocked;                  /* the pool does not read; the reading thread resumes sending when it does */
	int wake;                      /* wakes the reading thread */

	curfew__mutex runs_lock;
	task **tasks; /* [task_count], by slot */
	size_t task_count;

	curfew__mutex programs_lock;
	kept_program **programs; /* [program_count], by slot; only the reading thread changes it */
	size_t program_count;
};

/* Ends a worker that cannot continue. Its pool does the rest. */
static _Noreturn void leave(int code)
{
	_exit(code);
}

/* ---- Sending --------------------------------------------------------------------------------------------- */

/* The lock is not held while sending. */
static void flush(service *s) CURFEW__REQUIRES(s->out_lock);
static void flush(service *s)
{
	if (s->sending || s->blocked)
		return;
	s->sending = true;
	while (s->unsent + worker_bytes_count(&s->out) > 0 && !s->blocked) {
		if (s->unsent == 0) {
			worker_bytes empty = s->going;
			s->going = s->out;
			s->out = empty;
			s->unsent = worker_bytes_count(&s->going);
		}
		curfew__mutex_unlock(&s->out_lock);
		bool alive = worker_bytes_send(&s->going, NULL, WORKER_SOCKET);
		curfew__mutex_lock(&s->out_lock);
		if (!alive)
			leave(0);
		s->unsent = worker_bytes_count(&s->going);
		s->blocked = s->unsent > 0;
	}
	s->sending = false;
	if (s->blocked || (s->is_cut && !s->releasing))
		(void)eventfd_write(s->wake, 1);
}

static void flush_now(service *s)
{
	curfew__mutex_lock(&s->out_lock);
	flush(s);
	curfew__mutex_unlock(&s->out_lock);
}

typedef struct piece {
	const void *data;
	size_t length;
} piece;

static void post(service *s, worker_frame_kind kind, uint64_t number, piece head, piece data, bool now)
{
	curfew__mutex_lock(&s->out_lock);
	if (!worker_frame_add_whole(&s->out, kind, number, head.data, head.length, data.data, data.length))
		leave(1);
	if (now)
		flush(s);
	curfew__mutex_unlock(&s->out_lock);
}

/* Under out_lock: whether the pool has read enough, so that more may be sent. */
static bool has_credit(const service *s)
{
	return !s->blocked && worker_bytes_count(&s->out) + s->unsent <= UNREAD_BYTES_MAX;
}

/* Under out_lock. */
static void add_allowance(task *t)
{
	int64_t now = clock_now_ns();
	t->allowance_ns += now - t->seen_ns;
	t->seen_ns = now;
	if (t->allowance_ns > EVENTS_IN_A_ROW * EVENT_EVERY_NS)
		t->allowance_ns = EVENTS_IN_A_ROW * EVENT_EVERY_NS;
}

/* Under out_lock: the allowance may become less than nothing. */
static void charge_bytes(task *t, size_t length)
{
	if (t->service->events_in_order != EVENTS_IN_ORDER_ALONE) /* else nobody waits */
		t->allowance_ns -= (int64_t)(length / EVENT_BYTES_EACH) * EVENT_EVERY_NS;
}

/* Under out_lock: whether one more event may be sent at once. */
static bool take_allowance(task *t, size_t length)
{
	add_allowance(t);
	if (t->allowance_ns < EVENT_EVERY_NS || !has_credit(t->service))
		return false;
	t->allowance_ns -= EVENT_EVERY_NS;
	charge_bytes(t, length);
	return true;
}

static bool is_output(uint32_t kind)
{
	return kind == CURFEW_EVENT_STDOUT || kind == CURFEW_EVENT_STDERR;
}

/* ---- Waiting events and reports -------------------------------------------------------------------------- */

/* Makes one of a capacity, with some of its bytes. text: data is that text, which it takes over. */
static parcel *make_parcel(worker_frame_kind kind, const void *head, const char *data, size_t length, size_t capacity,
                           char *text)
{
	parcel *made = malloc(sizeof *made + (text == NULL ? capacity : 0));
	if (made == NULL)
		leave(1);
	*made = (parcel){.kind = kind, .length = length, .capacity = capacity, .text = text};
	memcpy(made->head.bytes, head, sizeof made->head);
	made->data = text != NULL ? text : (char *)(made + 1);
	if (text == NULL && length > 0)
		memcpy(made->data, data, length);
	return made;
}

static parcel *make_event(uint32_t kind, const char *data, size_t length, size_t capacity)
{
	worker_event_head head = {.kind = kind};
	return make_parcel(WORKER_FRAME_EVENT, &head, data, length, capacity, NULL);
}

/* Not under a lock: freeing much memory takes a while. */
static void free_parcels(parcel *first)
{
	while (first != NULL) {
		parcel *next = first->next;
		curfew_free(first->text);
		free(first);
		first = next;
	}
}

static void add_parcels(parcels *to, const parcels *more)
{
	if (more->first == NULL)
		return;
	*(to->last != NULL ? &to->last->next : &to->first) = more->first;
	to->last = more->last;
}

static bool has_later(const task *t)
{
	bool has = false;
	for (uint32_t kind = 0; kind < EVENT_KINDS; kind++)
		has = has || t->later[kind].first != NULL;
	return has;
}

static bool is_output_parcel(const parcel *p)
{
	return p->kind == WORKER_FRAME_EVENT && is_output(p->head.event.kind);
}

/* Under out_lock: appends output to the last waiting event, if that is of the same kind and has capacity. */
static bool join_event(const parcels *to, uint32_t kind, const char *data, size_t length)
{
	parcel *last = to->last;
	if (last == NULL || !is_output_parcel(last) || last->head.event.kind != kind ||
	    length > last->capacity - last->length)
		return false;
	memcpy(last->data + last->length, data, length);
	last->length += length;
	return true;
}

/* Under out_lock: adds output. The more waits, the larger are the pieces, up to a part. */
static void add_output(parcels *to, uint32_t kind, const char *data, size_t length)
{
	if (join_event(to, kind, data, length))
		return;
	size_t capacity = to->last != NULL ? 2 * to->last->capacity : PARCEL_BYTES_MIN;
	if (capacity > WORKER_PART_BYTES)
		capacity = WORKER_PART_BYTES;
	if (capacity < length)
		capacity = length;
	parcel *made = make_event(kind, data, length, capacity);
	add_parcels(to, &(parcels){made, made});
}

/* Under out_lock: adds an event in its order. */
static void add_in_order(task *t, uint32_t kind, const char *data, size_t length, parcel *made)
{
	bool joins = t->events.last != NULL && is_output(kind) && is_output_parcel(t->events.last) &&
	             t->events.last->head.event.kind == kind;
	t->event_bytes += length;
	t->event_count += !joins;
	if (made != NULL)
		add_parcels(&t->events, &(parcels){made, made});
	else if (joins)
		add_output(&t->events, kind, data, length);
	else {
		made = make_event(kind, data, length, is_output(kind) && length < PARCEL_BYTES_MIN ? PARCEL_BYTES_MIN : length);
		add_parcels(&t->events, &(parcels){made, made});
	}
}

/* Under out_lock: whether an event may wait in its order. */
static bool may_keep_order(const task *t, uint32_t kind)
{
	if (has_later(t))
		return false;
	if (t->event_count > 0 && is_output(kind) && is_output_parcel(t->events.last) &&
	    t->events.last->head.event.kind == kind)
		return true;
	return t->event_count < t->service->events_in_order && t->event_bytes <= BYTES_IN_ORDER;
}

/* Under out_lock: gives it a turn, after all others. */
static void queue_task(task *t)
{
	service *s = t->service;
	t->is_waiting = true;
	t->next_waiting = NULL;
	*(s->waiting != NULL ? s->last_waiting : &s->waiting) = t;
	s->last_waiting = &t->next_waiting;
}

/* Under out_lock: makes the reading thread send it soon. */
static void wait_for_turn(task *t)
{
	service *s = t->service;
	if (t->is_waiting)
		return;
	bool is_first = s->waiting == NULL;
	queue_task(t);
	if (!is_first)
		return;
	/* Wake the reading thread, so that it waits only until then. */
	s->release_ns = clock_now_ns() + EVENTS_WAIT_MS * INT64_C(1000000);
	(void)eventfd_write(s->wake, 1);
}

/* Under out_lock. made: an event in JSON that is long, which this takes over; NULL: it is copied. Returns what has to
 * be freed. */
static parcel *wait_event(task *t, uint32_t kind, const char *data, size_t length, parcel *made)
{
	parcel *old = NULL;
	if (may_keep_order(t, kind)) {
		add_in_order(t, kind, data, length, made);
	} else if (is_output(kind)) {
		add_output(&t->later[kind], kind, data, length);
	} else {
		old = t->later[kind].first;
		if (made == NULL)
			made = make_event(kind, data, length, length);
		t->later[kind] = (parcels){made, made};
	}
	wait_for_turn(t);
	return old;
}

/* Under out_lock: adds the next part to what is sent. False: there is more of it. */
static bool send_part(const task *t, worker_bytes *out, parcel *p)
{
	char prefix[sizeof(uint64_t) + sizeof p->head];
	size_t prefix_length = 0, left = p->length - p->at, part = left;
	worker_frame frame = {.number = t->number, .kind = (uint8_t)p->kind};
	uint64_t whole = sizeof p->head + p->length;

	if (is_output_parcel(p)) {
		/* Each part is an event of its own. */
		part = curfew__utf8_cut(p->data + p->at, left, WORKER_PART_BYTES - sizeof p->head);
		memcpy(prefix, p->head.bytes, sizeof p->head);
		prefix_length = sizeof p->head;
	} else {
		if (whole > WORKER_PART_BYTES && p->at == 0) {
			memcpy(prefix, &whole, sizeof whole);
			prefix_length = sizeof whole;
		}
		if (p->at == 0) {
			memcpy(prefix + prefix_length, p->head.bytes, sizeof p->head);
			prefix_length += sizeof p->head;
		}
		if (part > WORKER_PART_BYTES - prefix_length)
			part = WORKER_PART_BYTES - prefix_length;
		frame.more = part < left;
	}

	if (!worker_frame_add_part(out, &frame, prefix, prefix_length, p->data + p->at, part))
		leave(1);
	p->at += part;
	return p->at == p->length;
}

/* Under out_lock: takes the first task that may send something. NULL: there is none. */
static task *take_turn(service *s)
{
	for (task **at = &s->waiting; *at != NULL; at = &(*at)->next_waiting) {
		task *t = *at;
		add_allowance(t);
		if (t->allowance_ns < 0 && !t->is_done)
			continue;
		*at = t->next_waiting;
		if (s->last_waiting == &t->next_waiting)
			s->last_waiting = at;
		t->is_waiting = false;
		return t;
	}
	return NULL;
}

/* Under out_lock: sends one part of a task. Adds to what has to be freed; true: that includes the task. */
static bool release_part(task *t, parcels *sent)
{
	for (uint32_t kind = 0; t->events.first == NULL && kind < EVENT_KINDS; kind++) {
		add_parcels(&t->events, &t->later[kind]);
		t->later[kind] = (parcels){NULL, NULL};
	}

	parcel *first = t->events.first;
	size_t before = first->at;
	if (send_part(t, &t->service->out, first)) {
		t->events.first = first->next;
		if (t->events.first == NULL)
			t->events.last = NULL;
		first->next = NULL;
		add_parcels(sent, &(parcels){first, first});
	}
	charge_bytes(t, first->at - before);

	if (t->events.first != NULL || has_later(t)) {
		queue_task(t);
		return false;
	}
	t->event_bytes = t->event_count = 0;
	return t->is_done;
}

/* Sends what waits, as far as there is credit. The reading thread does this. */
static void release_all(service *s)
{
	parcels sent = {NULL, NULL};
	curfew__mutex_lock(&s->out_lock);
	s->releasing = true;
	s->is_cut = false;
	for (int parts = 0; s->waiting != NULL && !s->is_cut; parts++) {
		s->is_cut = parts == PARTS_IN_A_ROW || !has_credit(s);
		task *t = s->is_cut ? NULL : take_turn(s);
		if (t == NULL)
			break;
		if (release_part(t, &sent))
			free(t);
		flush(s);
	}
	s->releasing = false;
	s->release_ns = clock_now_ns() + EVENTS_WAIT_MS * INT64_C(1000000);
	flush(s);
	curfew__mutex_unlock(&s->out_lock);
	free_parcels(sent.first);
}

static void on_event(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	task *t = context;
	service *s = t->service;
	size_t part;
	for (; is_output((uint32_t)kind) && length > WORKER_PART_BYTES / 2; data += part, length -= part) {
		part = curfew__utf8_cut(data, length, WORKER_PART_BYTES / 2);
		curfew__mutex_lock(&s->out_lock);
		(void)wait_event(t, (uint32_t)kind, data, part, NULL);
		curfew__mutex_unlock(&s->out_lock);
	}

	/* Copy a long one before others have to wait for that. */
	bool is_long = length > WORKER_PART_BYTES / 2;
	parcel *made = is_long ? make_event((uint32_t)kind, data, length, length) : NULL, *old = NULL;
	curfew__mutex_lock(&s->out_lock);
	if (!is_long && !t->is_waiting && take_allowance(t, length)) {
		worker_event_head head = {.kind = (uint32_t)kind};
		if (!worker_frame_add_whole(&s->out, WORKER_FRAME_EVENT, t->number, &head, sizeof head, data, length))
			leave(1);
		flush(s);
	} else if (length > 0) {
		old = wait_event(t, (uint32_t)kind, data, length, made);
	}
	curfew__mutex_unlock(&s->out_lock);
	free_parcels(old);
}

/* Sends the last message of a run, after its events, and frees the task. text is the library's. */
static void finish_task(task *t, const worker_done_head *head, char *text, size_t length)
{
	service *s = t->service;
	curfew__mutex_lock(&s->out_lock);
	bool waits = t->is_waiting || length > WORKER_PART_BYTES / 2;
	for (uint32_t kind = 0; waits && kind < EVENT_KINDS; kind++) {
		add_parcels(&t->events, &t->later[kind]);
		t->later[kind] = (parcels){NULL, NULL};
	}
	if (waits) {
		parcel *made = make_parcel(WORKER_FRAME_DONE, head, NULL, length, length, text);
		add_parcels(&t->events, &(parcels){made, made});
		t->is_done = true;
		s->is_cut = true;
		wait_for_turn(t);
		(void)eventfd_write(s->wake, 1);
	} else {
		if (!worker_frame_add_whole(&s->out, WORKER_FRAME_DONE, t->number, head, sizeof *head, text, length))
			leave(1);
		flush(s);
	}
	curfew__mutex_unlock(&s->out_lock);
	if (waits)
		return;
	curfew_free(text);
	free(t);
}

static void on_request(void *context, const void *message, size_t length)
{
	const task *t = context;
	post(t->service, WORKER_FRAME_REQUEST, t->number, (piece){message, length}, (piece){NULL, 0}, true);
}

/* Notifies the pool, once, that the run has no other due time. */
static void note_stopped(task *t)
{
	if (!atomic_exchange(&t->stopped, true))
		post(t->service, WORKER_FRAME_STOPPED, t->number, (piece){NULL, 0}, (piece){NULL, 0}, true);
}

/*
 * Called on the watch's thread at the instant of the stop. The pool relies on this notification, however long the
 * guest, its trace and its report take. A limit that the guest itself detects ends it at once, without this.
 */
static void on_stop(void *context, curfew_outcome cause)
{
	task *t = context;
	if (cause == CURFEW_OUTCOME_DEADLINE || cause == CURFEW_OUTCOME_CANCELLED)
		note_stopped(t);
}

static void post_done(task *t, const curfew_report *report)
{
	worker_done_head head = {.outcome = (uint32_t)report->outcome, .exit_code = report->exit_code};
	char *text;
	size_t length;
	if (curfew_report_to_json(report, &text, &length) != CURFEW_OK)
		leave(1);
	finish_task(t, &head, text, length);
}

static task *make_task(service *s, uint64_t number)
{
	task *t = calloc(1, sizeof *t);
	if (t == NULL)
		leave(1);
	t->service = s;
	t->number = number;
	t->allowance_ns = EVENTS_IN_A_ROW * EVENT_EVERY_NS;
	t->seen_ns = clock_now_ns();
	return t;
}

/* ---- Runs ------------------------------------------------------------------------------------------------ */

static void on_done(void *context, curfew_run *run)
{
	task *t = context;
	service *s = t->service;
	/* After this nobody else has the run. */
	curfew__mutex_lock(&s->runs_lock);
	s->tasks[worker_slot(t->number)] = NULL;
	curfew__mutex_unlock(&s->runs_lock);
	const curfew_report *report = curfew_run_get_report(run);
	/* Making a long report takes a while, and it may be late for its deadline meanwhile. */
	if (report->stdout_length + report->stderr_length > WORKER_PART_BYTES ||
	    (report->value != NULL && strnlen(report->value, WORKER_PART_BYTES) == WORKER_PART_BYTES))
		note_stopped(t);
	post_done(t, report);
	curfew_run_destroy(run);
}

/* Sends a report of a run that never ran. */
static void post_failed(service *s, uint64_t number, const char *id, const char *name, const curfew_limits *limits,
                        curfew_status status, const curfew_failure *failure)
{
	bool own_fault = status == CURFEW_BAD_PROGRAM || status == CURFEW_BAD_IMAGE || status == CURFEW_INVALID;
	const char *message = failure->message[0] != '\0' ? failure->message : curfew_status_text(status);
	curfew_report *report;
	if (curfew_report_create_failed(own_fault ? CURFEW_OUTCOME_BAD_PROGRAM : CURFEW_OUTCOME_INTERNAL_ERROR, name,
	                                message, limits, &report) != CURFEW_OK)
		leave(1);
	memcpy(report->id, id, sizeof report->id);
	post_done(make_task(s, number), report);
	curfew_report_destroy(report);
}

static bool make_slot(void ***slots, size_t *count, size_t slot)
{
	if (slot < *count)
		return true;
	size_t wanted = slot * 2 + 16;
	void **grown = realloc(*slots, wanted * sizeof *grown);
	if (grown == NULL || slot >= WORKER_SLOTS_MAX)
		return false;
	memset(grown + *count, 0, (wanted - *count) * sizeof *grown);
	*slots = grown;
	*count = wanted;
	return true;
}

static void set_task(service *s, uint64_t number, task *t)
{
	curfew__mutex_lock(&s->runs_lock);
	if (!make_slot((void ***)&s->tasks, &s->task_count, worker_slot(number)))
		leave(1);
	s->tasks[worker_slot(number)] = t;
	curfew__mutex_unlock(&s->runs_lock);
}

/* The run may have ended already. Its slot is free then: only this thread gives it to another. */
static void note_run(service *s, uint64_t number, curfew_run *run)
{
	curfew__mutex_lock(&s->runs_lock);
	task *t = s->tasks[worker_slot(number)];
	if (t != NULL)
		t->run = run;
	curfew__mutex_unlock(&s->runs_lock);
}

static void start_run(service *s, uint64_t number, kept_program *kept, const worker_run_head *head,
                      curfew_run_options *options)
{
	curfew_run *run = NULL;
	curfew_failure failure = kept->failure;
	curfew_status status = kept->status;
	task *t = make_task(s, number);

	options->on_event_context = options->on_done_context = options->on_request_context = options->on_stop_context = t;
	set_task(s, number, t);
	post(s, WORKER_FRAME_STARTED, number, (piece){NULL, 0}, (piece){NULL, 0}, false);
	if (kept->program != NULL)
		status = curfew_run_start(kept->program, options, &run, &failure);
	if (status == CURFEW_OK) {
		note_run(s, number, run);
		return;
	}
	set_task(s, number, NULL);
	free(t);
	post_failed(s, number, head->id, kept->name, &head->limits, status, &failure);
}

/* ---- Inspecting without running -------------------------------------------------------------------------- */

/* The pool keeps the program meanwhile. */
typedef struct inspection {
	service *service;
	uint64_t number;
	const kept_program *kept;
	curfew_limits limits;
	char id[32];
} inspection;

/* The rest of the time that both steps have together. */
static curfew_limits limits_left(const inspection *i, int64_t since_ns)
{
	curfew_limits left = i->limits;
	uint64_t spent_ns = (uint64_t)(clock_now_ns() - since_ns);
	if (left.timeout_ns != CURFEW_UNLIMITED)
		left.timeout_ns = left.timeout_ns > spent_ns ? left.timeout_ns - spent_ns : 1;
	return left;
}

/*
 * A stored program has to be able to run, but describing it reads no function's body, so it is compiled as well.
 * WebAssembly is described first, so that a program that cannot be linked is refused at once. JavaScript is parsed only
 * once.
 */
static curfew_status describe(const inspection *i, char **json, size_t *length, curfew_report **report,
                              curfew_failure *failure)
{
	curfew_program *program = i->kept->program;
	int64_t since_ns = clock_now_ns();
	*failure = i->kept->failure;
	if (program == NULL)
		return i->kept->status;
	bool is_js = strcmp(curfew_program_kind(program), "js") == 0;
	curfew_status status = is_js ? curfew_program_compile(program, &i->limits, report, failure) : CURFEW_OK;
	curfew_limits left = limits_left(i, since_ns);
	if (status == CURFEW_OK)
		status = curfew_program_inspect(program, &left, json, length, report, failure);
	left = limits_left(i, since_ns);
	if (status == CURFEW_OK && !is_js && *length <= WORKER_DESCRIPTION_MAX)
		status = curfew_program_compile(program, &left, report, failure);
	if (status != CURFEW_OK || *length <= WORKER_DESCRIPTION_MAX)
		return status;
	(void)snprintf(failure->message, sizeof failure->message,
	               "what the program imports and exports takes more than 1 MiB to describe");
	return CURFEW_BAD_PROGRAM;
}

static void *inspect(void *context)
{
	inspection *i = context;
	char *json = NULL;
	size_t length = 0;
	curfew_report *report = NULL;
	curfew_failure failure;
	worker_done_head head = {.outcome = CURFEW_OUTCOME_FINISHED};
	curfew_status status = describe(i, &json, &length, &report, &failure);
	if (status == CURFEW_OK) {
		finish_task(make_task(i->service, i->number), &head, json, length);
		json = NULL;
	} else if (report != NULL) {
		memcpy(report->id, i->id, sizeof report->id);
		post_done(make_task(i->service, i->number), report);
	} else {
		post_failed(i->service, i->number, i->id, i->kept->name, &i->limits, status, &failure);
	}
	curfew_free(json);
	curfew_report_destroy(report);
	free(i);
	return NULL;
}

/* Runs in a separate thread, because it waits for the end. */
static void start_inspection(service *s, uint64_t number, const kept_program *kept, const worker_run_head *head)
{
	pthread_t thread;
	inspection *i = calloc(1, sizeof *i);
	if (i == NULL)
		leave(1);
	*i = (inspection){.service = s, .number = number, .kept = kept, .limits = head->limits};
	memcpy(i->id, head->id, sizeof i->id);
	post(s, WORKER_FRAME_STARTED, number, (piece){NULL, 0}, (piece){NULL, 0}, false);
	if (pthread_create(&thread, NULL, inspect, i) != 0)
		leave(1);
	(void)pthread_detach(thread);
}

/* ---- Compiling, which the pool does ---------------------------------------------------------------------- */

static void on_compile(void *context, uint64_t number, const curfew_program *program, uint32_t what)
{
	service *s = context;
	worker_compile_head head = {.what = what};
	curfew__mutex_lock(&s->programs_lock);
	while (program != NULL && head.program < s->program_count &&
	       (s->programs[head.program] == NULL || s->programs[head.program]->program != program))
		head.program++;
	curfew__mutex_unlock(&s->programs_lock);
	post(s, WORKER_FRAME_COMPILE, number, (piece){&head, sizeof head}, (piece){NULL, 0}, true);
}

static void on_code(service *s, uint64_t number, const char *body)
{
	curfew_code_answer answer;
	memcpy(&answer, body, sizeof answer);
	if (answer.file >= 0)
		answer.file = worker_files_take(&s->files);
	if (curfew_engine_receive(s->engine, number, &answer, NULL) != CURFEW_OK)
		leave(1);
}

/* ---- What the pool sends --------------------------------------------------------------------------------- */

/* Reads the texts after a head. The pool is trusted, so a length that does not fit is a bug. */
typedef struct texts {
	const char *at;
	const char *end;
} texts;

static const char *take_text(texts *t, uint64_t length)
{
	const char *text = t->at;
	if (length == 0)
		return NULL;
	if (length > (uint64_t)(t->end - t->at) || text[length - 1] != '\0')
		leave(1);
	t->at += length;
	return text;
}

static const char **take_list(texts *t, uint32_t count)
{
	const char **list = calloc((size_t)count + 1, sizeof *list);
	if (list == NULL)
		leave(1);
	for (uint32_t i = 0; i < count; i++)
		list[i] = take_text(t, strnlen(t->at, (size_t)(t->end - t->at)) + 1);
	return list;
}

/* Reads names and values, which stay in the frame until the run has copied them. */
static curfew_secret *take_secrets(texts *t, uint32_t count)
{
	curfew_secret *secrets = calloc((size_t)count + 1, sizeof *secrets);
	if (secrets == NULL)
		leave(1);
	for (uint32_t i = 0; i < count; i++) {
		secrets[i].name = take_text(t, strnlen(t->at, (size_t)(t->end - t->at)) + 1);
		secrets[i].value_length = strnlen(t->at, (size_t)(t->end - t->at));
		secrets[i].value = take_text(t, secrets[i].value_length + 1);
	}
	return secrets;
}

static void on_run(service *s, uint64_t number, const char *body, size_t length)
{
	worker_run_head head;

	memcpy(&head, body, sizeof head);
	kept_program *kept = head.program < s->program_count ? s->programs[head.program] : NULL;
	texts rest = {body + sizeof head, body + length};
	if (kept == NULL)
		leave(1);
	if (head.flags & WORKER_JOB_INSPECT) {
		start_inspection(s, number, kept, &head);
		return;
	}

	curfew_run_options options = {
		.size = sizeof options,
		.flags = head.flags | CURFEW_RUN_CHECKED,
		.limits = &head.limits,
		.id = head.id,
		.on_event = on_event,
		.on_done = on_done,
		.on_stop = on_stop,
		.stdin_fd = STDIN_FILENO,
		.owner = head.owner,
		.on_request = head.has_broker ? on_request : NULL,
	};

	options.call = take_text(&rest, head.call_length);
	options.params = take_text(&rest, head.params_length);
	options.params_length = options.params != NULL ? (size_t)head.params_length - 1 : 0;
	options.user = take_text(&rest, head.user_length);
	options.timezone = take_text(&rest, head.timezone_length);
	options.stdin_bytes = take_text(&rest, head.stdin_length);
	options.stdin_length = options.stdin_bytes != NULL ? (size_t)head.stdin_length - 1 : 0;
	options.files = take_text(&rest, head.files_length);
	options.files_length = options.files != NULL ? (size_t)head.files_length - 1 : 0;
	const char **args = take_list(&rest, head.arg_count);
	const char **env = take_list(&rest, head.env_count);
	options.args = args;
	options.arg_count = head.arg_count;
	options.env = env;
	options.env_count = head.env_count;
	curfew_secret *secrets = take_secrets(&rest, head.secret_count);
	options.secrets = secrets;
	options.secret_count = head.secret_count;
	const char **secret_for = take_list(&rest, head.secret_for_count);
	options.secret_for = secret_for;
	options.secret_for_count = head.secret_for_count;
	start_run(s, number, kept, &head, &options);
	free(args);
	free(env);
	free(secrets);
	free(secret_for);
}

static void make_program(service *s, kept_program *kept, const worker_program_head *head, curfew_source *source)
{
	bool is_wasm = head->language == CURFEW_LANGUAGE_WASM || head->language == CURFEW_LANGUAGE_WAT;

	source->language = (curfew_language)head->language;
	source->name = kept->name;
	source->flags = (head->flags & WORKER_PROGRAM_ONCE ? CURFEW_SOURCE_ONCE : 0) |
	                (head->flags & WORKER_PROGRAM_PATH ? CURFEW_SOURCE_PATH : 0) |
	                (head->flags & WORKER_PROGRAM_NODE ? CURFEW_SOURCE_NODE : 0) |
	                (head->file_length > 0 && is_wasm ? CURFEW_SOURCE_MAPPED : 0);
	if (head->flags & WORKER_PROGRAM_IMAGE)
		kept->status = curfew_program_load(s->engine, source->text, source->text_length, &kept->program,
		                                   &kept->failure);
	else
		kept->status = curfew_program_create(s->engine, source, &kept->program, &kept->failure);
}

/* Maps the file of a program. */
static void map_program(service *s, const worker_program_head *head, curfew_source *source)
{
	int file = worker_files_take(&s->files);
	void *mapped = mmap(NULL, (size_t)head->file_length, PROT_READ, MAP_PRIVATE, file, 0);
	if (mapped == MAP_FAILED)
		leave(1);
	(void)close(file);
	source->text = mapped;
	source->text_length = (size_t)head->file_length;
}

static void on_program(service *s, uint64_t slot, const char *body, size_t length)
{
	worker_program_head head;
	memcpy(&head, body, sizeof head);
	texts rest = {body + sizeof head, body + length};
	kept_program *kept = calloc(1, sizeof *kept);
	const char *name = take_text(&rest, head.name_length);
	if (kept == NULL || name == NULL || (kept->name = strdup(name)) == NULL)
		leave(1);
	curfew_source source = {.size = sizeof source, .import_map_name = take_text(&rest, head.map_name_length)};
	source.import_map = take_text(&rest, head.map_length);
	source.import_map_length = source.import_map != NULL ? (size_t)head.map_length - 1 : 0;
	source.text = rest.at;
	source.text_length = (size_t)(rest.end - rest.at);
	source.sha256 = head.sha256[0] != '\0' ? head.sha256 : NULL;
	if (head.file_length > 0)
		map_program(s, &head, &source);
	make_program(s, kept, &head, &source);
	bool is_taken = kept->program != NULL && (source.flags & CURFEW_SOURCE_MAPPED) != 0;
	if (head.file_length > 0 && !is_taken)
		(void)munmap((void *)(uintptr_t)source.text, source.text_length);
	curfew__mutex_lock(&s->programs_lock);
	if (!make_slot((void ***)&s->programs, &s->program_count, slot) || s->programs[slot] != NULL)
		leave(1);
	s->programs[slot] = kept;
	curfew__mutex_unlock(&s->programs_lock);
}

static void on_forget(service *s, uint64_t slot)
{
	kept_program *kept = slot < s->program_count ? s->programs[slot] : NULL;
	if (kept == NULL)
		leave(1);
	curfew__mutex_lock(&s->programs_lock);
	s->programs[slot] = NULL;
	curfew__mutex_unlock(&s->programs_lock);
	curfew_program_destroy(kept->program);
	free(kept->name);
	free(kept);
}

/* Under runs_lock. NULL: the run has ended meanwhile. */
static task *find_task(service *s, uint64_t number)
{
	size_t slot = worker_slot(number);
	task *t = slot < s->task_count ? s->tasks[slot] : NULL;
	return t != NULL && t->number == number ? t : NULL;
}

static void on_answer(service *s, uint64_t number, const char *body, size_t length)
{
	curfew__mutex_lock(&s->runs_lock);
	task *t = find_task(s, number);
	if (t != NULL && curfew_run_receive(t->run, body, length, NULL) != CURFEW_OK)
		leave(1);
	curfew__mutex_unlock(&s->runs_lock);
}

/* Messages for a run that has ended meanwhile are ignored. */
static void on_cancel_or_ask(service *s, worker_frame_kind kind, uint64_t number)
{
	curfew_run_usage usage = {.size = sizeof usage};
	curfew__mutex_lock(&s->runs_lock);
	task *t = find_task(s, number);
	bool is_it = t != NULL;
	if (is_it && kind == WORKER_FRAME_CANCEL)
		curfew_run_cancel(t->run);
	if (is_it && kind == WORKER_FRAME_ASK_USAGE)
		curfew_run_get_usage(t->run, &usage);
	curfew__mutex_unlock(&s->runs_lock);
	if (is_it && kind == WORKER_FRAME_ASK_USAGE)
		post(s, WORKER_FRAME_USAGE, number, (piece){&usage, sizeof usage}, (piece){NULL, 0}, false);
}

static void send_memory(service *s)
{
	curfew_engine_stats stats = {.size = sizeof stats};
	curfew_engine_get_stats(s->engine, &stats);
	worker_memory memory = {stats.regions_in_use, stats.regions_pooled, stats.resident_bytes};
	post(s, WORKER_FRAME_MEMORY, 0, (piece){&memory, sizeof memory}, (piece){NULL, 0}, false);
}

static void on_frame(service *s, const worker_frame *frame, const char *body)
{
	size_t length = (size_t)frame->length;
	if (frame->kind == WORKER_FRAME_RUN && length >= sizeof(worker_run_head))
		on_run(s, frame->number, body, length);
	else if (frame->kind == WORKER_FRAME_PROGRAM && length >= sizeof(worker_program_head))
		on_program(s, frame->number, body, length);
	else if (frame->kind == WORKER_FRAME_FORGET)
		on_forget(s, frame->number);
	else if (frame->kind == WORKER_FRAME_ANSWER)
		on_answer(s, frame->number, body, length);
	else if (frame->kind == WORKER_FRAME_CANCEL || frame->kind == WORKER_FRAME_ASK_USAGE)
		on_cancel_or_ask(s, (worker_frame_kind)frame->kind, frame->number);
	else if (frame->kind == WORKER_FRAME_ASK_MEMORY)
		send_memory(s);
	else if (frame->kind == WORKER_FRAME_CODE && length == sizeof(curfew_code_answer))
		on_code(s, frame->number, body);
	else
		leave(1);
}

static void take_frames(service *s)
{
	worker_frame frame;
	const char *body;
	worker_peek peek;
	while ((peek = worker_frame_peek(&s->in, &frame)) == WORKER_PEEK_HEAD &&
	       (body = worker_frame_body(&s->in, &frame)) != NULL) {
		on_frame(s, &frame, body);
		worker_frame_take(&s->in, &frame);
	}
	if (peek == WORKER_PEEK_BAD)
		leave(1);
	flush_now(s);
}

/* Milliseconds until the next release of events; -1: none is planned. */
static int time_to_release(service *s)
{
	int64_t left_ns = 0;
	curfew__mutex_lock(&s->out_lock);
	bool has = s->waiting != NULL;
	if (has && (!s->is_cut || !has_credit(s)))
		left_ns = s->release_ns - clock_now_ns();
	/* Check events that wait for credit again a little later. */
	if (has && left_ns <= 0 && !has_credit(s))
		left_ns = EVENTS_WAIT_MS * INT64_C(1000000);
	curfew__mutex_unlock(&s->out_lock);
	return !has ? -1 : left_ns > 0 ? (int)((left_ns + 999999) / 1000000) : 0;
}

static bool is_blocked(service *s)
{
	curfew__mutex_lock(&s->out_lock);
	bool is = s->blocked;
	curfew__mutex_unlock(&s->out_lock);
	return is;
}

static _Noreturn void serve(service *s)
{
	struct pollfd fds[] = {{.fd = WORKER_SOCKET, .events = POLLIN}, {.fd = s->wake, .events = POLLIN}};

	for (;;) {
		(void)poll(fds, 2, time_to_release(s));
		if (time_to_release(s) == 0)
			release_all(s);
		if (fds[1].revents != 0) {
			eventfd_t ignored;
			(void)eventfd_read(s->wake, &ignored);
			fds[0].events = is_blocked(s) ? POLLIN | POLLOUT : POLLIN;
		}
		if (fds[0].revents & POLLOUT) {
			fds[0].events = POLLIN;
			curfew__mutex_lock(&s->out_lock);
			s->blocked = false;
			flush(s);
			curfew__mutex_unlock(&s->out_lock);
			release_all(s);
		}
		/* If reading fails, the pool has ended, and the worker ends too. */
		if (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) {
			if (worker_bytes_receive(&s->in, &s->files, WORKER_SOCKET) < 0)
				leave(0);
			take_frames(s);
		}
	}
}

/* ---- Start ----------------------------------------------------------------------------------------------- */

/*
 * Handles a fault that no guest caused. The first process of a namespace does not die of signals that it sends to
 * itself, so it exits with the code that a shell would give.
 */
static void on_fault(int number)
{
	_exit(128 + number);
}

static void catch_faults(void)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGXFSZ};
	struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};
	sigset_t none;
	sigemptyset(&none);
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
		(void)sigaction(faults[i], &action, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &none, NULL);
}

/* Run an empty program, so that everything that is created at first use exists before the first guest. */
static void warm_up(curfew_engine *engine)
{
	curfew_source source = {.size = sizeof source, .name = "warm-up", .text = "0", .text_length = 1};
	curfew_program *program = NULL;
	curfew_report *report = NULL;
	if (curfew_program_create(engine, &source, &program, NULL) == CURFEW_OK)
		(void)curfew_program_run(program, NULL, &report, NULL);
	curfew_report_destroy(report);
	curfew_program_destroy(program);
}

static bool make_service(service *s, const worker_setup *setup, int pagemap, curfew_failure *failure)
{
	curfew_engine_options options = {.size = sizeof options,
	                                 .threads = setup->threads,
	                                 .pagemap_fd = pagemap,
	                                 .flags = setup->engine_flags,
	                                 .compile = CURFEW_COMPILE_ELSEWHERE,
	                                 .on_compile = on_compile,
	                                 .compile_context = s};
	/* If there is only one run, send its events without limits: nobody waits behind them, and both outputs keep their
	 * order. */
	s->events_in_order = setup->threads == 1 ? EVENTS_IN_ORDER_ALONE : EVENTS_IN_ORDER;
	s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	curfew__mutex_init(&s->out_lock);
	curfew__mutex_init(&s->runs_lock);
	curfew__mutex_init(&s->programs_lock);
	if (curfew_engine_create(&options, &s->engine, failure) != CURFEW_OK)
		return false;
	warm_up(s->engine);
	return true;
}

static bool read_setup(worker_setup *setup)
{
	return recv(WORKER_SOCKET, setup, sizeof *setup, MSG_WAITALL) == (ssize_t)sizeof *setup &&
	       setup->version == WORKER_FRAME_VERSION;
}

int worker_main(void)
{
	static service s;
	worker_setup setup;
	curfew_failure failure = {.message = ""};
	int pagemap;
	(void)prctl(PR_SET_NAME, "curfew-worker");
	if (!read_setup(&setup))
		return 2;
	catch_faults();
	uint64_t own = OWN_DATA_BYTES + setup.threads * THREAD_DATA_BYTES;
	uint32_t has = worker_confine(setup.data_bytes != 0 ? setup.data_bytes + own : 0, &pagemap);
	if (make_service(&s, &setup, pagemap, &failure) && worker_confine_calls(pagemap, &failure)) {
		has |= WORKER_HAS_CALL_FILTER;
		post(&s, WORKER_FRAME_READY, 0, (piece){&has, sizeof has}, (piece){NULL, 0}, true);
		serve(&s);
	}
	post(&s, WORKER_FRAME_FAILED, 0, (piece){failure.message, strlen(failure.message)}, (piece){NULL, 0}, true);
	return 1;
}
