/* SPDX-License-Identifier: Apache-2.0 */
/* A report that is read from JSON is written as JSON that reads as the same report. */
#include "fuzz.h"

#include "curfew.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	curfew_report *first = NULL, *second = NULL;
	char *text = NULL, *again = NULL;
	size_t length = 0, again_length = 0;
	curfew_failure failure = {0};

	if (curfew_report_parse((const char *)data, size, &first, &failure) != CURFEW_OK) {
		FUZZ_EXPECT(first == NULL && failure.message[0] != '\0');
		return 0;
	}
	FUZZ_EXPECT(curfew_report_to_json(first, &text, &length) == CURFEW_OK);
	FUZZ_EXPECT(curfew_report_parse(text, length, &second, &failure) == CURFEW_OK);
	FUZZ_EXPECT(curfew_report_to_json(second, &again, &again_length) == CURFEW_OK);
	FUZZ_EXPECT(length == again_length && memcmp(text, again, length) == 0);
	curfew_free(text);
	curfew_free(again);
	curfew_report_destroy(first);
	curfew_report_destroy(second);
	return 0;
}
