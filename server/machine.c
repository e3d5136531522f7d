/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the machine and of the control groups that this process is in. */
#include "machine.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The number in a file; UINT64_MAX: there is none ("max"). */
static uint64_t read_number(const char *path)
{
	unsigned long long number = 0;
	FILE *file = fopen(path, "re");
	bool is_there = file != NULL && fscanf(file, "%llu", &number) == 1;
	if (file != NULL)
		(void)fclose(file);
	return is_there ? number : UINT64_MAX;
}

/* The smallest limit of this group and of those that it is in. */
static uint64_t read_groups(char *group)
{
	char path[600];
	uint64_t least = UINT64_MAX;
	for (;;) {
		(void)snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.max", group);
		uint64_t here = read_number(path);
		least = here < least ? here : least;
		char *slash = strrchr(group, '/');
		if (slash == NULL)
			return least;
		*slash = '\0';
	}
}

uint64_t machine_memory(void)
{
	char line[512];
	uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES), least = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	FILE *file = fopen("/proc/self/cgroup", "re");
	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		/* The unified hierarchy; "0::/" is its root. */
		uint64_t group = strncmp(line, "0::", 3) == 0 ? read_groups(line + 3) : UINT64_MAX;
		least = group < least ? group : least;
	}
	if (file != NULL)
		(void)fclose(file);
	uint64_t older = read_number("/sys/fs/cgroup/memory/memory.limit_in_bytes");
	return older < least ? older : least;
}
