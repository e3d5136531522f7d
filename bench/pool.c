/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs of a tiny stored program through a pool of confined workers: how many end in a second with many in flight, and
 * how long one takes alone. pool RUNS WINDOW prints one line of JSON.
 */
#include "common.h"

#include "worker/pool.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 2, ALONE = 1000 };

static sem_t room;
static atomic_ulong done, unexpected;

static void on_done(void *context, const worker_result *result)
{
	(void)context;
	if (result->outcome != CURFEW_OUTCOME_FINISHED)
		atomic_fetch_add(&unexpected, 1);
	atomic_fetch_add(&done, 1);
	(void)sem_post(&room);
}

static void submit(worker_pool *pool, worker_program *program)
{
	const worker_job job = {.program = program, .on_done = on_done};
	curfew_failure failure;
	(void)sem_wait(&room);
	bench_check(worker_pool_submit(pool, &job, NULL, &failure), &failure, "submit");
}

/* Makes `runs` runs with at most `window` in flight, and returns the total time. */
static uint64_t measure(worker_pool *pool, worker_program *program, unsigned long runs, unsigned window)
{
	uint64_t start = bench_now_ns();
	(void)sem_init(&room, 0, window);
	for (unsigned long i = 0; i < runs; i++)
		submit(pool, program);
	for (unsigned i = 0; i < window; i++)
		(void)sem_wait(&room);
	return bench_now_ns() - start;
}

static int compare(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
	return one < other ? -1 : one > other;
}

int main(int count, char **words)
{
	static uint64_t alone[ALONE];
	curfew_failure failure;
	worker_pool *pool;
	worker_program *program;
	if (count == 2 && strcmp(words[1], "worker") == 0)
		return worker_main();
	if (count != 3)
		bench_die("usage: pool RUNS WINDOW");
	const worker_pool_options options = {.workers = WORKERS};
	const worker_source source = {.name = "tiny.js", .bytes = "1 + 1", .length = strlen("1 + 1")};
	unsigned long runs = strtoul(words[1], NULL, 10);
	uint64_t start = bench_now_ns();
	bench_check(worker_pool_create(&options, &pool, &failure), &failure, "pool");
	uint64_t ready_ns = bench_now_ns() - start;
	bench_check(worker_program_create(pool, &source, &program, &failure), &failure, "program");
	(void)measure(pool, program, runs / 10, WORKERS);
	for (size_t i = 0; i < ALONE; i++)
		alone[i] = measure(pool, program, 1, 1);
	uint64_t all_ns = measure(pool, program, runs, (unsigned)strtoul(words[2], NULL, 10));
	qsort(alone, ALONE, sizeof alone[0], compare);
	printf("{\"workers\": %d, \"runs\": %lu, \"all_ns\": %lu, \"ready_ns\": %lu, \"alone_p50_ns\": %lu, "
	       "\"alone_p99_ns\": %lu, \"unexpected\": %lu}\n",
	       WORKERS, runs, (unsigned long)all_ns, (unsigned long)ready_ns, (unsigned long)alone[ALONE / 2],
	       (unsigned long)alone[ALONE * 99 / 100], atomic_load(&unexpected));
	worker_program_unref(program);
	worker_pool_destroy(pool);
	return 0;
}
