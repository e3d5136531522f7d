/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of secrets: the patterns of a set of secrets, the searches that are built from them, and how runs share them.
 */
#include "host/redact_table.h"
#include "common/mutex.h"
#include "common/thread.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The minimum length of a line of a value that is searched for by itself. */
enum { LINE_LENGTH_MIN = 16 };
/* For shorter folded patterns, the number of bytes that were left out must match as well. */
enum { SHORT_FOLDED = 8 };
/* Of longer values only the beginning of the encoded form is searched for; following characters of its alphabet belong
 * to it. */
enum { ENCODED_VALUE = 48 };
/* The minimum length of a pattern of an encoded value: the digits that nothing but a value of the minimum length
 * decides. */
enum { ENCODED_MIN = 4 };
/* The limit of all encoded patterns of a set, in bytes. Beyond it, those of later secrets and of lines are left out. */
enum { ENCODED_BYTES_MAX = 256 << 10 };
/* The maximum number of patterns of a value: as it is; folded, and folded as escape() writes it, each also without an
 * escape at its end; in UTF-8 and in Latin-1, nine in base64 and two in hexadecimal. */
enum { PATTERNS_MAX = 27 };
/* Bytes of patterns that one piece of building handles. */
enum { PIECE = 4096 };

/* ---- Locked memory that is taken as it is needed ---------------------------------------------------------- */

/* Bytes to lock at a time: locking touches every page, which takes time. */
#define LOCKED_PIECE ((size_t)32 << 10)

/* Memory that is 0, is never written to disk, and is wiped. */
typedef struct locked {
	char *base;
	size_t size, used;
} locked;

static bool locked_create(locked *memory, size_t size)
{
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return false;
	*memory = (locked){base, size, 0};
	(void)madvise(base, size, MADV_DONTDUMP);
	return true;
}

/* Locks the memory up to `used` bytes, before these are used. */
static void locked_reach(locked *memory, size_t used)
{
	while (memory->used < used && memory->used < memory->size) {
		size_t length = memory->size - memory->used < LOCKED_PIECE ? memory->size - memory->used : LOCKED_PIECE;
		/* Ignore a failure: the search works without locked memory, too. */
		(void)mlock(memory->base + memory->used, length);
		memory->used += length;
	}
}

static void locked_destroy(locked *memory)
{
	if (!memory->base)
		return;
	explicit_bzero(memory->base, memory->used);
	munmap(memory->base, memory->size);
	memory->base = NULL;
}

/* ---- The redactor ----------------------------------------------------------------------------------------- */

struct curfew__redactors {
	curfew__mutex lock;     /* of all that follows, and of the links and references of the redactors */
	pthread_cond_t changed; /* dead or ending */
	curfew__redactor *first;
	curfew__redactor *dead; /* redactors to be wiped */
	pthread_t wiper;
	bool has_wiper, ending;
};

/* Up to this size, the thread that drops the last reference wipes the table: it takes little time. */
#define WIPED_AT_ONCE ((size_t)1 << 20)

enum phase {
	RESERVE,
	ADD_VALUES,
	ADD_ENCODINGS,
	ADD_LINES,
	PLACE_STATES, /* patterns, secret by secret */
	ADD_PLAIN,
	LINK_PLAIN,
	ADD_FOLDED,
	LINK_FOLDED,
	DONE, /* states */
};

struct curfew__redactor {
	curfew__redactors *shared;
	curfew__redactor *next;
	size_t references;
	curfew_secret *secrets; /* in `given` */
	size_t secret_count;

	atomic_int state; /* curfew__redactor_state */
	curfew__redact_table table;

	/* While it is built. */
	curfew__mutex lock;
	enum phase phase;
	size_t secret;              /* the secret whose patterns are next */
	size_t pattern_bytes;       /* of `bytes` that are used */
	uint32_t pattern, byte, at; /* the pattern that is being added, how far, and the state there */
	uint32_t *queue;            /* states whose children are to be linked */
	uint32_t head, tail;
	size_t encoded_bytes;
	locked given, bytes, plain_states, folded_states;
};

