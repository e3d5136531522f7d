/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C helpers of the prelude. All byte-wise work is here: text encodings, URL parsing and form encoding. So are the
 * properties of values that only the engine can report unforgeably. The prelude checks and converts arguments before it
 * calls, but a helper never relies on a length that it was given.
 */
#include "web.h"

#include <stdlib.h>
#include <string.h>

#include "ada_c.h"
#include "decoders.h"

/* ---- A growing byte buffer ---- */

typedef struct bytes {
	JSContext *ctx;
	uint8_t *data;
	size_t len;
	size_t capacity;
	bool failed;
} bytes;

static bool bytes_reserve(bytes *b, size_t more)
{
	if (b->failed)
		return false;
	if (more <= b->capacity - b->len)
		return true;

	/* A quarter of the address space is more than can exist, so no sum below overflows. */
	if (more > SIZE_MAX / 4 - b->len) {
		b->failed = true;
		JS_ThrowOutOfMemory(b->ctx);
		return false;
	}

	size_t capacity = b->capacity < 64 ? 64 : b->capacity * 2;
	if (capacity < b->len + more)
		capacity = b->len + more;
	uint8_t *data = js_realloc(b->ctx, b->data, capacity);
	if (!data) {
		b->failed = true;
		return false;
	}

	b->data = data;
	b->capacity = capacity;
	return true;
}

