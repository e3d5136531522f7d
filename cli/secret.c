/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets of users: the command that maintains them, and the secrets of --secret and --secrets for a run. A value is
 * read from standard input, a key from a file or the environment, and the memory of both is wiped.
 */
#include "commands.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <termios.h>
#include <unistd.h>

enum { KEY_DIGITS = 2 * CURFEW_SECRETS_KEY_BYTES, KEY_FILE_MAX = 256 };

/* Capacity for a value and a line break, and one byte more to detect a value that is too long. */
enum { VALUE_SIZE = CURFEW_SECRET_BYTES + 3 };

/* ---- Keys ------------------------------------------------------------------------------------------------ */

static int digit_of(char letter)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *found = letter != '\0' ? strchr(digits, letter) : NULL;
	return found != NULL ? (int)((found - digits) % 16) : -1;
}

static bool parse_key(const char *text, size_t length, unsigned char key[CURFEW_SECRETS_KEY_BYTES])
{
	if (length != KEY_DIGITS)
		return false;
	for (size_t i = 0; i < CURFEW_SECRETS_KEY_BYTES; i++) {
		int high = digit_of(text[2 * i]);
		int low = digit_of(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		key[i] = (unsigned char)(high * 16 + low);
	}
	return true;
}

static ssize_t read_until_end(int fd, char *bytes, size_t room)
{
	size_t length = 0;
	while (length < room) {
		ssize_t got = read(fd, bytes + length, room - length);
		if (got < 0 && errno != EINTR)
			return -1;
		if (got == 0)
			break;
		length += got > 0 ? (size_t)got : 0;
	}
	return (ssize_t)length;
}

static bool is_in_group(gid_t group)
{
	gid_t groups[NGROUPS_MAX];
	int count = getgroups(NGROUPS_MAX, groups);
	for (int i = 0; i < count; i++) {
		if (groups[i] == group)
			return true;
	}
	return false;
}

/*
 * Whether somebody else may read it. In one case a group may: if the parent process provided the file, as Kubernetes
 * does with a Secret for its pod's fsGroup. Then it belongs to root, is read-only, for a group of this process, and on
 * a mount in memory that nobody can write.
 */
static bool may_others_read(int fd, const struct stat *status)
{
	struct statfs place;
	if (!S_ISREG(status->st_mode) || (status->st_mode & 077) == 0)
		return false;
	bool is_handed_over = (status->st_mode & 0777 & ~(mode_t)0440) == 0 && status->st_uid == 0 &&
	                      (status->st_gid == getegid() || is_in_group(status->st_gid)) && fstatfs(fd, &place) == 0 &&
	                      (place.f_type == TMPFS_MAGIC || place.f_type == RAMFS_MAGIC) &&
	                      (place.f_flags & ST_RDONLY) != 0;
	return !is_handed_over;
}

/* Checks an open key file. Returns what is wrong with it, or NULL. */
static const char *load_key(int fd, unsigned char key[CURFEW_SECRETS_KEY_BYTES])
{
	struct stat status;
	char text[KEY_FILE_MAX];
	if (fstat(fd, &status) != 0)
		return strerror(errno);
	if (may_others_read(fd, &status))
		return "others may read it: chmod 600";
	ssize_t length = read_until_end(fd, text, sizeof text);
	if (length < 0)
		return strerror(errno);
	bool raw = length == CURFEW_SECRETS_KEY_BYTES;
	if (raw)
		memcpy(key, text, CURFEW_SECRETS_KEY_BYTES);
	while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
		length--;
	bool loaded = raw || parse_key(text, (size_t)length, key);
	explicit_bzero(text, sizeof text);
	return loaded ? NULL : "a key is 64 hexadecimal digits, or 32 bytes";
}

static int read_key_file(const char *origin, const char *path, unsigned char key[CURFEW_SECRETS_KEY_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	const char *why = fd >= 0 ? load_key(fd, key) : strerror(errno);
	if (fd >= 0)
		(void)close(fd);
	return why != NULL ? cli_usage_error("%s %s: %s", origin, path, why) : CLI_GO_ON;
}

/*
 * Reads the key of this file of secrets from the place that was named (option may be NULL). CLI_GO_ON, or the exit code
 * after an error was reported.
 */
static int read_key(const char *option, const char *path_of_secrets, unsigned char key[CURFEW_SECRETS_KEY_BYTES])
{
	char *text = getenv("CURFEW_SECRETS_KEY");
	const char *path = getenv("CURFEW_SECRETS_KEY_FILE");
	if (option != NULL)
		return read_key_file("--secrets-key", option, key);
	if (text != NULL) {
		bool parsed = parse_key(text, strlen(text), key);
		explicit_bzero(text, strlen(text));
		return parsed ? CLI_GO_ON : cli_usage_error("CURFEW_SECRETS_KEY: a key is 64 hexadecimal digits");
	}
	if (path != NULL)
		return read_key_file("CURFEW_SECRETS_KEY_FILE", path, key);
	return cli_usage_error("--secrets %s: needs its key: --secrets-key FILE, or CURFEW_SECRETS_KEY_FILE or "
	                       "CURFEW_SECRETS_KEY in the environment (curfew secret key FILE makes one)",
	                       path_of_secrets);
}

static int make_key(const char *path)
{
	unsigned char key[CURFEW_SECRETS_KEY_BYTES];
	char text[KEY_DIGITS + 2];
	if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key) {
		cli_say("there are no random numbers: %s", strerror(errno));
		return CLI_EXIT_INTERNAL;
	}
	for (size_t i = 0; i < sizeof key; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", key[i]);
	text[KEY_DIGITS] = '\n';
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int error = fd < 0 ? errno : cli_write(fd, text, KEY_DIGITS + 1, NULL);
	if (fd >= 0 && (fsync(fd) != 0 || close(fd) != 0) && error == 0)
		error = errno;
	explicit_bzero(key, sizeof key);
	explicit_bzero(text, sizeof text);
	if (error == 0)
		return CLI_EXIT_OK;
	cli_say("%s: %s", path, strerror(error));
	return CLI_EXIT_FAILED;
}

/* ---- The store ------------------------------------------------------------------------------------------- */

/* $XDG_STATE_HOME/curfew/secrets.db or the XDG specification's default; NULL if there is no home. */
static char *default_store(void)
{
	const char *base = getenv("XDG_STATE_HOME");
	const char *inside = "";
	if (base == NULL || base[0] != '/') {
		base = getenv("HOME");
		inside = "/.local/state";
	}
	char *path = NULL;
	if (base == NULL || base[0] != '/' || asprintf(&path, "%s%s/curfew/secrets.db", base, inside) < 0)
		return NULL;
	return path;
}

/* Makes the directories above the default store, which a new account lacks. Opening the store reports a failure. */
static void make_directories(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
}

int cli_secrets_open(const char *key_path, const char *path, uint32_t flags, const char *origin, curfew_secrets **store)
{
	unsigned char key[CURFEW_SECRETS_KEY_BYTES];
	curfew_failure failure;
	int code = read_key(key_path, path, key);
	if (code == CLI_GO_ON && curfew_secrets_open(path, key, flags, store, &failure) != CURFEW_OK) {
		cli_say("%s%s", origin, failure.message);
		code = origin[0] != '\0' ? CLI_EXIT_USAGE : CLI_EXIT_FAILED;
	}
	explicit_bzero(key, sizeof key);
	return code;
}

static int open_named_store(const cli_arguments *arguments, uint32_t flags, curfew_secrets **store)
{
	const char *given = arguments->values[CLI_OPTION_SECRETS], *key_path = arguments->values[CLI_OPTION_SECRETS_KEY];
	if (given != NULL)
		return cli_secrets_open(key_path, given, flags, "", store);
	char *path = default_store();
	if (path == NULL)
		return cli_usage_error("there is no home directory for the secrets: use --secrets FILE");
	if ((flags & CURFEW_SECRETS_CREATE) != 0)
		make_directories(path);
	int code = cli_secrets_open(key_path, path, flags, "", store);
	free(path);
	return code;
}

/* ---- Values ---------------------------------------------------------------------------------------------- */

static struct termios terminal;

/* An interrupted question must not leave the terminal without echo. */
static void on_signal(int number)
{
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

static ssize_t ask_for_value(const char *name, const char *user, char *value, size_t room)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	char question[512];
	int length = snprintf(question, sizeof question, "Value of %.128s for %.256s: ", name, user);

	if (tcgetattr(STDIN_FILENO, &terminal) != 0)
		return -1;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		(void)signal(numbers[i], on_signal);
	(void)signal(SIGTSTP, SIG_IGN);
	struct termios silent = terminal;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0)
		return -1;
	(void)cli_write(STDERR_FILENO, question, (size_t)length, NULL);
	ssize_t got;
	do
		got = read(STDIN_FILENO, value, room);
	while (got < 0 && errno == EINTR);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
	(void)cli_write(STDERR_FILENO, "\n", 1, NULL);
	return got;
}

/* Reads the value from standard input, without a line break at its end. CLI_GO_ON, or the exit code after an error was
 * reported. */
static int read_value(const char *name, const char *user, char *value, size_t *length)
{
	bool asks = isatty(STDIN_FILENO) != 0;
	ssize_t got = asks ? ask_for_value(name, user, value, VALUE_SIZE) : read_until_end(STDIN_FILENO, value, VALUE_SIZE);
	if (got < 0) {
		cli_say("cannot read standard input: %s", strerror(errno));
		return CLI_EXIT_FAILED;
	}
	if (got > 0 && value[got - 1] == '\n')
		got--;
	if (got > 0 && value[got - 1] == '\r')
		got--;
	*length = (size_t)got;
	return CLI_GO_ON;
}

/* ---- The command ----------------------------------------------------------------------------------------- */

/* CLI_EXIT_OK, or the exit code after an error was reported. */
static int conclude(curfew_status status, const curfew_failure *failure)
{
	if (status == CURFEW_OK)
		return CLI_EXIT_OK;
	cli_say("%s", failure->message[0] != '\0' ? failure->message : curfew_status_text(status));
	return status == CURFEW_INVALID ? CLI_EXIT_USAGE : CLI_EXIT_FAILED;
}

static int set_secret(const cli_arguments *arguments, curfew_secrets *store)
{
	curfew_failure failure = {.message = ""};
	const char *user = arguments->values[CLI_OPTION_USER];
	/* Use separate pages, which are kept out of swap if that is allowed. */
	char *value = mmap(NULL, VALUE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (value == MAP_FAILED) {
		cli_say("out of memory");
		return CLI_EXIT_INTERNAL;
	}
	(void)mlock(value, VALUE_SIZE);
	curfew_secret secret = {arguments->program, value, 0};
	int code = read_value(secret.name, user, value, &secret.value_length);
	if (code == CLI_GO_ON)
		code = conclude(curfew_secrets_set(store, user, &secret, &failure), &failure);
	explicit_bzero(value, VALUE_SIZE);
	(void)munmap(value, VALUE_SIZE);
	return code;
}

static int list_secrets(const cli_arguments *arguments, curfew_secrets *store)
{
	curfew_failure failure = {.message = ""};
	char **names = NULL;
	size_t count = 0;
	curfew_status status = curfew_secrets_list(store, arguments->values[CLI_OPTION_USER], &names, &count, &failure);
	int code = conclude(status, &failure);
	for (size_t i = 0; i < count && code == CLI_EXIT_OK; i++) {
		/* Replace the NUL at its end by a line break. */
		size_t length = strlen(names[i]);
		names[i][length] = '\n';
		code = cli_print(names[i], length + 1);
	}
	curfew_free(names);
	return code;
}

static int remove_secret(const cli_arguments *arguments, curfew_secrets *store)
{
	curfew_failure failure = {.message = ""};
	return conclude(curfew_secrets_remove(store, arguments->values[CLI_OPTION_USER], arguments->program, &failure),
	                &failure);
}

static const struct action {
	const char *name;
	const char *operand; /* NULL: takes none */
	uint32_t flags;
	int (*run)(const cli_arguments *arguments, curfew_secrets *store); /* NULL: needs no store */
} actions[] = {
	{"set", "NAME", CURFEW_SECRETS_CREATE, set_secret},
	{"list", NULL, 0, list_secrets},
	{"remove", "NAME", 0, remove_secret},
	{"key", "FILE", 0, NULL},
};

static const struct action *find_action(const char *name)
{
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
		if (name != NULL && strcmp(actions[i].name, name) == 0)
			return &actions[i];
	}
	return NULL;
}

/* Checks the command line beyond its syntax. -1: it is valid. */
static int check_arguments(const cli_arguments *arguments, const struct action *action)
{
	const char *operand = arguments->program;
	const char *user = arguments->values[CLI_OPTION_USER];
	curfew_failure failure;

	if (action == NULL)
		return cli_usage_error("secret %s: must be one of: set list remove key",
		                       arguments->action != NULL ? arguments->action : "needs what to do");
	if (action->operand == NULL && operand != NULL)
		return cli_usage_error("unexpected argument %s after secret %s", operand, action->name);
	if (action->operand != NULL && operand == NULL)
		return cli_usage_error("secret %s needs a %s; see curfew secret --help", action->name, action->operand);
	if (arguments->rest_count > 0)
		return cli_usage_error("unexpected argument %s after secret %s", arguments->rest[0], action->name);
	if (action->run == NULL)
		return CLI_GO_ON;
	if (user == NULL || user[0] == '\0')
		return cli_usage_error("secret %s needs --user ID", action->name);
	const curfew_secret name_only = {.name = operand};
	if (operand != NULL && curfew_secret_check(&name_only, &failure) != CURFEW_OK)
		return cli_usage_error("%s", failure.message);
	return CLI_GO_ON;
}

int cli_secret(const cli_arguments *arguments)
{
	const struct action *action = find_action(arguments->action);
	curfew_secrets *store = NULL;
	int code = check_arguments(arguments, action);
	if (code != CLI_GO_ON)
		return code;
	if (action->run == NULL)
		return make_key(arguments->program);
	code = open_named_store(arguments, action->flags, &store);
	if (code == CLI_GO_ON)
		code = action->run(arguments, store);
	curfew_secrets_close(store);
	return code;
}

/* ---- For a run ------------------------------------------------------------------------------------------- */

static int add_given(cli_grants *grants, const char *word)
{
	curfew_failure failure;
	const char *equals = strchr(word, '=');
	if (equals == NULL || equals == word)
		return cli_usage_error("--secret %.100s: must be NAME=VALUE", equals == NULL ? word : "");
	char *name = strndup(word, (size_t)(equals - word));
	if (name == NULL) {
		cli_say("out of memory");
		return CLI_EXIT_INTERNAL;
	}
	grants->items[grants->count++] = (curfew_secret){name, equals + 1, strlen(equals + 1)};
	if (curfew_secret_check(&grants->items[grants->count - 1], &failure) != CURFEW_OK)
		return cli_usage_error("--secret: %s", failure.message);
	return CLI_GO_ON;
}

/* Checks --secret-for, whose templates name secrets. What cannot be read is reported when the run begins. */
static int check_headers(const cli_arguments *arguments, const cli_grants *grants)
{
	const cli_list *given = &arguments->lists[CLI_OPTION_SECRET_FOR];
	curfew_failure failure;
	curfew_secret *secrets = NULL;
	const curfew_secret none = {0};
	size_t count = 0;
	int code = CLI_GO_ON;
	if (given->count == 0 ||
	    curfew_secrets_collect(grants->items, grants->count, grants->store, arguments->values[CLI_OPTION_USER],
	                           &secrets, &count, &failure) != CURFEW_OK)
		return CLI_GO_ON;
	for (size_t i = 0; i < given->count && code == CLI_GO_ON; i++) {
		if (curfew_secret_for_check(given->items[i], secrets != NULL ? secrets : &none, count, &failure) == CURFEW_OK)
			continue;
		const char *why = strstr(failure.message, ": ");
		int shown = (int)strcspn(given->items[i], "=");
		code = cli_usage_error("--secret-for %.*s%s", shown, given->items[i], why != NULL ? why : "");
	}
	curfew_secrets_wipe(secrets);
	return code;
}

int cli_grants_init(const cli_arguments *arguments, cli_grants *grants)
{
	const cli_list *given = &arguments->lists[CLI_OPTION_SECRET];
	const char *path = arguments->values[CLI_OPTION_SECRETS];
	const char *user = arguments->values[CLI_OPTION_USER], *key_path = arguments->values[CLI_OPTION_SECRETS_KEY];
	*grants = (cli_grants){0};
	if (user != NULL && user[0] == '\0')
		return cli_usage_error("--user is empty");
	if (path != NULL && user == NULL)
		return cli_usage_error("--secrets %s: needs --user ID", path);
	if (path == NULL && key_path != NULL)
		return cli_usage_error("--secrets-key %s: needs --secrets FILE", key_path);
	if (given->count > 0 && (grants->items = calloc(given->count, sizeof *grants->items)) == NULL) {
		cli_say("out of memory");
		return CLI_EXIT_INTERNAL;
	}
	int code = CLI_GO_ON;
	for (size_t i = 0; i < given->count && code == CLI_GO_ON; i++)
		code = add_given(grants, given->items[i]);
	if (code == CLI_GO_ON && path != NULL)
		code = cli_secrets_open(key_path, path, 0, "--secrets ", &grants->store);
	return code == CLI_GO_ON ? check_headers(arguments, grants) : code;
}

void cli_grants_put(const cli_grants *grants, const cli_arguments *arguments, curfew_run_options *options)
{
	options->user = arguments->values[CLI_OPTION_USER];
	options->secrets = grants->items;
	options->secret_count = grants->count;
	options->store = grants->store;
	options->secret_for = arguments->lists[CLI_OPTION_SECRET_FOR].items;
	options->secret_for_count = arguments->lists[CLI_OPTION_SECRET_FOR].count;
}

void cli_grants_finish(cli_grants *grants)
{
	for (size_t i = 0; i < grants->count; i++) {
		/* Wipe the value in the argument list, where ps shows it. */
		explicit_bzero((char *)(uintptr_t)grants->items[i].value, grants->items[i].value_length);
		free((char *)(uintptr_t)grants->items[i].name);
	}
	free(grants->items);
	curfew_secrets_close(grants->store);
	*grants = (cli_grants){0};
}
