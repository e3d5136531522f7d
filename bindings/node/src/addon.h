/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native half of the Node package. It handles only handles, text and numbers. lib/curfew.js makes the public API of
 * them, and calls each function here with exactly the arguments that its comment names.
 *
 * Threads: every function with a napi_env runs on the JavaScript thread of that environment. The engine's threads only
 * post messages. One thread-safe function passes these to the dispatcher of lib/curfew.js.
 */
#ifndef CURFEW_NODE_ADDON_H
#define CURFEW_NODE_ADDON_H

#define NAPI_VERSION 8
#include "curfew.h"
#include <node_api.h>
#include <pthread.h>
#include <stdatomic.h>

/* The kind of a message. lib/curfew.js has the same numbers. MESSAGE_CALLS: synchronous calls wait in the queue. */
enum message_kind { MESSAGE_DONE = 0, MESSAGE_EVENT = 1, MESSAGE_CALL = 2, MESSAGE_JOB = 3, MESSAGE_CALLS = 4 };

/* The data of one environment (the main thread, or a worker), which all of its engines share. */
struct addon {
	napi_threadsafe_function queue;
	curfew_call_queue *calls; /* the synchronous calls of host functions */
	napi_ref dispatch;        /* the dispatcher of lib/curfew.js */
	unsigned active;          /* runs and jobs in progress, which keep the process alive */
	atomic_bool closing;      /* the environment ends: no message reaches JavaScript any more */
	struct run *runs;         /* the runs in progress */
	atomic_uint jobs;         /* threads of this addon that run */
	struct job *going_on;     /* the jobs whose results JavaScript has not received */
};

/* How JavaScript is notified of a run's end: by a message, unless the JavaScript thread itself waits for it. */
enum run_state { RUN_TELLS, RUN_WATCHED, RUN_ENDED };

/* A run that was started. */
struct run {
	struct addon *addon;
	curfew_run *run;
	uint32_t id;
	atomic_uint state;         /* enum run_state */
	struct run *next, **place; /* in addon->runs */
};

/*
 * A call of a host function that JavaScript answers later. The thread that takes `call` answers it. The struct is
 * reused for other calls and never freed, because a stop may access it just after its call was answered.
 */
struct host_call {
	_Atomic(curfew_host_call *) call;
	struct host_function *function;
	struct host_call *next; /* the next unused one */
};

/* The context of a host function. It lives until the library reports that the function will not be called again. */
struct host_function {
	struct addon *addon;
	uint32_t id;
	bool is_async;
	char *type; /* NULL: JSON */
};

struct message {
	enum message_kind kind;
	uint32_t id; /* of the run, job or function */
	int event;
	char *data;
	size_t length;
	struct host_call *call;
	struct run *run;
	struct job *job;
};

/*
 * Posts a message to the environment's JavaScript thread. Frees it if the environment is ending. May be called by any
 * thread.
 */
void curfew_node_post(struct addon *addon, const struct message *message);

/* ---- host.c */
void curfew_node_on_call(void *context, curfew_host_call *call);
void curfew_node_on_stopped(void *context, curfew_host_call *call);
void curfew_node_on_waiting(void *addon);
/* Passes the waiting synchronous calls to JavaScript. */
void curfew_node_take_calls(napi_env env, struct addon *addon, napi_value dispatch);
/* Passes an asynchronous call to JavaScript: a handle, and its arguments as a string of JSON or an array of numbers. */
void curfew_node_call_pass(napi_env env, struct host_call *call, napi_value values[2]);
/* Drops a call that JavaScript will never receive. */
void curfew_node_call_drop(struct host_call *call);
/* answer(handle, error or null, JSON string | array | undefined) */
napi_value curfew_node_answer(napi_env env, napi_callback_info info);

/* ---- values.c: arguments from JavaScript, and results to it */
#define CURFEW_NODE_ARGUMENTS 20
struct addon *curfew_node_arguments(napi_env env, napi_callback_info info, napi_value *values);
char *curfew_node_string(napi_env env, napi_value value, size_t *length); /* from malloc; NULL for null and undefined */
void *curfew_node_external(napi_env env, napi_value value);
uint32_t curfew_node_number(napi_env env, napi_value value);
napi_value curfew_node_property(napi_env env, napi_value object, const char *name);
napi_value curfew_node_null(napi_env env);
/* Reports an uncaught exception of JavaScript. */
void curfew_node_report_exception(napi_env env);
/* Throws a CurfewError of this status; returns NULL. */
napi_value curfew_node_throw(napi_env env, curfew_status status, const curfew_failure *failure);
napi_value curfew_node_error(napi_env env, curfew_status status, const char *message);
/* [JSON, exit code] */
napi_value curfew_node_report(napi_env env, const curfew_report *report);

/* A list of strings for the library: items[count], freed with curfew_node_strings_free. */
struct strings {
	char **items;
	size_t count;
};
bool curfew_node_strings(napi_env env, napi_value array, struct strings *strings);
void curfew_node_strings_free(struct strings *strings);

/* The options of a run, from the eleven arguments that lib/curfew.js makes of them. */
struct options {
	curfew_run_options run;
	curfew_limits limits;
	char *call, *params, *user, *timezone, *files;
	struct strings secrets, allow_fetch, args, env, dirs, secret_for;
	curfew_secret *secret_list;
	curfew_dir *dir_list;
};
/* False: an exception is pending. */
bool curfew_node_options(napi_env env, const napi_value *values, struct options *options);
void curfew_node_options_free(struct options *options);
/* Limits from an array of names and texts, one after the other. */
bool curfew_node_limits(napi_env env, napi_value array, curfew_limits *limits);

/* ---- jobs.c: blocking calls, each on a thread of its own */
napi_value curfew_node_compile(napi_env env, napi_callback_info info);
napi_value curfew_node_inspect(napi_env env, napi_callback_info info);
napi_value curfew_node_session_call(napi_env env, napi_callback_info info);
napi_value curfew_node_session_eval(napi_env env, napi_callback_info info);
/* The results of a job for the dispatcher: an error or null, and [JSON, exit code], a string or null. Frees the job. */
void curfew_node_job_results(napi_env env, struct job *job, napi_value results[2]);
void curfew_node_job_free(struct job *job);
/* Cancels the calls of sessions that are in progress. */
void curfew_node_jobs_cancel(struct addon *addon);

#endif
