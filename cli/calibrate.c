/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curfew calibrate: runs small programs of different kinds under a fuel limit that they do not reach, and divides the
 * fuel that they used by their CPU time. It uses CPU time, because other work of the machine must not count. The result
 * belongs to the machine and to the versions of the engines; with other ones it is measured again.
 */
#include "calibrate.h"

#include "commands.h"
#include "format.h"
#include "say.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA "curfew.calibration/2"
#define FUEL_MAX UINT64_C(1000000000000000)
#define WORK_NS UINT64_C(30000000)  /* CPU time of one run */
#define ENOUGH_NS UINT64_C(4000000) /* enough to estimate the amount of work of one run */

enum { ROUNDS = 7, FIRST_AMOUNT = 1000, AMOUNT_MAX = 1 << 30, MODEL_MAX = 128 };

typedef enum kind { INTEGER, FLOAT, MEMORY, CALLS, JAVASCRIPT, KINDS } kind;

/* Each exports work(amount), or is a function of it. */
static const struct {
	const char *name;
	curfew_language language;
	const char *text;
} works[KINDS] = {
	[INTEGER] = {"integer", CURFEW_LANGUAGE_WAT,
                 "(module (func (export \"work\") (param $n i32) (result i32) (local $x i32) (local $y i32)\n"
                 " (local.set $x (i32.const 2463534242))\n"
                 " (loop $again\n"
                 "  (local.set $x (i32.xor (local.get $x) (i32.shl (local.get $x) (i32.const 13))))\n"
                 "  (local.set $x (i32.xor (local.get $x) (i32.shr_u (local.get $x) (i32.const 17))))\n"
                 "  (local.set $x (i32.xor (local.get $x) (i32.shl (local.get $x) (i32.const 5))))\n"
                 "  (if (i32.gt_u (local.get $x) (i32.const 2147483648))\n"
                 "   (then (local.set $y (i32.add (local.get $y) (i32.mul (local.get $x) (i32.const 31)))))\n"
                 "   (else (local.set $y (i32.sub (local.get $y) (i32.rem_u (local.get $x) (i32.const 1000))))))\n"
                 "  (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))\n"
                 " (local.get $y)))"},
	[FLOAT] =
		{"float", CURFEW_LANGUAGE_WAT,
         "(module (func (export \"work\") (param $n i32) (result f64) (local $x f64) (local $y f64)\n"
         " (local.set $x (f64.const 0.5)) (local.set $y (f64.const 1))\n"
         " (loop $again\n"
         "  (local.set $x (f64.mul (f64.mul (f64.const 3.7) (local.get $x)) (f64.sub (f64.const 1) (local.get $x))))\n"
         "  (local.set $y (f64.add (f64.mul (local.get $y) (f64.const 0.999)) (f64.sqrt (local.get $x))))\n"
         "  (local.set $y (f64.div (local.get $y) (f64.add (local.get $x) (f64.const 1))))\n"
         "  (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))\n"
         " (local.get $y)))"},
	[MEMORY] =
		{"memory", CURFEW_LANGUAGE_WAT,
         "(module (memory 16) (func (export \"work\") (param $n i32) (result i32) (local $at i32) (local $x i32)\n"
         " (loop $again\n"
         "  (local.set $x (i32.add (local.get $x) (i32.load (local.get $at))))\n"
         "  (i32.store offset=4 (local.get $at) (i32.add (local.get $x) (local.get $n)))\n"
         "  (local.set $x (i32.xor (local.get $x) (i32.load8_u offset=9 (local.get $at))))\n"
         "  (local.set $at (i32.and (i32.add (local.get $at) (i32.const 1028)) (i32.const 1048312)))\n"
         "  (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))\n"
         " (local.get $x)))"},
	[CALLS] = {"calls", CURFEW_LANGUAGE_WAT,
               "(module (type $one (func (param i32) (result i32))) (table funcref (elem $next $fibonacci))\n"
               " (func $next (type $one) (i32.add (local.get 0) (i32.const 1)))\n"
               " (func $fibonacci (type $one) (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))\n"
               "  (then (call_indirect (type $one) (local.get 0) (i32.const 0)))\n"
               "  (else (i32.add (call $fibonacci (i32.sub (local.get 0) (i32.const 1)))\n"
               "                 (call $fibonacci (i32.sub (local.get 0) (i32.const 2)))))))\n"
               " (func (export \"work\") (param $n i32) (result i32) (local $x i32)\n"
               "  (loop $again\n"
               "   (local.set $x (i32.add (local.get $x) (call $fibonacci (i32.const 5))))\n"
               "   (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))\n"
               "  (local.get $x)))"},
	[JAVASCRIPT] = {"javascript", CURFEW_LANGUAGE_JS_MODULE,
                    "export default amount => {\n"
                    "	const points = [], names = {};\n"
                    "	let sum = 0;\n"
                    "	for (let i = 0; i < amount; i++) {\n"
                    "		const point = {x: i % 97, y: (i * 31) % 89};\n"
                    "		points[i % 64] = point;\n"
                    "		sum += Math.sqrt(point.x * point.x + point.y * point.y);\n"
                    "		if (i % 8 === 0) names['n' + (i % 128)] = points.map(p => p.x).length;\n"
                    "	}\n"
                    "	return sum + Object.keys(names).length;\n"
                    "};\n"},
};