const curfew__redact_table *curfew__redactor_table(const curfew__redactor *redactor)
{
	return curfew__redactor_is_ready(redactor) ? &redactor->table : NULL;
}

bool curfew__redactor_is_ready(const curfew__redactor *redactor)
{
	return atomic_load(&redactor->state) == CURFEW__REDACTOR_READY;
}

/* ---- Forms of a value ------------------------------------------------------------------------------------- */

/* The base64 digits that nothing but the value decides, where `before` bytes (0 to 2) precede it in a group of three.
 */
static size_t to_base64(const char *value, size_t length, unsigned before, bool for_urls, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t count = 0;

	for (size_t bit = (8 * before + 5) / 6 * 6; bit + 6 <= 8 * (before + length); bit += 6) {
		size_t byte = bit / 8 - before;
		unsigned pair = (unsigned)(unsigned char)value[byte] << 8;
		if (byte + 1 < length)
			pair |= (unsigned char)value[byte + 1];
		unsigned digit = pair >> (10 - bit % 8) & 63;
		out[count++] = !for_urls || digit < 62 ? digits[digit] : "-_"[digit - 62];
	}
	return count;
}

static size_t to_hex(const char *value, size_t length, const char *digits, char *out)
{
	for (size_t i = 0; i < length; i++) {
		out[2 * i] = digits[(unsigned char)value[i] >> 4];
		out[2 * i + 1] = digits[(unsigned char)value[i] & 15];
	}
	return 2 * length;
}

/* Converts characters up to U+00FF to one byte each, as escape() does. Returns the value's length if there are none. */
static size_t to_latin1(const char *value, size_t length, char *out)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)value[i];
		bool is_pair = (byte == 0xc2 || byte == 0xc3) && i + 1 < length;
		out[count++] = is_pair ? (char)((byte & 3) << 6 | ((unsigned char)value[i + 1] & 0x3f)) : value[i];
		i += is_pair;
	}
	return count;
}

/* Folds a text, and counts the bytes that were left out between its first and last byte, and after the last. */
typedef struct folded_text {
	char *bytes;
	uint32_t length, left_out, trailing;
	uint32_t closed; /* the length without an escape that the end of the text leaves open */
} folded_text;

static void add_folded(folded_text *text, const curfew__folded *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (bytes[i].is_left_out) {
			text->trailing += text->length > 0;
			continue;
		}
		text->bytes[text->length++] = (char)bytes[i].byte;
		text->left_out += text->trailing;
		text->trailing = 0;
	}
}

static folded_text fold(const char *value, size_t length, char *out)
{
	curfew__fold state = {0};
	curfew__folded bytes[CURFEW__FOLDED_MAX];
	folded_text text = {.bytes = out};

	for (size_t i = 0; i < length; i++)
		add_folded(&text, bytes, curfew__fold_byte(&state, (unsigned char)value[i], i, bytes));
	text.closed = text.length;
	add_folded(&text, bytes, curfew__fold_end(&state, length, bytes));
	return text;
}

/* ---- Patterns --------------------------------------------------------------------------------------------- */

/* Reserves bytes of the redactor. The part that is not kept is reused. */
static char *room(curfew__redactor *r, size_t bytes)
{
	char *at = r->bytes.base + r->pattern_bytes;

	locked_reach(&r->bytes, r->pattern_bytes + bytes);
	return at;
}

static void add_pattern(curfew__redactor *r, curfew__search *search, curfew__pattern made)
{
	if (made.length > search->longest)
		search->longest = made.length;
	search->patterns[search->pattern_count++] = made;
	r->pattern_bytes += made.length;
}

static void add_plain(curfew__redactor *r, const curfew_secret *value)
{
	char *bytes = room(r, value->value_length);
	uint32_t length = (uint32_t)value->value_length;

	memcpy(bytes, value->value, length);
	add_pattern(r, &r->table.plain,
	            (curfew__pattern){.bytes = bytes, .length = length, .weight = length, .name = value->name});
}

