/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/pages.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "memory/region.h"

/* linux/fs.h of Linux 6.7; the headers of Debian 12 are older. */
struct scan_range {
	uint64_t start, end, categories;
};
struct scan_arguments {
	uint64_t size, flags, start, end, walk_end, ranges, ranges_length, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define SCAN_IOCTL _IOWR('f', 16, struct scan_arguments)
#define SCAN_FILE ((uint64_t)1 << 2)
#define SCAN_PRESENT ((uint64_t)1 << 3)
#define SCAN_SWAPPED ((uint64_t)1 << 4)
#define SCAN_ZERO ((uint64_t)1 << 5)

#define SIZES_DIRECTORY "/sys/kernel/mm/transparent_hugepage/"

/* ---- Scanning --------------------------------------------------------------------------------------------- */

/* Own pages belong to no file, and are not the shared page of zeros, which reading maps. */
static long scan(int pagemap, const uint8_t *start, const uint8_t *end, struct scan_range *ranges, bool *all)
{
	struct scan_arguments arguments = {
		.size = sizeof arguments,
		.start = (uint64_t)(uintptr_t)start,
		.end = (uint64_t)(uintptr_t)end,
		.ranges = (uint64_t)(uintptr_t)ranges,
		.ranges_length = CURFEW__RANGES_MAX,
		.category_inverted = SCAN_FILE | SCAN_ZERO,
		.category_mask = SCAN_FILE | SCAN_ZERO,
		.category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
		.return_mask = SCAN_FILE,
	};
	long found = ioctl(pagemap, SCAN_IOCTL, &arguments);

	*all = arguments.walk_end == arguments.end;
	return found;
}

long curfew__pages_scan(int pagemap, const uint8_t *start, const uint8_t *end, curfew__range *ranges)
{
	struct scan_range found[CURFEW__RANGES_MAX];
	bool all = true;
	long count = 0;

	if (pagemap < 0)
		return -1;
	if (end > start)
		count = scan(pagemap, start, end, found, &all);
	if (count < 0 || !all)
		return -1;
	for (long i = 0; i < count; i++) {
		ranges[i].start = (size_t)(found[i].start - (uintptr_t)start);
		ranges[i].length = (size_t)(found[i].end - found[i].start);
	}
	return count;
}

int curfew__pages_open(int given)
{
	int file = given > 0 ? given : open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	curfew__range ranges[CURFEW__RANGES_MAX];
	uint8_t *probe = mmap(NULL, CURFEW__PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (file >= 0 && probe != MAP_FAILED) {
		*probe = 1;
		if (curfew__pages_scan(file, probe, probe + CURFEW__PAGE, ranges) != 1) {
			close(file);
			file = -1;
		}
	}
	if (probe != MAP_FAILED)
		munmap(probe, CURFEW__PAGE);
	return file;
}

/* ---- Page faults ------------------------------------------------------------------------------------------ */

uint64_t curfew__thread_number(void)
{
	static _Atomic uint64_t last;
	static _Thread_local uint64_t number;

	if (!number)
		number = atomic_fetch_add(&last, 1) + 1;
	return number;
}

curfew__faults curfew__faults_now(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_THREAD, &usage))
		return (curfew__faults){0, 0};
	return (curfew__faults){curfew__thread_number(), (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt};
}

bool curfew__faults_none(curfew__faults before, curfew__faults now)
{
	return before.thread && before.thread == now.thread && before.count == now.count;
}

/* ---- Sizes of pages --------------------------------------------------------------------------------------- */

/* Reads the choice in brackets in one of the system's files; empty if there is none. */
static void read_choice(const char *path, char choice[16])
{
	char line[128] = "";
	FILE *file = fopen(path, "re");

	choice[0] = 0;
	if (!file)
		return;
	if (fgets(line, sizeof line, file)) {
		const char *open = strchr(line, '[');
		if (open)
			sscanf(open, "[%15[a-z]", choice);
	}
	fclose(file);
}

/* Whether memory that requests large pages gets those of this size. */
static bool offers(const char *size)
{
	char path[128], choice[16];

	snprintf(path, sizeof path, SIZES_DIRECTORY "hugepages-%s/enabled", size);
	read_choice(path, choice);
	if (!strcmp(choice, "inherit"))
		read_choice(SIZES_DIRECTORY "enabled", choice);
	return !strcmp(choice, "madvise") || !strcmp(choice, "always");
}

int curfew__pages_advice(bool huge)
{
	/* One advice covers all sizes, and the kernel uses the largest that it offers. */
	bool has_middle = offers("64kB") && !offers("2048kB");

	return huge || has_middle ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
}
