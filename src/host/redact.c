/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searches a text that comes in pieces for a set of secrets, in the text as it is and in the folded text. The text so
 * far may end in the beginning of a secret, in either form. The text is held back from the start of the longer
 * beginning.
 */
#include "host/redact.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/json_reader.h"
#include "common/utf8.h"
#include "host/redact_table.h"

/*
 * The maximum length of a folded secret in the text: this, and this much for each byte of the longest one. A text that
 * is longer without becoming a secret is passed on. So a run cannot have any amount of it held back.
 */
enum { SPAN_BASE = 64 << 10, SPAN_EACH = 64 };
/* Bytes between two checks for a stop: less than a millisecond of work. */
enum { PIECE = 64 << 10 };

void curfew__redact_init(curfew__redact_stream *stream, const curfew__redactor *redactor, curfew__redact_sink sink,
                         void *context)
{
	*stream = (curfew__redact_stream){.redactor = redactor, .sink = sink, .context = context};
}

/* ---- What is held back ------------------------------------------------------------------------------------ */

/* The text that has not passed yet: the part that was held back, and the new piece. */
typedef struct piece {
	const char *bytes;
	size_t length;
	uint64_t start;
} piece;

static void pass_bytes(curfew__redact_stream *stream, const char *bytes, uint64_t length)
{
	if (length && !stream->refused)
		stream->refused = !stream->sink(stream->context, bytes, (size_t)length);
}

static uint64_t held_start(const curfew__redact_stream *stream, const piece *p)
{
	return p->start - stream->held_length;
}

/* Passes on the text from `settled` to `end`. */
static void pass_until(curfew__redact_stream *stream, const piece *p, uint64_t end)
{
	uint64_t from = stream->settled;

	if (from >= end)
		return;
	if (from < p->start) {
		uint64_t held_end = end < p->start ? end : p->start;
		pass_bytes(stream, stream->held + stream->held_begin + (from - held_start(stream, p)), held_end - from);
		from = held_end;
	}
	if (from < end)
		pass_bytes(stream, p->bytes + (from - p->start), end - from);
	stream->settled = end;
}

/* Grows the memory of the held text. The old memory is wiped. */
static bool reserve_space(curfew__redact_stream *stream, size_t more)
{
	size_t needed = stream->held_length + more;

	if (stream->held_begin + needed <= stream->held_capacity)
		return true;
	if (needed <= stream->held_capacity / 2) {
		memmove(stream->held, stream->held + stream->held_begin, stream->held_length);
		stream->held_begin = 0;
		return true;
	}
	char *held = malloc(2 * needed);
	if (!held)
		return false;
	if (stream->held) {
		memcpy(held, stream->held + stream->held_begin, stream->held_length);
		explicit_bzero(stream->held, stream->held_capacity);
		free(stream->held);
	}
	stream->held = held;
	stream->held_capacity = 2 * needed;
	stream->held_begin = 0;
	return true;
}

/* Keeps the part of the piece that is still needed, and drops that part of the held text which is not. */
static void hold(curfew__redact_stream *stream, const piece *p)
{
	const curfew__redact_match *first = &stream->matches[0];
	/* The text of a match that has begun will not pass, however long the match becomes. */
	bool is_within = stream->match_count && first->start <= stream->settled;
	uint64_t from = is_within ? first->end : stream->settled;
	size_t gone = from < p->start ? (size_t)(from - held_start(stream, p)) : stream->held_length;
	size_t settled = from > p->start ? (size_t)(from - p->start) : 0;

	stream->held_begin += gone;
	stream->held_length -= gone;
	if (!stream->held_length)
		stream->held_begin = 0;
	if (settled >= p->length)
		return;
	if (!reserve_space(stream, p->length - settled)) {
		stream->refused = true;
		return;
	}
	memcpy(stream->held + stream->held_begin + stream->held_length, p->bytes + settled, p->length - settled);
	stream->held_length += p->length - settled;
}