static void add_folded_pattern(curfew__redactor *r, const curfew_secret *secret, folded_text text,
                               curfew__pattern_kind kind)
{
	curfew__pattern made = {text.bytes,    text.length,   (uint32_t)secret->value_length,
	                        secret->name,  kind,          false,
	                        text.left_out, text.trailing, 0};

	/* What follows the value may complete its last escape. Both patterns use the same bytes. */
	if (text.closed < text.length && text.closed >= SHORT_FOLDED) {
		made.length = text.closed;
		add_pattern(r, &r->table.folded, made);
		r->pattern_bytes -= text.closed;
	}
	made.length = text.length;
	made.is_short = text.length < SHORT_FOLDED;
	if (text.length >= CURFEW__REDACT_MIN)
		add_pattern(r, &r->table.folded, made);
}

static void add_fold(curfew__redactor *r, const curfew_secret *secret, const char *value, size_t length)
{
	add_folded_pattern(r, secret, fold(value, length, room(r, length)), CURFEW__PATTERN_VALUE);
}

/* Adds an encoded form, within the limit; also folded, if the folded search has to know it. */
static void add_encoded(curfew__redactor *r, const curfew_secret *secret, const char *bytes, size_t length,
                        curfew__pattern_kind kind, bool plain, bool folded)
{
	if (secret->value_length <= ENCODED_VALUE)
		kind = CURFEW__PATTERN_VALUE;
	if (length < ENCODED_MIN || r->encoded_bytes + length * (plain + folded) > ENCODED_BYTES_MAX)
		return;
	r->encoded_bytes += length * (plain + folded);
	if (plain)
		add_pattern(r, &r->table.plain,
		            (curfew__pattern){.bytes = memcpy(room(r, length), bytes, length),
		                              .length = (uint32_t)length,
		                              .weight = (uint32_t)secret->value_length,
		                              .name = secret->name,
		                              .kind = kind});
	if (folded)
		add_folded_pattern(r, secret, fold(bytes, length, room(r, length)), kind);
}

static void add_encodings_of(curfew__redactor *r, const curfew_secret *secret, const char *value, size_t length)
{
	char out[2 * ENCODED_VALUE];

	for (unsigned before = 0; before < 3; before++) {
		add_encoded(r, secret, out, to_base64(value, length, before, false, out), CURFEW__PATTERN_BASE64, true, true);
		add_encoded(r, secret, out, to_base64(value, length, before, true, out), CURFEW__PATTERN_BASE64, true, false);
	}
	add_encoded(r, secret, out, to_hex(value, length, "0123456789abcdef", out), CURFEW__PATTERN_HEX, false, true);
	add_encoded(r, secret, out, to_hex(value, length, "0123456789ABCDEF", out), CURFEW__PATTERN_HEX, false, true);
	explicit_bzero(out, sizeof out);
}

/* btoa() encodes a value in Latin-1 if all of its characters are in it. */
static void add_encodings(curfew__redactor *r, const curfew_secret *secret)
{
	char latin1[ENCODED_VALUE];
	size_t length = secret->value_length < ENCODED_VALUE ? secret->value_length : ENCODED_VALUE;

	if (secret->value_length < CURFEW__REDACT_MIN)
		return;
	add_encodings_of(r, secret, secret->value, length);
	for (size_t i = 0; i < secret->value_length; i++)
		if ((unsigned char)secret->value[i] > 0xc3)
			return;
	/* A character that the maximum length divides is left out. */
	length -= (unsigned char)secret->value[length - 1] >= 0xc2;
	size_t count = to_latin1(secret->value, length, latin1);
	if (count < length)
		add_encodings_of(r, secret, latin1, count);
	explicit_bzero(latin1, sizeof latin1);
}

