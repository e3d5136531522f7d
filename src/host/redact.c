/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A search for many texts at once (Aho and Corasick: Efficient string matching, 1975). Every state stands for a
 * beginning of a pattern, and the state after a byte for the longest such beginning that the text so far ends in: what
 * lies before it can be in no secret any more. So what is held back is always a beginning of a pattern, and is read
 * from there when it turns out to be none.
 */
#include "host/redact.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* Patterns of encoded values are no shorter than this. */
enum { ENCODED_LEAST = 8 };
/* Lines of a value are no shorter than this where they stand by themselves. */
enum { LINE_LEAST = 16 };

typedef struct pattern {
	const char *bytes;
	uint32_t length;
	const char *name; /* of the secret */
} pattern;

typedef struct state {
	uint32_t child;   /* one byte further; 0: none */
	uint32_t sibling; /* another child of the same state */
	uint32_t fail;    /* the next shorter beginning that the text so far ends in */
	uint32_t match;   /* 1 + the longest pattern that the text so far ends in; 0: none */
	uint32_t pattern; /* whose first `depth` bytes this is */
	uint32_t depth;
} state;

struct curfew__redactor {
	state *states; /* [0] is the start */
	uint32_t state_count;
	uint32_t first[256]; /* children of the start */
	pattern *patterns;
	uint32_t pattern_count;
	char *bytes;
};

/* ---- Forms of a value ------------------------------------------------------------------------------------- */

enum form { PLAIN, JSON, CONSOLE, FRAME, PERCENT, BASE64, FORMS = BASE64 + 6 };

static const char hex_digits[] = "0123456789abcdef", upper_hex_digits[] = "0123456789ABCDEF";

static size_t put(char *out, size_t at, char byte)
{
	if (out)
		out[at] = byte;
	return at + 1;
}

static size_t put_escape(char *out, size_t at, const char *prefix, const char *digits, unsigned char byte)
{
	for (; *prefix; prefix++)
		at = put(out, at, *prefix);
	return put(out, put(out, at, digits[byte >> 4]), digits[byte & 15]);
}

/* The letter that a byte is escaped with after a backslash; 0: none. */
static char escape_letter(unsigned char byte)
{
	static const char escaped[] = "\\\b\f\n\r\t", letters[] = "\\bfnrt";
	const char *special = memchr(escaped, byte, sizeof escaped - 1);

	return special ? letters[special - escaped] : 0;
}

/* As JSON.stringify does it. */
static size_t to_json(const char *value, size_t length, char *out)
{
	size_t at = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)value[i];
		char letter = byte == '"' ? '"' : escape_letter(byte);
		if (letter)
			at = put(out, put(out, at, '\\'), letter);
		else
			at = byte < 0x20 ? put_escape(out, at, "\\u00", hex_digits, byte) : put(out, at, value[i]);
	}
	return at;
}

/* As the console shows a string inside an object, where it chooses quotes that need no escape. */
static size_t to_console(const char *value, size_t length, char *out)
{
	size_t at = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)value[i];
		bool wide = byte == 0xc2 && i + 1 < length && (unsigned char)value[i + 1] < 0xa0;
		if (escape_letter(byte))
			at = put(out, put(out, at, '\\'), escape_letter(byte));
		else if (byte < 0x20 || byte == 0x7f || wide)
			at = put_escape(out, at, "\\x", upper_hex_digits, wide ? (unsigned char)value[++i] : byte);
		else
			at = put(out, at, value[i]);
	}
	return at;
}

/* As the name of a function stands in a frame. */
static size_t to_frame(const char *value, size_t length, char *out)
{
	for (size_t i = 0; i < length; i++)
		put(out, i, (unsigned char)value[i] < ' ' || value[i] == '(' || value[i] == ')' ? '?' : value[i]);
	return length;
}