void curfew__redact_finish(curfew__redact_stream *stream)
{
	if (stream->held)
		explicit_bzero(stream->held, stream->held_capacity);
	free(stream->held);
	free(stream->places);
	stream->held = NULL;
	stream->places = NULL;
	stream->held_begin = stream->held_length = stream->held_capacity = 0;
}

/* ---- Matches ---------------------------------------------------------------------------------------------- */

/* Settles the first match. It can no longer grow, except by what follows it. */
static void settle_match(curfew__redact_stream *stream, const piece *p)
{
	const curfew__redact_match match = stream->matches[0];
	size_t name_length = strlen(match.name);
	char label[sizeof "[secret ]" + CURFEW_SECRET_NAME_BYTES] = "[secret ";

	pass_until(stream, p, match.start);
	memcpy(label + strlen("[secret "), match.name, name_length);
	label[strlen("[secret ") + name_length] = ']';
	pass_bytes(stream, label, strlen("[secret ]") + name_length);
	stream->settled = match.end;
	stream->found = match.name;
	stream->match_count--;
	memmove(stream->matches, stream->matches + 1, stream->match_count * sizeof *stream->matches);
}

/* The last match, if it is at least as heavy as the new one and overlaps it, and no other match does. Such is what both
 * searches find, and every byte of a text that repeats a short secret. NULL: none. */
static curfew__redact_match *find_larger(curfew__redact_stream *stream, const curfew__redact_match *made)
{
	if (!stream->match_count)
		return NULL;
	curfew__redact_match *last = &stream->matches[stream->match_count - 1];
	bool is_larger = last->start <= made->start && made->start < last->end && last->weight >= made->weight;
	return is_larger ? last : NULL;
}

/* Marks these bytes to be swallowed, together with every match that they overlap. */
static void add_match(curfew__redact_stream *stream, const curfew__redact_match *match)
{
	curfew__redact_match *larger = find_larger(stream, match);

	if (larger) {
		larger->end = match->end > larger->end ? match->end : larger->end;
		return;
	}
	curfew__redact_match made = *match;
	while (stream->match_count) {
		const curfew__redact_match *last = &stream->matches[stream->match_count - 1];
		if (last->end <= made.start && stream->match_count < CURFEW__REDACT_MATCHES)
			break;
		made.start = last->start < made.start ? last->start : made.start;
		made.end = last->end > made.end ? last->end : made.end;
		if (last->weight >= made.weight) {
			made.weight = last->weight;
			made.name = last->name;
		}
		stream->match_count--;
	}
	/* Bytes that have passed already cannot be swallowed. */
	made.start = made.start < stream->settled ? stream->settled : made.start;
	if (made.end > made.start)
		stream->matches[stream->match_count++] = made;
}

/* The bytes from `start` to `end` belong to the last match, if it ends where they begin. */
static void extend_match(curfew__redact_stream *stream, uint64_t start, uint64_t end)
{
	if (stream->match_count && stream->matches[stream->match_count - 1].end == start)
		stream->matches[stream->match_count - 1].end = end;
	else if (!stream->match_count && stream->settled == start)
		stream->settled = end;
}

/* ---- Beginnings that were cut ----------------------------------------------------------------------------- */

static void note_beginning(curfew__redact_beginning *noted, const curfew__search *search, uint32_t state,
                           uint64_t start, uint64_t end, uint64_t failed_at)
{
	const curfew__redact_state *s = &search->states[state];
	const curfew__pattern *p = &search->patterns[s->pattern];

	if (s->depth < CURFEW__REDACT_MIN || p->kind == CURFEW__PATTERN_CUT)
		return;
	*noted = (curfew__redact_beginning){start, end, failed_at, p->weight, p->name};
}

