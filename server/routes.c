/* SPDX-License-Identifier: Apache-2.0 */
/* The table of routes, access checks, and small routes. */
#include "routes.h"

#include "accounts.h"
#include "calibration.h"
#include "common/clock.h"
#include "figures.h"
#include "store.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static answer get_health(request *q)
{
	text body;
	text_init(&body, 64);
	text_say(&body, "{\"status\":\"ok\"}");
	return reply_json(q, MHD_HTTP_OK, &body);
}

static answer get_ready(request *q)
{
	server *s = q->server;
	worker_pool_stats pool;
	store_stats disk;
	char problem[192] = "";
	worker_pool_get_stats(s->pool, &pool);
	server_lock(s);
	store_get_stats(s->store, &disk);
	if (s->stopping)
		(void)snprintf(problem, sizeof problem, "the server is ending");
	else if (!disk.healthy)
		(void)snprintf(problem, sizeof problem, "the database cannot be written: %s", disk.problem);
	else if (pool.workers == 0)
		(void)snprintf(problem, sizeof problem, "no worker is ready");
	server_unlock(s);
	if (problem[0] == '\0')
		return get_health(q);
	return reply_later(q, MHD_HTTP_SERVICE_UNAVAILABLE, REFUSALS, "not-ready", problem, 1);
}

/* ---- Nodes ----------------------------------------------------------------------------------------------- */

static void write_node(text *out, const stored_node *node)
{
	const char *state = node->is_over ? "over" : node->is_draining ? "draining" : "active";
	text_say(out, out->data[out->length - 1] == '[' ? "{\"node\":" : ",{\"node\":");
	text_print(out, "%llu,\"name\":", (unsigned long long)node->number);
	text_say_json(out, node->name);
	text_say(out, ",\"version\":");
	text_say_json(out, node->version);
	text_say(out, ",\"address\":");
	text_say_json(out, node->address);
	text_print(out, ",\"state\":\"%s\",\"capacity\":%llu,\"running\":%llu,\"started_ms\":%lld,\"lease_ms\":%lld}",
	           state, (unsigned long long)node->capacity, (unsigned long long)node->running,
	           (long long)(node->started_us / 1000), node->is_over ? 0LL : (long long)(node->lease_us / 1000));
}

static void show_node(void *context, const stored_node *node)
{
	write_node(context, node);
}

/* A single server is the only node. */
static void write_alone(server *s, text *out)
{
	char name[128] = "";
	(void)gethostname(name, sizeof name - 1);
	server_lock(s);
	stored_node node = {.number = s->life,
	                    .name = name,
	                    .version = curfew_version(),
	                    .address = s->config->listen,
	                    .capacity = s->scheduler.concurrency,
	                    .running = s->scheduler.running,
	                    .is_draining = s->stopping,
	                    .started_us = clock_wall_us() - (clock_now_us() - s->started_us)};
	server_unlock(s);
	write_node(out, &node);
}

static answer list_nodes(request *q)
{
	server *s = q->server;
	text body;
	text_init(&body, 1 << 20);
	text_say(&body, "{\"nodes\":[");
	bool good = !s->is_shared || store_read_nodes(s->store, show_node, &body);
	if (!good) {
		text_finish(&body);
		return reply_unreadable(q);
	}
	if (!s->is_shared)
		write_alone(s, &body);
	text_say(&body, "]}");
	return reply_json(q, MHD_HTTP_OK, &body);
}

static answer get_nodes(request *q)
{
	return q->server->is_shared ? http_help(q, list_nodes) : list_nodes(q);
}

static answer get_metrics(request *q)
{
	text body;
	text_init(&body, 1 << 20);
	server_lock(q->server);
	figures_write(q->server, &body);
	server_unlock(q->server);
	return reply_text(q, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &body);
}

/* A token that may not see the figures of the whole server sees those of its own runs. */
static answer get_stats(request *q)
{
	text body;
	text_init(&body, 1 << 20);
	server_lock(q->server);
	if ((q->who->scopes & (SCOPE_METRICS | SCOPE_ADMIN)) != 0)
		figures_write_stats(q->server, &body);
	else
		figures_write_own_stats(q->server, q->who, &body);
	server_unlock(q->server);
	return reply_json(q, MHD_HTTP_OK, &body);
}

