/* SPDX-License-Identifier: Apache-2.0 */
/* An entry of the allow list is refused with a message, or allows only itself. */
#include "fuzz.h"

#include "curfew.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char entry[300];
	const char *const list[] = {entry};
	curfew_failure failure = {0};

	if (size >= sizeof entry || memchr(data, 0, size) != NULL)
		return 0;
	memcpy(entry, data, size);
	entry[size] = '\0';
	if (curfew_allow_fetch_check(entry, &failure) != CURFEW_OK) {
		FUZZ_EXPECT(failure.message[0] != '\0' && strchr(failure.message, '\n') == NULL);
		return 0;
	}
	FUZZ_EXPECT(curfew_allow_fetch_within(entry, list, 1, &failure) == CURFEW_OK);
	return 0;
}