/* As encodeURIComponent does it. */
static size_t to_percent(const char *value, size_t length, char *out)
{
	static const char kept[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()";
	size_t at = 0;

	for (size_t i = 0; i < length; i++)
		at = memchr(kept, value[i], sizeof kept - 1)
		             ? put(out, at, value[i])
		             : put_escape(out, at, "%", upper_hex_digits, (unsigned char)value[i]);
	return at;
}

/* The base64 digits that nothing but the value decides, where `before` bytes (0 to 2) precede it in a group of three. */
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
		count = put(out, count, !for_urls || digit < 62 ? digits[digit] : "-_"[digit - 62]);
	}
	return count;
}

/* Writes a form of the value (out may be NULL) and answers its length. */
static size_t write_form(int form, const curfew_secret *secret, char *out)
{
	switch (form) {
	case PLAIN:
		if (out)
			memcpy(out, secret->value, secret->value_length);
		return secret->value_length;
	case JSON:
		return to_json(secret->value, secret->value_length, out);
	case CONSOLE:
		return to_console(secret->value, secret->value_length, out);
	case FRAME:
		return to_frame(secret->value, secret->value_length, out);
	case PERCENT:
		return to_percent(secret->value, secret->value_length, out);
	default:
		return to_base64(secret->value, secret->value_length, (unsigned)(form - BASE64) / 2, (form - BASE64) % 2, out);
	}
}

/* Length of a form that is to be looked for; 0: this one is not. */
static size_t form_length(int form, const curfew_secret *secret)
{
	if (secret->value_length < CURFEW__REDACT_LEAST)
		return 0;
	if (form >= PERCENT && secret->value_length > CURFEW__REDACT_ENCODED_MOST)
		return 0;
	if (form == FRAME)
		return secret->value_length <= CURFEW__REDACT_ENCODED_MOST ? secret->value_length : 0;
	size_t length = write_form(form, secret, NULL);
	if (form == JSON || form == CONSOLE || form == PERCENT)
		return length > secret->value_length ? length : 0; /* else it is the value itself */
	return form >= BASE64 && length < ENCODED_LEAST ? 0 : length;
}

/* ---- Building --------------------------------------------------------------------------------------------- */

static unsigned char byte_of(const curfew__redactor *r, const state *s)
{
	return (unsigned char)r->patterns[s->pattern].bytes[s->depth - 1];
}

/* The state one byte further; 0: there is none. */
static uint32_t child_of(const curfew__redactor *r, uint32_t from, unsigned char byte)
{
	if (!from)
		return r->first[byte];
	uint32_t child = r->states[from].child;
	while (child && byte_of(r, &r->states[child]) != byte)
		child = r->states[child].sibling;
	return child;
}

static uint32_t add_child(curfew__redactor *r, uint32_t from, uint32_t pattern_index)
{
	uint32_t made = r->state_count++;
	state *s = &r->states[made];

	*s = (state){ .pattern = pattern_index, .depth = r->states[from].depth + 1 };
	if (from) {
		s->sibling = r->states[from].child;
		r->states[from].child = made;
	} else {
		r->first[byte_of(r, s)] = made;
	}
	return made;
}

static void add_pattern(curfew__redactor *r, uint32_t index)
{
	const pattern *p = &r->patterns[index];
	uint32_t at = 0;

	for (uint32_t i = 0; i < p->length; i++) {
		uint32_t next = child_of(r, at, (unsigned char)p->bytes[i]);
		at = next ? next : add_child(r, at, index);
	}
	if (!r->states[at].match)
		r->states[at].match = index + 1;
}

/* The state after a byte. Each step back shortens what each byte lengthens by one: linear over a text. */
static uint32_t step(const curfew__redactor *r, uint32_t from, unsigned char byte)
{
	uint32_t next;

	while (!(next = child_of(r, from, byte)) && from)
		from = r->states[from].fail;
	return next;
}

static void link_state(curfew__redactor *r, uint32_t parent, uint32_t child)
{
	state *s = &r->states[child];

	s->fail = parent ? step(r, r->states[parent].fail, byte_of(r, s)) : 0;
	if (!s->match)
		s->match = r->states[s->fail].match;
}

