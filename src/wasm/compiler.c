/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock of a compiler guards all of it and its jobs. It is never held while a listener is called. Only a job's owner
 * ends the job, and then waits for a call of its listener that is in progress.
 */
#include "engine/extra.h"
#include "base/refuse.h"
#include "wasm/compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/memory_file.h"
#include "common/mutex.h"
#include "common/owner.h"
#include "common/thread.h"
#include "engine/cache.h"
#include "engine_key.h"
#include "wasm/compiled.h"
#include "wasm/compiler_process.h"

/* Processes at once; each uses all cores. */
#define PROCESSES_MAX 4
/* How often a spare process that ended by itself is replaced. */
#define SPARES_LOST_MAX 3
/* How many processes are tried for a job, if one does not take it. */
#define ASKED_MAX 3
/* Threads that compile in this process at once. */
#define THREADS_MAX 2
#define THREAD_STACK_BYTES ((size_t)16 << 20)
/* Bytes to write to a file at a time: the thread that ends the job waits for one such piece. */
#define PIECE_BYTES ((size_t)1 << 20)

enum job_state { JOB_QUEUED, JOB_COMPILING, JOB_DONE };
enum { INPUT, INTERFACE, CODE, FILES };

struct curfew__job {
	curfew__compiler *compiler;
	curfew__job *next; /* in the list of jobs that were not ended */
	curfew__turn turn; /* the same list */
	enum job_state state;
	curfew__compile_request request;
	curfew__job_listener listener;
	const void *bytes;
	size_t length;
	uint64_t number; /* its number in the other process; 0: it has none */
	char cache_name[CURFEW__CACHE_NAME];
	struct place *place; /* the thread that compiles it in this process */
	unsigned references; /* one for its owner, and one for a thread that works on it */
	bool ended;
	bool calling; /* its listener is being called, or its bytes are being read */
	bool was_notified;
	int files[FILES];
	curfew__compiler_process *process; /* NULL: none */
	clockid_t cpu_clock;
	bool has_clock;
	uint64_t cpu_ns; /* set once the process has ended */
};

/* A process that compiles. */
typedef struct child {
	struct child *next;
	curfew__compiler_process process;
	curfew__job *job; /* NULL: the process waits for a job, or was killed */
	bool is_over;     /* the process sends nothing any more */
} child;

/* The slot of a thread that compiles in this process. */
typedef struct place {
	pthread_t thread;
	bool is_taken; /* there is a thread, which must be joined */
	bool is_over;  /* the thread has finished its work */
} place;

struct curfew__compiler {
	curfew__mutex lock;
	pthread_cond_t changed; /* some job's `calling` has changed */
	curfew__compiler_options options;
	curfew__loader *loader;
	char *executable; /* as in options */
	char path[PATH_MAX];
	bool looked; /* the executable was searched for; path is "" if there is none */
	bool is_running, ending;
	pthread_t thread;
	int wake;
	curfew__job *jobs;
	child *children;
	place places[THREADS_MAX];
	curfew__shares shares;
	uint64_t asked;       /* number of jobs so far */
	unsigned spares_lost; /* spare processes that ended before they had a job */
	curfew_failure why;   /* why there is no process */
};

curfew__compiler *curfew__compiler_create(const curfew__compiler_options *options)
{
	curfew__compiler *compiler = calloc(1, sizeof *compiler);

	if (!compiler)
		return NULL;
	curfew__mutex_init(&compiler->lock);
	pthread_cond_init(&compiler->changed, NULL);
	compiler->options = *options;
	compiler->wake = -1;
	compiler->loader = curfew__loader_create();
	if (!compiler->loader || (options->executable && !(compiler->executable = strdup(options->executable)))) {
		curfew__compiler_destroy(compiler);
		return NULL;
	}
	return compiler;
}

curfew__loader *curfew__compiler_loader(const curfew__compiler *compiler)
{
	return compiler->loader;
}

