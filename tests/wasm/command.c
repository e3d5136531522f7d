/* SPDX-License-Identifier: Apache-2.0 */
/* A command. Its first argument selects what it does with its inputs. Exit codes are errors of the C library. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

extern char **environ;

static int show(int count, char **words)
{
	for (int i = 1; i < count; i++)
		printf("argument %s\n", words[i]);
	for (char **variable = environ; *variable; variable++)
		printf("variable %s\n", *variable);
	return 0;
}

static int echo(void)
{
	char line[256];

	while (fgets(line, sizeof line, stdin))
		printf("read %s", line);
	fprintf(stderr, "end of input\n");
	return 0;
}

static int copy(const char *from, const char *mode)
{
	char text[256] = "written";
	FILE *file = fopen(from, mode);

	if (!file) {
		printf("%s\n", strerror(errno));
		return errno;
	}
	if (*mode == 'r') {
		text[fread(text, 1, sizeof text - 1, file)] = 0;
		printf("%s", text);
	} else {
		fputs(text, file);
	}
	return fclose(file) ? errno : 0;
}

/* Does what an interpreter does that imports this many modules: looks for each, lists the directory, reads it. */
static int import(const char *directory, const char *times)
{
	char path[256], text[256];
	struct stat status;

	snprintf(path, sizeof path, "%s/text", directory);
	for (long i = atol(times); i > 0; i--) {
		DIR *list = opendir(directory);
		if (!list || !readdir(list) || closedir(list))
			return errno;
		if (stat(path, &status) || !stat("/none/such", &status))
			return 1;
		FILE *file = fopen(path, "r");
		if (!file || !fread(text, 1, sizeof text, file) || fclose(file) || !time(NULL))
			return errno;
	}
	printf("imported\n");
	return 0;
}

static int wait(const char *seconds)
{
	struct timespec time = {.tv_sec = atol(seconds)};
	int failed = nanosleep(&time, NULL);

	printf("slept\n");
	return failed ? errno : 0;
}

int main(int count, char **words)
{
	const char *what = count > 1 ? words[1] : "";

	if (!strcmp(what, "show"))
		return show(count, words);
	if (!strcmp(what, "echo"))
		return echo();
	if (!strcmp(what, "read") && count > 2)
		return copy(words[2], "r");
	if (!strcmp(what, "write") && count > 2)
		return copy(words[2], "w");
	if (!strcmp(what, "import") && count > 3)
		return import(words[2], words[3]);
	if (!strcmp(what, "sleep") && count > 2)
		return wait(words[2]);
	if (!strcmp(what, "exit") && count > 2)
		exit(atoi(words[2]));
	if (!strcmp(what, "abort"))
		abort();
	return 99;
}
