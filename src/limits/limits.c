/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of limits, and the only code that reads limits from text or copies them from a caller. Flags, report
 * keys, help, man page and documents are made from the table.
 */
#include "limits/limits.h"

#include "base/refuse.h"
#include "limits/quantity.h"

#include <stdio.h>
#include <string.h>

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)
#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)

#define FIELD(field) .offset = offsetof(curfew_limits, field)

static const curfew_limit_info table[] = {
	{
		.name = "timeout",
		.report_key = "timeout_us",
		.meaning = "wall-clock deadline for everything: load, compile, start, run, waiting",
		.unit = CURFEW_UNIT_DURATION,
		.default_value = 10 * SECOND,
		.minimum = 1000,
		.ceiling = CURFEW__TIMEOUT_CEILING,
		.may_be_unlimited = true,
		FIELD(timeout_ns),
		.outcome = CURFEW_OUTCOME_DEADLINE,
	},
	{
		.name = "grace",
		.report_key = "grace_us",
		.meaning = "time after the deadline or a cancel for the program to end by itself",
		.unit = CURFEW_UNIT_DURATION,
		.default_value = 0,
		.minimum = 0,
		.ceiling = CURFEW__GRACE_CEILING,
		.may_be_unlimited = false,
		FIELD(grace_ns),
		.outcome = CURFEW_OUTCOME_DEADLINE,
	},
	{
		.name = "cpu",
		.report_key = "cpu_us",
		.meaning = "CPU time of the run, waiting excluded",
		.unit = CURFEW_UNIT_DURATION,
		.default_value = CURFEW_UNLIMITED,
		.minimum = 1000,
		.ceiling = CURFEW__TIMEOUT_CEILING,
		.may_be_unlimited = true,
		FIELD(cpu_ns),
		.outcome = CURFEW_OUTCOME_CPU,
	},
	{
		.name = "fuel",
		.report_key = "fuel",
		.meaning = "instructions, counted the same on every run",
		.unit = CURFEW_UNIT_COUNT,
		.default_value = CURFEW_UNLIMITED,
		.minimum = 1,
		.ceiling = CURFEW__COUNT_CEILING,
		.may_be_unlimited = true,
		FIELD(fuel),
		.outcome = CURFEW_OUTCOME_FUEL,
	},
	{
		.name = "loops",
		.report_key = "loops",
		.meaning = "JavaScript loop iterations plus calls",
		.unit = CURFEW_UNIT_COUNT,
		.default_value = CURFEW_UNLIMITED,
		.minimum = 1,
		.ceiling = CURFEW__COUNT_CEILING,
		.may_be_unlimited = true,
		FIELD(loops),
		.outcome = CURFEW_OUTCOME_LOOPS,
	},
	{
		.name = "memory",
		.report_key = "memory_bytes",
		.meaning = "guest memory, all of it",
		.unit = CURFEW_UNIT_BYTES,
		.default_value = 64 * MIB,
		.minimum = CURFEW__MEMORY_MINIMUM,
		.ceiling = CURFEW__MEMORY_CEILING,
		.may_be_unlimited = false,
		FIELD(memory_bytes),
		.outcome = CURFEW_OUTCOME_MEMORY,
	},
	{
		.name = "stack",
		.report_key = "stack_bytes",
		.meaning = "guest stack",
		.unit = CURFEW_UNIT_BYTES,
		.default_value = 1 * MIB,
		.minimum = CURFEW__STACK_MINIMUM,
		.ceiling = CURFEW__STACK_CEILING,
		.may_be_unlimited = false,
		FIELD(stack_bytes),
		.outcome = CURFEW_OUTCOME_STACK,
	},
	{
		.name = "output",
		.report_key = "output_bytes",
		.meaning = "captured stdout + stderr + value",
		.unit = CURFEW_UNIT_BYTES,
		.default_value = 1 * MIB,
		.minimum = 1,
		.ceiling = CURFEW__OUTPUT_CEILING,
		.may_be_unlimited = false,
		FIELD(output_bytes),
		.outcome = CURFEW_OUTCOME_OUTPUT,
	},
	{
		.name = "host-calls",
		.report_key = "host_calls",
		.meaning = "calls out of the sandbox",
		.unit = CURFEW_UNIT_COUNT,
		.default_value = 1000,
		.minimum = 1,
		.ceiling = CURFEW__COUNT_CEILING,
		.may_be_unlimited = true,
		FIELD(host_calls),
		.outcome = CURFEW_OUTCOME_HOST_CALLS,
	},
	{
		.name = "timers",
		.report_key = "timers",
		.meaning = "timers pending at once",
		.unit = CURFEW_UNIT_COUNT,
		.default_value = 1000,
		.minimum = 1,
		.ceiling = CURFEW__COUNT_CEILING,
		.may_be_unlimited = true,
		FIELD(timers),
		.outcome = CURFEW_OUTCOME_TIMERS,
	},
};

