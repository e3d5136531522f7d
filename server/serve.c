/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the server: the socket, the runs on disk, the signals, and an orderly shutdown. */
#include "serve.h"

#include "accounts.h"
#include "calibration.h"
#include "cluster.h"
#include "common/mutex.h"
#include "common/clock.h"
#include "due.h"
#include "helpers.h"
#include "http.h"
#include "log.h"
#include "machine.h"
#include "notify.h"
#include "programs.h"
#include "record.h"
#include "restore.h"
#include "routes.h"
#include "service.h"
#include "store.h"
#include "tls.h"
#include "webhooks.h"

#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	THREADS_EACH = 16,
	HELPERS = 2,
	HELPERS_SHARED = 4, /* an unavailable database blocks them longer */
	BACKLOG = 1024,
	HEAP_KEPT_BYTES = 8 << 20, /* of each heap, at its end */
	SECOND_US = 1000000,
	LAST_WAIT_US = 3 * SECOND_US,
	NOTICE_US = SECOND_US / 5,
	REFRESH_US = SECOND_US / 2,
	USES_EVERY_US = 10 * SECOND_US,
};

/* ---- The socket ------------------------------------------------------------------------------------------ */

static bool refuse_setting(curfew_failure *failure, const char *what, const char *why)
{
	(void)snprintf(failure->message, sizeof failure->message, "%.120s: %.120s", what, why);
	return false;
}

static bool is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static int bind_to(const struct addrinfo *at)
{
	int on = 1;
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	/* Connections inherit these options. If the other end disappears without closing, the connection ends after a
	 * minute. */
	int idle = 30, interval = 10, count = 3;
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
	if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int code = errno;
	(void)close(fd);
	errno = code;
	return -1;
}

/* Opens a listening socket. -1, and why. */
static int open_listener(const config *c, bool *loopback, curfew_failure *failure)
{
	config_place p;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
	if (!config_read_place(c->listen, &p))
		return -1;
	int code = getaddrinfo(p.host, p.port, &hints, &found);
	if (code != 0) {
		(void)refuse_setting(failure, c->listen, gai_strerror(code));
		return -1;
	}
	int fd = bind_to(found);
	*loopback = is_loopback(found->ai_addr);
	freeaddrinfo(found);
	if (fd < 0)
		(void)refuse_setting(failure, c->listen, strerror(errno));
	return fd;
}

/* Reads the address of the listening socket as text. */
static void read_address(int listener, config_place *at)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	*at = (config_place){.host = ""};
	if (getsockname(listener, (struct sockaddr *)&address, &length) == 0)
		(void)getnameinfo((struct sockaddr *)&address, length, at->host, sizeof at->host, at->port, sizeof at->port,
		                  NI_NUMERICHOST | NI_NUMERICSERV);
}

/* Other nodes show the address as it was configured, but with the port that the system has chosen for port 0. */
static void note_address(server *s, int listener)
{
	config_place at;
	const char *colon = strrchr(s->config->listen, ':');
	read_address(listener, &at);
	(void)snprintf(s->address, sizeof s->address, "%.*s:%s", (int)(colon - s->config->listen), s->config->listen,
	               at.port);
}

static void print_address(const config *c, int listener)
{
	config_place at;
	read_address(listener, &at);
	bool is_six = strchr(at.host, ':') != NULL;
	char url[320];
	(void)snprintf(url, sizeof url, "%s://%s%s%s:%s", c->tls_cert[0] != '\0' ? "https" : "http", is_six ? "[" : "",
	               at.host, is_six ? "]" : "", at.port);
	log_event(LOG_INFO, "listening", (log_field[]){{"url", url, 0}, {"data", c->data, 0}, {0}});
	(void)printf("curfew: listening on %s\n", url);
	(void)fflush(stdout);
}

/* ---- Time ------------------------------------------------------------------------------------------------ */