/* Links every state to its next shorter one, nearer ones first; queue has room for all. */
static void link_states(curfew__redactor *r, uint32_t *queue)
{
	uint32_t head = 0, tail = 0;

	for (int byte = 0; byte < 256; byte++) {
		if (!r->first[byte])
			continue;
		link_state(r, 0, r->first[byte]);
		queue[tail++] = r->first[byte];
	}
	while (head < tail) {
		uint32_t parent = queue[head++];
		for (uint32_t child = r->states[parent].child; child; child = r->states[child].sibling) {
			link_state(r, parent, child);
			queue[tail++] = child;
		}
	}
}

/* Adds the forms of a text to the patterns or, where there is no room for bytes yet, only to their count. */
static size_t add_forms(curfew__redactor *r, const curfew_secret *secret, size_t at)
{
	for (int form = 0; form < FORMS; form++) {
		size_t length = form_length(form, secret);
		if (!length)
			continue;
		if (r->bytes) {
			write_form(form, secret, r->bytes + at);
			r->patterns[r->pattern_count] = (pattern){ r->bytes + at, (uint32_t)length, secret->name };
		}
		r->pattern_count++;
		at += length;
	}
	return at;
}

/* Lines of a key, say, are often shown one by one. */
static size_t add_lines(curfew__redactor *r, const curfew_secret *secret, size_t at)
{
	const char *line = secret->value, *end = line + secret->value_length;

	while (line < end) {
		const char *line_end = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((line_end ? line_end : end) - line);
		if (length >= LINE_LEAST && length < secret->value_length)
			at = add_forms(r, &(curfew_secret){ secret->name, line, length }, at);
		line += length + 1;
	}
	return at;
}

/* Answers how many bytes the patterns have. */
static size_t collect_patterns(curfew__redactor *r, const curfew_secret *secrets, size_t count)
{
	size_t bytes = 0;

	r->pattern_count = 0;
	for (size_t i = 0; i < count; i++)
		bytes = add_lines(r, &secrets[i], add_forms(r, &secrets[i], bytes));
	return bytes;
}

void curfew__redactor_destroy(curfew__redactor *r)
{
	if (!r)
		return;
	sodium_free(r->states);
	sodium_free(r->bytes);
	free(r->patterns);
	free(r);
}

static bool build(curfew__redactor *r, const curfew_secret *secrets, size_t count, size_t bytes)
{
	r->states = sodium_malloc((bytes + 1) * sizeof *r->states);
	r->bytes = sodium_malloc(bytes + 1);
	r->patterns = calloc(r->pattern_count + 1, sizeof *r->patterns);
	uint32_t *queue = calloc(bytes + 1, sizeof *queue);
	bool built = r->states && r->bytes && r->patterns && queue;
	if (built) {
		collect_patterns(r, secrets, count);
		r->states[0] = (state){ 0 };
		r->state_count = 1;
		for (uint32_t i = 0; i < r->pattern_count; i++)
			add_pattern(r, i);
		link_states(r, queue);
	}
	free(queue);
	return built;
}

curfew__redactor *curfew__redactor_create(const curfew_secret *secrets, size_t count)
{
	curfew__redactor *r = sodium_init() < 0 ? NULL : calloc(1, sizeof *r);
	size_t bytes = r ? collect_patterns(r, secrets, count) : 0;

	if (!r || bytes > UINT32_MAX / sizeof(state) || !build(r, secrets, count, bytes)) {
		curfew__redactor_destroy(r);
		return NULL;
	}
	return r;
}

/* ---- Streams ---------------------------------------------------------------------------------------------- */

/* A piece of the text as it is read: what was held back before it lies in a pattern. */
typedef struct piece {
	const char *held; /* the held_length bytes before `start` */
	uint32_t held_length;
	const char *bytes;
	uint64_t start;
} piece;

void curfew__redact_init(curfew__redact_stream *stream, const curfew__redactor *redactor, curfew__redact_sink sink,
                         void *context)
{
	*stream = (curfew__redact_stream){ .redactor = redactor, .sink = sink, .context = context };
}

static void pass(curfew__redact_stream *stream, const char *bytes, uint64_t length)
{
	if (length && !stream->refused)
		stream->refused = !stream->sink(stream->context, bytes, (size_t)length);
}

