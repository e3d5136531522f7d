/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret never leaves, and the result is the same for a text in one piece and in many. The input is the secret, a
 * NUL, and the text.
 */
#include "fuzz.h"

#include "host/redact.h"

#include <string.h>

static bool take(void *context, const char *bytes, size_t length)
{
	return curfew__buffer_add(context, bytes, length);
}

static void expect_same(const curfew__redactor *redactor, const char *text, size_t length)
{
	curfew__redact_stream stream;
	curfew__buffer whole, pieces;

	curfew__buffer_init(&whole, SIZE_MAX);
	curfew__buffer_init(&pieces, SIZE_MAX);
	FUZZ_EXPECT(curfew__redact_text(redactor, &whole, text, length, false));
	curfew__redact_init(&stream, redactor, take, &pieces);
	for (size_t i = 0; i < length; i++)
		FUZZ_EXPECT(curfew__redact_write(&stream, text + i, 1));
	FUZZ_EXPECT(curfew__redact_end(&stream, false));
	curfew__redact_finish(&stream);
	FUZZ_EXPECT(whole.length == pieces.length &&
	            (whole.length == 0 || memcmp(whole.data, pieces.data, whole.length) == 0));
	curfew__buffer_finish(&whole);
	curfew__buffer_finish(&pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, 0, size);
	size_t length = end == NULL ? 0 : (size_t)(end - data);
	curfew_secret secret = {"NAME", (const char *)data, length};

	if (end == NULL || length == 0 || length > 200)
		return 0;
	curfew__redactors *shared = curfew__redactors_create();
	curfew__redactor *redactor = curfew__redactors_get(shared, &secret, 1);
	FUZZ_EXPECT(redactor != NULL);
	while (curfew__redactor_build(redactor) == CURFEW__REDACTOR_BUILDING)
		;
	expect_same(redactor, (const char *)end + 1, size - length - 1);
	curfew__redactor_unref(redactor);
	curfew__redactors_destroy(shared);
	return 0;
}