/* The console has cut a string whose quote is at this position. */
static void count_beginnings(curfew__redact_stream *stream, uint64_t quote)
{
	for (int i = 0; i < 2; i++) {
		const curfew__redact_beginning *b = &stream->beginnings[i];
		/* The folded text has no quotes, so there the first dot is the byte that did not fit. */
		if (b->name && b->failed_at == quote + (uint64_t)i)
			add_match(stream, &(curfew__redact_match){b->start, b->end, b->weight, b->name});
		stream->beginnings[i].name = NULL;
	}
}

/* ---- The text as it is ------------------------------------------------------------------------------------ */

/* Whether this byte continues the encoded form of a long value whose beginning was found. */
static bool continues_form(unsigned char kind, unsigned char byte)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=%";

	if (kind == CURFEW__PATTERN_HEX)
		return curfew__fold_digit(byte) >= 0 || byte == ' ';
	return byte && strchr(base64, byte);
}

static uint64_t plain_start(const curfew__redact_stream *stream)
{
	return stream->position - stream->table->plain.states[stream->plain_state].depth;
}

/* Notes that the text so far ends in a pattern. */
static void match_plain(curfew__redact_stream *stream, const curfew__pattern *p)
{
	uint64_t end = stream->position;

	if (p->kind == CURFEW__PATTERN_CUT) {
		count_beginnings(stream, end - p->length);
		return;
	}
	add_match(stream, &(curfew__redact_match){end - p->length, end, p->weight, p->name});
	if (p->kind == CURFEW__PATTERN_BASE64)
		stream->swallow = (unsigned char)p->kind;
}

static void read_plain(curfew__redact_stream *stream, const curfew__search *search, unsigned char byte)
{
	if (stream->swallow && continues_form(stream->swallow, byte))
		extend_match(stream, stream->position, stream->position + 1);
	else
		stream->swallow = 0;
	if (stream->plain_state && (byte == '\'' || byte == '"' || byte == '`'))
		note_beginning(&stream->beginnings[0], search, stream->plain_state, plain_start(stream), stream->position,
		               stream->position);

	stream->plain_state = curfew__search_step(search, stream->plain_state, byte);
	stream->position++;
	uint32_t match = search->states[stream->plain_state].match;
	if (match)
		match_plain(stream, &search->patterns[match - 1]);
}

/* ---- The text folded -------------------------------------------------------------------------------------- */

/* The start of the beginning of a pattern that the folded text ends in; `end` if it ends in none. */
static uint64_t folded_start(const curfew__redact_stream *stream, uint64_t end)
{
	uint32_t depth = stream->table->folded.states[stream->folded_state].depth;
	return depth ? stream->places[(stream->folded_count - depth) & stream->place_mask].start : end;
}

/* False: the bytes that are left out differ. */
static bool match_folded(curfew__redact_stream *stream, const curfew__pattern *p, uint64_t end)
{
	const curfew__redact_place *first = &stream->places[(stream->folded_count - p->length) & stream->place_mask];

	if (p->is_short && stream->left_out - first->left_out != p->left_out)
		return false;
	add_match(stream, &(curfew__redact_match){first->start, end, p->weight, p->name});
	stream->absorb = p->trailing;
	if (p->kind == CURFEW__PATTERN_BASE64 || p->kind == CURFEW__PATTERN_HEX)
		stream->swallow = (unsigned char)p->kind;
	return true;
}

/* Notes that the folded text so far ends in a pattern, or in several that differ in what is left out. */
static void match_all_folded(curfew__redact_stream *stream, const curfew__search *search, uint64_t end)
{
	uint32_t state = stream->folded_state, match = search->states[state].match;

	while (match) {
		const curfew__pattern *p = &search->patterns[match - 1];
		if (match_folded(stream, p, end))
			return;
		/* Another one of the same bytes, or a shorter one. */
		for (match = p->next; !match && (state = search->states[state].fail);)
			if (search->states[state].depth < p->length)
				match = search->states[state].match;
	}
}