static void *tick(void *argument)
{
	server *s = argument;
	int64_t swept_us = clock_now_us(), noticed_us = swept_us, refreshed_us = swept_us, alive_us = swept_us,
			used_us = swept_us;

	server_lock(s);
	while (!s->ticker_ends) {
		int64_t now_us = clock_now_us();
		int64_t until_us = service_wake(s, now_us);
		service_dispatch(s);
		if (now_us - swept_us >= SECOND_US) {
			http_sweep(s->http, now_us);
			if (s->watchdog_us > 0 && now_us - alive_us >= s->watchdog_us / 3) {
				notify_say("WATCHDOG=1");
				alive_us = now_us;
			}
			worker_pool_ask_memory(s->pool);
			swept_us = now_us;
		}
		/* If the database is shared, its own thread does this, because it may have to wait. */
		if (!s->is_shared && now_us - refreshed_us >= REFRESH_US) {
			refreshed_us = now_us;
			server_unlock(s);
			accounts_refresh(s);
			if (now_us - used_us >= USES_EVERY_US) {
				accounts_note_uses(s);
				used_us = now_us;
			}
			server_lock(s);
			continue;
		}
		if (now_us - noticed_us >= NOTICE_US) {
			http_notice_ends(s->http, now_us);
			noticed_us = now_us;
		}
		if (s->launch_first != NULL) {
			server_unlock(s);
			service_launch(s);
			server_lock(s);
			continue;
		}
		until_us = until_us < noticed_us + NOTICE_US ? until_us : noticed_us + NOTICE_US;
		struct timespec at = {until_us / SECOND_US, until_us % SECOND_US * 1000};
		curfew__mutex_wait_until(&s->lock, &s->tick, &at);
	}

	server_unlock(s);
	return NULL;
}

static void init_tick(server *s)
{
	pthread_condattr_t monotonic;
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&s->tick, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
}

static void stop_ticking(server *s)
{
	server_lock(s);
	s->ticker_ends = true;
	(void)pthread_cond_signal(&s->tick);
	server_unlock(s);
	(void)pthread_join(s->ticker, NULL);
}

/* ---- Ending ---------------------------------------------------------------------------------------------- */

static void cancel_where(server *s, bool (*wanted)(const run *r))
{
	for (size_t i = 0; i < RUN_BUCKETS; i++) {
		for (run *r = s->runs[i], *next; r != NULL; r = next) {
			next = r->chain;
			if (!wanted(r))
				continue;
			/* Hold the next run: ending this one may drop others that are kept. */
			run_ref(r);
			service_cancel(s, r);
			run_unref(s, r);
			next = s->runs[i];
		}
	}
}

static bool is_running(const run *r)
{
	return r->launched && !r->is_foreign && r->cancels == 0;
}

static bool is_waiting_in_memory(const run *r)
{
	return !r->durable && !r->ended && !r->is_foreign && r->state <= RUN_QUEUED;
}

/* Runs that may be repeated are given back, for another node. */
static void give_back_begun(server *s)
{
	for (size_t i = 0; i < RUN_BUCKETS; i++) {
		for (run *r = s->runs[i]; r != NULL; r = r->chain) {
			if (is_running(r))
				(void)service_give_back(s, r);
		}
	}
}

/* Whether all runs in progress have ended by then. A second signal ends the waiting. */
static bool wait_for_runs(server *s, const sigset_t *signals, int64_t until_us)
{
	for (;;) {
		server_lock(s);
		size_t running = s->scheduler.running + s->ending_count;
		server_unlock(s);
		if (running == 0)
			return true;
		if (clock_now_us() >= until_us)
			return false;
		if (sigtimedwait(signals, NULL, &(struct timespec){0, 5000000}) > 0)
			return false;
	}
}

/* Answers every request that still waits, and waits for the answers to be sent. */
static void close_requests(server *s)
{
	int64_t until_us = clock_now_us() + SECOND_US;
	server_lock(s);
	s->closing = true;
	http_wake_all(s->http);
	server_unlock(s);
	while (http_is_busy(s->http) && clock_now_us() < until_us)
		(void)usleep(5000);
}

