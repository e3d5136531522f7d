/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the own pages of a private mapping: those that were ever written through it. The kernel reports them in two
 * ways. PAGEMAP_SCAN (Linux 6.7) lists them, and takes time for every mapped page. And a page becomes the mapping's own
 * only in a page fault of the thread that writes: while a thread has had no fault, it has added no page. That holds for
 * small pages: the system also makes huge ones by itself.
 */
#ifndef CURFEW_MEMORY_PAGES_H
#define CURFEW_MEMORY_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A range of adjacent pages, in bytes from the start of the scanned memory. */
typedef struct curfew__range {
	size_t start, length;
} curfew__range;

#define CURFEW__RANGES_MAX 256

/*
 * Opens the file that curfew__pages_scan needs. given is /proc/self/pagemap, which the caller then has to close; 0: it
 * is opened here. -1: this system cannot scan.
 */
int curfew__pages_open(int given);
/*
 * Lists the mapping's own pages between start and end, in order. Pages that were only read as zeros are left out.
 * Returns the number of ranges; -1: the scan failed, or there are more than CURFEW__RANGES_MAX of them.
 */
long curfew__pages_scan(int pagemap, const uint8_t *start, const uint8_t *end, curfew__range *ranges);

/* The page faults that a thread has had so far. */
typedef struct curfew__faults {
	uint64_t thread; /* a number that is unique in this process; 0: unknown */
	uint64_t count;
} curfew__faults;

/* This thread's number. */
uint64_t curfew__thread_number(void);
/* This thread's page faults so far. */
curfew__faults curfew__faults_now(void);
/* Whether both were read on one thread, and no page fault came between them. */
bool curfew__faults_none(curfew__faults before, curfew__faults now);

/*
 * The advice for guests' memory. Either small pages, or a size between those and huge ones if the system offers it: a
 * stop waits for the page that is being cleared. Or huge pages, which are faster if much memory is touched.
 */
int curfew__pages_advice(bool huge);

#endif