/* Passes the text on, from where it is settled up to `end`. */
static void pass_until(curfew__redact_stream *stream, const piece *p, uint64_t end)
{
	uint64_t from = stream->settled;

	if (from >= end)
		return;
	if (from < p->start) {
		uint64_t held_end = end < p->start ? end : p->start;
		pass(stream, p->held + (p->held_length - (p->start - from)), held_end - from);
		from = held_end;
	}
	if (from < end)
		pass(stream, p->bytes + (from - p->start), end - from);
	stream->settled = end;
}

/* The first match is settled: nothing can grow it any more. */
static void settle_match(curfew__redact_stream *stream, const piece *p)
{
	const curfew__redact_match match = stream->matches[0];
	const char *name = stream->redactor->patterns[match.pattern].name;

	pass_until(stream, p, match.start);
	pass(stream, "[secret ", strlen("[secret "));
	pass(stream, name, strlen(name));
	pass(stream, "]", 1);
	stream->settled = match.end;
	stream->found = name;
	stream->match_count--;
	memmove(stream->matches, stream->matches + 1, stream->match_count * sizeof *stream->matches);
}

/* The text so far ends in `length` bytes that are to be swallowed, with every match that they overlap. */
static void add_match(curfew__redact_stream *stream, uint32_t pattern_index, uint32_t length)
{
	const pattern *patterns = stream->redactor->patterns;
	curfew__redact_match made = { stream->position - length, stream->position, pattern_index };

	while (stream->match_count) {
		const curfew__redact_match *last = &stream->matches[stream->match_count - 1];
		if (last->end <= made.start && stream->match_count < CURFEW__REDACT_MATCHES)
			break;
		made.start = last->start < made.start ? last->start : made.start;
		if (patterns[last->pattern].length >= patterns[made.pattern].length)
			made.pattern = last->pattern;
		stream->match_count--;
	}
	stream->matches[stream->match_count++] = made;
}

/* Settles what can be in no secret any more: all that lies before what is held back. */
static void settle(curfew__redact_stream *stream, const piece *p)
{
	uint64_t held = stream->position - stream->redactor->states[stream->state].depth;

	while (stream->match_count && stream->matches[0].end <= held)
		settle_match(stream, p);
	pass_until(stream, p, stream->match_count && stream->matches[0].start < held ? stream->matches[0].start : held);
}

static piece held_before(const curfew__redact_stream *stream, const char *bytes)
{
	const state *s = &stream->redactor->states[stream->state];
	const char *held = s->depth ? stream->redactor->patterns[s->pattern].bytes : "";
	return (piece){ held, s->depth, bytes, stream->position };
}

bool curfew__redact_write(curfew__redact_stream *stream, const char *bytes, size_t length)
{
	const curfew__redactor *r = stream->redactor;
	const piece p = held_before(stream, bytes);

	for (size_t i = 0; i < length && !stream->refused; i++) {
		stream->state = step(r, stream->state, (unsigned char)bytes[i]);
		stream->position++;
		const state *s = &r->states[stream->state];
		if (s->match)
			add_match(stream, s->match - 1, r->patterns[s->match - 1].length);
		while (stream->match_count && stream->matches[0].end <= stream->position - s->depth)
			settle_match(stream, &p);
	}
	settle(stream, &p);
	return !stream->refused;
}

bool curfew__redact_end(curfew__redact_stream *stream, bool cut)
{
	const state *s = &stream->redactor->states[stream->state];
	const piece p = held_before(stream, "");

	if (cut && s->depth >= CURFEW__REDACT_LEAST)
		add_match(stream, s->pattern, s->depth);
	stream->state = 0;
	settle(stream, &p);
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
	return curfew__redact_write(&stream, text, length) && curfew__redact_end(&stream, cut);
}

/* ---- JSON ------------------------------------------------------------------------------------------------- */

typedef struct json_walk {
	const curfew__redactor *redactor;
	curfew__buffer *buffer;
	curfew__redact_stream whole; /* of what is left of the text, for secrets that go across its parts */
} json_walk;

