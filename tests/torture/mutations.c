/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damaged WebAssembly: the cases and attacks in binary, truncated, with bits flipped, bytes changed, pieces moved. Each
 * runs for 20 ms. Whatever it does, it has a defined outcome, and the process survives. "mutations mutations COUNT
 * FIRST" makes others than the first 1,000. Each depends only on its number.
 */
#include "../api/engine.h"

#include <dirent.h>
#include <signal.h>
#include <wasmtime.h>

#define MS UINT64_C(1000000)

enum { SEEDS_MAX = 400, QUICK = 1000 };

typedef struct seed {
	char name[256];
	uint8_t *bytes;
	size_t length;
} seed;

static seed seeds[SEEDS_MAX];
static size_t seed_count;
static volatile unsigned current;

/* ---- Seeds ----------------------------------------------------------------------------------------------- */

static void add_seed(const char *name, const char *text, size_t length)
{
	wasm_byte_vec_t binary;
	wasmtime_error_t *error = wasmtime_wat2wasm(text, length, &binary);
	if (error != NULL) {
		/* Text that is invalid on purpose. */
		wasmtime_error_delete(error);
		return;
	}
	CHECK(seed_count < SEEDS_MAX);
	seed *made = &seeds[seed_count++];
	(void)snprintf(made->name, sizeof made->name, "%s", name);
	made->length = binary.size;
	made->bytes = malloc(binary.size);
	CHECK(made->bytes != NULL);
	memcpy(made->bytes, binary.data, binary.size);
	wasm_byte_vec_delete(&binary);
}

static void read_seed(const char *path, const char *name)
{
	static char text[1 << 16];
	FILE *file = fopen(path, "r");
	CHECK(file != NULL);
	size_t length = fread(text, 1, sizeof text, file);
	(void)fclose(file);
	CHECK(length < sizeof text);
	add_seed(name, text, length);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_text(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return length > 4 && strcmp(entry->d_name + length - 4, ".wat") == 0;
}

/* In the same order on every machine. */
static void read_directory(const char *path)
{
	struct dirent **list = NULL;
	int count = scandir(path, &list, is_text, by_name);
	CHECK(count > 0);
	for (int i = 0; i < count; i++) {
		char file[1024];
		(void)snprintf(file, sizeof file, "%s/%s", path, list[i]->d_name);
		read_seed(file, list[i]->d_name);
		free(list[i]);
	}
	free(list);
}

/* ---- Mutations ------------------------------------------------------------------------------------------- */

/* A number from 0 to bound - 1, or 0 for a bound of 0. */
static size_t below(uint64_t *random, size_t bound)
{
	return bound > 0 ? harness_random(random) % bound : 0;
}

static void change(uint64_t *random, uint8_t *bytes, size_t *length)
{
	static const uint8_t telling[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x40, 0x0b, 0x03, 0xfc, 0xfd};
	if (*length == 0)
		return;
	size_t at = below(random, *length);
	size_t size = 1 + below(random, *length - at < 16 ? *length - at : 16);
	switch (harness_random(random) % 6) {
	case 0: bytes[at] ^= (uint8_t)(1u << below(random, 8)); break;
	case 1: bytes[at] = telling[below(random, sizeof telling)]; break;
	case 2: bytes[at] = (uint8_t)harness_random(random); break;
	case 3: *length = at; break;
	case 4: /* remove a piece */
		memmove(bytes + at, bytes + at + size, *length - at - size);
		*length -= size;
		break;
	default: /* copy a piece elsewhere */ memmove(bytes + below(random, *length - size + 1), bytes + at, size);
	}
}

static void run_mutation(curfew_engine *engine, unsigned number, unsigned *counts)
{
	static const char *const calls[] = {"run", NULL, "echo", "run"};
	uint64_t random = UINT64_C(0x9e3779b97f4a7c15) * (number + 1);
	const seed *from = &seeds[below(&random, seed_count)];
	uint8_t *bytes = malloc(from->length);
	size_t length = from->length;
	CHECK(bytes != NULL);
	memcpy(bytes, from->bytes, length);
	for (size_t i = number % 3 == 0 ? 4 : 1; i > 0; i--)
		change(&random, bytes, &length);
	curfew_source source = {.size = sizeof source,
	                        .language = CURFEW_LANGUAGE_WASM,
	                        .name = from->name,
	                        .text = (const char *)bytes,
	                        .text_length = length};
	curfew_limits limits = {.size = sizeof limits,
	                        .timeout_ns = 20 * MS,
	                        .memory_bytes = 16u << 20,
	                        .output_bytes = 65536,
	                        .fuel = number % 4 == 0 ? 1000000 : 0};
	curfew_run_options options = {.size = sizeof options, .limits = &limits, .call = calls[number % 4]};
	curfew_program *program = NULL;
	CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
	curfew_report *report = NULL;
	CHECK_OK(curfew_program_run(program, &options, &report, NULL));
	bool clear = report->outcome != CURFEW_OUTCOME_INTERNAL_ERROR && report->outcome != CURFEW_OUTCOME_CRASHED &&
	             (report->outcome == CURFEW_OUTCOME_FINISHED ||
	              (report->error_message != NULL && report->error_message[0] != '\0'));
	if (!clear)
		(void)fprintf(stderr, "mutation %u of %s: %s: %s\n", number, from->name, curfew_outcome_name(report->outcome),
		              report->error_message != NULL ? report->error_message : "-");
	CHECK(clear);
	counts[report->outcome]++;
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	free(bytes);
}

/* Prints which mutation crashed; the process still dies. */
static void on_crash(int number)
{
	char text[32];
	size_t length = 0;
	unsigned rest = current;
	text[sizeof text - ++length] = '\n';
	do
		text[sizeof text - ++length] = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	(void)!write(2, "crashed in mutation ", 20);
	(void)!write(2, text + sizeof text - length, length);
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

static unsigned first;
static unsigned count = QUICK;

static void mutations(void)
{
	unsigned counts[CURFEW_OUTCOME_COUNT] = {0};
	/* Wasmtime passes on faults that are not the guest's. */
	(void)signal(SIGSEGV, on_crash);
	(void)signal(SIGABRT, on_crash);
	curfew_engine *engine = harness_engine(1);
	read_directory(CASES "/wasm");
	read_directory(CASES "/wasm/components");
	read_directory(CASES "/wasm/traps");
	read_directory(CASES "/wasm/values");
	read_directory(ATTACKS);
	for (unsigned i = first; i < first + count; i++) {
		current = i;
		run_mutation(engine, i, counts);
	}
	for (int i = 0; i < CURFEW_OUTCOME_COUNT; i++)
		if (counts[i] > 0)
			(void)printf("%s %u\n", curfew_outcome_name((curfew_outcome)i), counts[i]);
	/* Many must still be programs, otherwise only the reader was tested. */
	CHECK(count < QUICK || (counts[CURFEW_OUTCOME_FINISHED] > 0 && counts[CURFEW_OUTCOME_DEADLINE] > 0));
	harness_check_idle(engine);
	curfew_engine_destroy(engine);
	for (size_t i = 0; i < seed_count; i++)
		free(seeds[i].bytes);
}

static const harness_test tests[] = {{"mutations", mutations}};

int main(int word_count, char **words)
{
	count = harness_count(QUICK);
	if (word_count > 2)
		count = (unsigned)strtoul(words[2], NULL, 10);
	if (word_count > 3)
		first = (unsigned)strtoul(words[3], NULL, 10);
	return harness_main(word_count, words, tests, 1);
}
