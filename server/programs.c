/* SPDX-License-Identifier: Apache-2.0 */
/* Programs by the hash of their source, and their state in the pool. */
#include "programs.h"

#include "store.h"
#include "common/text.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { IDLE_MAX = 256, IDLE_BYTES_MAX = 64 << 20 };

const char *program_owner(const account *who)
{
	return (who->scopes & SCOPE_ADMIN) != 0 ? "" : who->id;
}

static bool take_program(void *context, const stored_program *p)
{
	program_search *search = context;
	memcpy(search->sha256, p->sha256, sizeof p->sha256);
	search->language = p->language;
	search->found++;
	return true;
}

bool program_find(store *st, const account *who, const char *name, program_search *search)
{
	search->found = 0;
	const char *const owners[] = {program_owner(who), "", NULL};
	bool good = true;
	for (int i = 0; i < ((who->scopes & SCOPE_ADMIN) != 0 ? 3 : 2) && good && search->found == 0; i++) {
		const program_filter filter = {.owner = owners[i], .name = name};
		good = store_read_programs(st, &filter, take_program, search);
	}
	search->has_failed = !good;
	return good && search->found == 1;
}

void program_hash(const void *bytes, size_t length, char sha256[SHA256_SIZE])
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	(void)crypto_hash_sha256(hash, bytes, length);
	(void)sodium_bin2hex(sha256, SHA256_SIZE, hash, sizeof hash);
}

static program **bucket(server *s, const char *sha256)
{
	unsigned index = 0;
	for (int i = 0; i < 6; i++)
		index = index * 31 + (unsigned char)sha256[i];
	return &s->programs[index % PROGRAM_BUCKETS];
}

static void leave_idle(server *s, program *p)
{
	p->is_idle = false;
	*(p->newer != NULL ? &p->newer->older : &s->newest_program) = p->older;
	*(p->older != NULL ? &p->older->newer : &s->oldest_program) = p->newer;
	s->idle_programs--;
	s->idle_program_bytes -= p->length;
}

static void enter_idle(server *s, program *p)
{
	p->is_idle = true;
	p->newer = NULL;
	p->older = s->newest_program;
	*(p->older != NULL ? &p->older->newer : &s->oldest_program) = p;
	s->newest_program = p;
	s->idle_programs++;
	s->idle_program_bytes += p->length;
}

static void free_program(server *s, program *p)
{
	program **at = bucket(s, p->sha256);
	while (*at != p)
		at = &(*at)->chain;
	*at = p->chain;
	worker_program_unref(p->ready);
	free(p->name);
	free(p);
}

static program *create_program(server *s, const char *sha256, curfew_language language, const char *name)
{
	program *p = calloc(1, sizeof *p);
	if (p == NULL || (p->name = text_copy(name, strlen(name))) == NULL) {
		free(p);
		return NULL;
	}
	(void)snprintf(p->sha256, sizeof p->sha256, "%s", sha256);
	p->language = language;
	p->chain = *bucket(s, sha256);
	*bucket(s, sha256) = p;
	return p;
}

program *program_get(server *s, const char *sha256, curfew_language language, const char *name)
{
	program *p = *bucket(s, sha256);
	while (p != NULL && (p->language != language || strcmp(p->sha256, sha256) != 0 || strcmp(p->name, name) != 0))
		p = p->chain;
	if (p == NULL)
		p = create_program(s, sha256, language, name);
	else if (p->is_idle)
		leave_idle(s, p);
	if (p != NULL) {
		p->refs++;
		p->active++;
		p->uses++;
	}
	return p;
}

/* What is ready of one that nobody needs goes, and all of it if nobody has to do with it. */
static void evict(server *s, program *p)
{
	leave_idle(s, p);
	if (p->refs == 0) {
		free_program(s, p);
		return;
	}
	worker_program_unref(p->ready);
	p->ready = NULL;
	p->length = 0;
}

void program_rest(server *s, program *p)
{
	if (p == NULL || --p->active > 0)
		return;
	enter_idle(s, p);
	while (s->idle_programs > s->idle_programs_max || s->idle_program_bytes > IDLE_BYTES_MAX)
		evict(s, s->oldest_program);
}

void program_drop(server *s, program *p)
{
	if (p != NULL && --p->refs == 0 && !p->is_idle)
		free_program(s, p);
}

void program_unref(server *s, program *p)
{
	if (p == NULL)
		return;
	/* First the reference, so that what is evicted at once is freed at once. */
	p->refs--;
	program_rest(s, p);
}

size_t programs_allow_files(server *s, size_t files)
{
	size_t max = worker_programs_max();
	max = max < IDLE_MAX ? max : IDLE_MAX;
	if (files / WORKER_PROGRAM_FILES_HERE < max)
		max = files / WORKER_PROGRAM_FILES_HERE;
	server_lock(s);
	s->idle_programs_max = max;
	server_unlock(s);
	return max * WORKER_PROGRAM_FILES_HERE;
}

void programs_forget_stored(server *s)
{
	for (size_t i = 0; i < PROGRAM_BUCKETS; i++) {
		for (program *p = s->programs[i]; p != NULL; p = p->chain)
			p->stored = false;
	}
}

void programs_finish(server *s)
{
	while (s->oldest_program != NULL) {
		program *p = s->oldest_program;
		leave_idle(s, p);
		free_program(s, p);
	}
}

/* Under the lock: the pool's program, unless that was made for one run only. */
static worker_program *take_ready(const program *p)
{
	if (p->ready == NULL || (p->ready_once && p->uses > 1))
		return NULL;
	worker_program_ref(p->ready);
	return p->ready;
}

static worker_program *make_ready(server *s, program *p, bool once, const void *bytes, size_t length,
                                  curfew_failure *failure)
{
	worker_program *made = NULL;
	worker_source source = {
		.language = p->language, .once = once, .name = p->name, .bytes = bytes, .length = length, .sha256 = p->sha256};
	if (worker_program_create(s->pool, &source, &made, failure) != CURFEW_OK)
		return NULL;
	server_lock(s);
	worker_program_unref(p->ready);
	p->ready = made;
	p->length = length;
	p->ready_once = once;
	worker_program_ref(made);
	server_unlock(s);
	return made;
}

worker_program *program_make_ready(server *s, program *p, const void *bytes, size_t length, bool *is_unread,
                                   curfew_failure *failure)
{
	server_lock(s);
	worker_program *ready = take_ready(p);
	/* An image is worthwhile only when a source comes for the second time. */
	bool once = p->uses <= 1 && bytes != NULL;
	server_unlock(s);
	if (ready != NULL)
		return ready;
	void *read = bytes == NULL ? store_read_source(s->store, p->sha256, p->language, &length) : NULL;
	if (is_unread != NULL)
		*is_unread = bytes == NULL && read == NULL;
	if (bytes == NULL && read == NULL) {
		(void)snprintf(failure->message, sizeof failure->message, "the source of %s cannot be read from disk", p->name);
		return NULL;
	}
	ready = make_ready(s, p, once, bytes != NULL ? bytes : read, length, failure);
	free(read);
	return ready;
}
