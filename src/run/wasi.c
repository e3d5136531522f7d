/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the options that concerns WASI. It is checked and copied, because a run may begin after its caller has
 * returned. */
#include "run/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/json.h"
#include "common/memory_file.h"
#include "base/refuse.h"
#include "common/utf8.h"

/* Limits of all of it together, in bytes and in number. */
#define BYTES_MAX ((size_t)1 << 20)
#define COUNT_MAX 10000

static size_t size_of(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static curfew_status check_texts(const char *what, const char *const *texts, size_t count, size_t *bytes,
                                 curfew_failure *failure)
{
	char message[128];

	if (count > COUNT_MAX || (count && !texts)) {
		snprintf(message, sizeof message, "%s are missing, or there are more than %d", what, COUNT_MAX);
		return curfew__refuse(failure, CURFEW_INVALID, message);
	}
	for (size_t i = 0; i < count; i++) {
		size_t size = size_of(texts[i]);
		if (!size || !curfew__utf8_check(texts[i], size - 1, NULL)) {
			snprintf(message, sizeof message, "%s: number %zu is missing or not UTF-8", what, i + 1);
			return curfew__refuse(failure, CURFEW_INVALID, message);
		}
		*bytes += size;
	}
	return CURFEW_OK;
}

curfew_status curfew__wasi_given_check(const curfew_run_options *options, curfew_failure *failure)
{
	size_t bytes = 0;
	curfew_status status = check_texts("args", options->args, options->arg_count, &bytes, failure);

	if (status == CURFEW_OK)
		status = check_texts("env", options->env, options->env_count, &bytes, failure);
	if (status != CURFEW_OK)
		return status;
	for (size_t i = 0; i < options->env_count; i++)
		if (!strchr(options->env[i], '=') || options->env[i][0] == '=')
			return curfew__refuse(failure, CURFEW_INVALID, "env: each is NAME=value");
	if (options->dir_count > COUNT_MAX || (options->dir_count && !options->dirs))
		return curfew__refuse(failure, CURFEW_INVALID, "dirs are missing, or too many");
	for (size_t i = 0; i < options->dir_count; i++) {
		const curfew_dir *dir = &options->dirs[i];
		const char *texts[] = {dir->host, dir->guest};
		if ((dir->flags & ~CURFEW_DIR_WRITE) || dir->reserved)
			return curfew__refuse(failure, CURFEW_INVALID, "unknown flag of a dir");
		if ((status = check_texts("paths of a dir", texts, 2, &bytes, failure)) != CURFEW_OK)
			return status;
	}
	if (bytes > BYTES_MAX)
		return curfew__refuse(failure, CURFEW_INVALID, "args, env and dirs are larger than 1 MiB together");
	return CURFEW_OK;
}

char *curfew__wasi_env_json(const curfew__wasi_given *given, size_t *length)
{
	curfew__buffer text;
	curfew__json_writer writer;

	/* A byte becomes at most six. */
	curfew__buffer_init(&text, BYTES_MAX * 8);
	curfew__json_init(&writer, &text);
	curfew__json_begin_object(&writer);
	for (size_t i = 0; i < given->env_count; i++) {
		const char *item = given->env[i], *equals = strchr(item, '=');
		char *name = strndup(item, (size_t)(equals - item));
		text.failed |= !name;
		curfew__json_key(&writer, name ? name : "");
		curfew__json_text(&writer, equals + 1);
		free(name);
	}
	curfew__json_end_object(&writer);
	if (!text.failed)
		return curfew__buffer_take(&text, length);
	curfew__buffer_finish(&text);
	return NULL;
}

static const char *append_string(char **to, const char *text)
{
	char *at = *to;
	size_t size = size_of(text);

	memcpy(at, text, size);
	*to += size;
	return at;
}

static size_t total(const curfew_run_options *options, const char *name)
{
	size_t bytes = sizeof(curfew__wasi_given) + (options->arg_count + 1 + options->env_count) * sizeof(char *) +
	               options->dir_count * sizeof(curfew__wasi_directory) + size_of(name);

	for (size_t i = 0; i < options->arg_count; i++)
		bytes += size_of(options->args[i]);
	for (size_t i = 0; i < options->env_count; i++)
		bytes += size_of(options->env[i]);
	for (size_t i = 0; i < options->dir_count; i++)
		bytes += size_of(options->dirs[i].host) + size_of(options->dirs[i].guest);
	return bytes;
}

/* Creates a file in memory with these bytes, positioned at its start. -1: it cannot be created. */
static int make_input(const void *bytes, size_t length)
{
	int file = curfew__memory_file("curfew-stdin");

	if (file < 0 || curfew__file_write(file, bytes, length, 0))
		return file;
	close(file);
	return -1;
}

curfew__wasi_given *curfew__wasi_given_create(const curfew_run_options *options, const char *name)
{
	curfew__wasi_given *given = calloc(1, total(options, name));

	if (!given)
		return NULL;
	given->dirs = (curfew__wasi_directory *)(given + 1);
	given->args = (const char **)(given->dirs + options->dir_count);
	given->env = given->args + options->arg_count + 1;
	char *to = (char *)(given->env + options->env_count);
	given->args[given->arg_count++] = append_string(&to, name);
	for (size_t i = 0; i < options->arg_count; i++)
		given->args[given->arg_count++] = append_string(&to, options->args[i]);
	for (size_t i = 0; i < options->env_count; i++)
		given->env[given->env_count++] = append_string(&to, options->env[i]);
	for (size_t i = 0; i < options->dir_count; i++) {
		curfew__wasi_directory *dir = &given->dirs[given->dir_count++];
		dir->host = append_string(&to, options->dirs[i].host);
		dir->guest = append_string(&to, options->dirs[i].guest);
		dir->writable = options->dirs[i].flags & CURFEW_DIR_WRITE;
	}
	given->stdin_file = options->flags & CURFEW_RUN_STDIN ? options->stdin_fd : -1;
	if (!options->stdin_bytes)
		return given;
	given->stdin_file = make_input(options->stdin_bytes, options->stdin_length);
	given->owns_stdin = given->stdin_file >= 0;
	if (given->owns_stdin)
		return given;
	free(given);
	return NULL;
}

void curfew__wasi_given_destroy(curfew__wasi_given *given)
{
	if (given && given->owns_stdin)
		close(given->stdin_file);
	free(given);
}
