/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of a server: one table, from which flags, help, man page, completion and the configuration file are
 * made. The command line includes this file as well.
 */
#ifndef CURFEW_SERVER_CONFIG_H
#define CURFEW_SERVER_CONFIG_H

#include "curfew.h"

typedef enum config_kind {
	CONFIG_TEXT,
	CONFIG_CHOICE,
	CONFIG_DURATION,
	CONFIG_BYTES,
	CONFIG_COUNT,
	CONFIG_HOSTS,
	CONFIG_FLAG,
	CONFIG_LIMIT
} config_kind;

/* Capacity of a setting's text; enough for any path. */
enum { CONFIG_TEXT_MAX = 4096 };

typedef struct config {
	char listen[CONFIG_TEXT_MAX];
	char data[CONFIG_TEXT_MAX];
	char store[CONFIG_TEXT_MAX];    /* where the database is; "": in data. It may hold a password */
	char tls_cert[CONFIG_TEXT_MAX]; /* "": no TLS */
	char tls_key[CONFIG_TEXT_MAX];
	char log_format[CONFIG_TEXT_MAX];
	char log_level[CONFIG_TEXT_MAX];
	char allow_fetch[CONFIG_TEXT_MAX];   /* hosts with spaces between; "": none */
	char allow_webhook[CONFIG_TEXT_MAX]; /* the same; hosts that webhooks may go to */
	char secrets[CONFIG_TEXT_MAX];       /* "": none */
	char secrets_key[CONFIG_TEXT_MAX];   /* "": from the environment */
	uint64_t workers;                    /* 0: one per core */
	uint64_t hugepages;                  /* 1: on */
	uint64_t require_confinement;        /* 1: on */
	uint64_t lease_us;                   /* of a node, if servers share a database */
	uint64_t concurrency;                /* runs at once; 0: 16 for each worker */
	uint64_t shutdown_timeout_us;
	uint64_t request_timeout_us;
	uint64_t retention_age_us;
	uint64_t retention_bytes;
	uint64_t connections_max;
	uint64_t streams_max;
	uint64_t address_connections_max;
	uint64_t queue_max;
	uint64_t queue_bytes_max;
	uint64_t scheduled_max;
	uint64_t programs_bytes_max;
	uint64_t schedules_max; /* of a token */
	uint64_t memory_budget; /* 0: 3/4 of the machine's memory */
	uint64_t body_bytes_max;
	curfew_limits ceilings;      /* of every run; 0: none */
	uint64_t given;              /* a bit for each row of the table that was set */
	char cache[CONFIG_TEXT_MAX]; /* not a setting: the user's directory for compiled code; "": there is none */
} config;

typedef struct config_setting {
	const char *name;     /* "listen": the flag without its dashes, and the key in the file */
	const char *argument; /* "HOST:PORT"; NULL: a flag, which is "on" or "off" in the file */
	const char *values;   /* CONFIG_CHOICE: the possible values, separated by spaces */
	const char *meaning;  /* one phrase; for CONFIG_HOSTS, which may be repeated, about one host */
	const char *initial;  /* the default, as text; NULL: none is shown */
	config_kind kind;
	size_t offset; /* of the field in config */
	uint64_t minimum, ceiling;
	const curfew_limit_info *limit; /* CONFIG_LIMIT: the limit whose ceiling it is */
} config_setting;

/* The table and its length, in static memory. */
const config_setting *config_table(size_t *count);

/* The parts of an address to serve at: "HOST:PORT", or "[HOST]:PORT". */
typedef struct config_place {
	char host[256];
	char port[8];
} config_place;

/* False: the text is no such address. */
bool config_read_place(const char *words, config_place *p);

/* Sets every setting to its default. False: there is no home directory for the data. */
bool config_init(config *c);

/* Sets one setting from text; row is the table's. False, and a message that begins with its name. */
bool config_set(config *c, size_t row, const char *value, curfew_failure *failure);

/* Reads a file of lines "name = value", and sets what was not set before. "#" begins a comment. */
bool config_read(config *c, const char *path, curfew_failure *failure);

/* A duration with its unit, as text, in microseconds. */
bool config_parse_duration(const char *value, uint64_t *us);
/* A number of bytes (KiB MiB GiB) or, if not bytes, a count (k M G). */
bool config_parse_amount(const char *value, bool bytes, uint64_t *amount);

#endif