static void bytes_add(bytes *b, const void *data, size_t len)
{
	if (!len || !bytes_reserve(b, len))
		return;
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

static void bytes_add_byte(bytes *b, uint8_t byte)
{
	if (bytes_reserve(b, 1))
		b->data[b->len++] = byte;
}

static void bytes_add_code_point(bytes *b, uint32_t c)
{
	if (!bytes_reserve(b, 4))
		return;
	uint8_t *p = b->data + b->len;
	if (c < 0x80) {
		*p++ = (uint8_t)c;
	} else if (c < 0x800) {
		*p++ = (uint8_t)(0xc0 | c >> 6);
		*p++ = (uint8_t)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*p++ = (uint8_t)(0xe0 | c >> 12);
		*p++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		*p++ = (uint8_t)(0x80 | (c & 0x3f));
	} else {
		*p++ = (uint8_t)(0xf0 | c >> 18);
		*p++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
		*p++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		*p++ = (uint8_t)(0x80 | (c & 0x3f));
	}
	b->len = (size_t)(p - b->data);
}

/* Makes a string of the collected text, and frees the buffer. */
static JSValue bytes_to_string(bytes *b)
{
	JSValue text = b->failed ? JS_EXCEPTION : JS_NewStringLen(b->ctx, (const char *)b->data, b->len);
	js_free(b->ctx, b->data);
	return text;
}

/* ---- UTF-8 ---- */

#define REPLACEMENT 0xfffd

/* The length of the run of ASCII at p. */
static size_t ascii_run(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *start = p;
	uint64_t word;
	while ((size_t)(end - p) >= sizeof word) {
		memcpy(&word, p, sizeof word);
		if (word & 0x8080808080808080u)
			break;
		p += sizeof word;
	}
	while (p < end && *p < 0x80)
		p++;
	return (size_t)(p - start);
}

enum sequence { SEQUENCE_VALID, SEQUENCE_INVALID, SEQUENCE_INCOMPLETE };

/*
 * Examines one multi-byte sequence. *len is its length; or of an invalid one the length of the part to replace by one
 * U+FFFD (the "maximal subpart" of the Encoding Standard); or the length of an incomplete sequence at the end.
 */
static enum sequence utf8_sequence(const uint8_t *p, const uint8_t *end, size_t *len)
{
	uint8_t lead = p[0], low = 0x80, high = 0xbf;
	size_t need;

	if (lead >= 0xc2 && lead <= 0xdf) {
		need = 2;
	} else if (lead >= 0xe0 && lead <= 0xef) {
		need = 3;
		low = lead == 0xe0 ? 0xa0 : 0x80;
		high = lead == 0xed ? 0x9f : 0xbf;
	} else if (lead >= 0xf0 && lead <= 0xf4) {
		need = 4;
		low = lead == 0xf0 ? 0x90 : 0x80;
		high = lead == 0xf4 ? 0x8f : 0xbf;
	} else {
		*len = 1;
		return SEQUENCE_INVALID;
	}

	for (size_t i = 1; i < need; i++) {
		*len = i;
		if (p + i == end)
			return SEQUENCE_INCOMPLETE;
		if (p[i] < low || p[i] > high)
			return SEQUENCE_INVALID;
		low = 0x80;
		high = 0xbf;
	}

	*len = need;
	return SEQUENCE_VALID;
}

/* How much of the text at p is valid. *why is the kind of the *len bytes that follow. */
static size_t utf8_valid_run(const uint8_t *p, const uint8_t *end, enum sequence *why, size_t *len)
{
	const uint8_t *start = p;
	*why = SEQUENCE_VALID;
	*len = 0;
	for (;;) {
		p += ascii_run(p, end);
		if (p == end)
			break;
		*why = utf8_sequence(p, end, len);
		if (*why != SEQUENCE_VALID)
			break;
		p += *len;
	}
	return (size_t)(p - start);
}

/* A string from bytes that should be UTF-8. Ill-formed sequences become U+FFFD. */
static JSValue lossy_string(JSContext *ctx, const uint8_t *p, size_t size)
{
	if (!size)
		return JS_NewString(ctx, "");
	const uint8_t *end = p + size;
	enum sequence why;
	size_t len;
	size_t run = utf8_valid_run(p, end, &why, &len);
	if (run == size)
		return JS_NewStringLen(ctx, (const char *)p, size);
	bytes out = {.ctx = ctx};
	for (;;) {
		bytes_add(&out, p, run);
		p += run;
		if (p == end || out.failed)
			break;
		bytes_add_code_point(&out, REPLACEMENT);
		p += len;
		run = utf8_valid_run(p, end, &why, &len);
	}
	return bytes_to_string(&out);
}

/*
 * The engine encodes a lone surrogate as the three bytes ED A0..BF xx. U+FFFD has three bytes too, so it can replace
 * them in place.
 */
static uint8_t *find_surrogate(uint8_t *p, uint8_t *end)
{
	while (p < end && (p = memchr(p, 0xed, (size_t)(end - p)))) {
		if (end - p >= 3 && p[1] >= 0xa0)
			return p;
		p++;
	}
	return NULL;
}

static void replace_surrogates(uint8_t *p, size_t len)
{
	uint8_t *end = p + len;
	while ((p = find_surrogate(p, end))) {
		memcpy(p, "\xef\xbf\xbd", 3);
		p += 3;
	}
}

/* A scalar value string: valid UTF-8, borrowed from the engine if possible. */
typedef struct usv {
	const char *borrowed;
	uint8_t *owned;
	const char *data;
	size_t len;
} usv;

static bool usv_init(usv *s, JSContext *ctx, JSValueConst value)
{
	*s = (usv){0};
	s->borrowed = JS_ToCStringLen(ctx, &s->len, value);
	if (!s->borrowed)
		return false;
	s->data = s->borrowed;
	uint8_t *text = (uint8_t *)(uintptr_t)s->borrowed;
	if (!find_surrogate(text, text + s->len))
		return true;
	s->owned = js_malloc(ctx, s->len + 1);
	if (!s->owned) {
		JS_FreeCString(ctx, s->borrowed);
		return false;
	}
	memcpy(s->owned, s->borrowed, s->len);
	s->owned[s->len] = 0;
	replace_surrogates(s->owned, s->len);
	s->data = (const char *)s->owned;
	return true;
}

static void usv_finish(usv *s, JSContext *ctx)
{
	js_free(ctx, s->owned);
	JS_FreeCString(ctx, s->borrowed);
}

/* utf8Encode(string) -> Uint8Array */
static JSValue web_utf8_encode(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self, (void)argc;
	usv text;
	if (!usv_init(&text, ctx, argv[0]))
		return JS_EXCEPTION;
	JSValue array = JS_NewUint8ArrayCopy(ctx, (const uint8_t *)text.data, text.len);
	usv_finish(&text, ctx);
	return array;
}

/* utf8EncodeInto(string, Uint8Array) -> {read, written}: as many whole characters as fit. */
static JSValue web_utf8_encode_into(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self, (void)argc;
	usv text;
	if (!usv_init(&text, ctx, argv[0]))
		return JS_EXCEPTION;
	size_t room;
	uint8_t *to = JS_GetUint8Array(ctx, &room, argv[1]);
	if (!to && JS_HasException(ctx)) {
		usv_finish(&text, ctx);
		return JS_EXCEPTION;
	}
	const uint8_t *from = (const uint8_t *)text.data;
	size_t written = 0, read = 0;
	while (written < text.len) {
		uint8_t lead = from[written];
		size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
		if (len > room - written)
			break;
		written += len;
		read += len == 4 ? 2 : 1;
	}
	if (written)
		memcpy(to, from, written);
	usv_finish(&text, ctx);

	JSValue result = JS_NewObject(ctx);
	if (JS_IsException(result))
		return result;
	if (JS_DefinePropertyValueStr(ctx, result, "read", JS_NewInt64(ctx, (int64_t)read), JS_PROP_C_W_E) < 0 ||
	    JS_DefinePropertyValueStr(ctx, result, "written", JS_NewInt64(ctx, (int64_t)written), JS_PROP_C_W_E) < 0) {
		JS_FreeValue(ctx, result);
		return JS_EXCEPTION;
	}
	return result;
}

/* ---- Decoding ---- */

/* The numbers of the other encodings are in decoders.h. */
enum encoding { ENCODING_UTF8, ENCODING_UTF16LE, ENCODING_UTF16BE, ENCODING_WINDOWS_1252 };

enum { DECODE_FATAL = 1, DECODE_IGNORE_BOM = 2, DECODE_STREAM = 4 };

/* The state of a decoder between two chunks. The prelude keeps it in a Uint8Array. */
typedef struct decoder_state {
	uint8_t pending_len;
	uint8_t pending[3];
	uint8_t bom_seen; /* the start of the stream has been read */
	decoder_mode mode;
} decoder_state;

/* 0x80 to 0x9f of windows-1252. The rest is as in Latin-1. */
static const uint16_t windows_1252[32] = {
	0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
	0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
};

static void decode_windows_1252(bytes *out, const uint8_t *p, const uint8_t *end)
{
	while (p < end && !out->failed) {
		size_t run = ascii_run(p, end);
		bytes_add(out, p, run);
		p += run;
		for (; p < end && *p >= 0x80; p++)
			bytes_add_code_point(out, *p < 0xa0 ? windows_1252[*p - 0x80] : *p);
	}
}

/*
 * Both return false at the first error if the decoder is fatal. *rest is the length of the incomplete sequence at the
 * end.
 */
static bool decode_utf8(bytes *out, const uint8_t *p, const uint8_t *end, int flags, size_t *rest)
{
	enum sequence why;
	size_t len;
	*rest = 0;
	for (;;) {
		size_t run = utf8_valid_run(p, end, &why, &len);
		bytes_add(out, p, run);
		p += run;
		if (p == end || out->failed)
			return true;
		if (why == SEQUENCE_INCOMPLETE && flags & DECODE_STREAM) {
			*rest = (size_t)(end - p);
			return true;
		}
		if (flags & DECODE_FATAL)
			return false;
		bytes_add_code_point(out, REPLACEMENT);
		p += len;
	}
}

static bool decode_utf16(bytes *out, const uint8_t *p, const uint8_t *end, int flags, bool big, size_t *rest)
{
	*rest = 0;
	while (p < end && !out->failed) {
		size_t left = (size_t)(end - p), len = 2;
		uint32_t c = left < 2 ? 0 : big ? (uint32_t)(p[0] << 8 | p[1]) : (uint32_t)(p[1] << 8 | p[0]);
		bool lead = c >= 0xd800 && c < 0xdc00;
		bool incomplete = left < 2 || (lead && left < 4);
		bool valid = !incomplete && (c < 0xd800 || c > 0xdfff);
		if (lead && !incomplete) {
			uint32_t low = big ? (uint32_t)(p[2] << 8 | p[3]) : (uint32_t)(p[3] << 8 | p[2]);
			if (low >= 0xdc00 && low < 0xe000) {
				c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
				valid = true;
				len = 4;
			}
		}
		if (incomplete) {
			if (flags & DECODE_STREAM) {
				*rest = left;
				return true;
			}
			len = left;
		}
		if (!valid && flags & DECODE_FATAL)
			return false;
		bytes_add_code_point(out, valid ? c : REPLACEMENT);
		p += len;
	}

	return true;
}

static bool decode_legacy(bytes *out, int encoding, const uint8_t *p, const uint8_t *end, int flags, decoder_mode *mode,
                          size_t *rest)
{
	*rest = 0;
	while (p < end && !out->failed) {
		size_t run = encoding == DECODER_ISO_2022_JP ? 0 : ascii_run(p, end);
		bytes_add(out, p, run);
		p += run;
		if (p == end)
			break;
		uint32_t c[2];
		size_t len = curfew_decode_next(encoding, p, (size_t)(end - p), !(flags & DECODE_STREAM), mode, c);
		if (!len) {
			*rest = (size_t)(end - p);
			break;
		}
		p += len;
		if (c[0] == DECODED_ERROR && flags & DECODE_FATAL)
			return false;
		if (c[0] != DECODED_NOTHING)
			bytes_add_code_point(out, c[0] == DECODED_ERROR ? REPLACEMENT : c[0]);
		if (c[1])
			bytes_add_code_point(out, c[1]);
	}

	return true;
}

/* Drops a byte order mark at the start of a stream. Every decoder writes it as the UTF-8 of U+FEFF. */
static void drop_bom(bytes *out, decoder_state *state, int flags)
{
	if (state->bom_seen || !out->len)
		return;
	state->bom_seen = 1;
	if (flags & DECODE_IGNORE_BOM || out->len < 3 || memcmp(out->data, "\xef\xbb\xbf", 3) != 0)
		return;
	out->len -= 3;
	memmove(out->data, out->data + 3, out->len);
}

static bool decode_all(bytes *out, int encoding, const uint8_t *p, size_t len, int flags, decoder_state *state)
{
	size_t rest = 0;
	bool good = true;
	const uint8_t *end = p + len;
	if (encoding == ENCODING_WINDOWS_1252)
		decode_windows_1252(out, p, end);
	else if (encoding > ENCODING_WINDOWS_1252)
		good = decode_legacy(out, encoding, p, end, flags, &state->mode, &rest);
	else if (encoding == ENCODING_UTF8)
		good = decode_utf8(out, p, end, flags, &rest);
	else
		good = decode_utf16(out, p, end, flags, encoding == ENCODING_UTF16BE, &rest);
	state->pending_len = (uint8_t)rest;
	if (rest)
		memcpy(state->pending, end - rest, rest);
	return good;
}

/* decode(encoding, Uint8Array, flags, state) -> string; null: an error of a fatal decoder */
static JSValue web_decode(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self, (void)argc;
	int32_t encoding, flags;
	size_t len, state_len;
	if (JS_ToInt32(ctx, &encoding, argv[0]) || JS_ToInt32(ctx, &flags, argv[2]))
		return JS_EXCEPTION;
	const uint8_t *p = JS_GetUint8Array(ctx, &len, argv[1]);
	uint8_t *state_bytes = JS_GetUint8Array(ctx, &state_len, argv[3]);
	if (JS_HasException(ctx) || state_len < sizeof(decoder_state))
		return JS_EXCEPTION;
	decoder_state *state = (decoder_state *)state_bytes;

	bytes joined = {.ctx = ctx};
	if (state->pending_len) {
		bytes_add(&joined, state->pending, state->pending_len <= 3 ? state->pending_len : 3);
		bytes_add(&joined, p, len);
		if (joined.failed)
			return JS_EXCEPTION;
		p = joined.data;
		len = joined.len;
	}

	bytes out = {.ctx = ctx};
	bytes_reserve(&out, len + 4);
	if (!p)
		p = (const uint8_t *)""; /* an empty buffer may have no memory */
	bool good = !out.failed && decode_all(&out, encoding, p, len, flags, state);
	if (encoding < ENCODING_WINDOWS_1252)
		drop_bom(&out, state, flags);
	if (!good || !(flags & DECODE_STREAM))
		*state = (decoder_state){0};
	js_free(ctx, joined.data);
	if (good || out.failed)
		return bytes_to_string(&out);
	js_free(ctx, out.data);
	return JS_NULL;
}

/* ---- Form encoding (application/x-www-form-urlencoded) ---- */

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes "+" and "%XX". A "%" without two digits stays. */
static JSValue form_decode(JSContext *ctx, bytes *scratch, const char *text, size_t len)
{
	scratch->len = 0;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)text[i];
		if (c == '+') {
			c = ' ';
		} else if (c == '%' && len - i > 2) {
			int high = hex_digit((uint8_t)text[i + 1]), low = hex_digit((uint8_t)text[i + 2]);
			if (high >= 0 && low >= 0) {
				c = (uint8_t)(high << 4 | low);
				i += 2;
			}
		}
		bytes_add_byte(scratch, c);
	}
	return scratch->failed ? JS_EXCEPTION : lossy_string(ctx, scratch->data, scratch->len);
}

