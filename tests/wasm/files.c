/* SPDX-License-Identifier: Apache-2.0 */
/* What a program can do with files that it was given: all of it that is not reading fails. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void list(const char *path)
{
	DIR *directory = opendir(path);
	if (!directory) {
		printf("%s: %s\n", path, strerror(errno));
		return;
	}
	printf("%s:", path);
	for (struct dirent *entry; (entry = readdir(directory));)
		printf(" %s%s", entry->d_name, entry->d_type == DT_DIR ? "/" : "");
	printf("\n");
	closedir(directory);
}

static void show(const char *path)
{
	char text[64];
	FILE *file = fopen(path, "r");
	if (!file) {
		printf("%s: %s\n", path, strerror(errno));
		return;
	}
	size_t length = fread(text, 1, sizeof text, file);
	if (ferror(file)) {
		printf("%s: %s\n", path, strerror(errno));
	} else {
		fseek(file, -2, SEEK_END);
		int behind = fgetc(file);
		fseek(file, 0, SEEK_END);
		printf("%s: %zu of %ld bytes, %02x to %02x\n", path, length, ftell(file), (unsigned char)text[0], behind);
	}
	fclose(file);
}

static void tell(const char *what, int result)
{
	printf("%s: %s\n", what, result < 0 ? strerror(errno) : "done");
}

int main(void)
{
	struct stat status;

	list("/");
	list("/data/deep");
	list("/none");
	show("/a.txt");
	show("data/deep/b.bin");
	show("/data/../a.txt");
	show("/data");
	show("/a.txt/x");
	show("/../etc/passwd");
	tell("write", (int)write(open("/a.txt", O_WRONLY), "x", 1));
	tell("truncate", open("/a.txt", O_RDONLY | O_TRUNC));
	tell("create", open("/new", O_RDONLY | O_CREAT, 0644));
	tell("make", mkdir("/made", 0755));
	tell("remove", unlink("/a.txt"));
	tell("rename", rename("/a.txt", "/b.txt"));
	tell("status", stat("/data/deep/b.bin", &status));
	printf("%lld %d %d\n", (long long)status.st_size, S_ISREG(status.st_mode),
	       stat("/data", &status) || !S_ISDIR(status.st_mode));
	for (int i = 0; i < 1000; i++)
		if (open("/a.txt", O_RDONLY) < 0) {
			tell("many", -1);
			break;
		}
	return 0;
}