static void add_value(curfew__redactor *r, const curfew_secret *secret)
{
	if (secret->value_length < CURFEW__REDACT_MIN)
		return;
	add_plain(r, secret);
	add_fold(r, secret, secret->value, secret->value_length);

	char *latin1 = room(r, 2 * secret->value_length);
	size_t length = to_latin1(secret->value, secret->value_length, latin1);
	if (length == secret->value_length)
		return;
	/* Fold into the space after the source, and then move the result to its place. */
	r->pattern_bytes += secret->value_length;
	add_fold(r, secret, latin1, length);
}

/* Adds each line of a value of several lines, if it is long enough: the lines of a key, for example, are often shown
 * one by one. */
static void each_line(curfew__redactor *r, const curfew_secret *secret,
                      void (*call)(curfew__redactor *, const curfew_secret *))
{
	const char *line = secret->value, *end = line + secret->value_length;

	while (line < end) {
		const char *line_end = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((line_end ? line_end : end) - line);
		if (length >= LINE_LENGTH_MIN && length < secret->value_length)
			call(r, &(curfew_secret){secret->name, line, length});
		line += length + 1;
	}
}

static void count_value(curfew__redactor *r, const curfew_secret *secret)
{
	(void)secret;
	r->pattern++;
}

/* Adds the mark that the console writes after a string that it has cut. */
static void add_cuts(curfew__redactor *r)
{
	static const char *const cuts[] = {"'... ", "\"... ", "`... "};

	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		char *bytes = memcpy(room(r, 5), cuts[i], 5);
		add_pattern(r, &r->table.plain, (curfew__pattern){.bytes = bytes, .length = 5, .kind = CURFEW__PATTERN_CUT});
	}
}

static void add_whole_value(curfew__redactor *r, const curfew_secret *secret)
{
	add_value(r, secret);
	each_line(r, secret, add_value);
}

static void add_line_encodings(curfew__redactor *r, const curfew_secret *secret)
{
	each_line(r, secret, add_encodings);
}

/* Adds the patterns of the next secret. True: it was the last one. */
static bool next_secret(curfew__redactor *r, void (*call)(curfew__redactor *, const curfew_secret *))
{
	if (r->secret < r->secret_count)
		call(r, &r->secrets[r->secret++]);
	return r->secret == r->secret_count;
}

static bool allocate_states(curfew__search *search, locked *states)
{
	size_t count = 1;

	for (uint32_t i = 0; i < search->pattern_count; i++)
		count += search->patterns[i].length;
	if (!locked_create(states, count * sizeof *search->states))
		return false;
	locked_reach(states, sizeof *search->states);
	search->states = (curfew__redact_state *)(void *)states->base;
	search->state_count = 1;
	return true;
}

/* Allocates the patterns of both searches. */
static bool reserve_space(curfew__redactor *r)
{
	size_t bytes = ENCODED_BYTES_MAX + 4096;

	r->pattern = 1; /* marks of cuts */
	for (size_t i = 0; i < r->secret_count; i++) {
		bytes += 10 * r->secrets[i].value_length;
		r->pattern++;
		each_line(r, &r->secrets[i], count_value);
	}
	r->table.plain.patterns = calloc((size_t)r->pattern * PATTERNS_MAX, sizeof(curfew__pattern));
	r->table.folded.patterns = calloc((size_t)r->pattern * PATTERNS_MAX, sizeof(curfew__pattern));
	if (!r->table.plain.patterns || !r->table.folded.patterns || !locked_create(&r->bytes, bytes))
		return false;
	if (r->secret_count)
		add_cuts(r);
	return true;
}

/* Allocates the states of both searches. */
static bool place_states(curfew__redactor *r)
{
	if (!allocate_states(&r->table.plain, &r->plain_states) || !allocate_states(&r->table.folded, &r->folded_states))
		return false;
	size_t most = r->plain_states.size > r->folded_states.size ? r->plain_states.size : r->folded_states.size;
	r->queue = malloc(most / sizeof(curfew__redact_state) * sizeof *r->queue);
	return r->queue != NULL;
}