static int array_add(JSContext *ctx, JSValueConst array, uint32_t *count, JSValue value)
{
	if (JS_IsException(value))
		return -1;
	return JS_DefinePropertyValueUint32(ctx, array, (*count)++, value, JS_PROP_C_W_E);
}

/* formParse(string) -> [name, value, name, value, ...] */
static JSValue web_form_parse(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self, (void)argc;
	usv text;
	if (!usv_init(&text, ctx, argv[0]))
		return JS_EXCEPTION;
	JSValue list = JS_NewArray(ctx);
	bytes scratch = {.ctx = ctx};
	const char *p = text.data, *end = text.data + text.len;
	uint32_t count = 0;
	bool failed = JS_IsException(list);
	while (p < end && !failed) {
		const char *next = memchr(p, '&', (size_t)(end - p));
		const char *stop = next ? next : end;
		if (p < stop) {
			const char *equals = memchr(p, '=', (size_t)(stop - p));
			const char *name_end = equals ? equals : stop;
			const char *value = equals ? equals + 1 : stop;
			failed = array_add(ctx, list, &count, form_decode(ctx, &scratch, p, (size_t)(name_end - p))) < 0 ||
			         array_add(ctx, list, &count, form_decode(ctx, &scratch, value, (size_t)(stop - value))) < 0;
		}
		p = stop + 1;
	}

	js_free(ctx, scratch.data);
	usv_finish(&text, ctx);
	if (!failed)
		return list;
	JS_FreeValue(ctx, list);
	return JS_EXCEPTION;
}

