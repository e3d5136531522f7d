/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the command line. Files that cannot be a program (a directory, binary data) are refused here, so that the
 * message can name the file. Whether a program parses is the guest's to find out, under limits.
 */
#include "files.h"

#include "commands.h"
#include "common/json_scan.h"
#include "common/utf8.h"
#include "options.h"
#include "format.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SOURCE_MAX = 16 << 20, BUNDLE_MAX = 64 << 20, WASM_MAX = 128 << 20, FIRST_READ = 64 << 10, MAP_MAX = 1 << 20 };

/* An image contains a guest's memory, which has at most 4 GiB. */
#define IMAGE_MAX ((size_t)5 << 30)

const char *cli_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

/* ---- Reading --------------------------------------------------------------------------------------------- */

static bool fail_reading(curfew_failure *failure, const char *program, const char *why)
{
	(void)snprintf(failure->message, sizeof failure->message, "cannot read %.150s: %s", program, why);
	return false;
}

static bool fail_at(curfew_failure *failure, const char *program, const char *what, size_t offset)
{
	(void)snprintf(failure->message, sizeof failure->message, "%.150s is not JavaScript: %s at byte %zu", program, what,
	               offset);
	return false;
}

static size_t bytes_max(const cli_source *source)
{
	if (curfew_is_image(source->text, source->length))
		return IMAGE_MAX;
	if (source->language == CURFEW_LANGUAGE_BUNDLE)
		return BUNDLE_MAX;
	return source->language == CURFEW_LANGUAGE_WASM ? WASM_MAX : SOURCE_MAX;
}

static bool has_wasm_header(const cli_source *source)
{
	return source->length >= 4 && memcmp(source->text, "\0asm", 4) == 0;
}