typedef struct calibration {
	uint64_t fuel_per_ms[KINDS];
} calibration;

/* A mixed program does some work of each kind. */
static uint64_t fuel_per_ms_of_wasm(const calibration *c)
{
	double sum = 0;
	for (int i = 0; i < JAVASCRIPT; i++)
		sum += log((double)c->fuel_per_ms[i]);
	return (uint64_t)llround(exp(sum / JAVASCRIPT));
}

/* ---- Measuring ------------------------------------------------------------------------------------------- */

typedef struct subject {
	curfew_program *program;
	uint64_t amount;
	uint64_t samples[ROUNDS];
} subject;

static curfew_status run_once(const subject *s, bool is_js, curfew_used *used, curfew_failure *failure)
{
	const curfew_limits limits = {.size = sizeof limits, .timeout_ns = UINT64_C(60000000000), .fuel = FUEL_MAX};
	char params[32];
	int length = snprintf(params, sizeof params, "[%" PRIu64 "]", s->amount);
	const curfew_run_options options = {.size = sizeof options,
	                                    .limits = &limits,
	                                    .call = is_js ? NULL : "work",
	                                    .params = params,
	                                    .params_length = (size_t)length};
	curfew_report *report = NULL;
	curfew_status status = curfew_program_run(s->program, &options, &report, failure);

	if (status != CURFEW_OK)
		return status;
	*used = report->used;
	if (report->outcome != CURFEW_OUTCOME_FINISHED || used->fuel == 0 || used->cpu_ns == 0) {
		(void)snprintf(failure->message, sizeof failure->message, "a run ended %s",
		               curfew_outcome_name(report->outcome));
		status = CURFEW_INTERNAL;
	}

	curfew_report_destroy(report);
	return status;
}

/* Finds the amount of work that takes about WORK_NS. */
static curfew_status find_amount(subject *s, bool is_js, curfew_failure *failure)
{
	curfew_used used = {.cpu_ns = 0};
	curfew_status status = CURFEW_OK;
	s->amount = FIRST_AMOUNT;
	for (;;) {
		status = run_once(s, is_js, &used, failure);
		if (status != CURFEW_OK || used.cpu_ns >= ENOUGH_NS || s->amount >= AMOUNT_MAX / 4)
			break;
		s->amount *= 4;
	}
	if (status == CURFEW_OK && used.cpu_ns < WORK_NS) {
		double amount = (double)s->amount * (double)WORK_NS / (double)used.cpu_ns;
		s->amount = amount < AMOUNT_MAX ? (uint64_t)amount : AMOUNT_MAX;
	}
	return status;
}

static curfew_status prepare_subjects(curfew_engine *engine, subject *subjects, curfew_failure *failure)
{
	curfew_status status = CURFEW_OK;
	for (int i = 0; i < KINDS && status == CURFEW_OK; i++) {
		const curfew_source source = {.size = sizeof source,
		                              .language = works[i].language,
		                              .name = works[i].name,
		                              .text = works[i].text,
		                              .text_length = strlen(works[i].text)};
		status = curfew_program_create(engine, &source, &subjects[i].program, failure);
		if (status == CURFEW_OK)
			status = find_amount(&subjects[i], i == JAVASCRIPT, failure);
	}
	return status;
}

static int compare(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a;
	uint64_t second = *(const uint64_t *)b;
	return (first > second) - (first < second);
}