static void drain(server *s, const sigset_t *signals)
{
	http_quiesce(s->http);
	server_lock(s);
	log_event(LOG_INFO, "stopping", (log_field[]){{"running", NULL, (int64_t)s->scheduler.running}, {0}});
	s->stopping = true;
	s->launching = false;
	cancel_where(s, is_waiting_in_memory);
	if (s->is_shared)
		cluster_give_back(s);
	server_unlock(s);
	if (!wait_for_runs(s, signals, clock_now_us() + (int64_t)s->config->shutdown_timeout_us)) {
		server_lock(s);
		if (s->is_shared)
			give_back_begun(s);
		cancel_where(s, is_running);
		server_unlock(s);
		(void)wait_for_runs(s, signals, clock_now_us() + LAST_WAIT_US);
	}
	close_requests(s);
}

/* ---- Start ----------------------------------------------------------------------------------------------- */

static void on_worker_death(void *context, const worker_death *death)
{
	(void)context;
	log_event(LOG_WARN, "worker",
	          (log_field[]){{"pid", NULL, death->pid},
	                        {"why", death->why, 0},
	                        {"lost", NULL, (int64_t)death->lost},
	                        {"repeated", NULL, (int64_t)death->repeated},
	                        {"runs", death->runs, 0},
	                        {0}});
}

/* Sets the ceilings of every run. */
static void take_ceilings(server *s, const config *c)
{
	uint64_t budget = s->scheduler.memory_budget;
	s->ceilings = c->ceilings;
	/* Refuse a run that could never begin. */
	if (s->ceilings.memory_bytes == 0 || s->ceilings.memory_bytes > budget)
		s->ceilings.memory_bytes = budget;
	/* Output takes several times its size of the server's memory, and at most half of the budget. */
	uint64_t output_max = budget / 2 / RUN_OUTPUT_FACTOR + RUN_OUTPUT_FREE;
	if (s->ceilings.output_bytes == 0 || s->ceilings.output_bytes > output_max)
		s->ceilings.output_bytes = output_max;
}

/* The system may withhold layers of the workers' confinement. Then the log has a warning, or the server does not start.
 */
static bool check_confinement(const server *s, curfew_failure *failure)
{
	char missing[256] = "";
	worker_pool_stats stats;
	worker_pool_get_stats(s->pool, &stats);
	for (const worker_layer *layer = worker_layers; layer->name != NULL; layer++) {
		size_t used = strlen(missing);
		if ((stats.has & layer->bit) == 0)
			(void)snprintf(missing + used, sizeof missing - used, "%s%s", used > 0 ? " " : "", layer->name);
	}
	if (missing[0] == '\0')
		return true;
	log_event(LOG_WARN, "confinement", (log_field[]){{"missing", missing, 0}, {0}});
	if (s->config->require_confinement == 0)
		return true;
	(void)snprintf(failure->message, sizeof failure->message,
	               "require-confinement: the system withholds from the workers: %.160s", missing);
	return false;
}

/* The user's directory for compiled code, or, if that is not writable, one beside the data. */
static const char *cache_directory(const config *c, char own[CONFIG_TEXT_MAX + 8])
{
	bool usable = c->cache[0] != '\0' && (mkdir(c->cache, 0700) == 0 || errno == EEXIST) && access(c->cache, W_OK) == 0;
	(void)snprintf(own, CONFIG_TEXT_MAX + 8, "%s/cache", c->data);
	return usable ? c->cache : own;
}

static bool start_pool(server *s, curfew_failure *failure)
{
	const config *c = s->config;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t workers = c->workers != 0 ? c->workers : cores > 0 ? (uint64_t)cores : 1;
	uint64_t budget = c->memory_budget != 0 ? c->memory_budget : machine_memory() / 4 * 3;
	scheduler_init(&s->scheduler, c->concurrency != 0 ? c->concurrency : workers * THREADS_EACH, budget);
	take_ceilings(s, c);
	char own[CONFIG_TEXT_MAX + 8];
	worker_pool_options options = {.workers = (uint32_t)workers,
	                               .spares = 1,
	                               .fetches = c->allow_fetch[0] != '\0' || c->allow_webhook[0] != '\0',
	                               .engine_flags = c->hugepages != 0 ? CURFEW_ENGINE_HUGE_PAGES : 0,
	                               .on_death = on_worker_death,
	                               .cache_dir = cache_directory(c, own)};
	return worker_pool_create(&options, &s->pool, failure) == CURFEW_OK && check_confinement(s, failure);
}

