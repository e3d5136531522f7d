/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiles for workers. A worker requests the code of a program that it was sent, and gets it as a file. One thread
 * handles these requests, because cached code is verified before it is used; the compiler's processes do the rest. A
 * request ends with its last answer, when its worker no longer needs it, or with its worker. So the deadline of a run,
 * which the worker enforces, ends the compiler.
 */
#include "inside.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/thread.h"

/* How often a worker is sent the CPU time that compiling its programs has taken. */
enum { TELL_MS = 20 };
/* The maximum number of requests for one program at once: plain, metered, the description. */
enum { PARTS = 3 };

typedef struct request {
	struct request *next;
	worker_pool *pool;
	uint64_t process; /* the worker's id */
	uint64_t number;  /* number of the request in its worker */
	uint32_t what;
	worker_program *program;    /* with a reference */
	uint64_t owner, user;       /* of a run that needs it */
	curfew_code_request *asked; /* NULL: not requested from the compiler yet */
	atomic_bool is_ready;       /* there is an answer */
	bool ended;                 /* under the lock */
} request;

static void wake_pool(worker_pool *pool)
{
	(void)eventfd_write(pool->compiling.wake, 1);
}

/* ---- What a worker asks for; under the lock ----------------------------------------------------------------- */

static request *find_request(const process *p, uint64_t number)
{
	request *found = p->pool->compiling.requests;
	while (found != NULL && (found->process != p->id || found->number != number || found->ended))
		found = found->next;
	return found;
}

static size_t count_requests(const process *p)
{
	size_t requests = 0;
	for (const request *r = p->pool->compiling.requests; r != NULL; r = r->next)
		requests += r->process == p->id && !r->ended;
	return requests;
}

/* The first run that has to do with it there. */
static void find_asker(const process *p, request *made)
{
	for (size_t slot = 0; slot < p->slot_count; slot++) {
		const worker_run *run = p->runs[slot];
		if (run == NULL || run->program != made->program)
			continue;
		made->owner = run->job.owner;
		made->user = run->user;
		return;
	}
}

static bool begin_request(process *p, uint64_t number, const worker_compile_head *head)
{
	worker_pool *pool = p->pool;
	bool has = head->program < p->program_count && p->has_program[head->program];
	if (!has || p->active == 0 || head->what > CURFEW_CODE_DESCRIPTION || find_request(p, number) != NULL ||
	    count_requests(p) >= PARTS * p->program_count)
		return false;
	request *made = calloc(1, sizeof *made);
	if (made == NULL)
		return false;
	*made = (request){
		.pool = pool, .process = p->id, .number = number, .what = head->what, .program = pool->programs[head->program]};
	worker_program_ref(made->program);
	find_asker(p, made);
	made->next = pool->compiling.requests;
	pool->compiling.requests = made;
	wake_pool(pool);
	return true;
}

bool worker_compile(process *p, uint64_t number, const worker_compile_head *head)
{
	if (head->what != CURFEW_CODE_NONE)
		return begin_request(p, number, head);
	request *needless = find_request(p, number);
	/* Not an error: its last answer may be in flight. */
	if (needless == NULL)
		return true;
	needless->ended = true;
	wake_pool(p->pool);
	return true;
}

void worker_compile_forget(process *p)
{
	for (request *r = p->pool->compiling.requests; r != NULL; r = r->next)
		r->ended |= r->process == p->id;
	wake_pool(p->pool);
}

/* ---- The thread ------------------------------------------------------------------------------------------------ */

static void on_ready(void *context)
{
	request *own = context;
	atomic_store(&own->is_ready, true);
	wake_pool(own->pool);
}

static curfew_status make_code(worker_pool *pool, worker_program *program, curfew_failure *failure)
{
	curfew_source source = {
		.size = sizeof source,
		.language = (curfew_language)program->head.language,
		.name = program->name,
		.text = program->bytes,
		.text_length = program->length,
		.sha256 = program->head.sha256[0] != '\0' ? program->head.sha256 : NULL,
	};
	if (program->code != NULL)
		return CURFEW_OK;
	if ((program->head.flags & WORKER_PROGRAM_IMAGE) != 0)
		return curfew_code_load(pool->compiling.compiler, program->bytes, program->length, &program->code, failure);
	return curfew_code_create(pool->compiling.compiler, &source, &program->code, failure);
}

/* Without the lock. */
static void get_answer(request *own, curfew_code_answer *answer)
{
	curfew_failure failure;
	curfew_status status = CURFEW_OK;
	*answer = (curfew_code_answer){.size = sizeof *answer, .kind = CURFEW_CODE_FAILED, .file = -1, .internal = 1};
	if (own->asked == NULL) {
		status = make_code(own->pool, own->program, &failure);
		if (status == CURFEW_OK) {
			curfew_code_set_asker(own->program->code, own->owner, own->user);
			status = curfew_code_ask(own->program->code, own->what, on_ready, own, &own->asked, &failure);
		}
	}
	atomic_store(&own->is_ready, false);
	if (status == CURFEW_OK)
		curfew_code_next(own->asked, answer);
	else
		(void)snprintf(answer->message, sizeof answer->message, "%s", failure.message);
}

