/* SPDX-License-Identifier: Apache-2.0 */
/* Converts values between JavaScript and the library. */
#include "addon.h"
#include <stdlib.h>
#include <string.h>

struct addon *curfew_node_arguments(napi_env env, napi_callback_info info, napi_value *values)
{
	size_t count = CURFEW_NODE_ARGUMENTS;
	void *addon = NULL;
	napi_get_cb_info(env, info, &count, values, NULL, NULL);
	napi_get_instance_data(env, &addon);
	return addon;
}

napi_value curfew_node_null(napi_env env)
{
	napi_value value;
	napi_get_null(env, &value);
	return value;
}

void curfew_node_report_exception(napi_env env)
{
	napi_value error;
	bool pending = false;
	napi_is_exception_pending(env, &pending);
	if (pending && napi_get_and_clear_last_exception(env, &error) == napi_ok)
		napi_fatal_exception(env, error);
}

static bool is_nothing(napi_env env, napi_value value)
{
	napi_valuetype type = napi_undefined;
	napi_typeof(env, value, &type);
	return type == napi_undefined || type == napi_null;
}

/* The bytes of a Buffer, or the UTF-8 of a string. A NUL follows both. */
char *curfew_node_string(napi_env env, napi_value value, size_t *length)
{
	size_t size = 0;
	char *text;
	bool is_buffer = false;
	if (length != NULL)
		*length = 0;
	if (is_nothing(env, value))
		return NULL;

	napi_is_buffer(env, value, &is_buffer);
	if (is_buffer) {
		void *data = NULL;
		napi_get_buffer_info(env, value, &data, &size);
		text = malloc(size + 1);
		if (text != NULL && size > 0)
			memcpy(text, data, size);
	} else {
		napi_get_value_string_utf8(env, value, NULL, 0, &size);
		text = malloc(size + 1);
		if (text != NULL)
			napi_get_value_string_utf8(env, value, text, size + 1, &size);
	}
	if (text != NULL)
		text[size] = '\0';
	if (length != NULL)
		*length = size;
	return text;
}

void *curfew_node_external(napi_env env, napi_value value)
{
	void *pointer = NULL;
	napi_get_value_external(env, value, &pointer);
	return pointer;
}

uint32_t curfew_node_number(napi_env env, napi_value value)
{
	uint32_t number = 0;
	napi_get_value_uint32(env, value, &number);
	return number;
}

napi_value curfew_node_property(napi_env env, napi_value object, const char *name)
{
	napi_value value;
	if (napi_get_named_property(env, object, name, &value) != napi_ok)
		napi_get_undefined(env, &value);
	return value;
}

napi_value curfew_node_error(napi_env env, curfew_status status, const char *message)
{
	static const char *const names[] = {
#define X(name, value, sentence) [value] = #name,
		CURFEW_STATUS_LIST(X)
#undef X
	};
	napi_value code, text, error;
	bool known = status >= 0 && (size_t)status < sizeof names / sizeof *names && names[status] != NULL;
	napi_create_string_utf8(env, known ? names[status] : "INTERNAL", NAPI_AUTO_LENGTH, &code);
	napi_create_string_utf8(env, *message != '\0' ? message : curfew_status_text(status), NAPI_AUTO_LENGTH, &text);
	napi_create_error(env, code, text, &error);
	return error;
}

napi_value curfew_node_throw(napi_env env, curfew_status status, const curfew_failure *failure)
{
	napi_throw(env, curfew_node_error(env, status, failure->message));
	return NULL;
}

napi_value curfew_node_report(napi_env env, const curfew_report *report)
{
	char *json = NULL;
	size_t length = 0;
	napi_value pair, text, code;
	bool exited = report->outcome == CURFEW_OUTCOME_EXITED;

	if (curfew_report_to_json(report, &json, &length) != CURFEW_OK)
		return curfew_node_null(env);
	napi_create_string_utf8(env, json, length, &text);
	curfew_free(json);
	napi_create_int32(env, exited ? report->exit_code : curfew_outcome_exit_code(report->outcome), &code);

	napi_create_array_with_length(env, 2, &pair);
	napi_set_element(env, pair, 0, text);
	napi_set_element(env, pair, 1, code);
	return pair;
}

/* ---- Lists ------------------------------------------------------------------------------------------------ */

bool curfew_node_strings(napi_env env, napi_value array, struct strings *strings)
{
	uint32_t count = 0;
	*strings = (struct strings){0};
	if (is_nothing(env, array) || napi_get_array_length(env, array, &count) != napi_ok || count == 0)
		return true;
	strings->items = calloc(count, sizeof *strings->items);
	if (strings->items == NULL)
		return false;

	for (; strings->count < count; strings->count++) {
		napi_value item;
		napi_get_element(env, array, (uint32_t)strings->count, &item);
		strings->items[strings->count] = curfew_node_string(env, item, NULL);
		if (strings->items[strings->count] == NULL)
			return false;
	}
	return true;
}

void curfew_node_strings_free(struct strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->items[i]);
	free(strings->items);
}