static answer reply_calibration(request *q, unsigned status)
{
	text body;
	text_init(&body, 1 << 20);
	server_lock(q->server);
	calibration_write(q->server, &body);
	server_unlock(q->server);
	return reply_json(q, status, &body);
}

static answer get_calibration(request *q)
{
	return reply_calibration(q, MHD_HTTP_OK);
}

static answer post_calibration(request *q)
{
	if (q->server->stopping)
		return reply_later(q, MHD_HTTP_SERVICE_UNAVAILABLE, REFUSAL_STOPPING, "stopping", "the server is ending", 5);
	server_lock(q->server);
	bool measures = calibration_measure(q->server);
	server_unlock(q->server);
	return measures ? reply_calibration(q, MHD_HTTP_ACCEPTED) : reply_no_memory(q);
}

/* ---- The table ------------------------------------------------------------------------------------------- */

static const route table[] = {
	{"/v1/runs", "POST", SCOPE_RUN | SCOPE_ADMIN, route_post_run, true, ""},
	{"/v1/runs", "GET", SCOPE_READ | SCOPE_ADMIN, route_list_runs, false,
     "state program schedule outcome limit after include"},
	{"/v1/runs/*", "GET", SCOPE_READ | SCOPE_ADMIN, route_get_run, false, ""},
	{"/v1/runs/*", "DELETE", SCOPE_RUN | SCOPE_ADMIN, route_cancel_run, false, ""},
	{"/v1/runs/*/events", "GET", SCOPE_READ | SCOPE_ADMIN, route_get_events, false, ""},
	{"/v1/programs", "GET", SCOPE_READ | SCOPE_ADMIN, route_list_programs, false, "token"},
	{"/v1/programs/*", "PUT", SCOPE_RUN | SCOPE_ADMIN, route_put_program, true, "lang"},
	{"/v1/programs/*", "GET", SCOPE_READ | SCOPE_ADMIN, route_get_program, false, "token"},
	{"/v1/programs/*", "DELETE", SCOPE_RUN | SCOPE_ADMIN, route_delete_program, false, "token"},
	{"/v1/schedules", "GET", SCOPE_READ | SCOPE_ADMIN, route_list_schedules, false, "token"},
	{"/v1/schedules/*", "PUT", SCOPE_RUN | SCOPE_ADMIN, route_put_schedule, true, ""},
	{"/v1/schedules/*", "GET", SCOPE_READ | SCOPE_ADMIN, route_get_schedule, false, "token"},
	{"/v1/schedules/*", "PATCH", SCOPE_RUN | SCOPE_ADMIN, route_pause_schedule, false, "token"},
	{"/v1/schedules/*", "DELETE", SCOPE_RUN | SCOPE_ADMIN, route_delete_schedule, false, "token"},
	{"/v1/nodes", "GET", SCOPE_ADMIN, get_nodes, false, ""},
	{"/v1/stats", "GET", SCOPE_READ | SCOPE_METRICS | SCOPE_ADMIN, get_stats, false, ""},
	{"/v1/calibration", "GET", SCOPE_READ | SCOPE_ADMIN, get_calibration, false, ""},
	{"/v1/calibration", "POST", SCOPE_RUN | SCOPE_ADMIN, post_calibration, false, ""},
	{"/metrics", "GET", SCOPE_METRICS | SCOPE_ADMIN, get_metrics, false, NULL},
	{"/healthz", "GET", 0, get_health, false, NULL},
	{"/readyz", "GET", 0, get_ready, false, NULL},
};

enum { ROUTES = sizeof table / sizeof table[0] };

/* Whether a path is that of a route; the part at "*" goes to the parameter. */
static bool matches(const char *pattern, const char *path, char *parameter, size_t room)
{
	const char *star = strchr(pattern, '*');
	if (star == NULL)
		return strcmp(pattern, path) == 0;
	size_t before = (size_t)(star - pattern);
	if (strncmp(pattern, path, before) != 0)
		return false;
	size_t length = strcspn(path + before, "/");
	if (length == 0 || length >= room || strcmp(path + before + length, star + 1) != 0)
		return false;
	memcpy(parameter, path + before, length);
	parameter[length] = '\0';
	return true;
}

static const route file_route = {"/", "GET", 0, route_get_file, false, NULL};

/* ---- Access ---------------------------------------------------------------------------------------------- */