enum { TABLE_LENGTH = sizeof table / sizeof table[0] };

/* A field without a row would be a limit that nothing checks. */
_Static_assert(sizeof(curfew_limits) == offsetof(curfew_limits, timeout_ns) + TABLE_LENGTH * sizeof(uint64_t),
               "every field of curfew_limits needs a row in the table");

const curfew_limit_info *curfew_limit_table(size_t *count)
{
	if (count != NULL)
		*count = TABLE_LENGTH;
	return table;
}

static bool has_field(const curfew_limits *limits, const curfew_limit_info *info)
{
	return limits->size >= info->offset + sizeof(uint64_t);
}

uint64_t curfew_limits_get(const curfew_limits *limits, const curfew_limit_info *info)
{
	uint64_t value = 0;
	if (has_field(limits, info))
		memcpy(&value, (const char *)limits + info->offset, sizeof value);
	return value;
}

void curfew_limits_put(curfew_limits *limits, const curfew_limit_info *info, uint64_t value)
{
	if (has_field(limits, info))
		memcpy((char *)limits + info->offset, &value, sizeof value);
}

static const curfew_limit_info *find_limit(const char *name)
{
	for (size_t i = 0; i < TABLE_LENGTH; i++) {
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	}
	return NULL;
}

void curfew_limit_format(const curfew_limit_info *info, uint64_t value, char *text, size_t size)
{
	if (value == CURFEW_UNLIMITED)
		(void)snprintf(text, size, "unlimited");
	else
		curfew__quantity_format(info->unit, value, "", text, size);
}

/* ---- Messages -------------------------------------------------------------------------------------------- */

enum { SHOWN_BYTES = 48 };

/* Formats a value of the caller's for a one-line message: short, and without control characters. */
static void show_value(const char *text, char shown[SHOWN_BYTES])
{
	size_t at = 0;
	for (; text[at] != '\0' && at < SHOWN_BYTES - 4; at++) {
		unsigned char byte = (unsigned char)text[at];
		shown[at] = (char)(byte < 0x20 || byte == 0x7f ? '?' : byte);
	}
	memcpy(shown + at, text[at] != '\0' ? "..." : "", text[at] != '\0' ? 4 : 1);
}

/* Sets the message "NAME VALUE: WHY". */
static curfew_status refuse_value(curfew_failure *failure, const char *name, const char *value, const char *why)
{
	if (failure == NULL)
		return CURFEW_INVALID;
	char shown_name[SHOWN_BYTES];
	char shown[SHOWN_BYTES];
	show_value(name, shown_name);
	show_value(value, shown);
	curfew__fail(failure, "%s %s: %s", shown_name, shown[0] != '\0' ? shown : "\"\"", why);
	return CURFEW_INVALID;
}

static curfew_status refuse_bound(curfew_failure *failure, const curfew_limit_info *info, const char *value,
                                  const char *relation, uint64_t bound)
{
	char bound_text[32];
	char why[96];
	curfew_limit_format(info, bound, bound_text, sizeof bound_text);
	(void)snprintf(why, sizeof why, "%s of %s", relation, bound_text);
	return refuse_value(failure, info->name, value, why);
}

/* ---- Setting and checking -------------------------------------------------------------------------------- */

