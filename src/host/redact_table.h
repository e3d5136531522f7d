/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a set of secrets is searched for with: two searches for many texts at once (Aho and Corasick: Efficient string
 * matching, 1975), one in the text as it is, one in the text folded. Every state stands for a beginning of a pattern,
 * and the state after a byte for the longest such beginning that the text so far ends in: what lies before it can be in
 * no secret any more.
 */
#ifndef CURFEW_HOST_REDACT_TABLE_H
#define CURFEW_HOST_REDACT_TABLE_H

#include "host/redact.h"

typedef enum curfew__pattern_kind {
	CURFEW__PATTERN_VALUE,
	CURFEW__PATTERN_SHORT,  /* folded, and so short that what is left out of the text has to fit as well */
	CURFEW__PATTERN_BASE64, /* the beginning of a longer one: what follows of its alphabet belongs to it */
	CURFEW__PATTERN_HEX,
	CURFEW__PATTERN_CUT, /* what the console writes where it cuts a string */
} curfew__pattern_kind;

typedef struct curfew__pattern {
	const char *bytes;
	uint32_t length;
	uint32_t weight;  /* of patterns that overlap the one with the most gives the name */
	const char *name; /* of the secret */
	curfew__pattern_kind kind;
	uint32_t left_out; /* SHORT: of the value, between its first and its last folded byte */
	uint32_t trailing; /* folded: what is left out behind the last one */
} curfew__pattern;

typedef struct curfew__redact_state {
	uint32_t child;   /* one byte further; 0: none */
	uint32_t sibling; /* another child of the same state */
	uint32_t fail;    /* the next shorter beginning that the text so far ends in */
	uint32_t match;   /* 1 + the longest pattern that the text so far ends in; 0: none */
	uint32_t pattern; /* whose first `depth` bytes this is */
	uint32_t depth : 24;
	uint32_t byte : 8; /* its last one */
} curfew__redact_state;

/* One search. */
typedef struct curfew__search {
	curfew__redact_state *states; /* [0] is the start */
	uint32_t state_count;
	uint32_t first[256]; /* children of the start */
	curfew__pattern *patterns;
	uint32_t pattern_count;
	uint32_t longest;
} curfew__search;

/* What is built first and then only read, by any number of streams. */
typedef struct curfew__redact_table {
	curfew__search plain, folded;
	bool may_begin[256]; /* the byte may begin a match, or an escape */
} curfew__redact_table;

/* NULL: it is not built yet. */
const curfew__redact_table *curfew__redactor_table(const curfew__redactor *redactor);

/* The state one byte further; 0: there is none. */
static inline uint32_t curfew__search_child(const curfew__search *search, uint32_t from, unsigned char byte)
{
	if (!from)
		return search->first[byte];
	uint32_t child = search->states[from].child;
	while (child && search->states[child].byte != byte)
		child = search->states[child].sibling;
	return child;
}

/* The state after a byte. Each step back shortens what each byte lengthens by one: linear over a text. */
static inline uint32_t curfew__search_step(const curfew__search *search, uint32_t from, unsigned char byte)
{
	uint32_t next;

	while (!(next = curfew__search_child(search, from, byte)) && from)
		from = search->states[from].fail;
	return next;
}

#endif
