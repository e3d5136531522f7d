/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange at a time, through curl's multi interface, because only that can wait for a second descriptor. */
#include "http.h"

#include "common/clock.h"
#include <curl/curl.h>
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { CONNECT_MS = 10000, TICK_MS = 1000 };

/* More than the largest answer of a server. */
#define ANSWER_MAX ((size_t)320 << 20)

/* ---- The library ----------------------------------------------------------------------------------------- */

#define LIBRARY "libcurl.so.4"
/* clang-format off */
#define FUNCTIONS(X)                                                                                          \
	X(global_init) X(easy_init) X(easy_reset) X(easy_setopt) X(easy_getinfo) X(easy_cleanup) X(easy_strerror) \
	X(multi_init) X(multi_add_handle) X(multi_remove_handle) X(multi_perform) X(multi_poll)                   \
	X(multi_info_read) X(multi_cleanup) X(slist_append) X(slist_free_all)
/* clang-format on */

/* The functions, named without "curl_". */
typedef struct library {
#define X(name) __typeof__(&curl_##name) name;
	FUNCTIONS(X)
#undef X
	char message[256]; /* why libcurl cannot be used; "": it can */
} library;

static library curl;
static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static bool load_symbol(void *handle, const char *name, void *function)
{
	void *found = dlsym(handle, name);
	if (found == NULL)
		(void)snprintf(curl.message, sizeof curl.message, "a newer %s is needed: it has no %s", LIBRARY, name);
	memcpy(function, &found, sizeof found);
	return found != NULL;
}

static void load(void)
{
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (handle == NULL) {
		(void)snprintf(curl.message, sizeof curl.message, "libcurl is needed: %.200s", dlerror());
		return;
	}
#define X(name) &&load_symbol(handle, "curl_" #name, &curl.name)
	if (true FUNCTIONS(X) && curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		(void)snprintf(curl.message, sizeof curl.message, "libcurl cannot be started");
#undef X
	(void)dlclose(handle);
}

/* ---- A server -------------------------------------------------------------------------------------------- */

struct cli_http {
	cli_http_options options;
	CURL *easy;
	CURLM *multi;
};

cli_http *cli_http_create(const cli_http_options *options, curfew_failure *failure)
{
	(void)pthread_once(&curl_once, load);
	(void)snprintf(failure->message, sizeof failure->message, "%s",
	               curl.message[0] != '\0' ? curl.message : "out of memory");
	cli_http *http = curl.message[0] == '\0' ? calloc(1, sizeof *http) : NULL;
	if (http == NULL)
		return NULL;
	http->options = *options;
	http->easy = curl.easy_init();
	http->multi = curl.multi_init();
	if (http->easy != NULL && http->multi != NULL)
		return http;
	cli_http_destroy(http);
	return NULL;
}

void cli_http_destroy(cli_http *http)
{
	if (http == NULL)
		return;
	if (http->multi != NULL)
		(void)curl.multi_cleanup(http->multi);
	if (http->easy != NULL)
		curl.easy_cleanup(http->easy);
	free(http);
}

/* ---- An exchange ----------------------------------------------------------------------------------------- */

typedef struct exchange {
	cli_http *http;
	const cli_http_request *request;
	cli_http_answer *answer;
	struct curl_slist *headers;
	uint64_t heard_ms; /* when data last arrived */
	bool stopped, too_large;
	char error[CURL_ERROR_SIZE];
} exchange;

static size_t take_data(char *data, size_t one, size_t length, void *context)
{
	exchange *e = context;
	long status = 0;
	(void)one;
	e->heard_ms = (uint64_t)clock_now_ms();
	(void)curl.easy_getinfo(e->http->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200 && e->request->on_data != NULL) {
		e->stopped = !e->request->on_data(e->request->context, data, length);
		return e->stopped ? 0 : length;
	}
	text_add(&e->answer->body, data, length);
	e->too_large = e->answer->body.failed;
	return e->too_large ? 0 : length;
}

static bool add_header(exchange *e, const char *header)
{
	struct curl_slist *longer = header != NULL ? curl.slist_append(e->headers, header) : e->headers;
	if (longer != NULL)
		e->headers = longer;
	return header == NULL || longer != NULL;
}

static bool add_headers(exchange *e)
{
	char type[96] = "Content-Type:"; /* none */
	if (e->request->type != NULL)
		(void)snprintf(type, sizeof type, "Content-Type: %s", e->request->type);
	return add_header(e, "Expect:") && add_header(e, type) && add_header(e, e->http->options.authorization) &&
	       add_header(e, e->request->header);
}

/* This machine is not reached through a proxy, whatever the environment says. */
static bool is_local(const char *url)
{
	const char *host = strstr(url, "://") + 3;
	return strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost", 9) == 0 || strncmp(host, "[::1]", 5) == 0;
}

static void set_up(exchange *e)
{
	CURL *easy = e->http->easy;
	const cli_http_options *options = &e->http->options;
	const cli_http_request *request = e->request;
	char url[2048], agent[64];

	(void)snprintf(url, sizeof url, "%s%s", options->url, request->path);
	(void)snprintf(agent, sizeof agent, "curfew/%s", curfew_version());
	curl.easy_reset(easy); /* keeps the connections */
	(void)curl.easy_setopt(easy, CURLOPT_URL, url);
	(void)curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl.easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl.easy_setopt(easy, CURLOPT_USERAGENT, agent);
	(void)curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl.easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	(void)curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, e->error);
	(void)curl.easy_setopt(easy, CURLOPT_HTTPHEADER, e->headers);
	(void)curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_data);
	(void)curl.easy_setopt(easy, CURLOPT_WRITEDATA, e);
	if (is_local(options->url))
		(void)curl.easy_setopt(easy, CURLOPT_PROXY, "");
	if (options->ca_file != NULL)
		(void)curl.easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
	if (request->type != NULL) {
		(void)curl.easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
		(void)curl.easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
	}

	(void)curl.easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

