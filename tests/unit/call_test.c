/* SPDX-License-Identifier: Apache-2.0 */
/* A host function receives only the JSON of a list, even if a corrupted guest wrote something else. */
#include "../harness.h"
#include "host/call.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../guest/abi.h"

static unsigned calls;

static void on_call(void *context, curfew_host_call *call)
{
	size_t length = 0;
	const char *params = curfew_host_call_get_params(call, &length);
	(void)context;
	calls++;
	if (params != NULL) {
		CHECK_EQUAL(curfew_json_check(params, length, NULL), CURFEW_OK);
		curfew_host_call_return(call, params, length);
	} else {
		curfew_host_call_return_values(call, curfew_host_call_get_values(call));
	}
}

static const curfew_host_function functions[] = {
	{.size = sizeof(curfew_host_function), .name = "now", .call = on_call},
	{.size = sizeof(curfew_host_function), .name = "later", .call = on_call, .flags = CURFEW_HOST_ASYNC},
	{.size = sizeof(curfew_host_function), .name = "typed", .call = on_call, .type = "i->i"},
	{.size = sizeof(curfew_host_function),
     .name = "typed_later",
     .call = on_call,
     .type = "i->i",
     .flags = CURFEW_HOST_ASYNC},
};
enum { NOW, LATER, TYPED, TYPED_LATER, FUNCTIONS };

static void on_wake(void *context)
{
	(void)context;
}

/* The only event of an asynchronous call. False: it threw. */
static bool call_later(curfew__host_functions *list, size_t which, const curfew__host_caller *caller,
                       const curfew__host_params *params, char **text)
{
	curfew__operations *operations = curfew__operations_create(on_wake, NULL);
	CHECK(curfew__host_call_start(list, which, caller, operations, params) != 0);
	const curfew__operation_event *event = curfew__operations_next(operations);
	CHECK(event != NULL);
	bool returned = event->kind == CURFEW_CALL_RETURNED;
	*text = strndup(event->bytes, event->length);
	curfew__operations_close(operations);
	curfew__operations_unref(operations);
	return returned;
}

static bool call_now(const curfew__host_functions *list, size_t which, const curfew__host_caller *caller,
                     const curfew__host_params *params, char **text)
{
	curfew__host_answer answer;
	curfew__host_call_now(&list->list[which], caller, params, &answer);
	*text = strndup(answer.bytes, answer.length);
	free(answer.bytes);
	return !answer.threw;
}

/* Whether a call with this JSON returned. Free its answer. */
static bool call(size_t which, const char *json, size_t length, const atomic_uint *stop, char **text)
{
	curfew_failure failure;
	curfew__host_functions *list = curfew__host_functions_create(functions, FUNCTIONS, &failure);
	curfew__host_caller caller = {.stopped = {stop, stop}};
	curfew__host_params params = {json, length, NULL};
	CHECK(list != NULL);
	bool returned = functions[which].flags & CURFEW_HOST_ASYNC ? call_later(list, which, &caller, &params, text)
	                                                           : call_now(list, which, &caller, &params, text);
	curfew__host_functions_unref(list);
	return returned;
}

static void test_what_is_no_json_is_refused(void)
{
	/* Claim T52. */
	static const struct {
		const char *text;
		size_t length;
	} bad[] = {{"[}]\0\"]", 6}, {"", 0},        {"[", 1},         {"[1]\0", 4}, {"[1] [2]", 7}, {"[\"\xff\"]", 5},
	           {"[\"\n\"]", 5}, {"[1e999]", 7}, {"{\"0\":1}", 7}, {"1", 1},     {"\"x\"", 3},   {"null", 4}};
	atomic_uint stop = 0;
	calls = 0;
	for (size_t which = 0; which < FUNCTIONS; which++) {
		for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
			char *text = NULL;
			CHECK(!call(which, bad[i].text, bad[i].length, &stop, &text));
			CHECK_BYTES(text, "arguments: ", 11);
			free(text);
		}
	}
	CHECK_EQUAL(calls, 0);
}