bool curfew_node_limits(napi_env env, napi_value array, curfew_limits *limits)
{
	struct strings texts;
	curfew_failure failure = {{0}};
	curfew_status status = CURFEW_OK;
	*limits = (curfew_limits){.size = sizeof *limits};
	if (!curfew_node_strings(env, array, &texts))
		status = CURFEW_NO_MEMORY;
	for (size_t i = 0; status == CURFEW_OK && i + 1 < texts.count; i += 2)
		status = curfew_limits_set(limits, texts.items[i], texts.items[i + 1], &failure);
	curfew_node_strings_free(&texts);
	if (status != CURFEW_OK)
		curfew_node_throw(env, status, &failure);
	return status == CURFEW_OK;
}

/* ---- Options of a run ------------------------------------------------------------------------------------- */

/* Secrets come as names and values, one after the other. */
static bool fill_secrets(struct options *options)
{
	size_t count = options->secrets.count / 2;
	if (count == 0)
		return true;
	options->secret_list = calloc(count, sizeof *options->secret_list);
	if (options->secret_list == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		char **pair = &options->secrets.items[2 * i];
		options->secret_list[i] = (curfew_secret){.name = pair[0], .value = pair[1], .value_length = strlen(pair[1])};
	}
	options->run.secrets = options->secret_list;
	options->run.secret_count = count;
	return true;
}

/* Directories come as the host's path, the guest's path, and "w" or "". */
static bool fill_dirs(struct options *options)
{
	size_t count = options->dirs.count / 3;
	if (count == 0)
		return true;
	options->dir_list = calloc(count, sizeof *options->dir_list);
	if (options->dir_list == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		char **parts = &options->dirs.items[3 * i];
		options->dir_list[i] = (curfew_dir){
			.host = parts[0], .guest = parts[1], .flags = *parts[2] == 'w' ? CURFEW_DIR_WRITE : 0};
	}
	options->run.dirs = options->dir_list;
	options->run.dir_count = count;
	return true;
}

/* secrets, allowFetch, args, env, dirs, secretFor */
static bool fill_lists(napi_env env, const napi_value *values, struct options *options)
{
	curfew_run_options *run = &options->run;
	struct strings *const lists[] = {&options->secrets, &options->allow_fetch, &options->args,
	                                 &options->env,     &options->dirs,        &options->secret_for};
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (!curfew_node_strings(env, values[i], lists[i]))
			return false;
	run->allow_fetch = (const char *const *)options->allow_fetch.items;
	run->allow_fetch_count = options->allow_fetch.count;
	run->secret_for = (const char *const *)options->secret_for.items;
	run->secret_for_count = options->secret_for.count;
	run->args = (const char *const *)options->args.items;
	run->arg_count = options->args.count;
	run->env = (const char *const *)options->env.items;
	run->env_count = options->env.count;
	return fill_secrets(options) && fill_dirs(options);
}

/* limits, call, params, user, deterministic, stdin, the six lists, timezone, files */
bool curfew_node_options(napi_env env, const napi_value *values, struct options *options)
{
	bool deterministic = false;
	int32_t stdin_fd = -1;
	*options = (struct options){.run = {.size = sizeof options->run}};
	if (!curfew_node_limits(env, values[0], &options->limits))
		return false;

	options->call = curfew_node_string(env, values[1], NULL);
	options->params = curfew_node_string(env, values[2], &options->run.params_length);
	options->user = curfew_node_string(env, values[3], NULL);
	options->timezone = curfew_node_string(env, values[12], NULL);
	options->files = curfew_node_string(env, values[13], &options->run.files_length);
	options->run.timezone = options->timezone;
	options->run.files = options->files;
	options->run.limits = &options->limits;
	options->run.call = options->call;
	options->run.params = options->params;
	options->run.user = options->user;

	napi_get_value_bool(env, values[4], &deterministic);
	napi_get_value_int32(env, values[5], &stdin_fd);
	if (deterministic)
		options->run.flags |= CURFEW_RUN_DETERMINISTIC;
	if (stdin_fd >= 0) {
		options->run.flags |= CURFEW_RUN_STDIN;
		options->run.stdin_fd = stdin_fd;
	}
	if (fill_lists(env, values + 6, options))
		return true;
	curfew_node_throw(env, CURFEW_NO_MEMORY, &(curfew_failure){{0}});
	return false;
}

void curfew_node_options_free(struct options *options)
{
	for (size_t i = 0; i < options->run.secret_count; i++)
		explicit_bzero(options->secrets.items[2 * i + 1], options->secret_list[i].value_length);
	curfew_node_strings_free(&options->secrets);
	curfew_node_strings_free(&options->allow_fetch);
	curfew_node_strings_free(&options->args);
	curfew_node_strings_free(&options->env);
	curfew_node_strings_free(&options->dirs);
	curfew_node_strings_free(&options->secret_for);
	free(options->secret_list);
	free(options->dir_list);
	free(options->call);
	free(options->params);
	free(options->user);
	free(options->timezone);
	free(options->files);
}
