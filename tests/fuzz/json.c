/* SPDX-License-Identifier: Apache-2.0 */
/* Every text that is accepted as JSON can be read to its end, by the library's reader and by the server's scanner. */
#include "fuzz.h"

#include "common/json.h"
#include "common/json_reader.h"

#include <string.h>

static void read_value(curfew__json_reader *reader, int depth)
{
	curfew__json_kind kind = curfew__json_next_kind(reader);
	curfew__buffer text;
	size_t length = 0;

	curfew__buffer_init(&text, SIZE_MAX);
	if (kind == CURFEW__JSON_STRING) {
		(void)curfew__json_read_string(reader, &text);
	} else if (kind == CURFEW__JSON_NUMBER) {
		FUZZ_EXPECT(curfew__json_number_text(reader, &length) != NULL && length > 0);
	} else if ((kind == CURFEW__JSON_ARRAY || kind == CURFEW__JSON_OBJECT) && depth < 50) {
		curfew__json_enter(reader);
		while (curfew__json_has_next(reader)) {
			if (kind == CURFEW__JSON_OBJECT)
				(void)curfew__json_read_key(reader, &text);
			read_value(reader, depth + 1);
		}
	} else {
		curfew__json_skip(reader);
	}
	curfew__buffer_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *why = NULL;
	size_t offset = 0;
	curfew__json_reader reader;

	if (!curfew__json_check(text, size, &offset, &why)) {
		FUZZ_EXPECT(why != NULL && offset <= size);
		return 0;
	}
	curfew__json_reader_init(&reader, text, size, NULL);
	read_value(&reader, 0);
	FUZZ_EXPECT(reader.at <= size);
	for (size_t i = reader.at; i < size; i++)
		FUZZ_EXPECT(strchr(" \t\r\n", text[i]) != NULL);
	return 0;
}
