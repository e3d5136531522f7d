/* SPDX-License-Identifier: Apache-2.0 */
/* The table of limits: its defaults, every form of a value, and copying a caller's struct. */
#include "../harness.h"
#include "limits/limits.h"

#include <string.h>

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)
#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)

static const curfew_limit_info *row_of(const char *name)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	}
	harness_fail("no limit %s", name);
	return table;
}

static curfew_limits new_limits(void)
{
	return (curfew_limits){.size = sizeof(curfew_limits)};
}

static void test_defaults_are_the_documented_ones(void)
{
	/* Claims L1, L2, L3, L4, L5, L6, L7, L8, L9, L10, L11. */
	curfew_limits limits;
	CHECK_EQUAL(curfew_limits_resolve(NULL, &limits, NULL), CURFEW_OK);
	CHECK_EQUAL(limits.size, sizeof limits);
	CHECK_EQUAL(limits.timeout_ns, 10 * SECOND);
	CHECK_EQUAL(limits.grace_ns, 0);
	CHECK_EQUAL(limits.cpu_ns, CURFEW_UNLIMITED);
	CHECK_EQUAL(limits.fuel, CURFEW_UNLIMITED);
	CHECK_EQUAL(limits.loops, CURFEW_UNLIMITED);
	CHECK_EQUAL(limits.memory_bytes, 64 * MIB);
	CHECK_EQUAL(limits.stack_bytes, 1 * MIB);
	CHECK_EQUAL(limits.output_bytes, 1 * MIB);
	CHECK_EQUAL(limits.host_calls, 1000);
	CHECK_EQUAL(limits.timers, 1000);
}

static void test_table_is_sound(void)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	CHECK_EQUAL(count, 10);
	for (size_t i = 0; i < count; i++) {
		CHECK(table[i].report_key != NULL);
		CHECK(table[i].minimum <= table[i].ceiling);
		CHECK(table[i].ceiling < CURFEW_UNLIMITED);
		CHECK(table[i].minimum > 0 || strcmp(table[i].name, "grace") == 0);
		CHECK_EQUAL(table[i].offset, offsetof(curfew_limits, timeout_ns) + i * sizeof(uint64_t));
		uint64_t value = table[i].default_value;
		if (value == CURFEW_UNLIMITED)
			CHECK(table[i].may_be_unlimited);
		else
			CHECK(value >= table[i].minimum && value <= table[i].ceiling);
		CHECK(curfew_outcome_name(table[i].outcome) != NULL);
	}
}

static void test_every_form_of_a_value(void)
{
	/* Claim L12. */
	static const struct {
		const char *name;
		const char *text;
		uint64_t value;
	} cases[] = {
		{"timeout", "300ms", 300 * MS},
		{"timeout", "1s", SECOND},
		{"timeout", "1.5s", 1500 * MS},
		{"timeout", "0.25ms", 250000},
		{"timeout", "1us", 1000},
		{"timeout", "1500ns", 1500},
		{"timeout", "2m", 120 * SECOND},
		{"timeout", "24h", 24 * 3600 * SECOND},
		{"timeout", "0.5h", 1800 * SECOND},
		{"timeout", "1.000000000000000s", SECOND},
		{"timeout", "0001s", SECOND},
		{"timeout", "unlimited", CURFEW_UNLIMITED},
		{"grace", "0ms", 0},
		{"grace", "0s", 0},
		{"grace", "1h", 3600 * SECOND},
		{"cpu", "unlimited", CURFEW_UNLIMITED},
		{"memory", "67108864", 64 * MIB},
		{"memory", "64MiB", 64 * MIB},
		{"memory", "64M", 64 * MIB},
		{"memory", "4096KiB", 4 * MIB},
		{"memory", "8192K", 8 * MIB},
		{"memory", "1GiB", GIB},
		{"memory", "1G", GIB},
		{"memory", "4.5MiB", 9 * MIB / 2},
		{"memory", "4088MiB", 4088 * MIB},
		{"stack", "16KiB", 16 * KIB},
		{"output", "1", 1},
		{"fuel", "1", 1},
		{"fuel", "10M", 10000000},
		{"fuel", "5k", 5000},
		{"fuel", "2G", 2000000000},
		{"fuel", "1.5M", 1500000},
		{"loops", "unlimited", CURFEW_UNLIMITED},
		{"host-calls", "7", 7},
		{"timers", "20k", 20000},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		curfew_failure failure;
		curfew_limits limits = new_limits();
		if (curfew_limits_set(&limits, cases[i].name, cases[i].text, &failure) != CURFEW_OK)
			harness_fail("%s", failure.message);
		CHECK_TEXT(failure.message, "");
		CHECK_EQUAL(curfew_limits_get(&limits, row_of(cases[i].name)), cases[i].value);
	}
}

