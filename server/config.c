/* SPDX-License-Identifier: Apache-2.0 */
/* The table of settings, and reading them from text. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000)
#define DAY (24 * 3600 * SECOND)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define FIELD(field) .offset = offsetof(config, field)

/* The rows after these are made from the table of limits. */
static const config_setting fixed[] = {
	{.name = "listen",
     .argument = "HOST:PORT",
     .initial = "127.0.0.1:7433",
     .kind = CONFIG_TEXT,
     FIELD(listen),
     .meaning = "address to serve at; port 0 takes a free one and says which"},
	{.name = "data",
     .argument = "DIR",
     .kind = CONFIG_TEXT,
     FIELD(data),
     .meaning = "directory of the database; by default curfew in $XDG_STATE_HOME"},
	{.name = "store",
     .argument = "PLACE",
     .kind = CONFIG_TEXT,
     FIELD(store),
     .meaning =
         "where the database is, if not in --data: postgres://..., which many servers share, sqlite:DIR, or @FILE that contains "
         "it; by default as CURFEW_STORE says"},
	{.name = "lease",
     .argument = "DUR",
     .initial = "5s",
     .kind = CONFIG_DURATION,
     .minimum = SECOND,
     .ceiling = 600 * SECOND,
     FIELD(lease_us),
     .meaning = "with PostgreSQL: how long a server may be silent before others consider it dead and take its runs"},
	{.name = "workers",
     .argument = "N",
     .kind = CONFIG_COUNT,
     .minimum = 1,
     .ceiling = 1024,
     FIELD(workers),
     .meaning = "worker processes; by default one for each core"},
	{.name = "concurrency",
     .argument = "N",
     .kind = CONFIG_COUNT,
     .minimum = 1,
     .ceiling = 65536,
     FIELD(concurrency),
     .meaning = "runs at once; others wait in the queue; by default 16 for each worker"},
	{.name = "require-confinement",
     .kind = CONFIG_FLAG,
     FIELD(require_confinement),
     .meaning = "do not start if the system withholds a layer of the workers' confinement (curfew doctor)"},
	{.name = "hugepages",
     .kind = CONFIG_FLAG,
     FIELD(hugepages),
     .meaning = "faster first touch of much memory, in pages of 2 MiB; a stop may be some milliseconds later"},
	{.name = "tls-cert",
     .argument = "FILE",
     .kind = CONFIG_TEXT,
     FIELD(tls_cert),
     .meaning = "certificate chain (PEM); serves HTTPS, with --tls-key"},
	{.name = "tls-key",
     .argument = "FILE",
     .kind = CONFIG_TEXT,
     FIELD(tls_key),
     .meaning = "key of the certificate (PEM)"},
	{.name = "allow-fetch",
     .argument = "HOST",
     .kind = CONFIG_HOSTS,
     FIELD(allow_fetch),
     .meaning =
         "a host that runs may be allowed to fetch from (ports 80 and 443), HOST:PORT or *.DOMAIN; none by default"},
	{.name = "allow-webhook",
     .argument = "HOST",
     .kind = CONFIG_HOSTS,
     FIELD(allow_webhook),
     .meaning = "a host that webhooks may report the end of runs to, written as for --allow-fetch; none by default"},
	{.name = "secrets",
     .argument = "FILE",
     .kind = CONFIG_TEXT,
     FIELD(secrets),
     .meaning = "secrets of users, as curfew secret keeps them; a run reads those of its user"},
	{.name = "secrets-key",
     .argument = "FILE",
     .kind = CONFIG_TEXT,
     FIELD(secrets_key),
     .meaning = "the key of that file; by default as CURFEW_SECRETS_KEY or CURFEW_SECRETS_KEY_FILE say"},
	{.name = "log-format",
     .argument = "FORMAT",
     .values = "text json",
     .initial = "text",
     .kind = CONFIG_CHOICE,
     FIELD(log_format),
     .meaning = "the format of the log on stderr"},
	{.name = "log-level",
     .argument = "LEVEL",
     .values = "debug info warn error",
     .initial = "info",
     .kind = CONFIG_CHOICE,
     FIELD(log_level),
     .meaning = "lines of the log below this are left out"},
	{.name = "shutdown-timeout",
     .argument = "DUR",
     .initial = "10s",
     .kind = CONFIG_DURATION,
     .minimum = 1000,
     .ceiling = 3600 * SECOND,
     FIELD(shutdown_timeout_us),
     .meaning = "time for runs to end by themselves after SIGTERM or SIGINT; then they are cancelled"},
	{.name = "request-timeout",
     .argument = "DUR",
     .initial = "30s",
     .kind = CONFIG_DURATION,
     .minimum = SECOND,
     .ceiling = 3600 * SECOND,
     FIELD(request_timeout_us),
     .meaning = "time for a client to send a request, or to take an answer"},
	{.name = "retention-age",
     .argument = "DUR",
     .initial = "168h",
     .kind = CONFIG_DURATION,
     .minimum = SECOND,
     .ceiling = 36500 * DAY,
     FIELD(retention_age_us),
     .meaning = "how long runs are kept after their end"},
	{.name = "retention-size",
     .argument = "SIZE",
     .initial = "1GiB",
     .kind = CONFIG_BYTES,
     .minimum = MIB,
     .ceiling = UINT64_C(1) << 50,
     FIELD(retention_bytes),
     .meaning = "size of the database beyond which the oldest runs are deleted"},
	{.name = "max-connections",
     .argument = "N",
     .initial = "1024",
     .kind = CONFIG_COUNT,
     .minimum = 1,
     .ceiling = 1000000,
     FIELD(connections_max),
     .meaning = "connections at once"},
	{.name = "max-address-connections",
     .argument = "N",
     .initial = "1024",
     .kind = CONFIG_COUNT,
     .minimum = 1,
     .ceiling = 1000000,
     FIELD(address_connections_max),
     .meaning = "connections at once from one address; for one more the idlest is closed"},
	{.name = "max-streams",
     .argument = "N",
     .initial = "256",
     .kind = CONFIG_COUNT,
     .minimum = 1,
     .ceiling = 1000000,
     FIELD(streams_max),
     .meaning = "open event streams"},
	{.name = "max-queue",
     .argument = "N",
     .initial = "10k",
     .kind = CONFIG_COUNT,
     .minimum = 1,
     .ceiling = 100000000,
     FIELD(queue_max),
     .meaning = "runs that wait for their turn"},
	{.name = "max-queue-size",
     .argument = "SIZE",
     .initial = "256MiB",
     .kind = CONFIG_BYTES,
     .minimum = MIB,
     .ceiling = UINT64_C(1) << 40,
     FIELD(queue_bytes_max),
     .meaning = "sources and parameters of the runs that wait"},
	{.name = "max-scheduled",
     .argument = "N",
     .initial = "10k",
     .kind = CONFIG_COUNT,
     .minimum = 1,
     .ceiling = 100000000,
     FIELD(scheduled_max),
     .meaning = "runs that wait for their time"},
	{.name = "max-schedules",
     .argument = "N",
     .initial = "100",
     .kind = CONFIG_COUNT,
     .minimum = 1,
     .ceiling = 1000000,
     FIELD(schedules_max),
     .meaning = "schedules that a token may have"},
	{.name = "max-programs-size",
     .argument = "SIZE",
     .initial = "256MiB",
     .kind = CONFIG_BYTES,
     .minimum = 1024,
     .ceiling = UINT64_C(1) << 50,
     FIELD(programs_bytes_max),
     .meaning = "programs that a token may have stored, unless it says otherwise"},
	{.name = "memory-budget",
     .argument = "SIZE",
     .kind = CONFIG_BYTES,
     .minimum = 16 * MIB,
     .ceiling = UINT64_C(1) << 50,
     FIELD(memory_budget),
     .meaning = "sum of the memory limits of all runs in progress; by default 3/4 of the machine's memory"},
	{.name = "max-body",
     .argument = "SIZE",
     .initial = "16MiB",
     .kind = CONFIG_BYTES,
     .minimum = 1024,
     .ceiling = 64 * MIB,
     FIELD(body_bytes_max),
     .meaning = "body of a request"},
};