static void wake_compiler(curfew__compiler *compiler)
{
	if (compiler->wake >= 0)
		eventfd_write(compiler->wake, 1);
}

void curfew__compiler_destroy(curfew__compiler *compiler)
{
	if (!compiler)
		return;
	curfew__mutex_lock(&compiler->lock);
	compiler->ending = true;
	wake_compiler(compiler);
	curfew__mutex_unlock(&compiler->lock);
	if (compiler->is_running)
		pthread_join(compiler->thread, NULL);
	for (int i = 0; i < THREADS_MAX; i++)
		if (compiler->places[i].is_taken)
			pthread_join(compiler->places[i].thread, NULL);
	if (compiler->wake >= 0)
		close(compiler->wake);
	curfew__loader_destroy(compiler->loader);
	pthread_cond_destroy(&compiler->changed);
	curfew__mutex_finish(&compiler->lock);
	free(compiler->executable);
	free(compiler);
}

/* ---- Telling ---------------------------------------------------------------------------------------------- */

/* Under the lock. */
static void unref(curfew__job *job)
{
	if (--job->references)
		return;
	for (int i = 0; i < FILES; i++)
		if (job->files[i] >= 0)
			close(job->files[i]);
	free(job);
}

/* Begins to use data of the job's owner. False: the job was ended. Under the lock. */
static bool hold(curfew__job *job) CURFEW__UNCHECKED;
static bool hold(curfew__job *job)
{
	if (job->ended)
		return false;
	job->calling = true;
	curfew__mutex_unlock(&job->compiler->lock);
	return true;
}

static void finish_calling(curfew__job *job) CURFEW__UNCHECKED;
static void finish_calling(curfew__job *job)
{
	curfew__mutex_lock(&job->compiler->lock);
	job->calling = false;
	pthread_cond_broadcast(&job->compiler->changed);
}

static int take_file(curfew__job *job, int which)
{
	int file = job->files[which];
	job->files[which] = -1;
	return file;
}

/* Reports that the interface is written. Under the lock, which it releases meanwhile. */
static void report_interface(curfew__job *job)
{
	int file = take_file(job, INTERFACE);

	if (file < 0)
		return;
	if (!curfew__file_seal(file) || !hold(job)) {
		close(file);
		return;
	}
	job->listener.on_interface(job->listener.context, file);
	finish_calling(job);
}

/* Finishes a job, with or without success. Under the lock, which it releases meanwhile. */
static void report_done(curfew__job *job, const curfew__compile_failure *failure) CURFEW__UNCHECKED;
static void report_done(curfew__job *job, const curfew__compile_failure *failure)
{
	static const curfew__compile_failure unsealed = {.why = {"the compiled code cannot be sealed"}, .internal = true};
	bool has_code = !failure && !job->request.describe;

	if (job->state == JOB_DONE)
		return;
	job->state = JOB_DONE;
	if (has_code && !curfew__file_seal(job->files[CODE])) {
		failure = &unsealed;
		has_code = false;
	}
	int keep = has_code && job->cache_name[0] ? fcntl(job->files[CODE], F_DUPFD_CLOEXEC, 0) : -1;
	int file = has_code ? take_file(job, CODE) : -1;
	char name[CURFEW__CACHE_NAME];
	memcpy(name, job->cache_name, sizeof name);
	curfew__compiler *compiler = job->compiler;
	if (hold(job)) {
		job->listener.on_done(job->listener.context, file, failure);
		finish_calling(job);
	} else if (file >= 0) {
		close(file);
	}
	if (keep < 0)
		return;
	curfew__mutex_unlock(&compiler->lock);
	curfew__cache_keep(compiler->options.cache_dir, name, keep);
	close(keep);
	curfew__mutex_lock(&compiler->lock);
}

static void report_failed_job(curfew__job *job, const char *message, bool internal)
{
	curfew__compile_failure failure = {.internal = internal};

	curfew__fail(&failure.why, "%s", message);
	report_done(job, &failure);
}

