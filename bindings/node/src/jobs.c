/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: blocking calls of the library, each on a thread of its own, so that they never wait for each other. */
#include "addon.h"
#include <stdlib.h>
#include <string.h>

enum job_kind { JOB_COMPILE, JOB_INSPECT, JOB_CALL, JOB_EVAL };

struct job {
	struct addon *addon;
	enum job_kind kind;
	uint32_t id;
	struct job *next, **place; /* in addon->going_on; only the JavaScript thread accesses it */
	napi_ref held;             /* keeps the program or session from being collected */
	curfew_program *program;
	curfew_session *session;
	curfew_limits limits;
	char *name, *text;
	size_t length;
	/* The result. */
	curfew_status status;
	curfew_failure failure;
	curfew_report *report;
	char *json;
	size_t json_length;
};

void curfew_node_job_free(struct job *job)
{
	curfew_report_destroy(job->report);
	curfew_free(job->json);
	free(job->name);
	free(job->text);
	free(job);
}

static void carry_out(struct job *job)
{
	switch (job->kind) {
	case JOB_COMPILE:
		job->status = curfew_program_compile(job->program, &job->limits, &job->report, &job->failure);
		break;
	case JOB_INSPECT:
		job->status = curfew_program_inspect(job->program, &job->limits, &job->json, &job->json_length, &job->report,
		                                     &job->failure);
		break;
	case JOB_CALL:
		job->status = curfew_session_call(job->session, job->name, job->text, &job->limits, &job->report,
		                                  &job->failure);
		break;
	case JOB_EVAL:
		job->status = curfew_session_eval(job->session, job->name, job->text, job->length, &job->limits, &job->report,
		                                  &job->failure);
		break;
	}
}

static void *work(void *context)
{
	struct job *job = context;
	struct addon *addon = job->addon;
	carry_out(job);
	curfew_node_post(addon, &(struct message){.kind = MESSAGE_JOB, .id = job->id, .job = job});
	atomic_fetch_sub(&addon->jobs, 1);
	return NULL;
}

static void link_job(struct addon *addon, struct job *job)
{
	job->next = addon->going_on;
	job->place = &addon->going_on;
	if (job->next != NULL)
		job->next->place = &job->next;
	addon->going_on = job;
}

static void unlink_job(struct job *job)
{
	*job->place = job->next;
	if (job->next != NULL)
		job->next->place = job->place;
}

void curfew_node_jobs_cancel(struct addon *addon)
{
	for (struct job *job = addon->going_on; job != NULL; job = job->next)
		if (job->session != NULL)
			(void)curfew_session_cancel(job->session);
}

/* Starts the thread, which then owns the job. */
static napi_value start(napi_env env, struct job *job, napi_value held)
{
	pthread_t thread;
	struct addon *addon = job->addon;
	napi_create_reference(env, held, 1, &job->held);
	link_job(addon, job);
	atomic_fetch_add(&addon->jobs, 1);
	if (pthread_create(&thread, NULL, work, job) == 0) {
		pthread_detach(thread);
		if (addon->active++ == 0)
			napi_ref_threadsafe_function(env, addon->queue);
		return NULL;
	}
	atomic_fetch_sub(&addon->jobs, 1);
	unlink_job(job);
	napi_delete_reference(env, job->held);
	curfew_node_job_free(job);
	return curfew_node_throw(env, CURFEW_SYSTEM, &(curfew_failure){"no thread can be started"});
}

/* Creates a job from (id, program or session, limits). NULL: an exception is pending. */
static struct job *create(napi_env env, struct addon *addon, enum job_kind kind, napi_value *values)
{
	struct job *job = calloc(1, sizeof *job);
	if (job == NULL) {
		curfew_node_throw(env, CURFEW_NO_MEMORY, &(curfew_failure){{0}});
		return NULL;
	}
	job->addon = addon;
	job->kind = kind;
	job->id = curfew_node_number(env, values[0]);
	if (curfew_node_limits(env, values[2], &job->limits))
		return job;
	curfew_node_job_free(job);
	return NULL;
}

static napi_value start_with_program(napi_env env, napi_callback_info info, enum job_kind kind)
{
	napi_value values[CURFEW_NODE_ARGUMENTS];
	struct addon *addon = curfew_node_arguments(env, info, values);
	struct job *job = create(env, addon, kind, values);
	if (job == NULL)
		return NULL;
	job->program = curfew_node_external(env, values[1]);
	return start(env, job, values[1]);
}

napi_value curfew_node_compile(napi_env env, napi_callback_info info)
{
	return start_with_program(env, info, JOB_COMPILE);
}

napi_value curfew_node_inspect(napi_env env, napi_callback_info info)
{
	return start_with_program(env, info, JOB_INSPECT);
}

static napi_value start_with_session(napi_env env, napi_callback_info info, enum job_kind kind)
{
	napi_value values[CURFEW_NODE_ARGUMENTS];
	struct addon *addon = curfew_node_arguments(env, info, values);
	struct job *job = create(env, addon, kind, values);
	if (job == NULL)
		return NULL;
	job->session = curfew_node_external(env, values[1]);
	job->name = curfew_node_string(env, values[3], NULL);
	job->text = curfew_node_string(env, values[4], &job->length);
	return start(env, job, values[1]);
}

napi_value curfew_node_session_call(napi_env env, napi_callback_info info)
{
	return start_with_session(env, info, JOB_CALL);
}

napi_value curfew_node_session_eval(napi_env env, napi_callback_info info)
{
	return start_with_session(env, info, JOB_EVAL);
}

void curfew_node_job_results(napi_env env, struct job *job, napi_value results[2])
{
	results[0] = job->status == CURFEW_OK ? curfew_node_null(env)
	                                      : curfew_node_error(env, job->status, job->failure.message);
	if (job->json != NULL)
		napi_create_string_utf8(env, job->json, job->json_length, &results[1]);
	else
		results[1] = job->report != NULL ? curfew_node_report(env, job->report) : curfew_node_null(env);
	unlink_job(job);
	napi_delete_reference(env, job->held);
	curfew_node_job_free(job);
}
