/* SPDX-License-Identifier: Apache-2.0 */
/* A queue of host names, and detached threads that look them up. The last thread to end cleans up. */
#include "host/resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mutex.h"
#include "common/bytes.h"
#include "common/thread.h"

#define THREADS_MAX 8
#define STACK_BYTES ((size_t)256 << 10)
#define ADDRESSES_BYTES_MAX 4096

struct curfew__resolver {
	atomic_uint references; /* one for the owner, and one for each thread */
	curfew__mutex lock;
	curfew__lookup *first, **last;
	unsigned threads;
	bool ending;
};

curfew__resolver *curfew__resolver_create(void)
{
	curfew__resolver *resolver = calloc(1, sizeof *resolver);

	if (!resolver)
		return NULL;
	atomic_init(&resolver->references, 1);
	curfew__mutex_init(&resolver->lock);
	resolver->last = &resolver->first;
	return resolver;
}

static void unref(curfew__resolver *resolver)
{
	if (atomic_fetch_sub(&resolver->references, 1) != 1)
		return;
	curfew__mutex_finish(&resolver->lock);
	free(resolver);
}

static void finish_all(curfew__lookup *lookup, const char *addresses, const char *why)
{
	while (lookup) {
		curfew__lookup *next = lookup->next;
		char *copy = addresses ? strdup(addresses) : NULL;
		lookup->done(lookup, copy, addresses && !copy ? "out of memory" : why);
		lookup = next;
	}
}

/* Takes the first name and all lookups of it. */
static curfew__lookup *take_name(curfew__resolver *resolver) CURFEW__REQUIRES(resolver->lock);
static curfew__lookup *take_name(curfew__resolver *resolver)
{
	curfew__lookup *taken = resolver->first, **last = &taken->next;

	resolver->first = taken->next;
	taken->next = NULL;
	resolver->last = &resolver->first;
	while (*resolver->last) {
		curfew__lookup *other = *resolver->last;
		if (strcasecmp(other->name, taken->name) != 0) {
			resolver->last = &other->next;
			continue;
		}
		*resolver->last = other->next;
		other->next = NULL;
		*last = other;
		last = &other->next;
	}
	return taken;
}

static bool is_wanted(const curfew__lookup *lookup)
{
	while (lookup && atomic_load(&lookup->abandoned))
		lookup = lookup->next;
	return lookup != NULL;
}

static char *list_addresses(const struct addrinfo *found)
{
	curfew__buffer list;

	curfew__buffer_init(&list, ADDRESSES_BYTES_MAX);
	for (; found; found = found->ai_next) {
		char text[INET6_ADDRSTRLEN];
		if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST))
			continue;
		/* An address that does not fit is left out. */
		size_t length = list.length;
		bool six = found->ai_family == AF_INET6;
		if (curfew__buffer_printf(&list, "%s%s%s%s", length ? "," : "", six ? "[" : "", text, six ? "]" : ""))
			continue;
		list.length = length;
		if (list.data)
			list.data[length] = 0;
		break;
	}
	if (!list.length) {
		curfew__buffer_finish(&list);
		return NULL;
	}
	return curfew__buffer_take(&list, NULL);
}

static void look_up(curfew__lookup *lookup)
{
	struct addrinfo wanted = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	int error = is_wanted(lookup) ? getaddrinfo(lookup->name, NULL, &wanted, &found) : EAI_NONAME;
	char *addresses = error ? NULL : list_addresses(found);

	if (!error)
		freeaddrinfo(found);
	finish_all(lookup, addresses, error ? gai_strerror(error) : addresses ? NULL : "it has no address");
	free(addresses);
}

static void *resolver_main(void *argument)
{
	curfew__resolver *resolver = argument;

	curfew__mutex_lock(&resolver->lock);
	while (resolver->first) {
		curfew__lookup *lookup = take_name(resolver);
		curfew__mutex_unlock(&resolver->lock);
		look_up(lookup);
		curfew__mutex_lock(&resolver->lock);
	}
	resolver->threads--;
	curfew__mutex_unlock(&resolver->lock);
	unref(resolver);
	return NULL;
}

static bool start_thread(curfew__resolver *resolver) CURFEW__REQUIRES(resolver->lock);
static bool start_thread(curfew__resolver *resolver)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	atomic_fetch_add(&resolver->references, 1);
	bool ok = thread_start(&thread, &attributes, resolver_main, resolver);
	if (!ok)
		atomic_fetch_sub(&resolver->references, 1);
	resolver->threads += ok;
	pthread_attr_destroy(&attributes);
	return ok;
}

void curfew__resolver_look_up(curfew__resolver *resolver, curfew__lookup *lookup)
{
	curfew__mutex_lock(&resolver->lock);
	bool served = !resolver->ending &&
	              (resolver->threads >= THREADS_MAX || start_thread(resolver) || resolver->threads);
	lookup->next = NULL;
	if (served) {
		*resolver->last = lookup;
		resolver->last = &lookup->next;
	}
	curfew__mutex_unlock(&resolver->lock);
	if (!served)
		lookup->done(lookup, NULL, "no thread can be started to look it up");
}

void curfew__resolver_destroy(curfew__resolver *resolver)
{
	if (!resolver)
		return;
	curfew__mutex_lock(&resolver->lock);
	resolver->ending = true;
	curfew__lookup *waiting = resolver->first;
	resolver->first = NULL;
	resolver->last = &resolver->first;
	curfew__mutex_unlock(&resolver->lock);
	finish_all(waiting, NULL, "the engine ends");
	unref(resolver);
}