/* ---- Here -------------------------------------------------------------------------------------------------- */

static void on_interface_here(void *context)
{
	curfew__job *job = context;

	curfew__mutex_lock(&job->compiler->lock);
	report_interface(job);
	curfew__mutex_unlock(&job->compiler->lock);
}

static void *compile_here(void *argument)
{
	curfew__job *job = argument;
	curfew__compiler *compiler = job->compiler;
	curfew__compile_failure failure;
	void *bytes = job->length ? mmap(NULL, job->length, PROT_READ, MAP_PRIVATE, job->files[INPUT], 0) : NULL;
	bool good = false;

	if (bytes == MAP_FAILED)
		failure = (curfew__compile_failure){.why = {"out of memory"}, .internal = true};
	else
		good = curfew__compile(&job->request, bytes, job->length, job->files[INTERFACE], job->files[CODE],
		                       on_interface_here, job, &failure);
	if (bytes && bytes != MAP_FAILED)
		munmap(bytes, job->length);
	curfew__mutex_lock(&compiler->lock);
	if (good && job->request.describe)
		report_interface(job);
	report_done(job, good ? NULL : &failure);
	job->has_clock = false;
	job->place->is_over = true;
	unref(job);
	wake_compiler(compiler);
	curfew__mutex_unlock(&compiler->lock);
	return NULL;
}

/* Returns a slot for another thread. NULL: the maximum number of threads compiles already. */
static place *find_place(curfew__compiler *compiler) CURFEW__REQUIRES(compiler->lock);
static place *find_place(curfew__compiler *compiler)
{
	for (place *own = compiler->places; own < compiler->places + THREADS_MAX; own++)
		if (!own->is_taken || own->is_over)
			return own;
	return NULL;
}

static bool start_here(curfew__compiler *compiler, curfew__job *job) CURFEW__REQUIRES(compiler->lock);
static bool start_here(curfew__compiler *compiler, curfew__job *job)
{
	pthread_attr_t attributes;
	place *own = find_place(compiler);

	if (!own)
		return false;
	if (own->is_taken)
		pthread_join(own->thread, NULL); /* the thread no longer needs the lock */
	job->request.can_be_ended = job->request.parallel = false;
	job->place = own;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
	bool started = !pthread_create(&own->thread, &attributes, compile_here, job);
	pthread_attr_destroy(&attributes);
	*own = (place){.thread = own->thread, .is_taken = started};
	job->references += started;
	job->has_clock = started && !pthread_getcpuclockid(own->thread, &job->cpu_clock);
	return started;
}

/* ---- Processes --------------------------------------------------------------------------------------------- */

static bool may_compile_here(const curfew__compiler *compiler)
{
	return compiler->options.where != CURFEW__COMPILE_PROCESS;
}

/* The path of the executable; "" if there can be no process. */
static const char *path_of(curfew__compiler *compiler) CURFEW__REQUIRES(compiler->lock);
static const char *path_of(curfew__compiler *compiler)
{
	if (compiler->looked)
		return compiler->path;
	compiler->looked = true;
	if (compiler->options.where == CURFEW__COMPILE_HERE)
		return compiler->path;
	if (!curfew__compiler_find(compiler->executable, compiler->path)) {
		curfew__fail(&compiler->why, "the compiler process cannot be started: there is no %.100s",
		             compiler->executable ? compiler->executable : "curfew-compiler");
		compiler->path[0] = 0;
	}
	return compiler->path;
}

/* Starts a process. NULL: processes are impossible from now on. */
static child *start_child(curfew__compiler *compiler) CURFEW__REQUIRES(compiler->lock);
static child *start_child(curfew__compiler *compiler)
{
	const char *path = path_of(compiler);
	child *made = path[0] ? calloc(1, sizeof *made) : NULL;

	if (!made)
		return NULL;
	if (!curfew__compiler_process_start(&made->process, path, &compiler->why)) {
		compiler->path[0] = 0;
		free(made);
		return NULL;
	}
	made->next = compiler->children;
	compiler->children = made;
	return made;
}