static bool ignore(void *context, const char *bytes, size_t length)
{
	(void)context, (void)bytes, (void)length;
	return true;
}

static uint32_t read_hex(const char *digits)
{
	uint32_t number = 0;

	for (int i = 0; i < 4; i++) {
		uint32_t digit = (unsigned char)digits[i];
		number = number * 16 + (digit <= '9' ? digit - '0' : (digit | 32u) - 'a' + 10);
	}
	return number;
}

/* A character in UTF-8; half of a pair as if it were one, which is no part of any secret. */
static size_t to_utf8(uint32_t character, char out[4])
{
	if (character < 0x80) {
		out[0] = (char)character;
		return 1;
	}
	size_t more = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
	static const unsigned char leads[] = { 0, 0xc0, 0xe0, 0xf0 };
	for (size_t i = more; i > 0; i--, character >>= 6)
		out[i] = (char)(0x80 | (character & 0x3f));
	out[0] = (char)(leads[more] | character);
	return more + 1;
}

/* What the escape at `at` means, in UTF-8; *used: bytes of the escape. */
static size_t decode_escape(const char *at, char out[4], size_t *used)
{
	static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
	const char *letter = strchr(letters, at[1]);

	*used = 2;
	if (at[1] != 'u') {
		out[0] = letter ? meant[letter - letters] : at[1];
		return 1;
	}
	*used = 6;
	uint32_t character = read_hex(at + 2);
	/* A string goes on at least to its closing quote, and JSON was checked: there are four digits after \u. */
	bool pair = character >= 0xd800 && character < 0xdc00 && at[6] == '\\' && at[7] == 'u';
	uint32_t second = pair ? read_hex(at + 8) : 0;
	if (second < 0xdc00 || second > 0xdfff)
		return to_utf8(character, out);
	*used = 12;
	return to_utf8(0x10000 + ((character - 0xd800) << 10) + (second - 0xdc00), out);
}

/* The contents of a string, as what they mean. */
static void write_string(curfew__redact_stream *stream, const char *at, const char *end)
{
	while (at < end) {
		const char *escape = memchr(at, '\\', (size_t)(end - at));
		curfew__redact_write(stream, at, (size_t)((escape ? escape : end) - at));
		if (!escape)
			return;
		char character[4];
		size_t used;
		size_t length = decode_escape(escape, character, &used);
		curfew__redact_write(stream, character, length);
		at = escape + used;
	}
}

/* A string with its quotes, or a number or word. False: out of memory. */
static bool walk_token(json_walk *walk, const char *token, size_t length)
{
	curfew__buffer text;
	curfew__redact_stream stream;

	curfew__buffer_init(&text, SIZE_MAX);
	curfew__redact_init(&stream, walk->redactor, add_to_buffer, &text);
	if (token[0] == '"')
		write_string(&stream, token + 1, token + length - 1);
	else
		curfew__redact_write(&stream, token, length);
	bool done = curfew__redact_end(&stream, false);
	if (done && stream.found) {
		curfew__json_writer writer;
		curfew__json_init(&writer, walk->buffer);
		curfew__json_string(&writer, text.data, text.length);
		curfew__redact_write(&walk->whole, "", 1);
	} else if (done) {
		curfew__buffer_add(walk->buffer, token, length);
		curfew__redact_write(&walk->whole, token, length);
	}
	curfew__buffer_finish(&text);
	return done;
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
			curfew__redact_write(&walk->whole, at, 1);
		}
		at += length;
	}
	curfew__redact_end(&walk->whole, false);
	return true;
}

bool curfew__redact_json(const curfew__redactor *redactor, curfew__buffer *buffer, const char *json, size_t length)
{
	json_walk walk = { .redactor = redactor, .buffer = buffer };

	curfew__redact_init(&walk.whole, redactor, ignore, NULL);
	if (!walk_json(&walk, json, json + length))
		return false;
	if (walk.whole.found) {
		buffer->length = 0;
		buffer->failed = false;
		curfew__buffer_printf(buffer, "\"[secret %s]\"", walk.whole.found);
	}
	return !buffer->failed;
}
