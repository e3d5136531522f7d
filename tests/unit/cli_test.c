/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of a command line. */
#include "../harness.h"
#include "cli/options.h"
#include "cli/say.h"

#include <stdint.h>

#include <stdlib.h>
#include <string.h>

/* Parses the words of a command line, in the form that main receives them. */
static int parse(cli_command_id command, cli_arguments *arguments, const char *const *words)
{
	char *copies[16];
	int count = 0;
	for (; words[count] != NULL; count++)
		copies[count] = (char *)(uintptr_t)words[count];
	int code = cli_parse(command, count, copies, arguments);
	/* The copies are freed, and with them the texts that the arguments refer to. */
	for (size_t i = 0; code < 0 && i < arguments->rest_count; i++)
		CHECK(arguments->rest[i] == (copies[(size_t)count - arguments->rest_count + i]));
	return code;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void expect_refused(cli_command_id command, const char *const *words)
{
	cli_arguments arguments;
	CHECK_EQUAL(parse(command, &arguments, words), CLI_EXIT_USAGE);
	cli_arguments_finish(&arguments);
}

static void test_options_program_and_its_arguments(void)
{
	cli_arguments arguments;
	CHECK(parse(CLI_RUN, &arguments, WORDS("--timeout", "2s", "--memory=128MiB", "a.js", "one", "--timeout")) < 0);
	CHECK_TEXT(arguments.program, "a.js");
	CHECK_EQUAL(arguments.limits.timeout_ns, 2000000000);
	CHECK_EQUAL(arguments.limits.memory_bytes, 128 << 20);
	CHECK_EQUAL(arguments.rest_count, 2);
	cli_arguments_finish(&arguments);
}

static void test_nothing_is_an_option_behind_two_dashes(void)
{
	cli_arguments arguments;
	CHECK(parse(CLI_RUN, &arguments, WORDS("--json", "--", "--odd.js", "--quiet")) < 0);
	CHECK_TEXT(arguments.program, "--odd.js");
	CHECK(arguments.values[CLI_OPTION_JSON] != NULL);
	CHECK(arguments.values[CLI_OPTION_QUIET] == NULL);
	CHECK_EQUAL(arguments.rest_count, 1);
	cli_arguments_finish(&arguments);
}

static void test_options_that_may_be_repeated(void)
{
	cli_arguments arguments;
	CHECK(parse(CLI_RUN, &arguments, WORDS("--allow-fetch", "a.example", "--allow-fetch=b.example", "a.js")) < 0);
	const cli_list *hosts = &arguments.lists[CLI_OPTION_ALLOW_FETCH];
	CHECK_EQUAL(hosts->count, 2);
	CHECK_TEXT(hosts->items[0], "a.example");
	CHECK_TEXT(hosts->items[1], "b.example");
	cli_arguments_finish(&arguments);
}

static void test_what_is_refused(void)
{
	expect_refused(CLI_RUN, WORDS("--no-such", "a.js"));
	expect_refused(CLI_RUN, WORDS("--timeout"));
	expect_refused(CLI_RUN, WORDS("--timeout", "0s", "a.js"));
	expect_refused(CLI_RUN, WORDS("--json=yes", "a.js"));
	expect_refused(CLI_RUN, WORDS("--isolate", "sometimes", "a.js"));
	expect_refused(CLI_RUN, WORDS(""));
	expect_refused(CLI_INSPECT, WORDS("a.js", "b.js"));
	expect_refused(CLI_PS, WORDS("a"));
}

static void test_the_nearest_name(void)
{
	cli_option options[CLI_OPTIONS_MAX];
	size_t count = cli_list_options(CLI_RUN, options);
	CHECK_TEXT(cli_nearest_command("rnu"), "run");
	CHECK_TEXT(cli_nearest_command("cancle"), "cancel");
	CHECK_TEXT(cli_nearest_option(options, count, "tiemout"), "timeout");
	CHECK_EQUAL(cli_find_command("run"), CLI_RUN);
	CHECK_EQUAL(cli_find_command("rnu"), CLI_COMMANDS);
}

static void test_every_option_is_told_apart(void)
{
	for (int command = 0; command < CLI_COMMANDS; command++) {
		cli_option options[CLI_OPTIONS_MAX];
		size_t count = cli_list_options((cli_command_id)command, options);
		CHECK(count < CLI_OPTIONS_MAX); /* no option was left out */
		for (size_t i = 0; i < count; i++) {
			for (size_t k = 0; k < i; k++) {
				CHECK(strcmp(options[i].name, options[k].name) != 0);
				CHECK(options[i].letter == 0 || options[i].letter != options[k].letter);
			}
		}
	}
}

static const harness_test tests[] = {
	{"options_program_and_its_arguments", test_options_program_and_its_arguments},
	{"nothing_is_an_option_behind_two_dashes", test_nothing_is_an_option_behind_two_dashes},
	{"options_that_may_be_repeated", test_options_that_may_be_repeated},
	{"what_is_refused", test_what_is_refused},
	{"the_nearest_name", test_the_nearest_name},
	{"every_option_is_told_apart", test_every_option_is_told_apart},
};

HARNESS_MAIN(tests)