static void test_what_is_right_is_passed(void)
{
	static const char *const given[FUNCTIONS] = {" [1,{\"a\":\"\\ud800\"}]", "[]", "[42]", "[ -0 ]"};
	static const char *const expected[FUNCTIONS] = {" [1,{\"a\":\"\\ud800\"}]", "[]", "42", "0"};
	atomic_uint stop = 0;
	calls = 0;
	for (size_t which = 0; which < FUNCTIONS; which++) {
		char *text = NULL;
		CHECK(call(which, given[which], strlen(given[which]), &stop, &text));
		CHECK_TEXT(text, expected[which]);
		free(text);
	}
	CHECK_EQUAL(calls, FUNCTIONS);
}

/* A call that a stop cuts short is never passed to a function. */
static void test_stopped_calls(void)
{
	enum { SIZE = 8 << 20 };
	char *json = malloc(SIZE);
	atomic_uint stop = 1;
	memset(json, '1', SIZE);
	for (size_t i = 0; i < SIZE; i += 2)
		json[i] = ',';
	json[0] = '[';
	json[SIZE - 1] = ']';
	json[SIZE - 2] = '1';
	json[SIZE - 3] = '1';
	calls = 0;
	for (size_t which = 0; which < FUNCTIONS; which++) {
		char *text = NULL;
		CHECK(!call(which, json, SIZE, &stop, &text));
		free(text);
	}
	CHECK_EQUAL(calls, 0);
	free(json);
}

/* ---- Queues ----------------------------------------------------------------------------------------------- */

/* A list of two functions, one with JSON and one with a number, both from a queue. context is their index. */
static curfew__host_functions *create_queued(curfew_call_queue *queue)
{
	static char places[2];
	curfew_failure failure;
	const curfew_host_function given[] = {
		{.size = sizeof *given, .name = "now", .context = &places[0], .queue = queue},
		{.size = sizeof *given, .name = "typed", .type = "i->i", .context = &places[1], .queue = queue},
	};
	curfew__host_functions *list = curfew__host_functions_create(given, 2, &failure);
	CHECK(list != NULL);
	return list;
}

/* Answers every call until the queue is destroyed. */
static void *take_all(void *context)
{
	for (curfew_host_call *call; (call = curfew_call_queue_take(context, CURFEW_UNLIMITED, NULL));)
		on_call(NULL, call);
	return NULL;
}

static void test_a_thread_takes_calls_from_a_queue(void)
{
	curfew_call_queue *queue;
	pthread_t taker;
	atomic_uint stop = 0;
	curfew_value number = {.i32 = 42};
	curfew__host_caller caller = {.stopped = {&stop, &stop}};
	CHECK_EQUAL(curfew_call_queue_create(NULL, NULL, &queue), CURFEW_OK);
	curfew__host_functions *list = create_queued(queue);
	calls = 0;
	CHECK_EQUAL(pthread_create(&taker, NULL, take_all, queue), 0);

	for (unsigned i = 0; i < 1000; i++) {
		char *text = NULL;
		CHECK(call_now(list, 0, &caller, &(curfew__host_params){"[1,2]", 5, NULL}, &text));
		CHECK_TEXT(text, "[1,2]");
		free(text);
	}
	curfew__host_answer answer;
	curfew__host_call_now(&list->list[1], &caller, &(curfew__host_params){.values = &number}, &answer);
	CHECK(!answer.threw);
	CHECK_EQUAL(answer.values[0].i32, 42);
	CHECK_EQUAL(calls, 1001);

	curfew_call_queue_destroy(queue);
	pthread_join(taker, NULL);
	char *text = NULL;
	CHECK(!call_now(list, 0, &caller, &(curfew__host_params){"[]", 2, NULL}, &text));
	CHECK_TEXT(text, "the queue of this function's calls was destroyed");
	free(text);
	curfew__host_functions_unref(list);
}

static unsigned waiting;
static curfew_host_call *taken;