/* Gives up the beginning of a secret, and an escape, that would have to be held back for too long. */
static void limit_span(curfew__redact_stream *stream, uint64_t end)
{
	uint64_t longest = SPAN_BASE + (uint64_t)SPAN_EACH * stream->table->folded.longest;

	if (end - curfew__fold_unread(&stream->fold, end) > longest) {
		stream->fold = (curfew__fold){0};
		stream->folded_state = 0;
	}
	if (end - folded_start(stream, end) > longest)
		stream->folded_state = 0;
}

/* Handles a byte that folding leaves out: it belongs to the secret before it, or is inside one. */
static void leave_out(curfew__redact_stream *stream, const curfew__folded *folded)
{
	if (!stream->folded_state && !stream->absorb)
		return;
	stream->left_out++;
	if (stream->absorb) {
		stream->absorb--;
		extend_match(stream, folded->start, folded->end);
	}
	limit_span(stream, folded->end);
}

static void read_folded(curfew__redact_stream *stream, const curfew__search *search, const curfew__folded *folded)
{
	if (folded->is_left_out) {
		leave_out(stream, folded);
		return;
	}
	if (stream->folded_state && folded->byte == '.')
		note_beginning(&stream->beginnings[1], search, stream->folded_state, folded_start(stream, 0),
		               stream->folded_end, folded->start);

	stream->absorb = 0;
	stream->folded_state = curfew__search_step(search, stream->folded_state, folded->byte);
	/* A beginning that is this long was consecutive, so a byte outside any beginning needs no place. */
	if (!stream->folded_state)
		return;
	stream->folded_end = folded->end;
	stream->places[stream->folded_count++ & stream->place_mask] = (curfew__redact_place){folded->start,
	                                                                                     stream->left_out};
	match_all_folded(stream, search, folded->end);
}

/* Called before the first byte. The redactor must be ready. */
static bool begin_search(curfew__redact_stream *stream)
{
	size_t count = 2;

	stream->table = curfew__redactor_table(stream->redactor);
	if (!stream->table)
		return false;
	while (count < stream->table->folded.longest + 1)
		count *= 2;
	stream->places = calloc(count, sizeof *stream->places);
	stream->place_mask = count - 1;
	return stream->places != NULL;
}

/* ---- Both ------------------------------------------------------------------------------------------------- */

/* No byte before this position can be in a secret any more. */
static uint64_t earliest_open(curfew__redact_stream *stream)
{
	uint64_t plain = plain_start(stream), unread = curfew__fold_unread(&stream->fold, stream->position);
	uint64_t folded = folded_start(stream, unread), earliest = plain < folded ? plain : folded;

	for (int i = 0; i < 2; i++) {
		curfew__redact_beginning *b = &stream->beginnings[i];
		/* The mark of a cut begins at the quote, so text from there would still be held back. */
		if (b->name && plain + (uint64_t)i > b->failed_at)
			b->name = NULL;
		if (b->name && b->start < earliest)
			earliest = b->start;
	}
	return earliest;
}

/* Settles the text that can no longer be in a secret. */
static void settle_closed(curfew__redact_stream *stream, const piece *p)
{
	uint64_t open = earliest_open(stream);

	while (stream->match_count && stream->matches[0].end <= open)
		settle_match(stream, p);
	pass_until(stream, p, stream->match_count && stream->matches[0].start < open ? stream->matches[0].start : open);
}

/* Whether no secret may have begun. */
static bool is_idle(const curfew__redact_stream *stream)
{
	return !stream->plain_state && !stream->folded_state && !stream->swallow && !stream->absorb;
}

/* Skips bytes that cannot begin a match. */
static size_t skip_plain(curfew__redact_stream *stream, const curfew__redact_table *table, const piece *p, size_t at)
{
	size_t from = at;

	while (at < p->length && !table->may_begin[(unsigned char)p->bytes[at]])
		at++;
	stream->position += at - from;
	return at;
}