/* Reads to the end, or to one byte beyond the limit. False: errno says why. */
static bool read_all(int fd, cli_source *source)
{
	size_t capacity = 0;

	for (;;) {
		if (source->length == capacity) {
			capacity = capacity > 0 ? capacity * 2 : FIRST_READ;
			char *text = realloc(source->text, capacity);
			if (text == NULL)
				return false;
			source->text = text;
		}
		if (source->is_unnamed && has_wasm_header(source))
			source->language = CURFEW_LANGUAGE_WASM;
		ssize_t got = read(fd, source->text + source->length, capacity - source->length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		source->length += (size_t)got;
		if (got == 0 || source->length > bytes_max(source))
			return true;
	}
}

static bool read_file(const char *program, cli_source *source, curfew_failure *failure)
{
	bool is_stdin = strcmp(program, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(program, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return fail_reading(failure, program, strerror(errno));
	bool read = read_all(fd, source);
	int error = errno;
	if (!is_stdin)
		(void)close(fd);
	return read || fail_reading(failure, is_stdin ? "standard input" : program, strerror(error));
}

char *cli_file_read_bytes(const char *path, size_t most, size_t *length, char *why, size_t why_size)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *bytes = fd >= 0 ? malloc(most + 1) : NULL;
	ssize_t got = 1;

	*length = 0;
	while (bytes != NULL && got > 0 && *length <= most) {
		got = read(fd, bytes + *length, most + 1 - *length);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			*length += (size_t)got;
	}

	int error = bytes == NULL || got < 0 ? errno : 0;
	if (fd >= 0 && !is_stdin)
		(void)close(fd);
	if (error == 0 && *length <= most)
		return bytes;
	if (error != 0)
		(void)snprintf(why, why_size, "%s", strerror(error));
	else
		(void)snprintf(why, why_size, "larger than %zu MiB", most >> 20);
	free(bytes);
	return NULL;
}

char *cli_file_read(const char *path, size_t most, char *why, size_t why_size)
{
	size_t length;
	char *text = cli_file_read_bytes(path, most, &length, why, why_size);
	if (text == NULL)
		return NULL;
	if (memchr(text, '\0', length) != NULL) {
		(void)snprintf(why, why_size, "holds a NUL byte");
		free(text);
		return NULL;
	}
	text[length] = '\0';
	return text;
}

static bool check_text(const char *program, const cli_source *source, curfew_failure *failure)
{
	if (has_wasm_header(source)) {
		(void)snprintf(failure->message, sizeof failure->message,
		               "%.150s is WebAssembly: its name should end in .wasm, or give --lang wasm", program);
		return false;
	}
	for (size_t at = 0; at < source->length;) {
		uint32_t character;
		size_t step = curfew__utf8_decode(source->text + at, source->length - at, &character);
		if (step == 0)
			return fail_at(failure, program, "invalid UTF-8", at);
		if (source->text[at] == '\0')
			return fail_at(failure, program, "a NUL", at);
		at += step;
	}
	return true;
}

/* Sets name and directory of a program that was read. */
static bool set_names(const char *program, cli_source *source)
{
	if (strcmp(program, "-") == 0) {
		source->name = strdup("stdin");
		return source->name != NULL;
	}
	const char *name = cli_base_name(program);
	/* Names that begin with "curfew:" are the library's own. */
	bool reserved = strncmp(name, "curfew:", strlen("curfew:")) == 0;
	size_t size = strlen(name) + sizeof "./";
	source->name = malloc(size);
	if (source->name == NULL)
		return false;
	(void)snprintf(source->name, size, "%s%s", reserved ? "./" : "", name);
	/* Resolve symbolic links: imports are searched where the file really is, as in Node. */
	source->import_dir = realpath(program, NULL);
	if (source->import_dir == NULL)
		return errno != ENOMEM;
	char *slash = strrchr(source->import_dir, '/');
	slash[slash == source->import_dir ? 1 : 0] = '\0';
	return true;
}

static const struct {
	const char *name;
	curfew_language language;
} languages[] = {
	{"js", CURFEW_LANGUAGE_JS},     {"mjs", CURFEW_LANGUAGE_JS_MODULE}, {"cjs", CURFEW_LANGUAGE_JS},
	{"ts", CURFEW_LANGUAGE_TS},     {"mts", CURFEW_LANGUAGE_TS_MODULE}, {"cts", CURFEW_LANGUAGE_TS},
	{"wasm", CURFEW_LANGUAGE_WASM}, {"wat", CURFEW_LANGUAGE_WAT},       {"tar", CURFEW_LANGUAGE_BUNDLE},
};

/* Finds the language by --lang, or else by the ending, or else later by the first bytes. */
static curfew_language language_of(const char *program, const char *lang, bool *is_named)
{
	const char *dot = strrchr(cli_base_name(program), '.');
	const char *name = lang != NULL ? lang : dot != NULL ? dot + 1 : "";
	*is_named = true;
	for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++)
		if (strcmp(name, languages[i].name) == 0)
			return languages[i].language;
	*is_named = false;
	return CURFEW_LANGUAGE_JS;
}

bool cli_language_is_wasm(curfew_language language)
{
	return language == CURFEW_LANGUAGE_WASM || language == CURFEW_LANGUAGE_WAT;
}

static bool has_ending(const char *program, const char *ending)
{
	size_t length = strlen(program), size = strlen(ending);
	return length > size && strcmp(program + length - size, ending) == 0;
}

static bool check_size(const char *program, const cli_source *source, curfew_failure *failure)
{
	if (source->length <= bytes_max(source))
		return true;
	char why[40];
	(void)snprintf(why, sizeof why, "larger than %zu MiB", bytes_max(source) >> 20);
	return fail_reading(failure, program, source->is_image ? "larger than an image can be" : why);
}

static bool read_source(const char *program, const char *lang, cli_source *source, curfew_failure *failure)
{
	bool is_named;

	*source = (cli_source){.language = language_of(program, lang, &is_named)};
	source->is_unnamed = !is_named;
	failure->message[0] = '\0';
	if (!read_file(program, source, failure))
		return false;
	source->is_image = curfew_is_image(source->text, source->length);
	if (!check_size(program, source, failure))
		return false;
	/* Without its beginning, an image that was cut short would be a JavaScript program; an empty one, a valid one. */
	if (source->is_unnamed && !source->is_image && has_ending(program, ".curfew")) {
		(void)snprintf(failure->message, sizeof failure->message, "%.150s is not an image of a compiled program",
		               program);
		return false;
	}
	if (source->is_unnamed && has_wasm_header(source))
		source->language = CURFEW_LANGUAGE_WASM;
	bool is_text = !cli_language_is_wasm(source->language) && source->language != CURFEW_LANGUAGE_BUNDLE;
	if (!source->is_image && is_text && !check_text(program, source, failure))
		return false;
	if (!set_names(program, source))
		return fail_reading(failure, program, strerror(ENOMEM));
	if (source->language == CURFEW_LANGUAGE_BUNDLE) {
		free(source->import_dir);
		source->import_dir = NULL;
	}

	return true;
}

/* The file's path below the directory, which is resolved. NULL: it is elsewhere, or out of memory. */
static char *path_below(const char *program, const char *directory)
{
	char *path = realpath(program, NULL);
	size_t length = strcmp(directory, "/") != 0 ? strlen(directory) : 0;
	bool is_below = path != NULL && strncmp(path, directory, length) == 0 && path[length] == '/';
	char *below = is_below ? strdup(path + length + 1) : NULL;
	free(path);
	return below;
}

static bool set_import_dir(cli_source *source, const char *program, const char *dir, curfew_failure *failure)
{
	program = source->path != NULL ? source->path : program;
	bool has_file = strcmp(program, "-") != 0 && strcmp(program, CLI_EVAL) != 0;
	char *directory = realpath(dir, NULL);
	char *below = directory != NULL && has_file ? path_below(program, directory) : NULL;
	if (directory == NULL || (has_file && below == NULL)) {
		(void)snprintf(failure->message, sizeof failure->message, "--import-dir %.100s: %s%.100s", dir,
		               directory == NULL ? strerror(errno) : "it must hold ", directory == NULL ? "" : program);
		free(directory);
		return false;
	}
	free(source->import_dir);
	source->import_dir = directory;
	if (below != NULL) {
		free(source->name);
		source->name = below;
		source->is_path = true;
	}
	return true;
}

/* ---- A directory as a program ------------------------------------------------------------------------------ */

static bool is_directory(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* The main of package.json; free it with free. NULL: there is none. */
static char *read_main(const char *dir)
{
	char *path = NULL, why[64], *main = NULL;
	if (asprintf(&path, "%s/package.json", dir) < 0)
		return NULL;
	char *text = cli_file_read(path, MAP_MAX, why, sizeof why);
	span value = text != NULL ? scan_member(text, strlen(text), "main") : (span){0};
	size_t length;
	if (value.len > 2)
		main = scan_copy(value, &length);
	free(text);
	free(path);
	return main;
}

/* A file of the directory; NULL: there is none of that name. */
static char *find_file(const char *dir, const char *name)
{
	struct stat status;
	char *path = NULL;
	if (name != NULL && asprintf(&path, "%s/%s", dir, name) >= 0 && stat(path, &status) == 0 && S_ISREG(status.st_mode))
		return path;
	free(path);
	return NULL;
}

static char *find_entry(const char *dir)
{
	static const char *const usual[] = {"index.js", "index.mjs", "index.ts", "index.mts", "index.cjs"};
	char *main = read_main(dir), *entry = find_file(dir, main);
	for (size_t i = 0; entry == NULL && i < sizeof usual / sizeof usual[0]; i++)
		entry = find_file(dir, usual[i]);
	free(main);
	return entry;
}

bool cli_source_read(const char *program, const char *lang, cli_source *source, curfew_failure *failure)
{
	if (strcmp(program, "-") == 0 || !is_directory(program))
		return read_source(program, lang, source, failure);
	*source = (cli_source){.path = find_entry(program)};
	if (source->path == NULL)
		return fail_reading(failure, program,
		                    "a directory whose package.json has no main that exists, and without index.js");
	char *entry = source->path;
	bool good = read_source(entry, lang, source, failure);
	source->path = entry;
	return good && set_import_dir(source, program, program, failure);
}

static bool set_import_map(cli_source *source, const char *path, curfew_failure *failure)
{
	char why[160] = "";
	curfew_failure problem = {.message = ""};
	char *text = cli_file_read(path, MAP_MAX, why, sizeof why);
	if (text != NULL && curfew_import_map_check(text, strlen(text), &problem) != CURFEW_OK)
		(void)snprintf(why, sizeof why, "%.150s", problem.message);
	else if (text != NULL && (source->is_image || cli_language_is_wasm(source->language)))
		(void)snprintf(why, sizeof why, "only JavaScript that is not compiled yet has an import map");
	if (why[0] != '\0') {
		(void)snprintf(failure->message, sizeof failure->message, "--import-map %.80s: %s", path, why);
		free(text);
		return false;
	}
	source->import_map = text;
	source->import_map_name = source->import_dir != NULL ? path_below(path, source->import_dir) : NULL;
	return true;
}

bool cli_source_set_imports(cli_source *source, const char *program, const cli_arguments *arguments,
                            curfew_failure *failure)
{
	const char *dir = arguments->values[CLI_OPTION_IMPORT_DIR], *map = arguments->values[CLI_OPTION_IMPORT_MAP];
	return (dir == NULL || set_import_dir(source, program, dir, failure)) &&
	       (map == NULL || set_import_map(source, map, failure));
}

bool cli_source_eval(const char *code, const char *lang, cli_source *source, curfew_failure *failure)
{
	bool is_named;
	*source = (cli_source){.language = language_of(CLI_EVAL, lang, &is_named), .length = strlen(code)};
	failure->message[0] = '\0';
	source->text = strdup(code);
	source->name = strdup(CLI_EVAL);
	if (source->text == NULL || source->name == NULL)
		return fail_reading(failure, CLI_EVAL, strerror(ENOMEM));
	source->import_dir = realpath(".", NULL);
	return cli_language_is_wasm(source->language) || check_text(CLI_EVAL, source, failure);
}

void cli_source_finish(cli_source *source)
{
	free(source->text);
	free(source->name);
	free(source->path);
	free(source->import_dir);
	free(source->import_map);
	free(source->import_map_name);
	*source = (cli_source){0};
}

/* ---- Data ------------------------------------------------------------------------------------------------ */

static bool is_text(const char *bytes, size_t length)
{
	return memchr(bytes, '\0', length) == NULL && curfew__utf8_check(bytes, length, NULL);
}

static void write_base64(FILE *out, const char *bytes, size_t length)
{
	enum { PIECE = 3 * 1024 };
	char encoded[PIECE / 3 * 4 + 1];
	for (size_t at = 0; at < length; at += PIECE) {
		size_t count = length - at < PIECE ? length - at : PIECE;
		(void)sodium_bin2base64(encoded, sizeof encoded, (const unsigned char *)bytes + at, count,
		                        sodium_base64_VARIANT_ORIGINAL);
		fputs(encoded, out);
	}
}

void cli_write_json_bytes(FILE *out, const char *bytes, size_t length)
{
	char *text = is_text(bytes, length) ? strndup(bytes, length) : NULL;
	if (text != NULL) {
		cli_write_json_string(out, text);
		free(text);
		return;
	}
	fputs("{\"base64\":\"", out);
	write_base64(out, bytes, length);
	fputs("\"}", out);
}

/* Writes one file as a member of the object. */
static bool add_file(FILE *out, const char *item, curfew_failure *failure)
{
	char why[128] = "";
	const char *equals = strchr(item, '='), *path = equals != NULL ? equals + 1 : item;
	size_t length = 0;
	char *bytes = cli_file_read_bytes(path, SOURCE_MAX, &length, why, sizeof why);
	char *name = equals != NULL ? strndup(item, (size_t)(equals - item)) : strdup(cli_base_name(path));
	if (bytes != NULL && name != NULL) {
		cli_write_json_string(out, name);
		fputc(':', out);
		cli_write_json_bytes(out, bytes, length);
	} else {
		(void)snprintf(failure->message, sizeof failure->message, "--file %.120s: %.100s", item, why);
	}
	bool good = bytes != NULL && name != NULL;
	free(bytes);
	free(name);
	return good;
}

char *cli_files_to_json(const char *const *items, size_t count, size_t *length, curfew_failure *failure)
{
	char *text = NULL;

	failure->message[0] = '\0';
	FILE *out = count > 0 ? open_memstream(&text, length) : NULL;
	bool good = out != NULL;
	for (size_t i = 0; good && i < count; i++) {
		fputc(i > 0 ? ',' : '{', out);
		good = add_file(out, items[i], failure);
	}

	if (out != NULL) {
		fputc('}', out);
		(void)fclose(out);
	}

	if (good && curfew_files_check(text, *length, failure) == CURFEW_OK)
		return text;
	if (strncmp(failure->message, "files: ", 7) == 0) {
		char message[sizeof failure->message];
		(void)snprintf(message, sizeof message, "--file: %.200s", failure->message + 7);
		memcpy(failure->message, message, sizeof message);
	}

	free(text);
	return NULL;
}

/* ---- Writing --------------------------------------------------------------------------------------------- */

/* Opens a new file beside the target; its name is in temporary. -1: errno says why. */
static int open_temporary(const char *target, char temporary[PATH_MAX])
{
	const char *name = cli_base_name(target);
	int length = snprintf(temporary, PATH_MAX, "%.*s.curfew-XXXXXX", (int)(name - target), target);
	if (length < 0 || length >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return mkostemp(temporary, O_CLOEXEC);
}

/* The file that a path means, with symbolic links followed, even if it does not exist yet. */
static void resolve(const char *path, char target[PATH_MAX])
{
	if (realpath(path, target) == NULL)
		(void)snprintf(target, PATH_MAX, "%s", path);
}

/* Whether files can be made beside this one: 0, or why not. */
static int check_directory(const char *target)
{
	char temporary[PATH_MAX];
	int fd = open_temporary(target, temporary);
	if (fd < 0)
		return errno;
	(void)close(fd);
	(void)unlink(temporary);
	return 0;
}

/* Replacing needs a regular file, or none, in a writable directory. */
static bool can_replace(const char *target)
{
	struct stat status;
	bool exists = stat(target, &status) == 0;
	return (!exists || S_ISREG(status.st_mode)) && check_directory(target) == 0;
}

int cli_file_check(const char *path)
{
	char target[PATH_MAX];
	if (strlen(path) >= PATH_MAX)
		return ENAMETOOLONG;
	resolve(path, target);
	struct stat status;
	bool exists = stat(target, &status) == 0;
	if (path[0] == '\0' || (!exists && path[strlen(path) - 1] == '/'))
		return ENOENT;
	if (exists && S_ISDIR(status.st_mode))
		return EISDIR;
	if (exists)
		return access(target, W_OK) == 0 ? 0 : errno;
	return check_directory(target);
}

/* The permissions that a file written in place would have. */
static mode_t mode_for(const char *target)
{
	struct stat status;
	if (stat(target, &status) == 0)
		return status.st_mode & 07777;
	mode_t mask = umask(0);
	(void)umask(mask);
	return 0666 & ~mask;
}

static int replace_file(const char *target, const void *bytes, size_t length)
{
	char temporary[PATH_MAX];
	int fd = open_temporary(target, temporary);
	if (fd < 0)
		return errno;
	int error = cli_write(fd, bytes, length, NULL);
	if (error == 0 && fchmod(fd, mode_for(target)) != 0)
		error = errno;
	if (close(fd) != 0 && error == 0)
		error = errno;
	if (error == 0 && rename(temporary, target) != 0)
		error = errno;
	if (error != 0)
		(void)unlink(temporary);
	return error;
}

static int write_in_place(const char *target, const void *bytes, size_t length)
{
	int fd = open(target, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return errno;
	int error = cli_write(fd, bytes, length, NULL);
	if (close(fd) != 0 && error == 0)
		error = errno;
	return error;
}

/* Our own stdout or stderr, if that is what the path means (/dev/stdout, or the file it was sent to); else -1. */
static int find_standard_output(const struct stat *status)
{
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		struct stat open_status;
		if (fstat(fd, &open_status) == 0 && open_status.st_dev == status->st_dev &&
		    open_status.st_ino == status->st_ino)
			return fd;
	}
	return -1;
}

int cli_file_write(const char *path, const void *bytes, size_t length)
{
	char target[PATH_MAX];
	if (strlen(path) >= PATH_MAX)
		return ENAMETOOLONG;
	resolve(path, target);
	struct stat status;
	bool exists = stat(target, &status) == 0;
	int standard = exists ? find_standard_output(&status) : -1;
	if (standard >= 0)
		return cli_write(standard, bytes, length, NULL);
	if (exists && !can_replace(target))
		return write_in_place(path, bytes, length);
	return replace_file(target, bytes, length);
}

char *cli_cache_dir(void)
{
	const char *base = getenv("XDG_CACHE_HOME");
	const char *inside = "";
	/* The XDG specification says that a relative path is to be ignored. */
	if (base == NULL || base[0] != '/') {
		base = getenv("HOME");
		inside = "/.cache";
	}
	if (base == NULL || base[0] != '/')
		return NULL;
	size_t size = strlen(base) + strlen(inside) + sizeof "/curfew";
	char *path = malloc(size);
	if (path == NULL)
		return NULL;
	/* On a new account the parent directory may be missing; the library makes only the last directory. */
	(void)snprintf(path, size, "%s%s", base, inside);
	(void)mkdir(path, 0700);
	(void)snprintf(path, size, "%s%s/curfew", base, inside);
	return path;
}
