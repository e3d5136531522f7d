/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

enum { FETCHED = 256, FEW = 64 };

/* Counts the forks that led to this process: bytes that were fetched before also belong to the parent. */
static atomic_uint forks = 1;

static void count_fork(void)
{
	atomic_fetch_add(&forks, 1);
}

static void look_out(void)
{
	pthread_atfork(NULL, NULL, count_fork);
}

bool curfew__random_few(void *bytes, size_t length)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	static _Thread_local struct {
		unsigned char bytes[FETCHED];
		size_t left;
		unsigned fork;
	} kept;

	pthread_once(&once, look_out);
	if (kept.fork != atomic_load(&forks) || kept.left < length) {
		/* getrandom(2) returns this many bytes at once, or none. */
		if (length > FEW || getrandom(kept.bytes, FETCHED, GRND_NONBLOCK) != FETCHED)
			return false;
		kept.left = FETCHED;
		kept.fork = atomic_load(&forks);
	}
	kept.left -= length;
	memcpy(bytes, kept.bytes + kept.left, length);
	memset(kept.bytes + kept.left, 0, length);
	return true;
}
