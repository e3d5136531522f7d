/* SPDX-License-Identifier: Apache-2.0 */
/* replay FILE...: gives each file to the target, whole and cut at every power of two. Prints how many there were. */
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
		/* A copy of just this size: a sanitizer sees the first byte that is read behind it. */
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
