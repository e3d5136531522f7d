/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's scanner of submissions: every member of an accepted object is found by its name and lies within the
 * text.
 */
#include "fuzz.h"

#include "common/json_scan.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	span key, value;

	if (!scan_is_json(text, size))
		return 0;
	scan_object object = scan_begin(text, size);
	while (scan_next(&object, &key, &value) > 0) {
		FUZZ_EXPECT(key.data >= text && key.data + key.len <= text + size);
		FUZZ_EXPECT(value.data >= text && value.data + value.len <= text + size);
		FUZZ_EXPECT(scan_is_json(value.data, value.len) && scan_is_json(key.data, key.len));
		char *name = malloc(key.len + 1);
		size_t length = 0;
		if (name != NULL && scan_decode(key, name, &length))
			FUZZ_EXPECT(length <= key.len);
		free(name);
	}
	(void)scan_member(text, size, "source");
	return 0;
}
