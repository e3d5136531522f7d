/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP exchanges with one server, one after the other, over libcurl. libcurl is loaded for the first one, because
 * linking it would make every start of the command slower. No redirect is followed, and every answer has a limit.
 */
#ifndef CURFEW_CLI_HTTP_H
#define CURFEW_CLI_HTTP_H

#include "curfew.h"
#include "common/text.h"

typedef struct cli_http cli_http;

typedef struct cli_http_options {
	const char *url;           /* "http://127.0.0.1:7433", without a slash at its end; borrowed, like the others */
	const char *authorization; /* a whole header; NULL: none */
	const char *ca_file;       /* trusted certificates in place of the system's; NULL: the system's */
	int interrupt_fd;          /* readable: give up; -1: none */
} cli_http_options;

/* NULL and why, if libcurl cannot be used. A handle belongs to one thread. */
cli_http *cli_http_create(const cli_http_options *options, curfew_failure *failure);
void cli_http_destroy(cli_http *http);

typedef struct cli_http_request {
	const char *method;
	const char *path; /* from "/v1" on, its parts escaped */
	const char *type; /* of the body; NULL: there is none */
	const void *body;
	size_t body_length;
	const char *header;  /* one more header; NULL: none */
	unsigned silence_ms; /* give up after this time without data; 0: wait for ever */
	/* Takes the parts of an answer 200 as they arrive. False: no more is wanted. NULL: the answer's body gets them. */
	bool (*on_data)(void *context, const char *data, size_t length);
	void *context;
} cli_http_request;

typedef enum cli_http_result {
	CLI_HTTP_ANSWERED,    /* with any status */
	CLI_HTTP_STOPPED,     /* on_data wanted no more */
	CLI_HTTP_INTERRUPTED, /* by interrupt_fd */
	CLI_HTTP_SILENT,      /* no data for silence_ms */
	CLI_HTTP_UNREACHABLE, /* no connection: nothing was sent */
	CLI_HTTP_CUT,         /* the connection broke: the request may have been executed */
	CLI_HTTP_FAILED,      /* a permanent error */
} cli_http_result;

typedef struct cli_http_answer {
	const char *method; /* of the request */
	long status;
	unsigned retry_after_s; /* 0: not said */
	bool is_problem;        /* the body is application/problem+json */
	text body;
	char message[256]; /* the error, if there is no answer */
} cli_http_answer;

/* The answer must be finished in any case. */
cli_http_result cli_http_exchange(cli_http *http, const cli_http_request *request, cli_http_answer *answer);
void cli_http_answer_finish(cli_http_answer *answer);

/* Escapes a part of a path or a value in a query; free it with free. NULL: out of memory. */
char *cli_http_escape(const char *words);

#endif