/* Take turns, so that a slow period of the machine does not affect only one kind. */
static curfew_status measure(subject *subjects, curfew_failure *failure)
{
	curfew_status status = CURFEW_OK;
	for (int round = 0; round < ROUNDS && status == CURFEW_OK; round++) {
		for (int i = 0; i < KINDS && status == CURFEW_OK; i++) {
			curfew_used used = {.cpu_ns = 1};
			status = run_once(&subjects[i], i == JAVASCRIPT, &used, failure);
			subjects[i].samples[round] = (uint64_t)((double)used.fuel * 1e6 / (double)used.cpu_ns);
		}
	}
	return status;
}

/* CLI_GO_ON, or the exit code after an error was reported. */
static int calibrate(calibration *c)
{
	subject subjects[KINDS] = {{0}};
	curfew_failure failure = {.message = ""};
	curfew_engine *engine = NULL;
	curfew_status status = cli_engine_create(1, 0, &engine, &failure);
	if (status == CURFEW_OK)
		status = prepare_subjects(engine, subjects, &failure);
	if (status == CURFEW_OK)
		status = measure(subjects, &failure);
	for (int i = 0; i < KINDS; i++) {
		qsort(subjects[i].samples, ROUNDS, sizeof subjects[i].samples[0], compare);
		c->fuel_per_ms[i] = subjects[i].samples[ROUNDS / 2];
		curfew_program_destroy(subjects[i].program);
	}
	curfew_engine_destroy(engine);
	if (status == CURFEW_OK)
		return CLI_GO_ON;
	cli_say("cannot calibrate: %s", failure.message[0] != '\0' ? failure.message : curfew_status_text(status));
	return CLI_EXIT_INTERNAL;
}

/* ---- Keeping --------------------------------------------------------------------------------------------- */

static void read_model(char model[MODEL_MAX])
{
	char line[512];
	FILE *file = fopen("/proc/cpuinfo", "re");
	(void)snprintf(model, MODEL_MAX, "unknown");
	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		const char *value = strchr(line, ':');
		if (strncmp(line, "model name", 10) != 0 || value == NULL)
			continue;
		value += strspn(value, ": ");
		(void)snprintf(model, MODEL_MAX, "%.*s", (int)strcspn(value, "\n"), value);
		break;
	}
	if (file != NULL)
		(void)fclose(file);
}

