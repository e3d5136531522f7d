/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fresh isolated runs of one compiled program on one thread. Reads one command per line and answers each with one line
 * of JSON: "fresh COUNT" (times), "proof COUNT" (runs that change everything they can reach, each followed by one that
 * looks for traces), "floor" (the cost of restoring the pages that a run changed, alone).
 */
#include "common.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, IMAGE_PAGES = 2048 };

static const char add_text[] = "export default x => x + 1";

/* Each way of leaving traces, and what must not exist at the start of any run. */
static const char spoil_text[] =
	"let runs = 0;\n"
	"export default mode => {\n"
	"	const seen = [runs, typeof globalThis.left, 'left' in {}, [].push === globalThis.left];\n"
	"	runs++;\n"
	"	globalThis.left = Array.prototype.push = Object.prototype.left = () => 1;\n"
	"	Math.max = JSON.stringify;\n"
	"	globalThis.kept = new Array(100000).fill('x' + mode);\n"
	"	if (mode === 1) throw new Error('left behind');\n"
	"	if (mode === 2) for (;;);\n"
	"	return seen.join();\n"
	"};\n";
static const char look_text[] =
	"let runs = 0;\n"
	"export default () => {\n"
	"	runs++;\n"
	"	return [runs, typeof globalThis.left, 'left' in {}, [].push === globalThis.left, Math.max(1, 2)].join();\n"
	"};\n";

static curfew_engine *engine;
static curfew_program *add, *spoil, *look;

static curfew_report *run(curfew_program *program, int64_t parameter, uint64_t timeout_ns)
{
	char params[32];
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = timeout_ns};
	curfew_run_options options = {.size = sizeof options, .limits = &limits, .params = params};
	curfew_report *report = NULL;
	curfew_failure failure = {0};

	options.params_length = (size_t)snprintf(params, sizeof params, "[%" PRId64 "]", parameter);
	bench_check(curfew_program_run(program, &options, &report, &failure), &failure, "run");
	return report;
}

static bool value_is(const curfew_report *report, const char *expected)
{
	return report->outcome == CURFEW_OUTCOME_FINISHED && report->value && strcmp(report->value, expected) == 0;
}

static void fresh(size_t count)
{
	uint64_t *samples_ns = calloc(count, sizeof *samples_ns);
	uint64_t start_phase_ns = 0, run_phase_ns = 0;
	size_t wrong = 0;

	for (size_t i = 0; samples_ns && i < count; i++) {
		char expected[32];
		uint64_t start_ns = bench_now_ns();
		curfew_report *report = run(add, (int64_t)i, 0);

		snprintf(expected, sizeof expected, "%zu", i + 1);
		wrong += !value_is(report, expected);
		start_phase_ns += report->used.load_ns + report->used.start_ns;
		run_phase_ns += report->used.run_ns;
		curfew_report_destroy(report);
		samples_ns[i] = bench_now_ns() - start_ns;
	}
	printf("{\"wrong\": %zu, \"start_mean_ns\": %" PRIu64 ", \"run_mean_ns\": %" PRIu64 ", ", wrong,
	       start_phase_ns / count, run_phase_ns / count);
	bench_print_list("samples_ns", samples_ns, count);
	printf("}\n");
	free(samples_ns);
}

static void proof(size_t count)
{
	size_t leaks = 0, unexpected = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t mode = i % 50 == 2 ? 2 : (int64_t)(i % 2);
		curfew_report *spoiled = run(spoil, mode, mode == 2 ? 5000000u : 0);
		curfew_report *looked = run(look, 0, 0);
		curfew_report *added = run(add, 41, 0);
		static const curfew_outcome expected[] = {CURFEW_OUTCOME_FINISHED, CURFEW_OUTCOME_THREW,
		                                          CURFEW_OUTCOME_DEADLINE};

		unexpected += spoiled->outcome != expected[mode];
		leaks += mode == 0 && !value_is(spoiled, "\"0,undefined,false,false\"");
		leaks += !value_is(looked, "\"1,undefined,false,false,2\"");
		leaks += !value_is(added, "42");
		curfew_report_destroy(spoiled);
		curfew_report_destroy(looked);
		curfew_report_destroy(added);
	}
	printf("{\"runs\": %zu, \"leaks\": %zu, \"unexpected\": %zu}\n", count * 3, leaks, unexpected);
}