enum { FIXED = sizeof fixed / sizeof fixed[0], SETTINGS_MAX = 64, NAME_SIZE = 32, MEANING_SIZE = 96 };

static config_setting table[SETTINGS_MAX];
static size_t settings;

/* Makes a row for the ceiling of each limit. */
static void add_ceiling(const curfew_limit_info *info)
{
	static char names[SETTINGS_MAX][NAME_SIZE], meanings[SETTINGS_MAX][MEANING_SIZE];
	static const char *const arguments[] = {
		[CURFEW_UNIT_DURATION] = "DUR", [CURFEW_UNIT_BYTES] = "SIZE", [CURFEW_UNIT_COUNT] = "N"};
	char *name = names[settings], *meaning = meanings[settings];
	(void)snprintf(name, NAME_SIZE, "max-%s", info->name);
	(void)snprintf(meaning, MEANING_SIZE, "the maximum of --%s for a run; by default the library's", info->name);
	table[settings++] = (config_setting){.name = name,
	                                     .argument = arguments[info->unit],
	                                     .meaning = meaning,
	                                     .kind = CONFIG_LIMIT,
	                                     .offset = offsetof(config, ceilings),
	                                     .limit = info};
}

static void make_table(void)
{
	size_t count;
	const curfew_limit_info *limits = curfew_limit_table(&count);
	memcpy(table, fixed, sizeof fixed);
	settings = FIXED;
	for (size_t i = 0; i < count && settings < SETTINGS_MAX; i++)
		add_ceiling(&limits[i]);
}

