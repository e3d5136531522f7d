/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks with annotations that clang checks (-Wthread-safety, in make check): a function that acquires a lock releases
 * it on every path, and a function that requires a lock is called only while it is held. An annotation follows the
 * parameters of a declaration: CURFEW__REQUIRES(pool->lock).
 */
#ifndef CURFEW_COMMON_MUTEX_H
#define CURFEW_COMMON_MUTEX_H

#include <pthread.h>
#include <time.h>

#ifdef __clang__
#define CURFEW__ANNOTATE(...) __attribute__((__VA_ARGS__))
#else
#define CURFEW__ANNOTATE(...)
#endif

/* The lock is held when the function begins and when it ends. The function may release it in between. */
#define CURFEW__REQUIRES(lock) CURFEW__ANNOTATE(requires_capability(lock))
#define CURFEW__ACQUIRES(lock) CURFEW__ANNOTATE(acquire_capability(lock))
#define CURFEW__RELEASES(lock) CURFEW__ANNOTATE(release_capability(lock))
/* The lock has a different name here than where it was acquired. clang cannot follow that. */
#define CURFEW__UNCHECKED CURFEW__ANNOTATE(no_thread_safety_analysis)

typedef struct CURFEW__ANNOTATE(capability("mutex")) curfew__mutex {
	pthread_mutex_t handle;
} curfew__mutex;

/* clang-format off */
static inline void curfew__mutex_lock(curfew__mutex *mutex)
	CURFEW__ACQUIRES(*mutex) CURFEW__UNCHECKED;
static inline void curfew__mutex_unlock(curfew__mutex *mutex)
	CURFEW__RELEASES(*mutex) CURFEW__UNCHECKED;
static inline void curfew__mutex_wait(curfew__mutex *mutex, pthread_cond_t *condition) CURFEW__REQUIRES(*mutex);
static inline int curfew__mutex_wait_until(curfew__mutex *mutex, pthread_cond_t *condition,
                                            const struct timespec *until) CURFEW__REQUIRES(*mutex);
/* clang-format on */

static inline void curfew__mutex_init(curfew__mutex *mutex)
{
	(void)pthread_mutex_init(&mutex->handle, NULL);
}

static inline void curfew__mutex_finish(curfew__mutex *mutex)
{
	(void)pthread_mutex_destroy(&mutex->handle);
}

static inline void curfew__mutex_lock(curfew__mutex *mutex)
{
	(void)pthread_mutex_lock(&mutex->handle);
}

static inline void curfew__mutex_unlock(curfew__mutex *mutex)
{
	(void)pthread_mutex_unlock(&mutex->handle);
}

/* Releases the lock until the condition is signalled, and acquires it again. It may also return spuriously. */
static inline void curfew__mutex_wait(curfew__mutex *mutex, pthread_cond_t *condition)
{
	(void)pthread_cond_wait(condition, &mutex->handle);
}

/* The same, but at most until a time on the condition's clock. Then it returns ETIMEDOUT. */
static inline int curfew__mutex_wait_until(curfew__mutex *mutex, pthread_cond_t *condition,
                                           const struct timespec *until)
{
	return pthread_cond_timedwait(condition, &mutex->handle, until);
}

#endif
