/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay FILE...: passes each file to the target, whole and truncated at every power of two. Prints the number of
 * inputs.
 */
#include "fuzz.h"

static void replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	static uint8_t bytes[1 << 20];

	FUZZ_EXPECT(file != NULL);
	size_t length = fread(bytes, 1, sizeof bytes, file);
	(void)fclose(file);

	(void)LLVMFuzzerTestOneInput(bytes, length);
	for (size_t cut = 1; cut < length; cut *= 2) {
		/* A copy of exactly this size, so that a sanitizer detects a read beyond it. */
		uint8_t *part = malloc(cut);
		FUZZ_EXPECT(part != NULL);
		for (size_t i = 0; i < cut; i++)
			part[i] = bytes[i];
		(void)LLVMFuzzerTestOneInput(part, cut);
		free(part);
	}
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	(void)printf("%d\n", argc - 1);
	return argc > 1 ? 0 : 1;
}