const config_setting *config_table(size_t *count)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, make_table);
	*count = settings;
	return table;
}

/* ---- Quantities ------------------------------------------------------------------------------------------ */

typedef struct unit {
	const char *name;
	double factor;
} unit;

/* Reads a decimal number and one of the units. The list of units ends with one without a name. */
static bool parse_quantity(const char *value, const unit *units, double *quantity)
{
	size_t digits = strspn(value, "0123456789");
	size_t fraction = value[digits] == '.' ? strspn(value + digits + 1, "0123456789") : 0;
	if (digits == 0 || digits > 18 || (value[digits] == '.' && (fraction == 0 || fraction > 9)))
		return false;
	const char *name = value + digits + (fraction > 0 ? fraction + 1 : 0);
	for (; units->name != NULL; units++) {
		if (strcmp(units->name, name) == 0) {
			*quantity = strtod(value, NULL) * units->factor;
			return *quantity < 9e18;
		}
	}
	return false;
}

bool config_parse_duration(const char *value, uint64_t *us)
{
	static const unit units[] = {{"ns", 1e-3}, {"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}, {"h", 3600e6}, {0}};
	double quantity;
	if (!parse_quantity(value, units, &quantity))
		return false;
	*us = (uint64_t)quantity;
	return true;
}

bool config_parse_amount(const char *value, bool bytes, uint64_t *amount)
{
	static const unit sizes[] = {{"", 1},       {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30},
	                             {"K", 0x1p10}, {"M", 0x1p20},   {"G", 0x1p30},   {0}};
	static const unit counts[] = {{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {0}};
	double quantity;
	if (!parse_quantity(value, bytes ? sizes : counts, &quantity))
		return false;
	*amount = (uint64_t)quantity;
	return (double)*amount == quantity;
}

/* ---- Setting --------------------------------------------------------------------------------------------- */

static bool refuse_setting(curfew_failure *failure, const char *name, const char *value, const char *why)
{
	(void)snprintf(failure->message, sizeof failure->message, "%s %.100s: %.100s", name, value, why);
	return false;
}

static bool is_listed(const char *values, const char *value)
{
	size_t length = strlen(value);
	for (const char *at = values; length > 0 && (at = strstr(at, value)) != NULL; at++) {
		if ((at == values || at[-1] == ' ') && (at[length] == '\0' || at[length] == ' '))
			return true;
	}
	return false;
}

bool config_read_place(const char *words, config_place *p)
{
	const char *colon = strrchr(words, ':');
	size_t length = colon != NULL ? (size_t)(colon - words) : 0;
	const char *host = words;
	if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
		host++;
		length -= 2;
	}
	char *end;
	unsigned long port = colon != NULL ? strtoul(colon + 1, &end, 10) : 65536;
	if (length == 0 || length >= sizeof p->host || port > 65535 || colon[1] < '0' || colon[1] > '9' || *end != '\0')
		return false;
	memcpy(p->host, host, length);
	p->host[length] = '\0';
	(void)snprintf(p->port, sizeof p->port, "%lu", port);
	return true;
}

static bool set_text(config *c, const config_setting *s, const char *value, curfew_failure *failure)
{
	if (*value == '\0')
		return refuse_setting(failure, s->name, "\"\"", "is empty");
	if (strlen(value) >= CONFIG_TEXT_MAX)
		return refuse_setting(failure, s->name, value, "is too long");
	if (s->kind == CONFIG_CHOICE && !is_listed(s->values, value))
		return refuse_setting(failure, s->name, value, "must be one of those in --help");
	config_place place;
	if (s->offset == offsetof(config, listen) && !config_read_place(value, &place))
		return refuse_setting(failure, s->name, value, "must be HOST:PORT");
	memcpy((char *)c + s->offset, value, strlen(value) + 1);
	return true;
}

static bool set_number(config *c, const config_setting *s, const char *value, curfew_failure *failure)
{
	uint64_t number;
	if (s->kind == CONFIG_DURATION && !config_parse_duration(value, &number))
		return refuse_setting(failure, s->name, value, "must be a duration with its unit, such as 10s");
	if (s->kind != CONFIG_DURATION && !config_parse_amount(value, s->kind == CONFIG_BYTES, &number))
		return refuse_setting(failure, s->name, value,
		                      s->kind == CONFIG_BYTES ? "must be a size, such as 64MiB" : "must be a number");
	if (number < s->minimum || number > s->ceiling)
		return refuse_setting(failure, s->name, value, number < s->minimum ? "is too little" : "is above the ceiling");
	memcpy((char *)c + s->offset, &number, sizeof number);
	return true;
}

/* Appends a host. */
static bool add_host(config *c, const config_setting *s, const char *value, curfew_failure *failure)
{
	curfew_failure why;
	char *list = (char *)c + s->offset;
	size_t used = strlen(list);
	if (curfew_allow_fetch_check(value, &why) != CURFEW_OK) {
		const char *colon = strstr(why.message, ": ");
		return refuse_setting(failure, s->name, value, colon != NULL ? colon + 2 : why.message);
	}
	if (used + strlen(value) + 2 > CONFIG_TEXT_MAX)
		return refuse_setting(failure, s->name, value, "is one too many");
	(void)snprintf(list + used, CONFIG_TEXT_MAX - used, "%s%s", used > 0 ? " " : "", value);
	return true;
}

static bool set_flag(config *c, const config_setting *s, const char *value, curfew_failure *failure)
{
	uint64_t on = strcmp(value, "on") == 0;
	if (on == 0 && strcmp(value, "off") != 0)
		return refuse_setting(failure, s->name, value, "must be on or off");
	memcpy((char *)c + s->offset, &on, sizeof on);
	return true;
}

static bool set_ceiling(config *c, const config_setting *s, const char *value, curfew_failure *failure)
{
	curfew_failure why;
	c->ceilings.size = sizeof c->ceilings;
	if (curfew_limits_set(&c->ceilings, s->limit->name, value, &why) == CURFEW_OK)
		return true;
	/* The library's message begins with the limit's name, which is the setting's without "max-". */
	(void)snprintf(failure->message, sizeof failure->message, "max-%.240s", why.message);
	return false;
}

static bool set_any(config *c, const config_setting *s, const char *value, curfew_failure *failure)
{
	switch (s->kind) {
	case CONFIG_DURATION:
	case CONFIG_BYTES:
	case CONFIG_COUNT: return set_number(c, s, value, failure);
	case CONFIG_HOSTS: return add_host(c, s, value, failure);
	case CONFIG_FLAG: return set_flag(c, s, value, failure);
	case CONFIG_LIMIT: return set_ceiling(c, s, value, failure);
	case CONFIG_TEXT:
	case CONFIG_CHOICE: break;
	}
	return set_text(c, s, value, failure);
}

bool config_set(config *c, size_t row, const char *value, curfew_failure *failure)
{
	size_t count;
	if (!set_any(c, &config_table(&count)[row], value, failure))
		return false;
	c->given |= UINT64_C(1) << row;
	return true;
}

static bool find_data(config *c)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int length;
	if (state != NULL && state[0] == '/')
		length = snprintf(c->data, sizeof c->data, "%s/curfew", state);
	else if (home != NULL && home[0] == '/')
		length = snprintf(c->data, sizeof c->data, "%s/.local/state/curfew", home);
	else
		return false;
	return (size_t)length < sizeof c->data;
}

bool config_init(config *c)
{
	curfew_failure failure;
	memset(c, 0, sizeof *c);
	size_t count;
	(void)config_table(&count);
	c->ceilings.size = sizeof c->ceilings;
	for (size_t i = 0; i < count; i++) {
		if (table[i].initial != NULL && !config_set(c, i, table[i].initial, &failure))
			return false;
	}
	c->given = 0;
	return find_data(c);
}

/* ---- The file -------------------------------------------------------------------------------------------- */

static char *trim(char *line)
{
	line += strspn(line, " \t");
	size_t length = strlen(line);
	while (length > 0 && strchr(" \t\r\n", line[length - 1]) != NULL)
		line[--length] = '\0';
	return line;
}

static bool set_line(config *c, char *line, uint64_t before, curfew_failure *failure)
{
	line = trim(line);
	if (*line == '\0' || *line == '#')
		return true;
	char *equals = strchr(line, '=');
	if (equals == NULL)
		return refuse_setting(failure, "line", line, "must be name = value");
	*equals = '\0';
	const char *name = trim(line);
	for (size_t i = 0; i < settings; i++) {
		if (strcmp(table[i].name, name) == 0)
			return (before & UINT64_C(1) << i) != 0 || config_set(c, i, trim(equals + 1), failure);
	}
	return refuse_setting(failure, "name", name, "is not a setting");
}

bool config_read(config *c, const char *path, curfew_failure *failure)
{
	char *line = NULL;
	size_t room = 0;
	uint64_t before = c->given;
	unsigned number = 0;
	bool good = true;
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return refuse_setting(failure, "config", path, strerror(errno));
	while (good && getline(&line, &room, file) >= 0) {
		curfew_failure inner;
		number++;
		good = set_line(c, line, before, &inner);
		if (!good)
			(void)snprintf(failure->message, sizeof failure->message, "config %.60s: line %u: %.160s", path, number,
			               inner.message);
	}

	if (good && ferror(file) != 0)
		good = refuse_setting(failure, "config", path, strerror(errno));
	free(line);
	(void)fclose(file);
	return good;
}
