/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target is one function. Under `make fuzz` libFuzzer calls it with generated inputs. In `make check` replay.c
 * calls it with every file of seeds/TARGET/.
 */
#ifndef CURFEW_TESTS_FUZZ_H
#define CURFEW_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process if the condition is false. */
#define FUZZ_EXPECT(condition)                                                                                         \
	do {                                                                                                               \
		if (!(condition)) {                                                                                            \
			(void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                              \
			abort();                                                                                                   \
		}                                                                                                              \
	} while (0)

#endif
