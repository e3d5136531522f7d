/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pages of a private mapping are its own: those that were ever written through it. The kernel says so in two
 * ways. PAGEMAP_SCAN (Linux 6.7) lists them, and takes time for every page that is mapped. And a page becomes the
 * mapping's own only in a page fault of the thread that writes: while a thread has had none, it has added no page. That
 * holds for small pages: huge ones are put together by the system, too.
 */
#ifndef CURFEW_MEMORY_PAGES_H
#define CURFEW_MEMORY_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pages that lie next to each other: bytes from the start of what was scanned. */
typedef struct curfew__range {
	size_t start, length;
} curfew__range;

#define CURFEW__RANGES_MAX 256

/*
 * Opens what curfew__pages_scan needs: given is /proc/self/pagemap, which becomes the caller's to close, or 0: it is
 * opened here. -1: this system cannot scan.
 */
int curfew__pages_open(int given);
/*
 * Lists the pages between start and end that are the mapping's own, in order. Pages that only read as zeros are left
 * out. The number of ranges; -1: it cannot be told, or there are more than CURFEW__RANGES_MAX of them.
 */
long curfew__pages_scan(int pagemap, const uint8_t *start, const uint8_t *end, curfew__range *ranges);

/* The page faults that a thread has had so far. */
typedef struct curfew__faults {
	uint64_t thread; /* a number that no other thread of this process has or had; 0: not known */
	uint64_t count;
} curfew__faults;

/* This thread's number. */
uint64_t curfew__thread_number(void);
/* This thread's page faults so far. */
curfew__faults curfew__faults_now(void);
/* Whether both were read on one thread, and no page fault came between them. */
bool curfew__faults_none(curfew__faults before, curfew__faults now);

/*
 * What madvise is told of guests' memory. Small pages, or what the system offers between those and huge ones: a stop
 * waits for the page that is being cleared. Or huge ones, which are faster where much memory is touched.
 */
int curfew__pages_advice(bool huge);

#endif
