/* SPDX-License-Identifier: Apache-2.0 */
/* What a host function is given: nothing that a guest, even a corrupted one, wrote and that is not the JSON of a list.
 */
#include "host/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../guest/abi.h"

static unsigned calls;

static void on_call(void *context, curfew_host_call *call)
{
	size_t length = 0;
	const char *params = curfew_host_call_get_params(call, &length);
	(void)context;
	calls++;
	if (params != NULL) {
		assert_int_equal(curfew_json_check(params, length, NULL), CURFEW_OK);
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

/* The one event of an asynchronous call; false: it threw. */
static bool call_later(curfew__host_functions *list, size_t which, const curfew__host_caller *caller,
                       const curfew__host_params *params, char **text)
{
	curfew__operations *operations = curfew__operations_create(on_wake, NULL);
	assert_int_not_equal(curfew__host_call_start(list, which, caller, operations, params), 0);
	const curfew__operation_event *event = curfew__operations_next(operations);
	assert_non_null(event);
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

/* Whether a call with this JSON returned; what it answered is to be freed. */
static bool call(size_t which, const char *json, size_t length, const atomic_uint *stop, char **text)
{
	char message[256];
	curfew__host_functions *list = curfew__host_functions_create(functions, FUNCTIONS, message);
	curfew__host_caller caller = {.stopped = {stop, stop}};
	curfew__host_params params = {json, length, NULL};
	assert_non_null(list);
	bool returned = functions[which].flags & CURFEW_HOST_ASYNC ? call_later(list, which, &caller, &params, text)
	                                                           : call_now(list, which, &caller, &params, text);
	curfew__host_functions_unref(list);
	return returned;
}

static void test_what_is_no_json_is_refused(void **state)
{
	/* Claim T52. */
	(void)state;
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
			assert_false(call(which, bad[i].text, bad[i].length, &stop, &text));
			assert_memory_equal(text, "arguments: ", 11);
			free(text);
		}
	}
	assert_int_equal(calls, 0);
}

static void test_what_is_right_is_passed(void **state)
{
	(void)state;
	static const char *const given[FUNCTIONS] = {" [1,{\"a\":\"\\ud800\"}]", "[]", "[42]", "[ -0 ]"};
	static const char *const expected[FUNCTIONS] = {" [1,{\"a\":\"\\ud800\"}]", "[]", "42", "0"};
	atomic_uint stop = 0;
	calls = 0;
	for (size_t which = 0; which < FUNCTIONS; which++) {
		char *text = NULL;
		assert_true(call(which, given[which], strlen(given[which]), &stop, &text));
		assert_string_equal(text, expected[which]);
		free(text);
	}
	assert_int_equal(calls, FUNCTIONS);
}

/* What a stop cuts short is never passed to anybody. */
static void test_stopped_calls(void **state)
{
	(void)state;
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
		assert_false(call(which, json, SIZE, &stop, &text));
		free(text);
	}
	assert_int_equal(calls, 0);
	free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_no_json_is_refused),
		cmocka_unit_test(test_what_is_right_is_passed),
		cmocka_unit_test(test_stopped_calls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
