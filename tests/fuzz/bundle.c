/* SPDX-License-Identifier: Apache-2.0 */
/* An archive is refused in one line, or every file of it can be opened under its name, and nothing outside of it. */
#include "fuzz.h"

#include "run/run.h"

#include <string.h>

#define BLOCK 512

/* Corrects the checksums, as an attacker would. */
static void correct_sums(char *bytes, size_t size)
{
	for (size_t at = 0; at + BLOCK <= size; at += BLOCK) {
		char *block = bytes + at;
		unsigned sum = 0;
		if (memcmp(block + 257, "ustar", 5) != 0)
			continue;
		memset(block + 148, ' ', 8);
		for (size_t i = 0; i < BLOCK; i++)
			sum += (unsigned char)block[i];
		char text[16];
		(void)snprintf(text, sizeof text, "%06o", sum);
		memcpy(block + 148, text, 7);
	}
}

static void expect_opens(const curfew__bundle *bundle, const char *name)
{
	int32_t answer = 0;
	char *text = curfew__bundle_open(bundle, name, strlen(name), &answer);

	FUZZ_EXPECT((text != NULL) == (answer >= 0));
	FUZZ_EXPECT(text == NULL || strlen(text) < (size_t)answer);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	curfew_failure failure = {.message = ""};
	char *bytes = malloc(size + 1);

	if (bytes == NULL)
		return 0;
	memcpy(bytes, data, size);
	correct_sums(bytes, size);
	curfew__bundle *bundle = curfew__bundle_create(bytes, size, &failure);
	free(bytes);
	FUZZ_EXPECT((bundle == NULL) == (failure.message[0] != '\0') && strchr(failure.message, '\n') == NULL);
	for (size_t i = 0; bundle != NULL && i < bundle->count; i++) {
		const char *name = bundle->files[i].name;
		FUZZ_EXPECT(name[0] != '/' && strncmp(name, "../", 3) != 0 && strstr(name, "/../") == NULL);
		expect_opens(bundle, name);
	}
	if (bundle != NULL) {
		expect_opens(bundle, "");
		expect_opens(bundle, "../x.js");
		expect_opens(bundle, bundle->entry->name);
	}
	curfew__bundle_destroy(bundle);
	return 0;
}