static void read_byte(curfew__redact_stream *stream, const curfew__redact_table *table, unsigned char byte,
                      const piece *p)
{
	curfew__folded folded[CURFEW__FOLDED_MAX];
	uint64_t at = stream->position;

	read_plain(stream, &table->plain, byte);
	if (curfew__fold_is_plain(&stream->fold, byte)) {
		read_folded(stream, &table->folded, &(curfew__folded){at, at + 1, byte, curfew__fold_leaves_out[byte]});
	} else {
		size_t count = curfew__fold_byte(&stream->fold, byte, at, folded);
		for (size_t i = 0; i < count; i++)
			read_folded(stream, &table->folded, &folded[i]);
		limit_span(stream, at + 1);
	}
	/* The first comparison alone says so nearly always. */
	if (stream->match_count && stream->matches[0].end <= plain_start(stream) &&
	    stream->matches[0].end <= earliest_open(stream))
		settle_match(stream, p);
}

static void write_piece(curfew__redact_stream *stream, const char *bytes, size_t length)
{
	const piece p = {bytes, length, stream->position};
	const curfew__redact_table *table = stream->table;
	for (size_t i = 0; i < length && !stream->refused;) {
		if (is_idle(stream) && curfew__fold_is_plain(&stream->fold, (unsigned char)bytes[i]))
			i = skip_plain(stream, table, &p, i);
		if (i < length)
			read_byte(stream, table, (unsigned char)bytes[i++], &p);
	}
	if (stream->refused)
		return;
	settle_closed(stream, &p);
	hold(stream, &p);
}

bool curfew__redact_write(curfew__redact_stream *stream, const char *bytes, size_t length)
{
	if (!stream->places && !begin_search(stream))
		stream->refused = true;
	while (length && !stream->refused) {
		size_t size = length < PIECE ? length : PIECE;
		write_piece(stream, bytes, size);
		bytes += size;
		length -= size;
		stream->refused |= stream->stop && atomic_load(stream->stop);
	}
	return !stream->refused;
}

/* If the text was cut here, its end may be the beginning of a secret. */
static void count_end(curfew__redact_stream *stream, const curfew__redact_table *table)
{
	const curfew__redact_state *plain = &table->plain.states[stream->plain_state];
	const curfew__redact_state *folded = &table->folded.states[stream->folded_state];
	const curfew__pattern *p = &table->plain.patterns[plain->pattern];

	if (plain->depth >= CURFEW__REDACT_MIN && p->kind != CURFEW__PATTERN_CUT)
		add_match(stream, &(curfew__redact_match){plain_start(stream), stream->position, p->weight, p->name});
	p = &table->folded.patterns[folded->pattern];
	if (folded->depth >= CURFEW__REDACT_MIN)
		add_match(stream, &(curfew__redact_match){folded_start(stream, 0), stream->position, p->weight, p->name});
}

bool curfew__redact_end(curfew__redact_stream *stream, bool cut)
{
	const curfew__redact_table *table = stream->table;
	const piece p = {"", 0, stream->position};

	if (stream->refused || !stream->places)
		return !stream->refused;
	curfew__folded folded[CURFEW__FOLDED_MAX];
	size_t count = curfew__fold_end(&stream->fold, stream->position, folded);
	for (size_t i = 0; i < count; i++)
		read_folded(stream, &table->folded, &folded[i]);
	if (cut)
		count_end(stream, table);
	stream->plain_state = stream->folded_state = 0;
	stream->swallow = 0;
	stream->absorb = 0;
	settle_closed(stream, &p);
	hold(stream, &p);
	return !stream->refused;
}

/* ---- Whole texts ------------------------------------------------------------------------------------------ */

static bool add_to_buffer(void *context, const char *bytes, size_t length)
{
	return curfew__buffer_add(context, bytes, length);
}

bool curfew__redact_text(const curfew__redactor *redactor, curfew__buffer *buffer, const char *text, size_t length,
                         bool cut)
{
	curfew__redact_stream stream;

	curfew__redact_init(&stream, redactor, add_to_buffer, buffer);
	bool done = curfew__redact_write(&stream, text, length) && curfew__redact_end(&stream, cut);
	curfew__redact_finish(&stream);
	return done;
}

