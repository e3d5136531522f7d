/* SPDX-License-Identifier: Apache-2.0 */
/* Work on other threads without a server: who queues much delays nobody else. */
#include "../harness.h"
#include "server/helpers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PIECES = 100 };

typedef struct piece {
	char name;
	char *order; /* NULL: it waits for the gate */
} piece;

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static size_t ended;

static void work(void *context)
{
	piece *p = context;
	if (p->order != NULL) {
		p->order[ended++] = p->name;
		return;
	}
	(void)pthread_mutex_lock(&gate);
	(void)pthread_mutex_unlock(&gate);
}

/* One thread, which waits until everything is queued. The owner is the name. */
static void test_owners_take_turns(void)
{
	char order[PIECES + 4] = "";
	int owners[4];
	piece wait = {0}, greedy = {'a', order}, modest = {'b', order}, late = {'c', order};
	helpers *h = helpers_start(1);
	CHECK(h != NULL);
	ended = 0;
	(void)pthread_mutex_lock(&gate);
	CHECK(helpers_run(h, &owners[0], work, &wait));
	for (size_t i = 0; i < PIECES; i++)
		CHECK(helpers_run(h, &owners[1], work, &greedy));
	CHECK(helpers_run(h, &owners[2], work, &modest));
	CHECK(helpers_run(h, &owners[2], work, &modest));
	CHECK(helpers_run(h, &owners[3], work, &late));
	(void)pthread_mutex_unlock(&gate);
	helpers_stop(h);
	CHECK_EQUAL(ended, PIECES + 3);
	CHECK(strncmp(order, "abcab", 5) == 0);
	CHECK(strspn(order + 5, "a") == PIECES - 2);
}

/* Of one owner, in the order in which it came. */
static void test_one_owner(void)
{
	char order[PIECES + 1] = "";
	int owner;
	piece all[26];
	helpers *h = helpers_start(1);
	CHECK(h != NULL);
	ended = 0;
	for (size_t i = 0; i < 26; i++) {
		all[i] = (piece){(char)('a' + i), order};
		CHECK(helpers_run(h, &owner, work, &all[i]));
	}
	helpers_stop(h);
	CHECK(strcmp(order, "abcdefghijklmnopqrstuvwxyz") == 0);
}

static const harness_test tests[] = {
	{"owners_take_turns", test_owners_take_turns},
	{"one_owner", test_one_owner},
};

HARNESS_MAIN(tests)
