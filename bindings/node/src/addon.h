/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native half of the Node package. It knows handles, text and numbers; what a user sees is made of them in
 * lib/curfew.js, which calls each function here with exactly the arguments that its comment names.
 *
 * Threads: everything with a napi_env runs on the JavaScript thread of that environment. The engine's threads only post
 * messages, which one thread-safe function hands to the dispatcher of lib/curfew.js.
 */
#ifndef CURFEW_NODE_ADDON_H
#define CURFEW_NODE_ADDON_H

#define NAPI_VERSION 8
#include "curfew.h"
#include <node_api.h>
#include <pthread.h>
#include <stdatomic.h>

/* What a message says; lib/curfew.js has the same numbers. MESSAGE_CALLS: synchronous calls wait in the queue. */
enum message_kind { MESSAGE_DONE = 0, MESSAGE_EVENT = 1, MESSAGE_CALL = 2, MESSAGE_JOB = 3, MESSAGE_CALLS = 4 };

/* One environment (the main thread, or a worker): what all of its engines share. */
struct addon {
	napi_threadsafe_function queue;
	curfew_call_queue *calls; /* synchronous ones of host functions */
	napi_ref dispatch;        /* the dispatcher of lib/curfew.js */
	unsigned active;          /* runs and jobs that are going on: they keep the process alive */
	atomic_bool closing;      /* the environment ends: nothing more reaches JavaScript */
	struct run *runs;         /* those that are going on */
	atomic_uint jobs;         /* threads of ours that are going on */
	struct job *going_on;     /* whose results JavaScript has not seen */
};

/* Who learns of a run's end: a message tells JavaScript, unless the JavaScript thread looks on at it. */
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
 * A call of a host function that JavaScript answers later: whoever takes `call` answers it. Used again for other calls,
 * and never freed: a stop may look at it when its call was answered just now.
 */
struct host_call {
	_Atomic(curfew_host_call *) call;
	struct host_function *function;
	struct host_call *next; /* that is not in use */
};

/* What a host function is called with. Lives until the library says that it is called no more. */
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

/* Posts a message to the environment's JavaScript thread; frees it if that is ending. Any thread. */
void curfew_node_post(struct addon *addon, const struct message *message);

/* ---- host.c */
void curfew_node_on_call(void *context, curfew_host_call *call);
void curfew_node_on_stopped(void *context, curfew_host_call *call);
void curfew_node_on_waiting(void *addon);
/* Has JavaScript carry out the synchronous calls that wait. */
void curfew_node_take_calls(napi_env env, struct addon *addon, napi_value dispatch);
/* An asynchronous call for JavaScript: a handle, and its arguments, a string of JSON or an array of numbers. */
void curfew_node_call_pass(napi_env env, struct host_call *call, napi_value values[2]);
/* JavaScript will never see this one. */
void curfew_node_call_drop(struct host_call *call);
/* answer(handle, error or null, JSON string | array | undefined) */
napi_value curfew_node_answer(napi_env env, napi_callback_info info);

/* ---- values.c: arguments from JavaScript, and results to it */
#define CURFEW_NODE_ARGUMENTS 20
struct addon *curfew_node_arguments(napi_env env, napi_callback_info info, napi_value *values);
char *curfew_node_string(napi_env env, napi_value value, size_t *length); /* malloc; NULL for null and undefined */
void *curfew_node_external(napi_env env, napi_value value);
uint32_t curfew_node_number(napi_env env, napi_value value);
napi_value curfew_node_property(napi_env env, napi_value object, const char *name);
napi_value curfew_node_null(napi_env env);
/* Reports what JavaScript threw where nobody catches it. */
void curfew_node_report_exception(napi_env env);
/* Throws a CurfewError of this status; returns NULL. */
napi_value curfew_node_throw(napi_env env, curfew_status status, const curfew_failure *failure);
napi_value curfew_node_error(napi_env env, curfew_status status, const char *message);
/* {json, exitCode} */
napi_value curfew_node_report(napi_env env, const curfew_report *report);

/* A list of strings for the library: items[count], freed with curfew_node_strings_free. */
struct strings {
	char **items;
	size_t count;
};
bool curfew_node_strings(napi_env env, napi_value array, struct strings *strings);
void curfew_node_strings_free(struct strings *strings);

/* Options of a run, from the eleven arguments that lib/curfew.js makes of them. */
struct options {
	curfew_run_options run;
	curfew_limits limits;
	char *call, *params, *user, *timezone, *files;
	struct strings secrets, allow_fetch, args, env, dirs;
	curfew_secret *secret_list;
	curfew_dir *dir_list;
};
/* False: an exception is pending. */
bool curfew_node_options(napi_env env, const napi_value *values, struct options *options);
void curfew_node_options_free(struct options *options);
/* Limits from an array of names and texts, one after the other. */
bool curfew_node_limits(napi_env env, napi_value array, curfew_limits *limits);

/* ---- jobs.c: what blocks, on a thread of its own */
napi_value curfew_node_compile(napi_env env, napi_callback_info info);
napi_value curfew_node_inspect(napi_env env, napi_callback_info info);
napi_value curfew_node_session_call(napi_env env, napi_callback_info info);
napi_value curfew_node_session_eval(napi_env env, napi_callback_info info);
/* What a job came to, for the dispatcher: an error or null, and {json, exitCode}, a string or null; frees the job. */
void curfew_node_job_results(napi_env env, struct job *job, napi_value results[2]);
void curfew_node_job_free(struct job *job);
/* Cancels the calls of sessions that are going on. */
void curfew_node_jobs_cancel(struct addon *addon);

#endif
