/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of a command line. */
#include "cli/options.h"
#include "cli/say.h"

#include <stdint.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The words of a command line, as main has them. */
static int parse(cli_command_id command, cli_arguments *arguments, const char *const *words)
{
	char *copies[16];
	int count = 0;
	for (; words[count] != NULL; count++)
		copies[count] = (char *)(uintptr_t)words[count];
	int code = cli_parse(command, count, copies, arguments);
	/* What is pointed to goes away with the copies. */
	for (size_t i = 0; code < 0 && i < arguments->rest_count; i++)
		assert_ptr_equal(arguments->rest[i], copies[(size_t)count - arguments->rest_count + i]);
	return code;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void expect_refused(cli_command_id command, const char *const *words)
{
	cli_arguments arguments;
	assert_int_equal(parse(command, &arguments, words), CLI_EXIT_USAGE);
	cli_arguments_finish(&arguments);
}

static void test_options_program_and_its_arguments(void **state)
{
	cli_arguments arguments;
	(void)state;
	assert_true(parse(CLI_RUN, &arguments, WORDS("--timeout", "2s", "--memory=128MiB", "a.js", "one", "--timeout")) <
	            0);
	assert_string_equal(arguments.program, "a.js");
	assert_int_equal(arguments.limits.timeout_ns, 2000000000);
	assert_int_equal(arguments.limits.memory_bytes, 128 << 20);
	assert_int_equal(arguments.rest_count, 2);
	cli_arguments_finish(&arguments);
}

static void test_nothing_is_an_option_behind_two_dashes(void **state)
{
	cli_arguments arguments;
	(void)state;
	assert_true(parse(CLI_RUN, &arguments, WORDS("--json", "--", "--odd.js", "--quiet")) < 0);
	assert_string_equal(arguments.program, "--odd.js");
	assert_non_null(arguments.values[CLI_OPTION_JSON]);
	assert_null(arguments.values[CLI_OPTION_QUIET]);
	assert_int_equal(arguments.rest_count, 1);
	cli_arguments_finish(&arguments);
}

static void test_options_that_may_be_repeated(void **state)
{
	cli_arguments arguments;
	(void)state;
	assert_true(parse(CLI_RUN, &arguments, WORDS("--allow-fetch", "a.example", "--allow-fetch=b.example", "a.js")) < 0);
	const cli_list *hosts = &arguments.lists[CLI_OPTION_ALLOW_FETCH];
	assert_int_equal(hosts->count, 2);
	assert_string_equal(hosts->items[0], "a.example");
	assert_string_equal(hosts->items[1], "b.example");
	cli_arguments_finish(&arguments);
}

static void test_what_is_refused(void **state)
{
	(void)state;
	expect_refused(CLI_RUN, WORDS("--no-such", "a.js"));
	expect_refused(CLI_RUN, WORDS("--timeout"));
	expect_refused(CLI_RUN, WORDS("--timeout", "0s", "a.js"));
	expect_refused(CLI_RUN, WORDS("--json=yes", "a.js"));
	expect_refused(CLI_RUN, WORDS("--isolate", "sometimes", "a.js"));
	expect_refused(CLI_RUN, WORDS(""));
	expect_refused(CLI_INSPECT, WORDS("a.js", "b.js"));
	expect_refused(CLI_PS, WORDS("a"));
}

static void test_the_nearest_name(void **state)
{
	cli_option options[CLI_OPTIONS_MOST];
	size_t count = cli_list_options(CLI_RUN, options);
	(void)state;
	assert_string_equal(cli_nearest_command("rnu"), "run");
	assert_string_equal(cli_nearest_command("cancle"), "cancel");
	assert_string_equal(cli_nearest_option(options, count, "tiemout"), "timeout");
	assert_int_equal(cli_find_command("run"), CLI_RUN);
	assert_int_equal(cli_find_command("rnu"), CLI_COMMANDS);
}

static void test_every_option_is_told_apart(void **state)
{
	(void)state;
	for (int command = 0; command < CLI_COMMANDS; command++) {
		cli_option options[CLI_OPTIONS_MOST];
		size_t count = cli_list_options((cli_command_id)command, options);
		assert_true(count < CLI_OPTIONS_MOST); /* none was left out */
		for (size_t i = 0; i < count; i++) {
			for (size_t k = 0; k < i; k++) {
				assert_string_not_equal(options[i].name, options[k].name);
				assert_true(options[i].letter == 0 || options[i].letter != options[k].letter);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_program_and_its_arguments),
		cmocka_unit_test(test_nothing_is_an_option_behind_two_dashes),
		cmocka_unit_test(test_options_that_may_be_repeated),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_the_nearest_name),
		cmocka_unit_test(test_every_option_is_told_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
