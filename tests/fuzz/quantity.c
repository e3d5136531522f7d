/* SPDX-License-Identifier: Apache-2.0 */
/* A parsed quantity is written exactly: parsing it again gives the same value. */
#include "fuzz.h"

#include "limits/quantity.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[64], again[64];
	const char *why = NULL;
	uint64_t value = 0, second = 0;

	if (size == 0 || size > sizeof text)
		return 0;
	curfew_unit unit = (curfew_unit)(data[0] % 3);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';

	if (!curfew__quantity_parse(unit, text, &value, &why)) {
		FUZZ_EXPECT(why != NULL);
		return 0;
	}
	curfew__quantity_format(unit, value, "", again, sizeof again);
	FUZZ_EXPECT(curfew__quantity_parse(unit, again, &second, &why) && second == value);
	return 0;
}
