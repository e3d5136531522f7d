/* SPDX-License-Identifier: Apache-2.0 */
/* A run as JSON. */
#include "view.h"

#include "hosts.h"

#include <string.h>

const char *const run_state_names[RUN_STATES] = {"scheduled", "queued", "running", "stopping", "done"};

static void write_key(text *out, const char *key, const char *words)
{
	text_print(out, ",\"%s\":", key);
	text_say_json(out, words);
}

static void write_ms(text *out, const char *key, int64_t wall_us)
{
	if (wall_us > 0)
		text_print(out, ",\"%s\":%lld", key, (long long)(wall_us / 1000));
	else
		text_print(out, ",\"%s\":null", key);
}

/* Writes hosts, which have spaces between, as an array. */
static void write_hosts(text *out, const char *words)
{
	hosts list;
	bool good = hosts_split(&list, words);
	text_say(out, ",\"allow_fetch\":[");
	for (size_t i = 0; good && i < list.count; i++) {
		text_say(out, i > 0 ? "," : "");
		text_say_json(out, list.items[i]);
	}
	text_say(out, "]");
	hosts_finish(&list);
}

static void write_limits(text *out, const curfew_limits *limits)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	text_say(out, ",\"limits\":{");
	for (size_t i = 0; i < count; i++) {
		uint64_t value = curfew_limits_get(limits, &table[i]);
		text_print(out, "%s\"%s\":", i > 0 ? "," : "", table[i].report_key);
		if (value == CURFEW_UNLIMITED)
			text_say(out, "null");
		else
			text_print(out, "%llu", (unsigned long long)(table[i].unit == CURFEW_UNIT_DURATION ? value / 1000 : value));
	}
	text_say(out, "}");
}

static void write_used(text *out, const run_view *v)
{
	const curfew_run_usage *u = &v->usage;
	const run_summary *all = &v->summary;
	static const char used[] =
		",\"used\":{\"wall_us\":%lld,\"cpu_us\":%lld,\"memory_peak_bytes\":%lld,\"output_bytes\":%lld}";
	if (v->has_summary)
		text_print(out, used, (long long)all->wall_us, (long long)all->cpu_us, (long long)all->memory_peak_bytes,
		           (long long)all->output_bytes);
	else if (v->has_usage)
		text_print(out, used, (long long)(u->wall_ns / 1000), (long long)(u->cpu_ns / 1000), (long long)u->memory_bytes,
		           (long long)u->output_bytes);
	else
		text_say(out, ",\"used\":null");
	if (v->has_summary && all->stop_latency_us >= 0)
		text_print(out, ",\"stop_latency_us\":%lld", (long long)all->stop_latency_us);
	else
		text_say(out, ",\"stop_latency_us\":null");
}

static void write_hook(text *out, const run_hook *hook)
{
	static const char *const states[HOOK_STATES] = {"waiting", "delivered", "given_up"};
	if (hook->url == NULL) {
		text_say(out, ",\"webhook\":null");
		return;
	}
	text_say(out, ",\"webhook\":{\"url\":");
	text_say_json(out, hook->url);
	write_key(out, "secret", hook->secret);
	text_print(out, ",\"state\":\"%s\",\"attempts\":%u", states[hook->state % HOOK_STATES], hook->attempts);
	if (hook->status > 0)
		text_print(out, ",\"status\":%u", hook->status);
	else
		text_say(out, ",\"status\":null");
	write_key(out, "problem", hook->problem);
	write_ms(out, "last_ms", hook->last_us);
	write_ms(out, "next_ms", hook->due_us);
	text_say(out, "}");
}

void view_write_start(text *out, const run_view *v)
{
	text_print(out, "{\"id\":\"%s\",\"state\":\"%s\"", v->id, run_state_names[v->state]);
	write_key(out, "outcome", v->outcome);
	write_key(out, "program", v->program);
	write_key(out, "schedule", v->schedule);
	write_key(out, "sha256", v->sha256);
	write_key(out, "lang", curfew_language_name(v->language));
	write_key(out, "call", v->call);
	write_key(out, "user", v->user);
	write_hosts(out, v->allow_fetch);
	write_hook(out, &v->hook);
	write_key(out, "token", v->owner[0] != '\0' ? v->owner : NULL);
	text_print(out, ",\"priority\":%u,\"durable\":%s,\"retry\":%u,\"attempt\":%u", v->priority,
	           v->durable ? "true" : "false", v->retry, v->attempt);
	write_ms(out, "created_ms", v->created_us);
	write_ms(out, "due_ms", v->due_us);
	write_ms(out, "started_ms", v->started_us);
	write_ms(out, "ended_ms", v->ended_us);
	if (v->queue_us >= 0)
		text_print(out, ",\"queue_us\":%lld", (long long)v->queue_us);
	else
		text_say(out, ",\"queue_us\":null");
	write_limits(out, &v->limits);
	write_used(out, v);
	text_say(out, ",\"checkpoint\":");
}

void view_write_head(text *out, const run_view *v)
{
	view_write_start(out, v);
	text_say(out, v->checkpoint != NULL ? v->checkpoint : "null");
	text_say(out, ",\"report\":");
}

void view_write(text *out, const run_view *v)
{
	view_write_head(out, v);
	if (v->report != NULL)
		text_add(out, v->report, v->report_length);
	else
		text_say(out, "null");
	text_say(out, "}");
}
