/* SPDX-License-Identifier: Apache-2.0 */
/* Files and import maps are accepted, or refused in one line. */
#include "fuzz.h"

#include "curfew.h"

#include <string.h>

typedef curfew_status checker(const char *text, size_t length, curfew_failure *failure);

static void expect_line(checker *check, const char *text, size_t size)
{
	curfew_failure failure = {.message = "x"};
	curfew_status status = check(text, size, &failure);

	FUZZ_EXPECT(status == CURFEW_OK || status == CURFEW_INVALID);
	FUZZ_EXPECT((status == CURFEW_OK) == (failure.message[0] == '\0') && strchr(failure.message, '\n') == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	expect_line(curfew_files_check, (const char *)data, size);
	expect_line(curfew_import_map_check, (const char *)data, size);
	return 0;
}