/* Performs the exchange. If it was given up, returns CURLE_OK without an answer, and *result says why. */
static CURLcode perform(exchange *e, cli_http_result *result)
{
	struct curl_waitfd interrupt = {.fd = e->http->options.interrupt_fd, .events = CURL_WAIT_POLLIN};
	unsigned others = interrupt.fd >= 0 ? 1 : 0, silence_ms = e->request->silence_ms;
	int running = 1, messages;
	*result = CLI_HTTP_ANSWERED;
	e->heard_ms = (uint64_t)clock_now_ms();
	while (curl.multi_perform(e->http->multi, &running) == CURLM_OK && running > 0) {
		int wait_ms = silence_ms > 0 && silence_ms < TICK_MS ? (int)silence_ms / 2 : TICK_MS;
		(void)curl.multi_poll(e->http->multi, &interrupt, others, wait_ms, NULL);
		if (others > 0 && (interrupt.revents & CURL_WAIT_POLLIN) != 0)
			*result = CLI_HTTP_INTERRUPTED;
		else if (silence_ms > 0 && (uint64_t)clock_now_ms() - e->heard_ms >= silence_ms)
			*result = CLI_HTTP_SILENT;
		if (*result != CLI_HTTP_ANSWERED)
			return CURLE_OK;
	}
	const CURLMsg *message = curl.multi_info_read(e->http->multi, &messages);
	return message != NULL && message->msg == CURLMSG_DONE ? message->data.result : CURLE_FAILED_INIT;
}

static cli_http_result judge(exchange *e, CURLcode code)
{
	long error = 0;
	curl_off_t sent = 0;

	(void)curl.easy_getinfo(e->http->easy, CURLINFO_OS_ERRNO, &error);
	(void)curl.easy_getinfo(e->http->easy, CURLINFO_PRETRANSFER_TIME_T, &sent);
	const char *why = e->too_large                                  ? "the answer is too large"
	                  : code == CURLE_COULDNT_CONNECT && error != 0 ? strerror((int)error)
	                  : e->error[0] != '\0'                         ? e->error
	                                                                : curl.easy_strerror(code);
	(void)snprintf(e->answer->message, sizeof e->answer->message, "%.250s", why);
	if (e->stopped)
		return CLI_HTTP_STOPPED;
	switch (code) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY: return CLI_HTTP_UNREACHABLE;
	case CURLE_OPERATION_TIMEDOUT: return sent == 0 ? CLI_HTTP_UNREACHABLE : CLI_HTTP_CUT;
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE: return CLI_HTTP_CUT;
	default: return CLI_HTTP_FAILED;
	}
}

static void read_head(exchange *e)
{
	curl_off_t seconds = 0;
	char *type = NULL;
	(void)curl.easy_getinfo(e->http->easy, CURLINFO_RESPONSE_CODE, &e->answer->status);
	(void)curl.easy_getinfo(e->http->easy, CURLINFO_RETRY_AFTER, &seconds);
	(void)curl.easy_getinfo(e->http->easy, CURLINFO_CONTENT_TYPE, &type);
	e->answer->retry_after_s = seconds > 0 && seconds < 86400 ? (unsigned)seconds : 0;
	e->answer->is_problem = type != NULL && strncasecmp(type, "application/problem+json", 24) == 0;
}

cli_http_result cli_http_exchange(cli_http *http, const cli_http_request *request, cli_http_answer *answer)
{
	exchange e = {.http = http, .request = request, .answer = answer};
	cli_http_result result = CLI_HTTP_FAILED;
	*answer = (cli_http_answer){.method = request->method, .message = "out of memory"};
	text_init(&answer->body, ANSWER_MAX);
	if (add_headers(&e)) {
		set_up(&e);
		(void)curl.multi_add_handle(http->multi, http->easy);
		CURLcode code = perform(&e, &result);
		read_head(&e);
		if (code != CURLE_OK)
			result = judge(&e, code);
		else if (result == CLI_HTTP_ANSWERED)
			answer->message[0] = '\0';
		(void)curl.multi_remove_handle(http->multi, http->easy);
	}
	curl.slist_free_all(e.headers);
	return result;
}