/* Called when no thread takes calls: takes the call, and does not answer. */
static void take_and_keep(void *context)
{
	curfew_call_queue **queue = context;
	waiting++;
	taken = curfew_call_queue_take(*queue, 0, NULL);
	CHECK(taken != NULL);
}

static void count_waiting(void *context)
{
	(void)context;
	waiting++;
}

/* The executing thread does not wait longer than until the stop, and a later answer does no harm. */
static void test_a_stop_ends_the_wait_for_an_answer(void)
{
	/* Claim T680. */
	curfew_call_queue *queue;
	atomic_uint none = 0, stop = 1; /* the arguments may be read, and then the time is up */
	char *text = NULL;
	curfew__host_caller caller = {.stopped = {&none, &stop}};
	CHECK_EQUAL(curfew_call_queue_create(take_and_keep, &queue, &queue), CURFEW_OK);
	curfew__host_functions *list = create_queued(queue);
	waiting = 0;
	CHECK(!call_now(list, 1, &caller, &(curfew__host_params){"[7]", 3, NULL}, &text));
	CHECK_TEXT(text, "the run was stopped");
	free(text);
	CHECK_EQUAL(waiting, 1);
	curfew__host_functions_unref(list);
	curfew_call_queue_destroy(queue);
	CHECK(curfew_host_call_is_stopped(taken));
	CHECK_EQUAL(curfew_host_call_get_values(taken)->i32, 7);
	CHECK_EQUAL(curfew_host_call_return_values(taken, &(curfew_value){.i32 = 1}), CURFEW_OK);
}

/* A call that nobody took is removed, so that the next thread does not find it. */
static void test_a_stopped_call_leaves_the_queue(void)
{
	curfew_call_queue *queue;
	atomic_uint none = 0, stop = 1; /* the arguments may be read, and then the time is up */
	char *text = NULL;
	curfew__host_caller caller = {.stopped = {&none, &stop}};
	CHECK_EQUAL(curfew_call_queue_create(count_waiting, NULL, &queue), CURFEW_OK);
	curfew__host_functions *list = create_queued(queue);
	waiting = 0;
	for (unsigned i = 1; i <= 3; i++) {
		CHECK(!call_now(list, 0, &caller, &(curfew__host_params){"[]", 2, NULL}, &text));
		free(text);
		CHECK_EQUAL(waiting, i);
		CHECK(curfew_call_queue_take(queue, 0, NULL) == NULL);
		CHECK(curfew_call_queue_take(queue, 1000, NULL) == NULL);
	}
	curfew_call_queue_destroy(queue);
	curfew__host_functions_unref(list);
}

static void test_what_a_queue_cannot_be_given_with(void)
{
	curfew_call_queue *queue;
	curfew_failure failure;
	CHECK_EQUAL(curfew_call_queue_create(NULL, NULL, &queue), CURFEW_OK);
	const curfew_host_function bad[] = {
		{.size = sizeof *bad, .name = "both", .call = on_call, .queue = queue},
		{.size = sizeof *bad, .name = "later", .flags = CURFEW_HOST_ASYNC, .queue = queue},
		{.size = sizeof *bad, .name = "neither"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CHECK(curfew__host_functions_create(&bad[i], 1, &failure) == NULL);
		CHECK(strstr(failure.message, "it needs a callback, or a queue if it is not asynchronous") != NULL);
	}
	curfew_call_queue_destroy(queue);
}

static const harness_test tests[] = {
	{"what_is_no_json_is_refused", test_what_is_no_json_is_refused},
	{"what_is_right_is_passed", test_what_is_right_is_passed},
	{"stopped_calls", test_stopped_calls},
	{"a_thread_takes_calls_from_a_queue", test_a_thread_takes_calls_from_a_queue},
	{"a_stop_ends_the_wait_for_an_answer", test_a_stop_ends_the_wait_for_an_answer},
	{"a_stopped_call_leaves_the_queue", test_a_stopped_call_leaves_the_queue},
	{"what_a_queue_cannot_be_given_with", test_what_a_queue_cannot_be_given_with},
};

HARNESS_MAIN(tests)