/* The machine and versions that the figures belong to. */
static json_t *about(void)
{
	char model[MODEL_MAX];
	read_model(model);
	return json_pack("{s:{s:s,s:I},s:{s:s,s:s,s:s}}", "machine", "cpu", model, "cores",
	                 (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "engine", "curfew", curfew_version(), "wasmtime",
	                 curfew_wasmtime_version(), "quickjs", curfew_quickjs_version());
}

static json_t *to_json(const calibration *c)
{
	json_t *belongs = about();
	json_t *figures = json_object();
	for (int i = 0; i < KINDS; i++)
		(void)json_object_set_new(figures, works[i].name, json_integer((json_int_t)c->fuel_per_ms[i]));
	json_t *all = json_pack("{s:s}", "schema", SCHEMA);
	(void)json_object_update(all, belongs);
	(void)json_object_set_new(all, "fuel_per_ms", figures);
	(void)json_object_set_new(all, "webassembly_fuel_per_ms", json_integer((json_int_t)fuel_per_ms_of_wasm(c)));
	json_decref(belongs);
	return all;
}

static bool from_json(const json_t *all, calibration *c)
{
	json_t *belongs = about();
	const char *schema = json_string_value(json_object_get(all, "schema"));
	bool good = schema != NULL && strcmp(schema, SCHEMA) == 0;
	const char *const keys[] = {"machine", "engine"};
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		good = good && json_equal(json_object_get(all, keys[i]), json_object_get(belongs, keys[i])) != 0;
	json_decref(belongs);
	for (int i = 0; i < KINDS && good; i++) {
		json_int_t figure = json_integer_value(json_object_get(json_object_get(all, "fuel_per_ms"), works[i].name));
		c->fuel_per_ms[i] = (uint64_t)figure;
		good = figure > 0;
	}
	return good;
}

/* Free with free; NULL: there is no cache. */
static char *kept_path(void)
{
	char *directory = cli_cache_dir();
	char *path = NULL;
	if (directory != NULL && asprintf(&path, "%s/calibration.json", directory) < 0)
		path = NULL;
	free(directory);
	return path;
}

static bool read_kept(calibration *c)
{
	char *path = kept_path();
	json_t *all = path != NULL ? json_load_file(path, JSON_REJECT_DUPLICATES, NULL) : NULL;
	bool good = all != NULL && from_json(all, c);
	json_decref(all);
	free(path);
	return good;
}

/* Free with free; NULL: out of memory. */
static char *to_line(const calibration *c, size_t *length)
{
	json_t *all = to_json(c);
	char *text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	if (text == NULL)
		return NULL;
	*length = strlen(text) + 1;
	text[*length - 1] = '\n'; /* replaces the NUL */
	return text;
}

/* 0 or an errno. */
static int keep_result(const calibration *c)
{
	size_t length = 0;
	char *path = kept_path();
	char *text = to_line(c, &length);
	int error = path == NULL ? ENOENT : text == NULL ? ENOMEM : cli_file_write(path, text, length);
	free(text);
	free(path);
	return error;
}

/* ---- Using it -------------------------------------------------------------------------------------------- */

int cli_fuel_set(const cli_arguments *arguments, uint64_t fuel_per_ms, const char *where, curfew_limits *limits)
{
	double fuel = (double)arguments->fuel_time_ns / 1e6 * (double)fuel_per_ms;
	if (fuel > (double)FUEL_MAX)
		return cli_usage_error("--fuel %s: that is %.3g of fuel %s, above the ceiling of %.0e",
		                       arguments->fuel_time_text, fuel, where, (double)FUEL_MAX);
	limits->fuel = fuel < 1 ? 1 : (uint64_t)fuel;
	return CLI_GO_ON;
}

int cli_fuel_apply(const cli_arguments *arguments, bool is_js, curfew_limits *limits)
{
	calibration c;
	if (arguments->fuel_time_ns == 0)
		return CLI_GO_ON;
	if (!read_kept(&c)) {
		if (arguments->values[CLI_OPTION_QUIET] == NULL)
			cli_say("measuring once how much fuel a millisecond is on this machine (curfew calibrate)");
		int code = calibrate(&c);
		if (code != CLI_GO_ON)
			return code;
		(void)keep_result(&c); /* after a failure it is measured again next time */
	}
	return cli_fuel_set(arguments, is_js ? c.fuel_per_ms[JAVASCRIPT] : fuel_per_ms_of_wasm(&c), "here", limits);
}

static void write_table(FILE *out, const calibration *c)
{
	char model[MODEL_MAX];
	char text[CLI_QUANTITY];
	char other[CLI_QUANTITY];
	read_model(model);
	fprintf(out, "fuel per millisecond of CPU time on this machine (%s)\n\n", model);
	for (int i = 0; i < KINDS; i++) {
		cli_format_count(c->fuel_per_ms[i], text);
		fprintf(out, "  %-12s %10s\n", works[i].name, text);
	}
	cli_format_count(250 * fuel_per_ms_of_wasm(c), text);
	cli_format_count(250 * c->fuel_per_ms[JAVASCRIPT], other);
	fprintf(out, "\n--fuel 250ms is %s for WebAssembly (by the geometric mean of the first four), %s for JavaScript.\n",
	        text, other);
}

static int print_result(const calibration *c, bool as_json)
{
	char *text = NULL;
	size_t length = 0;
	if (as_json) {
		text = to_line(c, &length);
	} else {
		FILE *out = open_memstream(&text, &length);
		if (out != NULL)
			write_table(out, c);
		if (out == NULL || fclose(out) != 0)
			length = 0;
	}
	int code = length > 0 ? cli_print(text, length) : CLI_EXIT_INTERNAL;
	free(text);
	return code;
}

int cli_calibrate(const cli_arguments *arguments)
{
	calibration c;
	bool as_json = arguments->values[CLI_OPTION_JSON] != NULL;
	if (arguments->values[CLI_OPTION_KEPT] != NULL && read_kept(&c))
		return print_result(&c, as_json);
	int code = calibrate(&c);
	if (code != CLI_GO_ON)
		return code;
	int error = keep_result(&c);
	if (error != 0)
		cli_say("the figures could not be kept: %s", strerror(error));
	return print_result(&c, as_json);
}