/* Returns a process that waits for a job. NULL: none does. */
static child *find_spare(const curfew__compiler *compiler)
{
	child *found = compiler->children;

	while (found && (found->job || found->is_over))
		found = found->next;
	return found;
}

static uint64_t cpu_seconds(const curfew__compiler *compiler)
{
	return (compiler->options.cpu_ns + 999999999) / 1000000000;
}

static bool send_order(child *own, curfew__job *job)
{
	curfew__compiler_order order = {
		.build = CURFEW__COMPILER_BUILD,
		.request = job->request,
		.input_length = job->length,
		.memory_bytes = job->compiler->options.memory_bytes,
		.cpu_seconds = cpu_seconds(job->compiler),
	};

	order.request.can_be_ended = order.request.parallel = true;
	if (!curfew__compiler_process_ask(&own->process, &order, job->files))
		return false;
	own->job = job;
	job->process = &own->process;
	job->has_clock = !clock_getcpuclockid(own->process.pid, &job->cpu_clock);
	return true;
}

/* Under the lock. */
static void note_cpu(curfew__job *job)
{
	int64_t cpu_ns = job->has_clock ? clock_read_ns(job->cpu_clock) : 0;

	if (cpu_ns > 0)
		job->cpu_ns = (uint64_t)cpu_ns;
}

/* Handles the answers of a process. Under the lock. */
static void take_answer(child *own, const curfew__compiler_answer *answer)
{
	curfew__job *job = own->job;

	if (!job || answer->kind == CURFEW__COMPILER_INTERFACE) {
		if (job)
			report_interface(job);
		return;
	}
	own->job = NULL;
	job->process = NULL;
	note_cpu(job);
	job->has_clock = false;
	/* A process serves only one file. */
	own->is_over = true;
	curfew__compiler_process_kill(&own->process);
	if (answer->kind == CURFEW__COMPILER_DONE && job->request.describe)
		report_interface(job);
	report_done(job, answer->kind == CURFEW__COMPILER_DONE ? NULL : &answer->failure);
}

static void hear(child *own)
{
	curfew__compiler_answer answer;
	int heard;

	while ((heard = curfew__compiler_process_hear(&own->process, &answer)) > 0)
		take_answer(own, &answer);
	if (heard < 0 && !own->is_over) {
		own->is_over = true;
		curfew__compiler_process_kill(&own->process);
	}
}

/* Waits for a process, and says in failure how it ended. False: the compiled program is at fault. */
static bool is_fault(curfew__compiler *compiler, child *own, curfew_failure *failure)
{
	switch (curfew__compiler_process_finish(&own->process, failure)) {
	case CURFEW__COMPILER_OF_MEMORY:
		return curfew__fail(failure, "compiling it takes more than %llu MiB of memory, the limit of a compiler",
		                    (unsigned long long)(compiler->options.memory_bytes >> 20));
	case CURFEW__COMPILER_OF_CPU:
		return curfew__fail(failure, "compiling it takes more than %llu s of CPU time, the limit of a compiler",
		                    (unsigned long long)cpu_seconds(compiler));
	case CURFEW__COMPILER_UNCONFINED:
		compiler->path[0] = 0;
		curfew__fail(&compiler->why, "the compiler process cannot be confined on this system");
		*failure = compiler->why;
		return true;
	case CURFEW__COMPILER_ENDED: break;
	}
	return true;
}

