/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The search table of a set of secrets. It has two searches for many patterns at once (Aho and Corasick: Efficient
 * string matching, 1975), one in the text as it is, one in the folded text. Every state stands for the beginning of a
 * pattern. The state after a byte stands for the longest such beginning that the text so far ends in. No byte before
 * that beginning can be in a secret any more.
 */
#ifndef CURFEW_HOST_REDACT_TABLE_H
#define CURFEW_HOST_REDACT_TABLE_H

#include "host/redact.h"

typedef enum curfew__pattern_kind {
	CURFEW__PATTERN_VALUE,
	CURFEW__PATTERN_BASE64, /* the beginning of a longer one: following characters of its alphabet belong to it */
	CURFEW__PATTERN_HEX,
	CURFEW__PATTERN_CUT, /* the mark that the console writes after a string that it cut */
} curfew__pattern_kind;

typedef struct curfew__pattern {
	const char *bytes;
	uint32_t length;
	uint32_t weight;  /* of overlapping patterns, the one with the largest weight gives the name */
	const char *name; /* of the secret */
	curfew__pattern_kind kind;
	bool is_short;     /* folded, and so short that `left_out` must match as well */
	uint32_t left_out; /* folded: bytes left out between its first and last folded byte */
	uint32_t trailing; /* folded: bytes left out after the last one */
	uint32_t next;     /* 1 + another short pattern of the same bytes; 0: none */
} curfew__pattern;

typedef struct curfew__redact_state {
	uint32_t child;      /* one of the states that are one byte longer; 0: none */
	uint32_t sibling[2]; /* other children of the same state, as the next bit of their byte says */
	uint32_t fail;       /* the state of the next shorter beginning that the text so far ends in */
	uint32_t match;      /* 1 + the longest pattern that the text so far ends in; 0: none */
	uint32_t pattern;    /* the pattern of which this is the first `depth` bytes */
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

/* This part is built first. Then any number of streams read it. */
typedef struct curfew__redact_table {
	curfew__search plain, folded;
	bool may_begin[256]; /* the byte may begin a match, or an escape */
} curfew__redact_table;

/* NULL: it is not built yet. */
const curfew__redact_table *curfew__redactor_table(const curfew__redactor *redactor);

/*
 * The state one byte further; 0: there is none. The children of a state are a digital search tree, so that no more than
 * nine are looked at: of secrets that begin alike there may be hundreds.
 */
static inline uint32_t curfew__search_child(const curfew__search *search, uint32_t from, unsigned char byte)
{
	if (!from)
		return search->first[byte];
	uint32_t child = search->states[from].child;
	for (unsigned bits = byte; child && search->states[child].byte != byte; bits >>= 1)
		child = search->states[child].sibling[bits & 1];
	return child;
}

/* The state after a byte. Each byte makes the state longer by at most one, and each step back makes it shorter, so a
 * text takes linear time. */
static inline uint32_t curfew__search_step(const curfew__search *search, uint32_t from, unsigned char byte)
{
	uint32_t next;

	while (!(next = curfew__search_child(search, from, byte)) && from)
		from = search->states[from].fail;
	return next;
}

#endif