static bool form_plain(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '*' || c == '-' ||
	       c == '.' || c == '_';
}

static void form_encode(bytes *out, const char *text, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)text[i];
		if (form_plain(c)) {
			bytes_add_byte(out, c);
		} else if (c == ' ') {
			bytes_add_byte(out, '+');
		} else {
			uint8_t escaped[3] = {'%', (uint8_t)digits[c >> 4], (uint8_t)digits[c & 15]};
			bytes_add(out, escaped, 3);
		}
	}
}

/* formSerialize([name, value, ...], count) -> string */
static JSValue web_form_serialize(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self, (void)argc;
	uint32_t count;
	if (JS_ToUint32(ctx, &count, argv[1]))
		return JS_EXCEPTION;
	bytes out = {.ctx = ctx};
	for (uint32_t i = 0; i < count && !out.failed; i++) {
		JSValue item = JS_GetPropertyUint32(ctx, argv[0], i);
		usv text;
		bool good = !JS_IsException(item) && usv_init(&text, ctx, item);
		JS_FreeValue(ctx, item);
		if (!good) {
			js_free(ctx, out.data);
			return JS_EXCEPTION;
		}
		if (i)
			bytes_add_byte(&out, i % 2 ? '=' : '&');
		form_encode(&out, text.data, text.len);
		usv_finish(&text, ctx);
	}

	return bytes_to_string(&out);
}

