/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments and environment of WASI programs, from a submission and to the pool. */
#include "wasi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS_MOST = 1024 };

static bool is_words(const json_t *value)
{
	return json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value);
}

static void check_args(fields *f, const json_t *args)
{
	size_t i;
	const json_t *item;
	if (args != NULL && (!json_is_array(args) || json_array_size(args) > ITEMS_MOST))
		fields_fail(f, NULL, "must be an array of at most %d strings", ITEMS_MOST);
	json_array_foreach(args, i, item)
	{
		char name[24];
		(void)snprintf(name, sizeof name, "%zu", i);
		if (!is_words(item))
			fields_fail(f, name, "must be a string without NUL");
	}
}

static void check_env(fields *f, json_t *env)
{
	const char *name;
	json_t *value;
	if (env != NULL && (!json_is_object(env) || json_object_size(env) > ITEMS_MOST))
		fields_fail(f, NULL, "must be an object of at most %d strings", ITEMS_MOST);
	json_object_foreach(env, name, value)
	{
		if (name[0] == '\0' || strchr(name, '=') != NULL)
			fields_fail(f, name, "is no name of a variable");
		else if (!is_words(value))
			fields_fail(f, name, "must be a string without NUL");
	}
}

void wasi_take(fields *f, char **words, fields *wrong)
{
	json_t *args = fields_take(f, "args"), *env = fields_take(f, "env");
	*words = NULL;
	*wrong = (fields){.base = "/args"};
	check_args(wrong, args);
	wrong->base = "/env";
	check_env(wrong, env);
	if (wrong->failed || (args == NULL && env == NULL))
		return;
	json_t *both = json_pack("{s:O*,s:O*}", "args", args, "env", env);
	*words = both != NULL ? json_dumps(both, JSON_COMPACT) : NULL;
	json_decref(both);
	if (*words == NULL)
		fields_fail(wrong, NULL, "is more than there is memory for");
}

bool wasi_split(wasi *w, const char *words)
{
	size_t i;
	const json_t *item;
	const char *name;
	json_t *value;
	*w = (wasi){0};
	if (words == NULL)
		return true;
	w->parsed = json_loads(words, 0, NULL);
	const json_t *args = json_object_get(w->parsed, "args");
	json_t *env = json_object_get(w->parsed, "env");
	w->args = calloc(json_array_size(args) + 1, sizeof *w->args);
	w->env = calloc(json_object_size(env) + 1, sizeof *w->env);
	if (w->parsed == NULL || w->args == NULL || w->env == NULL)
		return false;
	json_array_foreach(args, i, item)
	{
		w->args[w->arg_count++] = json_string_value(item);
	}
	json_object_foreach(env, name, value)
	{
		if (asprintf(&w->env[w->env_count], "%s=%s", name, json_string_value(value)) < 0)
			return false;
		w->env_count++;
	}
	return true;
}

void wasi_finish(wasi *w)
{
	for (size_t i = 0; i < w->env_count; i++)
		free(w->env[i]);
	free(w->args);
	free(w->env);
	json_decref(w->parsed);
}
