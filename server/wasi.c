/* SPDX-License-Identifier: Apache-2.0 */
/* The input of a run besides its parameters, from a submission to the pool. */
#include "wasi.h"

#include "curfew.h"
#include "common/text.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS_MAX = 1024, ZONE_MAX = 128, HEADERS_MAX = 64 };

#define INPUT_MAX ((size_t)16 << 20)

static bool is_words(const json_t *value)
{
	return json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value);
}

static void check_strings(fields *f, const json_t *list, int most)
{
	size_t i;
	const json_t *item;
	if (list != NULL && (!json_is_array(list) || json_array_size(list) > (size_t)most))
		fields_fail(f, NULL, "must be an array of at most %d strings", most);
	json_array_foreach(list, i, item)
	{
		char name[24];
		(void)snprintf(name, sizeof name, "%zu", i);
		if (!is_words(item))
			fields_fail(f, name, "must be a string without NUL");
	}
}

/* The library's message, without "secret_for HOST:HEADER: ", which the pointer says. */
static const char *without_entry(const char *message)
{
	const char *why = strstr(message, ": ");
	return why != NULL ? why + 2 : message;
}

/* The names of secrets are looked up when the run begins. */
static void check_secret_for(fields *f, const json_t *entries)
{
	curfew_failure failure;
	check_strings(f, entries, HEADERS_MAX);
	for (size_t i = 0; !f->failed && i < json_array_size(entries); i++) {
		char name[24];
		(void)snprintf(name, sizeof name, "%zu", i);
		if (curfew_secret_for_check(json_string_value(json_array_get(entries, i)), NULL, 0, &failure) != CURFEW_OK)
			fields_fail(f, name, "%s", without_entry(failure.message));
	}
}

static void check_env(fields *f, json_t *env)
{
	const char *name;
	json_t *value;
	if (env != NULL && (!json_is_object(env) || json_object_size(env) > ITEMS_MAX))
		fields_fail(f, NULL, "must be an object of at most %d strings", ITEMS_MAX);
	json_object_foreach(env, name, value)
	{
		if (name[0] == '\0' || strchr(name, '=') != NULL)
			fields_fail(f, name, "is not a name of a variable");
		else if (!is_words(value))
			fields_fail(f, name, "must be a string without NUL");
	}
}

/* ---- Standard input -------------------------------------------------------------------------------------- */

/* {"base64": "..."} */
static char *decode_base64(span object, size_t *length)
{
	size_t count = 0, encoded_length = 0;
	scan_object members = scan_begin(object.data, object.len);
	span key, value, found = {0};
	int more;
	while ((more = scan_next(&members, &key, &value)) == 1 && ++count == 1 && scan_is_name(key, "base64"))
		found = value;
	char *encoded = more == 0 && count == 1 && found.data != NULL ? scan_copy(found, &encoded_length) : NULL;
	char *bytes = encoded != NULL ? malloc(encoded_length / 4 * 3 + 3) : NULL;
	bool good = bytes != NULL &&
	            sodium_base642bin((unsigned char *)bytes, encoded_length / 4 * 3 + 3, encoded, encoded_length, "\r\n",
	                              length, NULL, sodium_base64_VARIANT_ORIGINAL) == 0;
	free(encoded);
	if (good)
		return bytes;
	free(bytes);
	return NULL;
}

/* Decodes a string or base64, with space for one byte more. NULL: it is neither. */
static char *decode_input(span input, size_t *length)
{
	return input.data[0] == '{' ? decode_base64(input, length) : scan_copy(input, length);
}

static void check_input(fields *f, span input)
{
	size_t length = 0;
	if (input.data == NULL)
		return;
	char *decoded = decode_input(input, &length);
	if (decoded == NULL)
		fields_fail(f, NULL, "must be a string, or {\"base64\": \"...\"} for bytes");
	else if (length > INPUT_MAX)
		fields_fail(f, NULL, "is larger than 16 MiB");
	free(decoded);
}

/* The library's message, without the member's name, which the pointer has. */
static const char *without_name(const char *message, const char *name)
{
	static const char field[] = "files: ";
	size_t length = name != NULL ? strlen(name) : 0;
	if (strncmp(message, field, sizeof field - 1) == 0)
		message += sizeof field - 1;
	bool is_named = length > 0 && strncmp(message, name, length) == 0 && message[length] == ' ';
	return is_named ? message + length + 1 : message;
}

/* Whether one file is invalid by itself; then the failure is about it. */
static bool fail_for_file(fields *f, span key, span value)
{
	curfew_failure failure;
	size_t length = 0;
	char *alone = malloc(key.len + value.len + 3), *name = scan_copy(key, &length);
	bool is_bad = false;
	if (alone != NULL && name != NULL) {
		(void)snprintf(alone, key.len + value.len + 3, "{%.*s:", (int)key.len, key.data);
		memcpy(alone + key.len + 2, value.data, value.len);
		alone[key.len + 2 + value.len] = '}';
		is_bad = curfew_files_check(alone, key.len + value.len + 3, &failure) != CURFEW_OK;
	}
	if (is_bad)
		fields_fail(f, name, "%s", without_name(failure.message, name));
	free(alone);
	free(name);
	return is_bad;
}

static void check_files(fields *f, span files)
{
	curfew_failure failure;
	if (files.data == NULL || curfew_files_check(files.data, files.len, &failure) == CURFEW_OK)
		return;
	scan_object members = scan_begin(files.data, files.len);
	span key, value;
	while (scan_next(&members, &key, &value) == 1) {
		if (fail_for_file(f, key, value))
			return;
	}
	fields_fail(f, NULL, "%s", without_name(failure.message, NULL));
}