/* ---- URLs ---- */

#define URL_PARTS 9

/*
 * [href, and the offsets of its parts]. The prelude cuts the parts out of href at their first use. href is ASCII, so
 * byte offsets are string offsets. An absent part has the offset -1. Frees the URL.
 */
static JSValue url_parts(JSContext *ctx, ada_url url)
{
	if (!ada_is_valid(url)) {
		ada_free(url);
		return JS_NULL;
	}
	ada_string href = ada_get_href(url);
	const ada_url_components *c = ada_get_components(url);
	const uint32_t offsets[URL_PARTS - 1] = {
		c->protocol_end, c->username_end,   c->host_start,   c->host_end,
		c->port,         c->pathname_start, c->search_start, c->hash_start,
	};
	JSValue parts[URL_PARTS];
	parts[0] = JS_NewStringLen(ctx, href.data, href.length);
	for (int i = 1; i < URL_PARTS; i++)
		parts[i] = offsets[i - 1] == ada_url_omitted ? JS_NewInt32(ctx, -1) : JS_NewUint32(ctx, offsets[i - 1]);
	ada_free(url);
	return JS_IsException(parts[0]) ? JS_EXCEPTION : JS_NewArrayFrom(ctx, URL_PARTS, parts);
}

/* urlParse(input, base or undefined) -> parts, or null */
static JSValue web_url_parse(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self, (void)argc;
	usv input, base;
	if (!usv_init(&input, ctx, argv[0]))
		return JS_EXCEPTION;
	ada_url url;
	if (JS_IsUndefined(argv[1])) {
		url = ada_parse(input.data, input.len);
	} else if (usv_init(&base, ctx, argv[1])) {
		url = ada_parse_with_base(input.data, input.len, base.data, base.len);
		usv_finish(&base, ctx);
	} else {
		usv_finish(&input, ctx);
		return JS_EXCEPTION;
	}
	usv_finish(&input, ctx);
	return url_parts(ctx, url);
}