/* shown is the value as the caller wrote it, or NULL to write it out. */
static curfew_status check_value(const curfew_limit_info *info, uint64_t value, const char *shown,
                                 curfew_failure *failure)
{
	char own[32];
	if (shown == NULL) {
		curfew_limit_format(info, value, own, sizeof own);
		shown = own;
	}
	if (value == CURFEW_UNLIMITED) {
		if (info->may_be_unlimited)
			return CURFEW_OK;
		return refuse_bound(failure, info, shown, "must be limited: above the ceiling", info->ceiling);
	}
	if (value == 0 && info->minimum > 0)
		return refuse_value(failure, info->name, shown,
		                    info->may_be_unlimited ? "must be more than 0 (no limit is spelled unlimited)"
		                                           : "must be more than 0");
	if (value < info->minimum)
		return refuse_bound(failure, info, shown, "below the minimum", info->minimum);
	if (value > info->ceiling)
		return refuse_bound(failure, info, shown, "above the ceiling", info->ceiling);
	return CURFEW_OK;
}

static curfew_status parse_value(const curfew_limit_info *info, const char *text, uint64_t *value,
                                 curfew_failure *failure)
{
	const char *why;
	*value = CURFEW_UNLIMITED;
	if (strcmp(text, "unlimited") == 0)
		return CURFEW_OK;
	if (curfew__quantity_parse(info->unit, text, value, &why))
		return CURFEW_OK;
	if (strcmp(why, "too large") == 0)
		return refuse_bound(failure, info, text, "above the ceiling", info->ceiling);
	return refuse_value(failure, info->name, text, why);
}

curfew_status curfew_limits_set(curfew_limits *limits, const char *name, const char *text, curfew_failure *failure)
{
	if (failure != NULL)
		failure->message[0] = '\0';
	if (limits == NULL || name == NULL || text == NULL)
		return CURFEW_INVALID;
	const curfew_limit_info *info = find_limit(name);
	if (info == NULL)
		return refuse_value(failure, name, text, "there is no such limit");
	if (!has_field(limits, info))
		return refuse_value(failure, name, text, "curfew_limits.size is too small for this limit");
	uint64_t value;
	curfew_status status = parse_value(info, text, &value, failure);
	if (status == CURFEW_OK)
		status = check_value(info, value, text, failure);
	if (status == CURFEW_OK)
		curfew_limits_put(limits, info, value);
	return status;
}

/*
 * Copies the caller's struct as openat2(2) does: fields that a shorter one lacks are 0. Fields that a longer one has
 * beyond ours must be 0, because a limit that this library does not know must not be ignored.
 */
static curfew_status copy_in(const curfew_limits *limits, curfew_limits *copy, curfew_failure *failure)
{
	memset(copy, 0, sizeof *copy);
	size_t size = limits->size;
	if (size < offsetof(curfew_limits, timeout_ns) || size % sizeof(uint64_t) != 0 || size > 4096) {
		char value[32];
		(void)snprintf(value, sizeof value, "%zu", size);
		return refuse_value(failure, "curfew_limits.size", value, "must be sizeof(curfew_limits)");
	}
	const unsigned char *bytes = (const unsigned char *)limits;
	for (size_t at = sizeof *copy; at < size; at++) {
		if (bytes[at] != 0)
			return refuse_value(failure, "curfew_limits", "", "contains a limit that this library does not know");
	}
	memcpy(copy, limits, size < sizeof *copy ? size : sizeof *copy);
	copy->size = sizeof *copy;
	if (copy->reserved != 0)
		return refuse_value(failure, "curfew_limits.reserved", "", "must be 0");
	return CURFEW_OK;
}

curfew_status curfew_limits_resolve(const curfew_limits *limits, curfew_limits *resolved, curfew_failure *failure)
{
	if (failure != NULL)
		failure->message[0] = '\0';
	if (resolved == NULL)
		return CURFEW_INVALID;
	curfew_limits copy = {.size = sizeof copy};
	curfew_status status = limits != NULL ? copy_in(limits, &copy, failure) : CURFEW_OK;
	for (size_t i = 0; i < TABLE_LENGTH && status == CURFEW_OK; i++) {
		uint64_t value = curfew_limits_get(&copy, &table[i]);
		if (value == 0)
			curfew_limits_put(&copy, &table[i], table[i].default_value);
		else
			status = check_value(&table[i], value, NULL, failure);
	}
	if (status == CURFEW_OK)
		*resolved = copy;
	return status;
}