static void refuse_access(request *q)
{
	server_lock(q->server);
	q->server->metrics.refused[REFUSAL_ACCESS]++;
	server_unlock(q->server);
}

static bool check_access(request *q, bool changes, answer *result)
{
	if (!accounts_is_own_site(q, changes)) {
		refuse_access(q);
		*result = reply_problem(q, MHD_HTTP_FORBIDDEN, "other-site",
		                        "the request comes from another site's page, or names another host", NULL);
		return false;
	}

	if (q->route->scopes == 0)
		return true;
	q->who = accounts_find(q);
	if (q->who == NULL) {
		refuse_access(q);
		*result = reply_no_token(q);
		return false;
	}

	if ((q->who->scopes & q->route->scopes) != 0)
		return true;
	refuse_access(q);
	*result = reply_problem(q, MHD_HTTP_FORBIDDEN, "scope", "the token does not have the scope that this needs", NULL);
	return false;
}

/* ---- Arguments -------------------------------------------------------------------------------------------- */

/* The arguments of a request as they are read; fault NULL: none is wrong so far. */
typedef struct arguments {
	const char *known;
	unsigned seen; /* a bit for each of the known ones */
	const char *fault;
} arguments;

static enum MHD_Result check_argument(void *context, enum MHD_ValueKind kind, const char *key, const char *value)
{
	arguments *a = context;
	unsigned bit = 1;
	(void)kind;
	a->fault = "is unknown";
	for (const char *name = a->known; *name != '\0'; bit <<= 1) {
		size_t length = strcspn(name, " ");
		if (strlen(key) == length && memcmp(key, name, length) == 0) {
			a->fault = (a->seen & bit) != 0 ? "is given twice" : value == NULL ? "has no value" : NULL;
			a->seen |= bit;
		}
		name += length + (name[length] == ' ');
	}
	return a->fault == NULL ? MHD_YES : MHD_NO;
}

/* An argument that is misspelled or repeated is refused, because an answer to another question would look right. */
static bool check_arguments(request *q, answer *result)
{
	arguments a = {.known = q->route->arguments};
	char words[160];
	if (a.known == NULL)
		return true;
	(void)MHD_get_connection_values(q->connection, MHD_GET_ARGUMENT_KIND, check_argument, &a);
	if (a.fault == NULL)
		return true;
	(void)snprintf(words, sizeof words, "an argument %s; the known ones here: %s", a.fault,
	               *a.known != '\0' ? a.known : "none");
	*result = reply_problem(q, MHD_HTTP_BAD_REQUEST, "argument", words, NULL);
	return false;
}

/* ---- Finding --------------------------------------------------------------------------------------------- */

static bool refuse_method(request *q, const char *allowed, answer *result)
{
	*result = reply_problem(q, MHD_HTTP_METHOD_NOT_ALLOWED, "method", "this address does not support that method",
	                        allowed);
	return false;
}

bool routes_find(request *q, const char *url, const char *method, answer *result)
{
	char allowed[64] = "";
	bool is_head = strcmp(method, "HEAD") == 0;
	const char *wanted = is_head ? "GET" : method;
	q->is_head = is_head;

	for (size_t i = 0; i < ROUTES; i++) {
		if (!matches(table[i].path, url, q->parameter, sizeof q->parameter))
			continue;
		if (strcmp(table[i].method, wanted) == 0) {
			q->route = &table[i];
			return check_access(q, strcmp(wanted, "GET") != 0, result) && check_arguments(q, result);
		}
		size_t used = strlen(allowed);
		const char *also = strcmp(table[i].method, "GET") == 0 ? ", HEAD" : "";
		(void)snprintf(allowed + used, sizeof allowed - used, "%s%s%s", used > 0 ? ", " : "", table[i].method, also);
	}

	if (allowed[0] != '\0')
		return refuse_method(q, allowed, result);
	if (strlen(url) < sizeof q->parameter && file_exists(url)) {
		if (strcmp(wanted, "GET") != 0)
			return refuse_method(q, "GET, HEAD", result);
		q->route = &file_route;
		(void)snprintf(q->parameter, sizeof q->parameter, "%s", url);
		return check_access(q, false, result);
	}

	*result = reply_problem(q, MHD_HTTP_NOT_FOUND, "no-such-address", "there is nothing at this address", NULL);
	return false;
}