/* In the order of the prelude. */
enum url_part {
	URL_PROTOCOL,
	URL_USERNAME,
	URL_PASSWORD,
	URL_HOST,
	URL_HOSTNAME,
	URL_PORT,
	URL_PATHNAME,
	URL_SEARCH,
	URL_HASH,
};

static void url_set(ada_url url, int part, const char *text, size_t len)
{
	switch (part) {
	case URL_PROTOCOL: ada_set_protocol(url, text, len); break;
	case URL_USERNAME: ada_set_username(url, text, len); break;
	case URL_PASSWORD: ada_set_password(url, text, len); break;
	case URL_HOST: ada_set_host(url, text, len); break;
	case URL_HOSTNAME: ada_set_hostname(url, text, len); break;
	case URL_PORT: ada_set_port(url, text, len); break;
	case URL_PATHNAME: ada_set_pathname(url, text, len); break;
	case URL_SEARCH: ada_set_search(url, text, len); break;
	case URL_HASH: ada_set_hash(url, text, len); break;
	}
}

/* urlSet(href, part, text) -> parts; those of the unchanged URL if the text is invalid. */
static JSValue web_url_set(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self, (void)argc;
	int32_t part;
	usv href, text;
	if (JS_ToInt32(ctx, &part, argv[1]) || !usv_init(&href, ctx, argv[0]))
		return JS_EXCEPTION;
	if (!usv_init(&text, ctx, argv[2])) {
		usv_finish(&href, ctx);
		return JS_EXCEPTION;
	}
	ada_url url = ada_parse(href.data, href.len);
	if (ada_is_valid(url))
		url_set(url, part, text.data, text.len);
	usv_finish(&text, ctx);
	usv_finish(&href, ctx);
	return url_parts(ctx, url);
}