/*
 * The number of pages that runs have changed: the anonymous pages of private, writable file mappings that are neither
 * this program nor a shared library. The maximum over the mappings counts, since a run has one memory.
 */
static unsigned long changed_pages(void)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	char line[1024], self[512], path[512], access[8];
	unsigned long inode, kib, most = 0;
	ssize_t self_length = readlink("/proc/self/exe", self, sizeof self - 1);
	bool counts = false;

	self[self_length > 0 ? self_length : 0] = 0;
	while (file && fgets(line, sizeof line, file)) {
		path[0] = 0;
		if (sscanf(line, "%*x-%*x %7s %*s %*s %lu %511[^\n]", access, &inode, path) >= 2)
			counts = strcmp(access, "rw-p") == 0 && inode != 0 && !strstr(path, ".so") && strcmp(path, self) != 0;
		else if (counts && sscanf(line, "Anonymous: %lu kB", &kib) == 1 && kib > most)
			most = kib;
	}
	if (file)
		fclose(file);
	return most * 1024 / PAGE;
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static uint64_t copy_median_ns(unsigned long pages)
{
	enum { ROUNDS = 2001 };
	static uint64_t samples_ns[ROUNDS];
	size_t size = (size_t)IMAGE_PAGES * PAGE;
	int image = memfd_create("image", MFD_CLOEXEC);
	char *from, *to;

	if (image < 0 || ftruncate(image, (off_t)size) != 0)
		bench_die("an image could not be made");
	from = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_POPULATE, image, 0);
	to = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, image, 0);
	if (from == MAP_FAILED || to == MAP_FAILED)
		bench_die("an image could not be mapped");
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t start_ns = bench_now_ns();

		for (unsigned long i = 0; i < pages; i++) {
			size_t at = i * 37 % IMAGE_PAGES * PAGE;

			memcpy(to + at, from + at, PAGE);
		}
		samples_ns[round] = bench_now_ns() - start_ns;
	}
	munmap(from, size);
	munmap(to, size);
	close(image);
	qsort(samples_ns, ROUNDS, sizeof samples_ns[0], compare);
	return samples_ns[ROUNDS / 2];
}

static void serve(void *context)
{
	char line[256];
	size_t count;
	unsigned long pages;

	while (fgets(line, sizeof line, stdin)) {
		if (sscanf(line, "fresh %zu", &count) == 1 && count > 0)
			fresh(count);
		else if (sscanf(line, "proof %zu", &count) == 1)
			proof(count);
		else if (strcmp(line, "floor\n") == 0 && (pages = changed_pages()) <= IMAGE_PAGES)
			printf("{\"pages\": %lu, \"copy_ns\": %" PRIu64 "}\n", pages, copy_median_ns(pages));
		else
			printf("{\"error\": \"unknown command\"}\n");
		fflush(stdout);
	}
}

int main(void)
{
	curfew_limits limits = {.size = sizeof limits};

	engine = bench_engine_create(1);
	add = bench_program_create(engine, "add.mjs", add_text, sizeof add_text - 1, 0, &limits);
	spoil = bench_program_create(engine, "spoil.mjs", spoil_text, sizeof spoil_text - 1, 0, &limits);
	look = bench_program_create(engine, "look.mjs", look_text, sizeof look_text - 1, 0, &limits);
	bench_on_run_stack(engine, serve, NULL);
	curfew_program_destroy(add);
	curfew_program_destroy(spoil);
	curfew_program_destroy(look);
	curfew_engine_destroy(engine);
	return 0;
}