static bool check_access(const server *s, bool loopback, curfew_failure *failure)
{
	const config *c = s->config;
	if ((c->tls_cert[0] != '\0') != (c->tls_key[0] != '\0'))
		return refuse_setting(failure, c->tls_cert[0] != '\0' ? "tls-cert" : "tls-key",
		                      "tls-cert and tls-key belong together");
	if (!loopback && accounts_count_active(s) == 0)
		return refuse_setting(
			failure, c->listen,
			"an address that other machines can reach needs tokens; make one with curfew token create");
	if (!loopback && c->tls_cert[0] == '\0')
		log_say(LOG_WARN, "access", "tokens are sent unencrypted; use --tls-cert, or a proxy that terminates TLS");
	return true;
}

static bool start_store(server *s)
{
	const store_listener listener = {.context = s,
	                                 .enter = service_enter_store,
	                                 .leave = service_leave_store,
	                                 .collect = service_collect_news,
	                                 .forget_sources = service_forget_sources};
	const store_retention retention = {s->config->retention_age_us, s->config->retention_bytes};
	return store_start(s->store, &listener, &retention);
}

/* Opens the database. */
static bool open_store(server *s, curfew_failure *failure)
{
	const config *c = s->config;
	s->store = store_open(c->store[0] != '\0' ? c->store : c->data, STORE_SERVER, failure);
	if (s->store == NULL || !store_claim(s->store, failure))
		return false;
	s->is_shared = store_is_shared(s->store);
	s->nudge = s->is_shared ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
	s->over = s->is_shared ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
	return !s->is_shared || (s->nudge >= 0 && s->over >= 0) || refuse_setting(failure, "start", strerror(errno));
}

/* Starts everything except the signals. release_server ends what was started. */
static bool start_server(server *s, curfew_failure *failure)
{
	const config *c = s->config;
	bool loopback = false;

	if (!machine_make_directory(c->data, failure) || !open_store(s, failure) || !accounts_load(s, failure))
		return false;
	s->life = store_begin_life(s->store);
	int listener = open_listener(c, &loopback, failure);
	if (listener < 0)
		return false;
	note_address(s, listener);
	if (!check_access(s, loopback, failure) || !start_pool(s, failure) || !start_store(s)) {
		(void)close(listener);
		return false;
	}

	if (!(s->is_shared ? cluster_join(s, failure) : store_load_runs(s->store, restore_left, s, failure))) {
		(void)close(listener);
		return false;
	}

	s->helpers = helpers_start(s->is_shared ? HELPERS_SHARED : HELPERS);
	if (s->helpers == NULL) {
		(void)close(listener);
		return refuse_setting(failure, "start", "no thread can be started");
	}

	if (http_start(s, listener, routes_find, failure) == NULL)
		return false;
	if (pthread_create(&s->ticker, NULL, tick, s) != 0) {
		http_stop(s->http);
		return refuse_setting(failure, "start", "no thread can be started");
	}

	print_address(c, listener);
	server_lock(s);
	s->launching = true;
	calibration_recall(s);
	service_dispatch(s);
	server_unlock(s);
	service_launch(s);
	s->webhooks = webhooks_open(s);
	s->due = due_start(s);
	if (s->webhooks == NULL || s->due == NULL)
		log_say(LOG_ERROR, "start", "out of memory or threads: schedules have no runs, and no webhook is sent");
	return !s->is_shared || cluster_start(s, failure);
}

static void free_runs(server *s)
{
	server_lock(s);
	s->launching = false;
	for (size_t i = 0; i < RUN_BUCKETS; i++) {
		while (s->runs[i] != NULL) {
			run *r = s->runs[i];
			if (!r->ended && !r->is_foreign && r->state <= RUN_QUEUED)
				scheduler_remove(&s->scheduler, &r->turn);
			run_unregister(s, r);
		}
	}
	scheduler_finish(&s->scheduler);
	programs_finish(s);
	accounts_finish(s);
	server_unlock(s);
}