/* maskBytes(Uint8Array, from): combines the bytes from an offset on with the four before it (RFC 6455, 5.3) */
static JSValue web_mask_bytes(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self, (void)argc;
	size_t length;
	int64_t from;
	uint8_t *bytes = JS_GetUint8Array(ctx, &length, argv[0]);
	if (JS_HasException(ctx) || JS_ToInt64(ctx, &from, argv[1]))
		return JS_EXCEPTION;
	if (from < 4 || (uint64_t)from > length)
		return JS_UNDEFINED;
	const uint8_t mask[] = {bytes[from - 4], bytes[from - 3], bytes[from - 2], bytes[from - 1]};
	for (size_t i = (size_t)from; i < length; i++)
		bytes[i] ^= mask[(i - (size_t)from) % 4];
	return JS_UNDEFINED;
}

/* findBytes(Uint8Array, Uint8Array, from) -> the offset of the second one in the first, or -1 */
static JSValue web_find_bytes(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self, (void)argc;
	size_t len, wanted_len;
	int64_t from;
	const uint8_t *bytes = JS_GetUint8Array(ctx, &len, argv[0]), *wanted = JS_GetUint8Array(ctx, &wanted_len, argv[1]);
	if (JS_HasException(ctx) || JS_ToInt64(ctx, &from, argv[2]))
		return JS_EXCEPTION;
	if (!wanted_len || from < 0)
		return JS_NewInt32(ctx, -1);
	for (size_t at = (size_t)from; at < len && len - at >= wanted_len; at++) {
		const uint8_t *found = memchr(bytes + at, wanted[0], len - wanted_len + 1 - at);
		if (!found)
			break;
		at = (size_t)(found - bytes);
		if (!memcmp(found, wanted, wanted_len))
			return JS_NewInt64(ctx, (int64_t)at);
	}
	return JS_NewInt32(ctx, -1);
}

/* ---- Properties of values ---- */

static JSClassID plain_class;
static JSAtom plain_name;

/*
 * classOf(value) -> the engine's name of its class ("Map", "Error", "Object", ...); undefined for a primitive. The
 * engine calls proxies and module namespaces "Object" too.
 */
static JSValue web_class_of(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self, (void)argc;
	if (!JS_IsObject(argv[0]))
		return JS_UNDEFINED;
	if (JS_IsProxy(argv[0]))
		return JS_NewAtomString(ctx, "Proxy");
	JSAtom name = JS_GetClassName(JS_GetRuntime(ctx), JS_GetClassID(argv[0]));
	if (name == plain_name && JS_GetClassID(argv[0]) != plain_class) {
		JS_FreeAtom(ctx, name);
		return JS_NewAtomString(ctx, "Module");
	}
	JSValue text = JS_AtomToString(ctx, name);
	JS_FreeAtom(ctx, name);
	return text;
}