/* ---- The searches ----------------------------------------------------------------------------------------- */

static uint32_t add_child(curfew__search *search, locked *memory, uint32_t from, uint32_t pattern)
{
	uint32_t made = search->state_count++;
	curfew__redact_state *s = &search->states[made];

	locked_reach(memory, (made + 1) * sizeof *s);
	*s = (curfew__redact_state){.pattern = pattern, .depth = search->states[from].depth + 1};
	s->byte = (unsigned char)search->patterns[pattern].bytes[s->depth - 1];
	uint32_t *at = from ? &search->states[from].child : &search->first[s->byte];
	for (unsigned bits = s->byte; *at; bits >>= 1)
		at = &search->states[*at].sibling[bits & 1];
	*at = made;
	return made;
}

/* Notes that a pattern ends in a state. Short ones of the same bytes count apart if they differ in what is left out. */
static void end_pattern(curfew__search *search, uint32_t state, uint32_t pattern)
{
	uint32_t *link = &search->states[state].match;
	const curfew__pattern *made = &search->patterns[pattern];

	while (*link) {
		curfew__pattern *other = &search->patterns[*link - 1];
		if (!made->is_short || other->left_out == made->left_out)
			return;
		link = &other->next;
	}
	*link = pattern + 1;
}

/* Adds this many bytes of patterns to the states. True: all are added. */
static bool add_some(curfew__redactor *r, curfew__search *search, locked *memory)
{
	for (int budget = PIECE; budget > 0 && r->pattern < search->pattern_count; budget--) {
		const curfew__pattern *p = &search->patterns[r->pattern];
		if (r->byte < p->length) {
			uint32_t next = curfew__search_child(search, r->at, (unsigned char)p->bytes[r->byte++]);
			r->at = next ? next : add_child(search, memory, r->at, r->pattern);
			continue;
		}
		end_pattern(search, r->at, r->pattern);
		r->pattern++;
		r->byte = r->at = 0;
	}
	return r->pattern == search->pattern_count;
}

static void link_state(curfew__redactor *r, curfew__search *search, uint32_t parent, uint32_t child)
{
	curfew__redact_state *s = &search->states[child];

	s->fail = parent ? curfew__search_step(search, search->states[parent].fail, s->byte) : 0;
	if (!s->match)
		s->match = search->states[s->fail].match;
	r->queue[r->tail++] = child;
}

static void begin_linking(curfew__redactor *r, curfew__search *search)
{
	r->head = r->tail = 0;
	for (int byte = 0; byte < 256; byte++)
		if (search->first[byte])
			link_state(r, search, 0, search->first[byte]);
}

/* `open` holds the children that are not linked yet: at most the height of the tree of siblings, plus one. */
static void link_children(curfew__redactor *r, curfew__search *search, uint32_t parent)
{
	uint32_t open[10], count = 0;

	if (search->states[parent].child)
		open[count++] = search->states[parent].child;
	while (count) {
		uint32_t child = open[--count];
		link_state(r, search, parent, child);
		for (int bit = 0; bit < 2; bit++)
			if (search->states[child].sibling[bit])
				open[count++] = search->states[child].sibling[bit];
	}
}

/* Links this many states to their next shorter state, nearer ones first. True: all are linked. */
static bool link_some(curfew__redactor *r, curfew__search *search)
{
	for (int budget = PIECE; budget > 0 && r->head < r->tail; budget--)
		link_children(r, search, r->queue[r->head++]);
	return r->head == r->tail;
}

static void note_beginnings(curfew__redact_table *table)
{
	for (int byte = 0; byte < 256; byte++)
		table->may_begin[byte] = table->plain.first[byte] || table->folded.first[byte] || byte == '\\' || byte == '%';
}

static void next_phase(curfew__redactor *r)
{
	r->phase++;
	r->secret = 0;
	r->pattern = r->byte = r->at = 0;
	if (r->phase == LINK_PLAIN)
		begin_linking(r, &r->table.plain);
	if (r->phase == LINK_FOLDED)
		begin_linking(r, &r->table.folded);
	if (r->phase != DONE)
		return;
	note_beginnings(&r->table);
	free(r->queue);
	r->queue = NULL;
	atomic_store(&r->state, CURFEW__REDACTOR_READY);
}