static process *find_process(const worker_pool *pool, uint64_t id)
{
	process *p = pool->processes;
	while (p != NULL && (p->id != id || p->state != PROCESS_READY))
		p = p->next;
	return p;
}

static void send_answer(worker_pool *pool, request *own, const curfew_code_answer *answer) CURFEW__REQUIRES(pool->lock);
static void send_answer(worker_pool *pool, request *own, const curfew_code_answer *answer)
{
	process *p = own->ended ? NULL : find_process(pool, own->process);
	if (p == NULL) {
		if (answer->file >= 0)
			(void)close(answer->file);
		return;
	}
	bool added = answer->file < 0 || worker_files_add(&p->files, worker_bytes_count(&p->out), answer->file);
	/* End the run: it would wait for this message for ever. */
	if (!added || !worker_frame_add_whole(&p->out, WORKER_FRAME_CODE, own->number, answer, sizeof *answer, NULL, 0))
		worker_process_kill(p);
	own->ended |= answer->kind == CURFEW_CODE_DONE || answer->kind == CURFEW_CODE_FAILED;
	worker_pool_wake(pool);
}

/* Without the lock. */
static void destroy_request(request *own)
{
	curfew_code_request_destroy(own->asked);
	worker_program_unref(own->program);
	free(own);
}

/* Removes a request that has ended. Releases the lock meanwhile. */
static bool drop_ended(worker_pool *pool) CURFEW__REQUIRES(pool->lock);
static bool drop_ended(worker_pool *pool)
{
	request **at = &pool->compiling.requests;
	while (*at != NULL && !(*at)->ended)
		at = &(*at)->next;
	request *ended = *at;
	if (ended == NULL)
		return false;
	*at = ended->next;
	worker_unlock(pool);
	destroy_request(ended);
	worker_lock(pool);
	return true;
}

/*
 * Answers each request that has something new, or (all) each whose CPU time is due. Only this thread removes requests
 * from the list. Under the lock, which it releases meanwhile.
 */
static void answer_all(worker_pool *pool, bool all) CURFEW__REQUIRES(pool->lock);
static void answer_all(worker_pool *pool, bool all)
{
	for (request *own = pool->compiling.requests; own != NULL; own = own->next) {
		curfew_code_answer answer;
		if (own->ended || !(all || own->asked == NULL || atomic_load(&own->is_ready)))
			continue;
		worker_unlock(pool);
		get_answer(own, &answer);
		worker_lock(pool);
		send_answer(pool, own, &answer);
		/* The interface may have arrived together with the code. */
		if (answer.kind == CURFEW_CODE_INTERFACE)
			on_ready(own);
	}
}

static void *compile_main(void *context)
{
	worker_pool *pool = context;
	struct pollfd wakes = {.fd = pool->compiling.wake, .events = POLLIN};
	(void)prctl(PR_SET_NAME, "curfew-compile");
	bool has_requests = false;
	while (!atomic_load(&pool->compiling.ending)) {
		bool is_time = poll(&wakes, 1, has_requests ? TELL_MS : -1) == 0;
		eventfd_t ignored;
		if (!is_time)
			(void)eventfd_read(wakes.fd, &ignored);
		worker_lock(pool);
		answer_all(pool, is_time);
		while (drop_ended(pool))
			;
		has_requests = pool->compiling.requests != NULL;
		worker_unlock(pool);
	}
	return NULL;
}

/* ---- Beginning and end ------------------------------------------------------------------------------------------ */

bool worker_compiling_start(worker_pool *pool)
{
	/* Compile only in a process that can be killed, because the program is untrusted. */
	const curfew_engine_options options = {
		.size = sizeof options, .cache_dir = pool->options.cache_dir, .compile = CURFEW_COMPILE_PROCESS};
	worker_compiling *own = &pool->compiling;
	if (curfew_compiler_create(&options, &own->compiler, NULL) != CURFEW_OK ||
	    (own->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
		return false;
	bool started = thread_start(&own->thread, NULL, compile_main, pool);
	if (!started) {
		(void)close(own->wake);
		own->wake = -1;
	}
	return started;
}

void worker_compiling_stop(worker_pool *pool)
{
	worker_compiling *own = &pool->compiling;
	if (own->wake < 0)
		return;
	atomic_store(&own->ending, true);
	wake_pool(pool);
	(void)pthread_join(own->thread, NULL);
	for (request *next; own->requests != NULL; own->requests = next) {
		next = own->requests->next;
		destroy_request(own->requests);
	}
	(void)close(own->wake);
	own->wake = -1;
}