static void release_server(server *s)
{
	due_stop(s->due);
	cluster_stop(s);
	calibration_finish(s);
	helpers_stop(s->helpers);
	webhooks_drop_program(s->webhooks);
	if (s->pool != NULL)
		worker_pool_destroy(s->pool);
	webhooks_close(s->webhooks);
	if (s->store != NULL) {
		accounts_note_uses(s);
		store_stop(s->store);
	}

	free_runs(s);
	store_close(s->store);
	if (s->is_shared && s->nudge >= 0)
		(void)close(s->nudge);
	if (s->is_shared && s->over >= 0)
		(void)close(s->over);
	(void)pthread_cond_destroy(&s->tick);
	curfew__mutex_finish(&s->lock);
	free(s);
}

static void report_end(server *s)
{
	server_lock(s);
	log_event(LOG_INFO, "stopped",
	          (log_field[]){{"finished", NULL, (int64_t)s->finished_since_stop},
	                        {"cancelled", NULL, (int64_t)s->cancelled_since_stop},
	                        {"left_on_disk", NULL, (int64_t)(s->scheduler.queued + s->scheduler.scheduled)},
	                        {0}});
	server_unlock(s);
}

/*
 * Signals without a meaning for a server are ignored, because their default action would end it. SIGPROF and similar
 * ones keep their default, because nobody sends those to another process.
 */
static void ignore_strays(void)
{
	static const int strays[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGIO, SIGPWR, SIGPIPE, SIGXFSZ};
	for (size_t i = 0; i < sizeof strays / sizeof strays[0]; i++)
		(void)signal(strays[i], SIG_IGN);
	for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
		(void)signal(number, SIG_IGN);
}

/* Serves until a signal ends it. */
static void wait_for_end(server *s, const sigset_t *signals, serve_reload reload, void *context)
{
	static config fresh; /* too large for the stack */
	int number = SIGHUP;
	while (sigwait(signals, &number) == 0 && number == SIGHUP) {
		curfew_failure failure = {0};
		notify_reloading();
		bool good = reload(context, &fresh, &failure);
		if (good && s->config->tls_cert[0] != '\0')
			good = tls_load(fresh.tls_cert, fresh.tls_key, &failure);
		if (good) {
			server_lock(s);
			take_ceilings(s, &fresh);
			server_unlock(s);
			log_set_level(log_level_of(fresh.log_level));
			log_say(LOG_INFO, "reload", "the ceilings, the level of the log and the certificate were read again");
		} else {
			log_say(LOG_ERROR, "reload", "nothing was changed: %s", failure.message);
		}
		notify_say("READY=1");
	}
}

bool serve(const config *c, curfew_secrets *secrets, serve_reload reload, void *context, curfew_failure *failure)
{
	sigset_t signals;
	server *s = calloc(1, sizeof *s);

	/*
	 * Threads free what others have allocated. Without this, glibc gives the end of a heap back to the system, and
	 * takes it again, at nearly every transaction.
	 */
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_KEPT_BYTES);

	if (s == NULL || sodium_init() < 0) {
		free(s);
		return refuse_setting(failure, "start", "out of memory");
	}

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGQUIT); /* its default action would write the memory, with all secrets, to disk */
	(void)sigaddset(&signals, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	ignore_strays();
	log_use_json(strcmp(c->log_format, "json") == 0);
	log_set_level(log_level_of(c->log_level));
	curfew__mutex_init(&s->lock);
	init_tick(s);
	s->config = c;
	s->secrets = secrets;
	s->started_us = clock_now_us();
	s->watchdog_us = notify_watchdog_us();
	bool good = start_server(s, failure);
	if (good) {
		notify_say("READY=1");
		wait_for_end(s, &signals, reload, context);
		notify_say("STOPPING=1");
		/* From here on the signal is ignored. */
		(void)sigdelset(&signals, SIGHUP);
		drain(s, &signals);
		stop_ticking(s);
		helpers_stop(s->helpers);
		s->helpers = NULL;
		http_stop(s->http);
		report_end(s);
	}

	release_server(s);
	return good;
}