static void test_bad_values_are_refused(void)
{
	/* Claim L12. */
	static const struct {
		const char *name;
		const char *text;
		const char *message;
	} cases[] = {
		{"timeout", "10", "timeout 10: a duration is a number and a unit (ns us ms s m h)"},
		{"timeout", "0s", "timeout 0s: must be more than 0 (no limit is spelled unlimited)"},
		{"timeout", "25h", "timeout 25h: above the ceiling of 24h"},
		{"timeout", "999ns", "timeout 999ns: below the minimum of 1us"},
		{"timeout", "99999999999999999999s", "timeout 99999999999999999999s: above the ceiling of 24h"},
		{"timeout", "5124096h", "timeout 5124096h: above the ceiling of 24h"},
		{"timeout", "18446744073709551615ns", "timeout 18446744073709551615ns: above the ceiling of 24h"},
		{"timeout", "1.5ns", "timeout 1.5ns: finer than the smallest unit"},
		{"timeout", "0.0000000000001s", "timeout 0.0000000000001s: finer than the smallest unit"},
		{"timeout", "", "timeout \"\": a duration is a number and a unit (ns us ms s m h)"},
		{"timeout", "a\nb\x1b", "timeout a?b?: a duration is a number and a unit (ns us ms s m h)"},
		{"grace", "unlimited", "grace unlimited: must be limited: above the ceiling of 1h"},
		{"grace", "0", "grace 0: a duration is a number and a unit (ns us ms s m h)"},
		{"memory", "unlimited", "memory unlimited: must be limited: above the ceiling of 4088MiB"},
		{"memory", "8GiB", "memory 8GiB: above the ceiling of 4088MiB"},
		{"memory", "1MiB ", "memory 1MiB : a size is a number of bytes, or a number and a unit (KiB MiB GiB)"},
		{"memory", "0.3KiB", "memory 0.3KiB: finer than the smallest unit"},
		{"memory", "0", "memory 0: must be more than 0"},
		{"stack", "1KiB", "stack 1KiB: below the minimum of 16KiB"},
		{"fuel", "0", "fuel 0: must be more than 0 (no limit is spelled unlimited)"},
		{"nosuch", "1", "nosuch 1: there is no such limit"},
	};
	static const char *const malformed[] = {
		"-1", "+1", " 1",  "1 ",       "0x10",      "1e3", "1K",  "1m",       "k",
		".5", "1.", "1,5", "infinite", "Unlimited", "1.5", "1kk", "\xd9\xa1",
	};
	curfew_failure failure;
	curfew_limits limits = new_limits();
	const curfew_limits untouched = limits;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CHECK_EQUAL(curfew_limits_set(&limits, cases[i].name, cases[i].text, &failure), CURFEW_INVALID);
		CHECK_TEXT(failure.message, cases[i].message);
	}
	for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
		if (curfew_limits_set(&limits, "fuel", malformed[i], NULL) == CURFEW_OK)
			harness_fail("accepted: %s", malformed[i]);
	}
	CHECK_BYTES(&limits, &untouched, sizeof limits);
}

static void test_long_values_fit_one_message(void)
{
	char text[10000];
	memset(text, '9', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	curfew_failure failure;
	curfew_limits limits = new_limits();
	CHECK_EQUAL(curfew_limits_set(&limits, "fuel", text, &failure), CURFEW_INVALID);
	CHECK(strstr(failure.message, "...: above the ceiling of") != NULL);
	CHECK_EQUAL(curfew_limits_set(&limits, text, text, &failure), CURFEW_INVALID);
}

static void test_one_limit_by_its_row(void)
{
	curfew_limits limits = new_limits(), older = {.size = offsetof(curfew_limits, timers)};
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	for (size_t i = 0; i < count; i++) {
		CHECK_EQUAL(curfew_limits_get(&limits, &table[i]), 0);
		curfew_limits_put(&limits, &table[i], 100 + i);
	}
	for (size_t i = 0; i < count; i++)
		CHECK_EQUAL(curfew_limits_get(&limits, &table[i]), 100 + i);
	CHECK_EQUAL(limits.timeout_ns, 100);

	/* Fields that an earlier version lacks are neither read nor written. */
	older.timers = 7;
	CHECK_EQUAL(curfew_limits_get(&older, row_of("timers")), 0);
	curfew_limits_put(&older, row_of("timers"), 8);
	CHECK_EQUAL(older.timers, 7);
	curfew_limits_put(&older, row_of("fuel"), 9);
	CHECK_EQUAL(older.fuel, 9);
}

static void test_formatted_values_are_read_back(void)
{
	static const uint64_t values[] = {
		1, 999, 1000, 1024, 1536, 10000, 65536, 1500000, MIB, 90 * SECOND, 3600 * SECOND, 3 * GIB,
	};
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
			char text[32];
			if (values[k] < table[i].minimum || values[k] > table[i].ceiling)
				continue;
			curfew_limit_format(&table[i], values[k], text, sizeof text);
			curfew_limits limits = new_limits();
			CHECK_EQUAL(curfew_limits_set(&limits, table[i].name, text, NULL), CURFEW_OK);
			CHECK_EQUAL(curfew_limits_get(&limits, &table[i]), values[k]);
		}
	}
	char text[32];
	curfew_limit_format(row_of("timers"), 1000, text, sizeof text);
	CHECK_TEXT(text, "1000");
	curfew_limit_format(row_of("grace"), 0, text, sizeof text);
	CHECK_TEXT(text, "0ms");
	curfew_limit_format(row_of("cpu"), CURFEW_UNLIMITED, text, sizeof text);
	CHECK_TEXT(text, "unlimited");
}