/* ---- JSON ------------------------------------------------------------------------------------------------- */

typedef struct json_walk {
	curfew__buffer *buffer;
	curfew__redact_stream token; /* searches one string after the other; its sink is `text` */
	curfew__buffer text;
	curfew__redact_stream whole; /* searches the resulting text, for secrets that span several parts */
} json_walk;

static bool ignore(void *context, const char *bytes, size_t length)
{
	(void)context, (void)bytes, (void)length;
	return true;
}

/* Reads the contents of a string, with its escapes decoded. */
static void write_string(curfew__redact_stream *stream, const char *at, const char *end)
{
	while (at < end) {
		const char *escape = memchr(at, '\\', (size_t)(end - at));
		curfew__redact_write(stream, at, (size_t)((escape ? escape : end) - at));
		if (!escape)
			return;
		/* Write half of a surrogate pair as if it were a character: no secret contains it. */
		char text[4];
		size_t used;
		uint32_t character = curfew__json_unescape(escape, (size_t)(end - escape), &used);
		curfew__redact_write(stream, text, curfew__utf8_encode(character, text));
		at = escape + used;
	}
}

/* Searches a string with its quotes, or a number or literal. False: out of memory. */
static bool walk_token(json_walk *walk, const char *token, size_t length)
{
	walk->token.found = NULL;
	walk->text.length = 0;
	if (token[0] == '"')
		write_string(&walk->token, token + 1, token + length - 1);
	else
		curfew__redact_write(&walk->token, token, length);
	if (!curfew__redact_end(&walk->token, false))
		return false;
	if (walk->token.found) {
		curfew__json_writer writer;
		curfew__json_init(&writer, walk->buffer);
		curfew__json_string(&writer, walk->text.data, walk->text.length);
		return curfew__redact_write(&walk->whole, "", 1);
	}
	curfew__buffer_add(walk->buffer, token, length);
	return curfew__redact_write(&walk->whole, token, length);
}

/* Length of the string that begins here, quotes included. */
static size_t string_length(const char *at)
{
	const char *start = at++;

	while (*at != '"')
		at += *at == '\\' ? 2 : 1;
	return (size_t)(at + 1 - start);
}

static size_t scalar_length(const char *at, const char *end)
{
	const char *start = at;

	while (at < end && !strchr(",:[]{}\" \t\r\n", *at))
		at++;
	return (size_t)(at - start);
}

static bool walk_json(json_walk *walk, const char *at, const char *end)
{
	while (at < end) {
		size_t length = *at == '"' ? string_length(at) : scalar_length(at, end);
		if (length) {
			if (!walk_token(walk, at, length))
				return false;
		} else {
			length = 1;
			curfew__buffer_add(walk->buffer, at, 1);
			if (!curfew__redact_write(&walk->whole, at, 1))
				return false;
		}
		at += length;
	}
	return curfew__redact_end(&walk->whole, false);
}

bool curfew__redact_json(const curfew__redactor *redactor, curfew__buffer *buffer, const char *json, size_t length,
                         const atomic_uint *stop)
{
	json_walk walk = {.buffer = buffer};

	curfew__buffer_init(&walk.text, SIZE_MAX);
	curfew__redact_init(&walk.token, redactor, add_to_buffer, &walk.text);
	curfew__redact_init(&walk.whole, redactor, ignore, NULL);
	walk.token.stop = walk.whole.stop = stop;
	bool done = walk_json(&walk, json, json + length);
	if (done && walk.whole.found) {
		buffer->length = 0;
		buffer->failed = false;
		curfew__buffer_printf(buffer, "\"[secret %s]\"", walk.whole.found);
	}
	curfew__redact_finish(&walk.token);
	curfew__redact_finish(&walk.whole);
	curfew__buffer_finish(&walk.text);
	return done && !buffer->failed;
}
