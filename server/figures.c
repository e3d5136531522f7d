/* SPDX-License-Identifier: Apache-2.0 */
/* The server's figures, as Prometheus text and as the JSON that the console reads. */
#include "figures.h"

#include "common/clock.h"
#include "http.h"
#include "machine.h"
#include "metrics.h"
#include "store.h"

/* ---- Prometheus ------------------------------------------------------------------------------------------ */

static void write_heading(text *out, const char *name, const char *type, const char *help)
{
	text_print(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_value(text *out, const char *name, const char *type, const char *help, double value)
{
	write_heading(out, name, type, help);
	text_print(out, "%s %.17g\n", name, value);
}

static void write_histogram(text *out, const char *name, const char *help, const histogram *h)
{
	const int64_t *bounds_us;
	size_t bounds = metrics_bounds(&bounds_us);
	uint64_t sum = 0;
	write_heading(out, name, "histogram", help);
	for (size_t i = 0; i < bounds; i++) {
		sum += h->counts[i];
		text_print(out, "%s_bucket{le=\"%g\"} %llu\n", name, (double)bounds_us[i] / 1e6, (unsigned long long)sum);
	}
	text_print(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.9g\n%s_count %llu\n", name, (unsigned long long)h->count,
	           name, h->sum_us / 1e6, name, (unsigned long long)h->count);
}

static const char *const refusal_names[REFUSALS] = {
#define X(name, label) label,
	REFUSAL_LIST(X)
#undef X
};

static void write_counts(text *out, const metrics *m)
{
	write_heading(out, "curfew_runs_total", "counter", "Runs that ended, by outcome.");
	for (int i = 0; i < CURFEW_OUTCOME_COUNT; i++)
		text_print(out, "curfew_runs_total{outcome=\"%s\"} %llu\n", curfew_outcome_name((curfew_outcome)i),
		           (unsigned long long)m->runs.outcomes[i]);
	write_heading(out, "curfew_refusals_total", "counter", "Requests refused, by reason.");
	for (int i = 0; i < REFUSALS; i++)
		text_print(out, "curfew_refusals_total{reason=\"%s\"} %llu\n", refusal_names[i],
		           (unsigned long long)m->refused[i]);
	write_value(out, "curfew_runs_submitted_total", "counter", "Runs accepted.", (double)m->submitted);
	write_heading(out, "curfew_schedule_turns_total", "counter",
	              "Times at which schedules were due, by whether there was a run.");
	text_print(out,
	           "curfew_schedule_turns_total{result=\"run\"} %llu\ncurfew_schedule_turns_total{result=\"none\"} %llu\n",
	           (unsigned long long)m->turns, (unsigned long long)m->turns_passed);
	write_heading(out, "curfew_webhook_attempts_total", "counter", "Attempts to report the end of a run, by result.");
	text_print(
		out,
		"curfew_webhook_attempts_total{result=\"delivered\"} %llu\ncurfew_webhook_attempts_total{result=\"failed\"} "
		"%llu\ncurfew_webhook_attempts_total{result=\"given_up\"} %llu\n",
		(unsigned long long)m->deliveries[HOOK_DELIVERED], (unsigned long long)m->deliveries[HOOK_WAITING],
		(unsigned long long)m->deliveries[HOOK_GIVEN_UP]);
	write_value(out, "curfew_requests_total", "counter", "HTTP requests.", (double)m->requests);
	write_heading(out, "curfew_http_answers_total", "counter", "Answers, by method, route and status.");
	for (size_t i = 0; i < m->answer_kinds; i++)
		text_print(out, "curfew_http_answers_total{method=\"%s\",route=\"%s\",code=\"%u\"} %llu\n",
		           m->answers[i].method, m->answers[i].pattern, m->answers[i].status,
		           (unsigned long long)m->answers[i].count);
}

/* Uses the names of Prometheus' own libraries. */
static void write_process(text *out)
{
	machine_process p;
	if (!machine_read_process(&p))
		return;
	write_value(out, "process_cpu_seconds_total", "counter", "Processor time of the server's own process.",
	            p.cpu_seconds);
	write_value(out, "process_start_time_seconds", "gauge", "Time of its start, since 1970.", p.start_seconds);
	write_value(out, "process_resident_memory_bytes", "gauge", "Its resident memory.", (double)p.resident_bytes);
	write_value(out, "process_virtual_memory_bytes", "gauge", "Its address space.", (double)p.virtual_bytes);
	write_value(out, "process_threads", "gauge", "Its threads.", (double)p.threads);
	write_value(out, "process_open_fds", "gauge", "Its open descriptors.", (double)p.open_files);
	write_value(out, "process_max_fds", "gauge", "The limit of its open descriptors.", (double)p.files_max);
}

static void write_build(text *out)
{
	write_heading(out, "curfew_build_info", "gauge", "1, with the versions in the labels.");
	text_print(out, "curfew_build_info{version=\"%s\",libmicrohttpd=\"%s\"} 1\n", curfew_version(), MHD_get_version());
}

static void write_pool(text *out, server *s)
{
	worker_pool_stats pool;

	worker_pool_get_stats(s->pool, &pool);
	write_value(out, "curfew_workers", "gauge", "Worker processes that are ready.", pool.workers);
	write_value(out, "curfew_workers_busy", "gauge", "Of them, those that have runs.", pool.busy);
	write_heading(out, "curfew_worker_confinement", "gauge",
	              "1: the workers have this layer of confinement; 0: the system withholds it.");
	for (const worker_layer *layer = worker_layers; layer->name != NULL; layer++)
		text_print(out, "curfew_worker_confinement{layer=\"%s\"} %d\n", layer->name, (pool.has & layer->bit) != 0);
	write_value(out, "curfew_worker_restarts_total", "counter", "Workers started to replace one that died.",
	            (double)pool.restarts);
	write_value(out, "curfew_worker_runs", "gauge", "Runs that the workers have.", (double)pool.active);
	write_value(out, "curfew_worker_crashed_runs_total", "counter", "Runs lost with their worker.",
	            (double)pool.crashed);
	write_value(out, "curfew_worker_repeated_runs_total", "counter",
	            "Runs executed again that had nothing to do with the end of their worker.", (double)pool.repeated);
	write_heading(out, "curfew_memory_regions", "gauge",
	              "Guest memories of the workers, as reported within the last second.");
	text_print(out, "curfew_memory_regions{state=\"used\"} %llu\ncurfew_memory_regions{state=\"pooled\"} %llu\n",
	           (unsigned long long)pool.memory.regions_in_use, (unsigned long long)pool.memory.regions_pooled);
	write_value(out, "curfew_memory_resident_bytes", "gauge", "Memory that guest memories keep for reuse.",
	            (double)pool.memory.resident_bytes);
}

static void write_store(text *out, server *s)
{
	store_stats disk;
	store_get_stats(s->store, &disk);
	write_value(out, "curfew_store_bytes", "gauge", "Size of the database's contents.", (double)disk.bytes);
	write_value(out, "curfew_store_commits_total", "counter", "Transactions written.", (double)disk.commits);
	write_value(out, "curfew_store_writes_total", "counter", "Writes in them.", (double)disk.writes);
	write_value(out, "curfew_store_failures_total", "counter", "Transactions that failed.", (double)disk.failures);
	write_value(out, "curfew_store_healthy", "gauge", "1 if the last transaction was written.", disk.healthy);
}

/* If nodes share a database, each shows its part of the waiting runs, so that the sum is correct. */
static double add_part(const server *s, size_t own, uint64_t elsewhere)
{
	return (double)own + (double)elsewhere / (double)(s->elsewhere_nodes > 0 ? s->elsewhere_nodes : 1);
}

void figures_write(server *s, text *out)
{
	const metrics *m = &s->metrics;

	write_counts(out, m);
	write_histogram(out, "curfew_stop_latency_seconds", "How long after its time was up a run was stopped.",
	                &m->runs.stop_latency);
	write_histogram(out, "curfew_queue_wait_seconds", "How long a run waited for its turn.", &m->runs.queue_wait);
	write_histogram(out, "curfew_start_seconds", "From the beginning of a run to the first instruction of the program.",
	                &m->runs.start_time);
	write_histogram(out, "curfew_run_seconds", "Wall-clock time of runs.", &m->runs.wall_time);
	write_value(out, "curfew_runs_running", "gauge", "Runs in progress.", (double)s->scheduler.running);
	write_value(out, "curfew_runs_queued", "gauge", "Runs that wait for their turn.",
	            add_part(s, s->scheduler.queued, s->elsewhere_queued));
	write_value(out, "curfew_runs_scheduled", "gauge", "Runs that wait for their time.",
	            add_part(s, s->scheduler.scheduled, s->elsewhere_scheduled));
	write_value(out, "curfew_queue_bytes", "gauge", "Sources and parameters of runs that wait.",
	            (double)s->scheduler.held_bytes);
	write_value(out, "curfew_open_streams", "gauge", "Open event streams.", (double)http_count_streams(s->http));
	write_value(out, "curfew_open_connections", "gauge", "Open connections.", (double)http_count_connections(s->http));
	write_value(out, "curfew_kept_runs", "gauge", "Ended runs kept in memory.",
	            (double)(s->kept.count + s->kept_large.count));
	write_pool(out, s);
	write_store(out, s);
	write_build(out);
	write_process(out);
}

/* ---- For the console ------------------------------------------------------------------------------------- */

static void write_json_histogram(text *out, const char *key, const histogram *h)
{
	const int64_t *bounds_us;
	size_t bounds = metrics_bounds(&bounds_us);
	text_print(out, ",\"%s\":[", key);
	for (size_t i = 0; i <= bounds; i++) {
		if (i < bounds)
			text_print(out, "%s{\"le\":%lld,", i > 0 ? "," : "", (long long)bounds_us[i]);
		else
			text_say(out, ",{\"le\":null,");
		text_print(out, "\"count\":%llu}", (unsigned long long)h->counts[i]);
	}
	text_say(out, "]");
}

static void write_json_outcomes(text *out, const run_figures *f)
{
	text_say(out, ",\"outcomes\":{");
	for (int i = 0; i < CURFEW_OUTCOME_COUNT; i++)
		text_print(out, "%s\"%s\":%llu", i > 0 ? "," : "", curfew_outcome_name((curfew_outcome)i),
		           (unsigned long long)f->outcomes[i]);
	text_say(out, "}");
}

/* Figures of runs, either of one token or of all. */
static void write_json_runs(text *out, const server *s, const run_figures *f, const char *scope)
{
	uint64_t total = 0;
	for (int i = 0; i < CURFEW_OUTCOME_COUNT; i++)
		total += f->outcomes[i];
	text_print(out, "{\"version\":\"%s\",\"uptime_us\":%lld,\"scope\":\"%s\"", curfew_version(),
	           (long long)(clock_now_us() - s->started_us), scope);
	text_print(out, ",\"runs_per_second\":%.3f,\"runs_per_second_minute\":%.3f,\"runs_total\":%llu", metrics_rate(f, 5),
	           metrics_rate(f, 60), (unsigned long long)total);
	write_json_outcomes(out, f);
	write_json_histogram(out, "stop_latency_us", &f->stop_latency);
	write_json_histogram(out, "queue_wait_us", &f->queue_wait);
	write_json_histogram(out, "start_us", &f->start_time);
}

static void write_json_load(text *out, uint64_t running, uint64_t queued, uint64_t scheduled, uint64_t concurrency)
{
	text_print(out, ",\"running\":%llu,\"queued\":%llu,\"scheduled\":%llu,\"concurrency\":%llu",
	           (unsigned long long)running, (unsigned long long)queued, (unsigned long long)scheduled,
	           (unsigned long long)concurrency);
}

void figures_write_stats(server *s, text *out)
{
	worker_pool_stats pool;
	store_stats disk;
	worker_pool_get_stats(s->pool, &pool);
	store_get_stats(s->store, &disk);
	write_json_runs(out, s, &s->metrics.runs, "server");
	write_json_load(out, s->scheduler.running, s->scheduler.queued, s->scheduler.scheduled, s->scheduler.concurrency);
	text_print(out, ",\"workers\":{\"total\":%u,\"busy\":%u,\"restarts\":%llu,\"crashed_runs\":%llu}", pool.workers,
	           pool.busy, (unsigned long long)pool.restarts, (unsigned long long)pool.crashed);
	text_print(out, ",\"memory\":{\"regions_in_use\":%llu,\"regions_pooled\":%llu,\"resident_bytes\":%llu}",
	           (unsigned long long)pool.memory.regions_in_use, (unsigned long long)pool.memory.regions_pooled,
	           (unsigned long long)pool.memory.resident_bytes);
	text_print(out, ",\"open_streams\":%zu,\"open_connections\":%zu,\"store\":{\"healthy\":%s,\"bytes\":%llu}}",
	           http_count_streams(s->http), http_count_connections(s->http), disk.healthy ? "true" : "false",
	           (unsigned long long)disk.bytes);
}

void figures_write_own_stats(server *s, const account *who, text *out)
{
	const tenant *t = &who->tenant;
	uint64_t concurrency = s->scheduler.concurrency;
	write_json_runs(out, s, &who->figures, "token");
	write_json_load(out, t->running, t->queued, t->scheduled,
	                t->running_max < concurrency ? t->running_max : concurrency);
	/* These are figures of the whole server. */
	text_say(out, ",\"workers\":null,\"memory\":null,\"open_streams\":null,\"open_connections\":null,\"store\":null}");
}