static void test_resolve_checks_every_field(void)
{
	/* Claims L2, L3, L4, L5, L6, L7, L8, L9, L10, L11. */
	curfew_failure failure;
	curfew_limits resolved = {.size = 77};
	curfew_limits limits = new_limits();
	limits.memory_bytes = CURFEW_UNLIMITED;
	CHECK_EQUAL(curfew_limits_resolve(&limits, &resolved, &failure), CURFEW_INVALID);
	CHECK_TEXT(failure.message, "memory unlimited: must be limited: above the ceiling of 4088MiB");
	limits.memory_bytes = 5 * GIB;
	CHECK_EQUAL(curfew_limits_resolve(&limits, &resolved, &failure), CURFEW_INVALID);
	CHECK_TEXT(failure.message, "memory 5GiB: above the ceiling of 4088MiB");
	CHECK_EQUAL(resolved.size, 77);
	limits.memory_bytes = 5 * MIB;
	limits.timeout_ns = CURFEW_UNLIMITED;
	CHECK_EQUAL(curfew_limits_resolve(&limits, &resolved, &failure), CURFEW_OK);
	CHECK_EQUAL(resolved.memory_bytes, 5 * MIB);
	CHECK_EQUAL(resolved.timeout_ns, CURFEW_UNLIMITED);
	CHECK_EQUAL(resolved.stack_bytes, 1 * MIB);
}

static void test_resolve_takes_structs_of_other_sizes(void)
{
	struct {
		curfew_limits limits;
		uint64_t unknown;
	} longer = {.limits = {.size = sizeof longer, .fuel = 5}};
	curfew_failure failure;
	curfew_limits resolved;
	CHECK_EQUAL(curfew_limits_resolve(&longer.limits, &resolved, &failure), CURFEW_OK);
	CHECK_EQUAL(resolved.fuel, 5);
	CHECK_EQUAL(resolved.size, sizeof resolved);
	longer.unknown = 1;
	CHECK_EQUAL(curfew_limits_resolve(&longer.limits, &resolved, &failure), CURFEW_INVALID);
	CHECK(strstr(failure.message, "does not know") != NULL);

	curfew_limits shorter = {.size = offsetof(curfew_limits, cpu_ns), .timeout_ns = SECOND, .cpu_ns = 1};
	CHECK_EQUAL(curfew_limits_resolve(&shorter, &resolved, &failure), CURFEW_OK);
	CHECK_EQUAL(resolved.timeout_ns, SECOND);
	CHECK_EQUAL(resolved.cpu_ns, CURFEW_UNLIMITED);
	CHECK_EQUAL(curfew_limits_set(&shorter, "fuel", "5", &failure), CURFEW_INVALID);

	static const uint32_t sizes[] = {0, 4, 7, 9, 12, 5000, UINT32_MAX};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		curfew_limits odd = {.size = sizes[i]};
		CHECK_EQUAL(curfew_limits_resolve(&odd, &resolved, &failure), CURFEW_INVALID);
	}
	curfew_limits reserved = {.size = sizeof reserved, .reserved = 1};
	CHECK_EQUAL(curfew_limits_resolve(&reserved, &resolved, &failure), CURFEW_INVALID);
	CHECK_EQUAL(curfew_limits_resolve(NULL, NULL, &failure), CURFEW_INVALID);
	CHECK_EQUAL(curfew_limits_set(NULL, "fuel", "1", &failure), CURFEW_INVALID);
}

static const harness_test tests[] = {
	{"defaults_are_the_documented_ones", test_defaults_are_the_documented_ones},
	{"table_is_sound", test_table_is_sound},
	{"every_form_of_a_value", test_every_form_of_a_value},
	{"bad_values_are_refused", test_bad_values_are_refused},
	{"long_values_fit_one_message", test_long_values_fit_one_message},
	{"formatted_values_are_read_back", test_formatted_values_are_read_back},
	{"one_limit_by_its_row", test_one_limit_by_its_row},
	{"resolve_checks_every_field", test_resolve_checks_every_field},
	{"resolve_takes_structs_of_other_sizes", test_resolve_takes_structs_of_other_sizes},
};

HARNESS_MAIN(tests)
