/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intrusive lists. The links are part of the listed objects, so nothing is allocated, and an object leaves its list
 * without a search. Initialise a list and a link with zeros. Threads: as for the lock around them.
 */
#ifndef CURFEW_COMMON_LIST_H
#define CURFEW_COMMON_LIST_H

#include "common/owner.h"

#include <stdbool.h>

typedef struct curfew__link {
	struct curfew__link *next, *previous; /* a ring through the head; NULL: it is in no list */
} curfew__link;

typedef struct curfew__list {
	curfew__link head;
} curfew__list;

static inline bool curfew__list_is_empty(const curfew__list *list)
{
	return list->head.next == NULL || list->head.next == &list->head;
}

static inline bool curfew__link_is_listed(const curfew__link *link)
{
	return link->next != NULL;
}

static inline void curfew__link_put_between(curfew__link *link, curfew__link *before, curfew__link *after)
{
	link->previous = before;
	link->next = after;
	before->next = after->previous = link;
}

static inline void curfew__list_begin(curfew__list *list)
{
	if (list->head.next == NULL)
		list->head.next = list->head.previous = &list->head;
}

/* The link must not be in a list. */
static inline void curfew__list_add_first(curfew__list *list, curfew__link *link)
{
	curfew__list_begin(list);
	curfew__link_put_between(link, &list->head, list->head.next);
}

static inline void curfew__list_add_last(curfew__list *list, curfew__link *link)
{
	curfew__list_begin(list);
	curfew__link_put_between(link, list->head.previous, &list->head);
}

/* Removes it from its list. Nothing happens if it is in none. */
static inline void curfew__list_remove(curfew__link *link)
{
	if (link->next == NULL)
		return;
	link->previous->next = link->next;
	link->next->previous = link->previous;
	link->next = link->previous = NULL;
}

/* The first link. NULL: there is none. */
static inline curfew__link *curfew__list_first(const curfew__list *list)
{
	return curfew__list_is_empty(list) ? NULL : list->head.next;
}

/* The next link. NULL: it is the last one. */
static inline curfew__link *curfew__list_next(const curfew__list *list, const curfew__link *link)
{
	return link->next == &list->head ? NULL : link->next;
}

/*
 * Rotates the list so that this link is the last, and the one after it the first. An object that had its turn then
 * waits for the next one.
 */
static inline void curfew__list_rotate(curfew__list *list, curfew__link *link)
{
	curfew__list_remove(&list->head);
	curfew__link_put_between(&list->head, link, link->next);
}

#endif