/* ---- From a submission ------------------------------------------------------------------------------------- */

static void add_member(text *out, const char *name, const char *json, size_t length)
{
	if (json == NULL)
		return;
	text_print(out, "%s\"%s\":", out->length > 1 ? "," : "", name);
	text_add(out, json, length);
}

static void add_value(text *out, const char *name, const json_t *value)
{
	char *json = value != NULL ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	if (json != NULL)
		add_member(out, name, json, strlen(json));
	out->failed = out->failed || (value != NULL && json == NULL);
	free(json);
}

static const json_t *take_timezone(fields *f, fields *wrong)
{
	curfew_failure failure;
	const char *zone = fields_text(f, "timezone", ZONE_MAX);
	if (zone == NULL || curfew_timezone_check(zone, &failure) == CURFEW_OK)
		return zone != NULL ? fields_take(f, "timezone") : NULL;
	*wrong = (fields){.base = ""};
	fields_fail(wrong, "timezone", "there is no such time zone; give an IANA name, such as Europe/Berlin");
	return NULL;
}

void wasi_take(fields *f, span input, span files, char **words, fields *wrong)
{
	const json_t *args = fields_take(f, "args");
	json_t *env = fields_take(f, "env");
	const json_t *secret_for = fields_take(f, "secret_for");

	(void)fields_take(f, "stdin"), (void)fields_take(f, "files");
	*words = NULL;
	*wrong = (fields){.base = "/args"};
	check_strings(wrong, args, ITEMS_MAX);
	wrong->base = "/env";
	check_env(wrong, env);
	wrong->base = "/secret_for";
	check_secret_for(wrong, secret_for);
	wrong->base = "/stdin";
	check_input(wrong, input);
	wrong->base = "/files";
	check_files(wrong, files);
	const json_t *zone = wrong->failed ? NULL : take_timezone(f, wrong);
	if (wrong->failed || f->failed || (!args && !env && !secret_for && !zone && !input.data && !files.data))
		return;
	text out;
	text_init(&out, SIZE_MAX / 2);
	text_say(&out, "{");
	add_value(&out, "args", args);
	add_value(&out, "env", env);
	add_value(&out, "secret_for", secret_for);
	add_value(&out, "timezone", zone);
	add_member(&out, "stdin", input.data, input.len);
	add_member(&out, "files", files.data, files.len);
	text_say(&out, "}");
	*words = text_take(&out, NULL);
	wrong->base = "";
	if (*words == NULL)
		fields_fail(wrong, NULL, "does not fit into memory");
}

/* ---- To the pool ------------------------------------------------------------------------------------------- */

static bool split_list(span value, json_t **parsed, const char ***list, size_t *count)
{
	size_t i;
	const json_t *item;
	*parsed = json_loadb(value.data, value.len, JSON_DECODE_ANY, NULL);
	*list = calloc(json_array_size(*parsed) + 1, sizeof **list);
	if (*parsed == NULL || *list == NULL)
		return false;
	json_array_foreach(*parsed, i, item)
	{
		(*list)[(*count)++] = json_string_value(item);
	}
	return true;
}

static bool split_env(wasi *w, span value)
{
	const char *name;
	json_t *item;
	w->env_parsed = json_loadb(value.data, value.len, JSON_DECODE_ANY, NULL);
	w->env = calloc(json_object_size(w->env_parsed) + 1, sizeof *w->env);
	if (w->env_parsed == NULL || w->env == NULL)
		return false;
	json_object_foreach(w->env_parsed, name, item)
	{
		if (asprintf(&w->env[w->env_count], "%s=%s", name, json_string_value(item)) < 0)
			return false;
		w->env_count++;
	}
	return true;
}

static bool split_timezone(wasi *w, span value)
{
	size_t length = 0;
	w->timezone = scan_copy(value, &length);
	return w->timezone != NULL;
}

static bool split_input(wasi *w, span value)
{
	w->input = decode_input(value, &w->input_length);
	return w->input != NULL;
}

bool wasi_split(wasi *w, const char *words)
{
	span key, value;
	bool good = true;
	*w = (wasi){0};
	scan_object members = scan_begin(words, words != NULL ? strlen(words) : 0);
	while (words != NULL && good && scan_next(&members, &key, &value) == 1) {
		if (scan_is_name(key, "args"))
			good = split_list(value, &w->args_parsed, &w->args, &w->arg_count);
		else if (scan_is_name(key, "secret_for"))
			good = split_list(value, &w->secret_for_parsed, &w->secret_for, &w->secret_for_count);
		else if (scan_is_name(key, "env"))
			good = split_env(w, value);
		else if (scan_is_name(key, "timezone"))
			good = split_timezone(w, value);
		else if (scan_is_name(key, "stdin"))
			good = split_input(w, value);
		else if (scan_is_name(key, "files"))
			w->files = value;
	}
	return good;
}

void wasi_finish(wasi *w)
{
	for (size_t i = 0; i < w->env_count; i++)
		free(w->env[i]);
	free(w->args);
	free(w->secret_for);
	free(w->env);
	free(w->timezone);
	free(w->input);
	json_decref(w->args_parsed);
	json_decref(w->secret_for_parsed);
	json_decref(w->env_parsed);
}