/* Handles the end of a process. Releases the lock meanwhile. */
static void bury(curfew__compiler *compiler, child *own) CURFEW__REQUIRES(compiler->lock);
static void bury(curfew__compiler *compiler, child *own)
{
	curfew_failure failure = {.message = ""};
	child **at = &compiler->children;

	hear(own); /* read its last answers first */
	while (*at != own)
		at = &(*at)->next;
	*at = own->next;
	curfew__job *job = own->job;
	compiler->spares_lost += !job && !own->is_over;
	bool fault = is_fault(compiler, own, &failure);
	if (job) {
		job->process = NULL;
		job->has_clock = false;
	}
	if (job && !compiler->path[0] && may_compile_here(compiler)) {
		if (!start_here(compiler, job))
			report_failed_job(job, "no thread can be started", true);
	} else if (job) {
		report_failed_job(job, failure.message, fault);
	}
	free(own);
}

/* ---- The thread --------------------------------------------------------------------------------------------- */

/* Copies the input to a file, piece by piece. Under the lock, which it releases meanwhile. */
static bool write_input(curfew__job *job)
{
	const char *bytes = job->bytes;

	for (size_t done = 0; done < job->length;) {
		size_t piece = job->length - done < PIECE_BYTES ? job->length - done : PIECE_BYTES;
		if (!hold(job))
			return false;
		ssize_t n = pwrite(job->files[INPUT], bytes + done, piece, (off_t)done);
		finish_calling(job);
		if (n <= 0 && errno != EINTR)
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return !job->ended && curfew__file_seal(job->files[INPUT]);
}

static bool make_files(curfew__job *job)
{
	static const char *const names[FILES] = {"curfew-input", "curfew-interface", "curfew-code"};
	bool made = true;

	for (int i = 0; i < FILES; i++)
		made = made && (job->files[i] = curfew__memory_file(names[i])) >= 0;
	return made && write_input(job);
}

static unsigned count_processes(const curfew__compiler *compiler)
{
	unsigned count = 0;

	for (const child *own = compiler->children; own; own = own->next)
		count += own->job != NULL;
	return count;
}

/* Sends the job to a process. False: no process takes it. */
static bool ask_some(curfew__compiler *compiler, curfew__job *job) CURFEW__REQUIRES(compiler->lock);
static bool ask_some(curfew__compiler *compiler, curfew__job *job)
{
	/* A spare process, or one that was just started, may have died meanwhile. */
	for (int i = 0; i < ASKED_MAX; i++) {
		child *own = find_spare(compiler);
		if (!own)
			own = start_child(compiler);
		if (!own || send_order(own, job))
			return own;
		own->is_over = true;
		curfew__compiler_process_kill(&own->process);
	}
	return false;
}

/* It lets the lock go meanwhile. */
static void hand_on(curfew__compiler *compiler, curfew__job *job) CURFEW__REQUIRES(compiler->lock);
static void hand_on(curfew__compiler *compiler, curfew__job *job)
{
	bool made = make_files(job);

	if (job->ended || (made && ask_some(compiler, job)))
		return;
	if (!made)
		report_failed_job(job, "out of memory", true);
	else if (compiler->path[0])
		report_failed_job(job, "the compiler process ended", true);
	else if (!may_compile_here(compiler))
		report_failed_job(job, compiler->why.message, true);
	else if (!start_here(compiler, job))
		report_failed_job(job, "no thread can be started", true);
}

/* Begins a job, and keeps it in memory meanwhile. Releases the lock meanwhile. */
static void begin_job(curfew__compiler *compiler, curfew__job *job) CURFEW__REQUIRES(compiler->lock);
static void begin_job(curfew__compiler *compiler, curfew__job *job)
{
	job->state = JOB_COMPILING;
	curfew__turn_begin(&job->turn, &compiler->shares);
	job->references++;
	hand_on(compiler, job);
	unref(job);
}

/* The next job that may begin; NULL: none. */
static curfew__job *next_job(curfew__compiler *compiler) CURFEW__REQUIRES(compiler->lock);
static curfew__job *next_job(curfew__compiler *compiler)
{
	bool by_process = path_of(compiler)[0];

	/* Processes and threads of jobs that were ended may still be there. */
	if (by_process ? count_processes(compiler) >= PROCESSES_MAX : !find_place(compiler))
		return NULL;
	for (curfew__job *job = compiler->jobs; job; job = job->next) {
		job->turn.next = job->next ? &job->next->turn : NULL;
		job->turn.is_waiting = job->state == JOB_QUEUED;
		job->turn.is_begun = job->state == JOB_COMPILING;
	}
	curfew__turn *next = curfew__turn_next(compiler->jobs ? &compiler->jobs->turn : NULL,
	                                       by_process ? PROCESSES_MAX : THREADS_MAX, &compiler->shares);
	return CURFEW__OWNER(next, curfew__job, turn);
}

/* After two jobs a third is likely, so keep a spare process ready. */
static void keep_spare(curfew__compiler *compiler) CURFEW__REQUIRES(compiler->lock);
static void keep_spare(curfew__compiler *compiler)
{
	if (compiler->asked > 1 && compiler->spares_lost < SPARES_LOST_MAX && !compiler->ending && !find_spare(compiler))
		start_child(compiler);
}

/* Waits for an event. Releases the lock meanwhile. */
static void wait_for_more(curfew__compiler *compiler) CURFEW__REQUIRES(compiler->lock);
static void wait_for_more(curfew__compiler *compiler)
{
	struct pollfd *files;
	nfds_t count = 1, i = 1;

	for (const child *own = compiler->children; own; own = own->next)
		count += 2;
	if (!(files = calloc(count, sizeof *files)))
		return;
	files[0] = (struct pollfd){compiler->wake, POLLIN, 0};
	for (child *own = compiler->children; own; own = own->next) {
		files[i++] = (struct pollfd){own->process.pidfd, POLLIN, 0};
		files[i++] = (struct pollfd){own->is_over ? -1 : own->process.socket, POLLIN, 0};
	}
	curfew__mutex_unlock(&compiler->lock);
	poll(files, count, -1);
	curfew__mutex_lock(&compiler->lock);
	if (files[0].revents) {
		eventfd_t seen;
		eventfd_read(compiler->wake, &seen);
	}
	/* Only this thread changes the list. */
	i = 1;
	for (child *own = compiler->children, *next; own; own = next, i += 2) {
		next = own->next;
		if (files[i].revents)
			bury(compiler, own);
		else if (files[i + 1].revents)
			hear(own);
	}
	free(files);
}

static void *compiler_main(void *argument)
{
	curfew__compiler *compiler = argument;
	curfew__job *job;

	curfew__mutex_lock(&compiler->lock);
	for (;;) {
		while ((job = next_job(compiler)))
			begin_job(compiler, job);
		keep_spare(compiler);
		if (compiler->ending) {
			for (child *own = compiler->children; own; own = own->next)
				curfew__compiler_process_kill(&own->process);
			if (!compiler->children)
				break;
		}
		wait_for_more(compiler);
	}
	curfew__mutex_unlock(&compiler->lock);
	return NULL;
}

static bool start_thread(curfew__compiler *compiler) CURFEW__REQUIRES(compiler->lock);
static bool start_thread(curfew__compiler *compiler)
{
	if (compiler->is_running)
		return true;
	if (compiler->wake < 0 && (compiler->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
		return false;
	compiler->is_running = thread_start(&compiler->thread, NULL, compiler_main, compiler);
	return compiler->is_running;
}

/* ---- Jobs --------------------------------------------------------------------------------------------------- */

static bool is_elsewhere(const curfew__compiler *compiler)
{
	return compiler->options.where == CURFEW__COMPILE_ELSEWHERE;
}

static bool start_job(curfew__compiler *compiler, curfew__job *job) CURFEW__REQUIRES(compiler->lock);
static bool start_job(curfew__compiler *compiler, curfew__job *job)
{
	if (!is_elsewhere(compiler) && !start_thread(compiler))
		return false;
	compiler->asked++;
	if (is_elsewhere(compiler)) {
		job->state = JOB_COMPILING;
		job->number = compiler->asked;
	}
	job->next = compiler->jobs;
	compiler->jobs = job;
	wake_compiler(compiler);
	return true;
}

curfew__job *curfew__compiler_start(curfew__compiler *compiler, const curfew__compile_request *request,
                                    const curfew__compile_source *source, const curfew__job_listener *listener)
{
	curfew__job *job = calloc(1, sizeof *job);

	if (!job)
		return NULL;
	*job = (curfew__job){.compiler = compiler,
	                     .references = 1,
	                     .request = *request,
	                     .listener = *listener,
	                     .bytes = source->bytes,
	                     .length = source->length,
	                     .turn = curfew__turn_of(&source->asker, source->length, clock_now_ns()),
	                     .files = {-1, -1, -1}};
	snprintf(job->cache_name, sizeof job->cache_name, "%s", source->cache_name);
	curfew__mutex_lock(&compiler->lock);
	bool started = start_job(compiler, job);
	curfew__mutex_unlock(&compiler->lock);
	if (!started) {
		free(job);
		return NULL;
	}
	if (job->number)
		compiler->options.ask(compiler->options.context, job->number, source->program, request);
	return job;
}

static void forget(curfew__job *job)
{
	curfew__job **at = &job->compiler->jobs;

	while (*at && *at != job)
		at = &(*at)->next;
	if (*at)
		*at = job->next;
}

void curfew__job_end(curfew__job *job)
{
	curfew__compiler *compiler = job->compiler;

	curfew__mutex_lock(&compiler->lock);
	uint64_t needless = job->state == JOB_DONE ? 0 : job->number;
	job->ended = true;
	forget(job);
	for (child *own = compiler->children; own; own = own->next) {
		if (own->job != job)
			continue;
		own->job = NULL;
		own->is_over = true;
		curfew__compiler_process_kill(&own->process);
	}
	while (job->calling)
		curfew__mutex_wait(&compiler->lock, &compiler->changed);
	unref(job);
	wake_compiler(compiler);
	curfew__mutex_unlock(&compiler->lock);
	if (needless)
		compiler->options.ask(compiler->options.context, needless, NULL, NULL);
}

uint64_t curfew__job_cpu(curfew__job *job)
{
	uint64_t cpu_ns;

	curfew__mutex_lock(&job->compiler->lock);
	note_cpu(job);
	cpu_ns = job->cpu_ns;
	curfew__mutex_unlock(&job->compiler->lock);
	return cpu_ns;
}

/* ---- Elsewhere ---------------------------------------------------------------------------------------------- */

/* Call the listener without the lock. */
static void pass_on(const curfew__job *job, const curfew__heard *heard)
{
	const curfew__job_listener *listener = &job->listener;

	if (heard->kind == CURFEW__HEARD_INTERFACE) {
		listener->on_interface(listener->context, heard->file);
	} else if (heard->kind == CURFEW__HEARD_FAILED) {
		listener->on_done(listener->context, -1, heard->failure);
	} else if (job->request.describe) {
		listener->on_interface(listener->context, heard->file);
		listener->on_done(listener->context, -1, NULL);
	} else {
		listener->on_done(listener->context, heard->file, NULL);
	}
}

void curfew__compiler_hear(curfew__compiler *compiler, uint64_t number, const curfew__heard *heard)
{
	bool is_passed = false;

	curfew__mutex_lock(&compiler->lock);
	curfew__job *job = compiler->jobs;
	while (job && job->number != number)
		job = job->next;
	if (job && job->state != JOB_DONE) {
		job->cpu_ns = heard->cpu_ns;
		if (heard->kind == CURFEW__HEARD_DONE || heard->kind == CURFEW__HEARD_FAILED)
			job->state = JOB_DONE;
		is_passed = heard->kind != CURFEW__HEARD_CPU && hold(job);
	}
	if (is_passed) {
		pass_on(job, heard);
		finish_calling(job);
	}
	curfew__mutex_unlock(&compiler->lock);
	if (!is_passed && heard->file >= 0)
		close(heard->file);
}