/* Does one piece of the present phase. False: out of memory. */
static bool build_some(curfew__redactor *r)
{
	bool is_over = true;

	switch (r->phase) {
	case RESERVE:
		if (!reserve_space(r))
			return false;
		break;
	case ADD_VALUES: is_over = next_secret(r, add_whole_value); break;
	/* Add whole values first, so that lines use only what is left of the limit. */
	case ADD_ENCODINGS: is_over = next_secret(r, add_encodings); break;
	case ADD_LINES: is_over = next_secret(r, add_line_encodings); break;
	case PLACE_STATES:
		if (!place_states(r))
			return false;
		break;
	case ADD_PLAIN: is_over = add_some(r, &r->table.plain, &r->plain_states); break;
	case LINK_PLAIN: is_over = link_some(r, &r->table.plain); break;
	case ADD_FOLDED: is_over = add_some(r, &r->table.folded, &r->folded_states); break;
	case LINK_FOLDED: is_over = link_some(r, &r->table.folded); break;
	case DONE: return true;
	}
	if (is_over)
		next_phase(r);
	return true;
}

curfew__redactor_state curfew__redactor_build(curfew__redactor *r)
{
	curfew__mutex_lock(&r->lock);
	if (atomic_load(&r->state) == CURFEW__REDACTOR_BUILDING && !build_some(r))
		atomic_store(&r->state, CURFEW__REDACTOR_FAILED);
	curfew__mutex_unlock(&r->lock);
	return (curfew__redactor_state)atomic_load(&r->state);
}

/* ---- Sharing ---------------------------------------------------------------------------------------------- */

curfew__redactors *curfew__redactors_create(void)
{
	curfew__redactors *made = sodium_init() < 0 ? NULL : calloc(1, sizeof *made);

	if (!made)
		return NULL;
	curfew__mutex_init(&made->lock);
	pthread_cond_init(&made->changed, NULL);
	return made;
}

void curfew__redactors_destroy(curfew__redactors *redactors)
{
	if (!redactors)
		return;
	curfew__mutex_lock(&redactors->lock);
	redactors->ending = true;
	pthread_cond_signal(&redactors->changed);
	curfew__mutex_unlock(&redactors->lock);
	if (redactors->has_wiper)
		pthread_join(redactors->wiper, NULL);
	pthread_cond_destroy(&redactors->changed);
	curfew__mutex_finish(&redactors->lock);
	free(redactors);
}

size_t curfew__redactors_count(curfew__redactors *redactors)
{
	size_t count = 0;

	curfew__mutex_lock(&redactors->lock);
	for (const curfew__redactor *r = redactors->first; r; r = r->next)
		count++;
	curfew__mutex_unlock(&redactors->lock);
	return count;
}

/* Whether a redactor has exactly these secrets. The comparison leaves no copy outside locked memory. */
static bool has_secrets(const curfew__redactor *r, const curfew_secret *secrets, size_t count)
{
	if (r->secret_count != count || atomic_load(&r->state) == CURFEW__REDACTOR_FAILED)
		return false;
	for (size_t i = 0; i < count; i++) {
		const curfew_secret *own = &r->secrets[i];
		if (own->value_length != secrets[i].value_length || strcmp(own->name, secrets[i].name) != 0 ||
		    sodium_memcmp(own->value, secrets[i].value, own->value_length) != 0)
			return false;
	}
	return true;
}

static void destroy(curfew__redactor *r)
{
	locked_destroy(&r->given);
	locked_destroy(&r->bytes);
	locked_destroy(&r->plain_states);
	locked_destroy(&r->folded_states);
	free(r->queue);
	free(r->table.plain.patterns);
	free(r->table.folded.patterns);
	/* The patterns' names point into this copy. */
	free(r->secrets);
	curfew__mutex_finish(&r->lock);
	free(r);
}