/* proxyTarget(proxy) -> the object behind all proxies; null: one of them was revoked */
static JSValue web_proxy_target(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self, (void)argc;
	JSValue value = JS_DupValue(ctx, argv[0]);
	while (JS_IsProxy(value)) {
		JSValue target = JS_GetProxyTarget(ctx, value);
		JS_FreeValue(ctx, value);
		if (JS_IsException(target))
			JS_FreeValue(ctx, JS_GetException(ctx));
		if (!JS_IsObject(target)) {
			JS_FreeValue(ctx, target);
			return JS_NULL;
		}
		value = target;
	}
	return value;
}

/* proxyParts(proxy) -> [its target, its handler]; null: it was revoked */
static JSValue web_proxy_parts(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self, (void)argc;
	JSValue target = JS_GetProxyTarget(ctx, argv[0]), handler = JS_GetProxyHandler(ctx, argv[0]);
	if (JS_IsException(target) || JS_IsException(handler))
		JS_FreeValue(ctx, JS_GetException(ctx));
	JSValue parts = JS_IsObject(target) && JS_IsObject(handler) ? JS_NewArray(ctx) : JS_NULL;
	if (!JS_IsObject(parts)) {
		JS_FreeValue(ctx, target);
		JS_FreeValue(ctx, handler);
		return parts;
	}
	JS_DefinePropertyValueUint32(ctx, parts, 0, target, JS_PROP_C_W_E);
	JS_DefinePropertyValueUint32(ctx, parts, 1, handler, JS_PROP_C_W_E);
	return parts;
}

/* promiseState(promise) -> 0 pending, 1 fulfilled, 2 rejected, -1 not a promise */
static JSValue web_promise_state(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self, (void)argc;
	return JS_NewInt32(ctx, JS_IsPromise(argv[0]) ? (int32_t)JS_PromiseState(ctx, argv[0]) : -1);
}

/* promiseResult(promise) -> the value or reason that it was settled with */
static JSValue web_promise_result(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self, (void)argc;
	return JS_PromiseResult(ctx, argv[0]);
}

/* put(object, key, value): defines a plain own property, whatever the program's prototypes have. */
static JSValue web_put(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self, (void)argc;
	JSAtom key = JS_ValueToAtom(ctx, argv[1]);
	if (key == JS_ATOM_NULL)
		return JS_EXCEPTION;
	int done = JS_DefinePropertyValue(ctx, argv[0], key, JS_DupValue(ctx, argv[2]), JS_PROP_C_W_E | JS_PROP_THROW);
	JS_FreeAtom(ctx, key);
	return done < 0 ? JS_EXCEPTION : JS_UNDEFINED;
}

static const JSCFunctionListEntry helpers[] = {
	JS_CFUNC_DEF("utf8Encode", 1, web_utf8_encode),
	JS_CFUNC_DEF("utf8EncodeInto", 2, web_utf8_encode_into),
	JS_CFUNC_DEF("decode", 4, web_decode),
	JS_CFUNC_DEF("formParse", 1, web_form_parse),
	JS_CFUNC_DEF("formSerialize", 2, web_form_serialize),
	JS_CFUNC_DEF("urlParse", 2, web_url_parse),
	JS_CFUNC_DEF("urlSet", 3, web_url_set),
	JS_CFUNC_DEF("findBytes", 3, web_find_bytes),
	JS_CFUNC_DEF("maskBytes", 2, web_mask_bytes),
	JS_CFUNC_DEF("classOf", 1, web_class_of),
	JS_CFUNC_DEF("proxyTarget", 1, web_proxy_target),
	JS_CFUNC_DEF("proxyParts", 1, web_proxy_parts),
	JS_CFUNC_DEF("promiseState", 1, web_promise_state),
	JS_CFUNC_DEF("promiseResult", 1, web_promise_result),
	JS_CFUNC_DEF("put", 3, web_put),
};

int curfew_web_init(JSContext *ctx, JSValueConst native)
{
	plain_class = JS_GetClassID(native);
	plain_name = JS_GetClassName(JS_GetRuntime(ctx), plain_class);
	return JS_SetPropertyFunctionList(ctx, native, helpers, sizeof helpers / sizeof *helpers);
}