/* The thread that wipes and frees large tables. This takes some milliseconds, for which no run waits. */
static void *wipe_all(void *argument)
{
	curfew__redactors *shared = argument;

	curfew__mutex_lock(&shared->lock);
	while (shared->dead || !shared->ending) {
		curfew__redactor *r = shared->dead;
		if (!r) {
			curfew__mutex_wait(&shared->lock, &shared->changed);
			continue;
		}
		shared->dead = r->next;
		curfew__mutex_unlock(&shared->lock);
		destroy(r);
		curfew__mutex_lock(&shared->lock);
	}
	curfew__mutex_unlock(&shared->lock);
	return NULL;
}

static bool start_wiper(curfew__redactors *shared) CURFEW__REQUIRES(shared->lock);
static bool start_wiper(curfew__redactors *shared)
{
	if (!shared->has_wiper)
		shared->has_wiper = thread_start(&shared->wiper, NULL, wipe_all, shared);
	return shared->has_wiper;
}

/* Passes a dead redactor to the thread. False: the caller has to destroy it. */
static bool leave_to_wiper(curfew__redactors *shared, curfew__redactor *r) CURFEW__REQUIRES(shared->lock);
static bool leave_to_wiper(curfew__redactors *shared, curfew__redactor *r)
{
	size_t bytes = r->bytes.used + r->plain_states.used + r->folded_states.used;

	if (bytes <= WIPED_AT_ONCE || !start_wiper(shared))
		return false;
	r->next = shared->dead;
	shared->dead = r;
	pthread_cond_signal(&shared->changed);
	return true;
}

static bool copy_secrets(curfew__redactor *r, const curfew_secret *secrets, size_t count)
{
	size_t names = 0, values = 1;

	for (size_t i = 0; i < count; i++) {
		names += strlen(secrets[i].name) + 1;
		values += secrets[i].value_length;
	}
	r->secrets = malloc(count * sizeof *r->secrets + names + 1);
	if (!r->secrets || !locked_create(&r->given, values))
		return false;
	locked_reach(&r->given, values);

	char *name = (char *)(r->secrets + count), *value = r->given.base;
	for (size_t i = 0; i < count; i++) {
		r->secrets[i] = (curfew_secret){name, value, secrets[i].value_length};
		name = stpcpy(name, secrets[i].name) + 1;
		memcpy(value, secrets[i].value, secrets[i].value_length);
		value += secrets[i].value_length;
	}
	r->secret_count = count;
	return true;
}

static curfew__redactor *create(curfew__redactors *shared, const curfew_secret *secrets, size_t count)
{
	curfew__redactor *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	curfew__mutex_init(&r->lock);
	r->shared = shared;
	r->references = 1;
	if (copy_secrets(r, secrets, count))
		return r;
	destroy(r);
	return NULL;
}

curfew__redactor *curfew__redactors_get(curfew__redactors *redactors, const curfew_secret *secrets, size_t count)
{
	curfew__mutex_lock(&redactors->lock);
	curfew__redactor *r = redactors->first;
	while (r && !has_secrets(r, secrets, count))
		r = r->next;
	if (r) {
		r->references++;
	} else if ((r = create(redactors, secrets, count))) {
		r->next = redactors->first;
		redactors->first = r;
	}
	curfew__mutex_unlock(&redactors->lock);
	return r;
}

void curfew__redactor_unref(curfew__redactor *r)
{
	if (!r)
		return;
	curfew__redactors *shared = r->shared;

	curfew__mutex_lock(&shared->lock);
	bool is_last = --r->references == 0;
	if (is_last) {
		curfew__redactor **link = &shared->first;
		while (*link != r)
			link = &(*link)->next;
		*link = r->next;
		is_last = !leave_to_wiper(shared, r);
	}
	curfew__mutex_unlock(&shared->lock);
	if (is_last)
		destroy(r);
}
