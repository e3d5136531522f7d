/* SPDX-License-Identifier: Apache-2.0 */
/* Limits from and to text, by the library's table. */
#include "limits_text.h"

#include "common/text.h"

#include <stdio.h>

char *limits_to_text(const curfew_limits *limits)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	text out;
	text_init(&out, 4096);
	for (size_t i = 0; i < count; i++) {
		uint64_t value = curfew_limits_get(limits, &table[i]);
		char words[32];
		if (value == 0)
			continue;
		curfew_limit_format(&table[i], value, words, sizeof words);
		text_print(&out, "%s=%s\n", table[i].name, words);
	}
	return text_take(&out, NULL);
}

bool limits_from_text(curfew_limits *limits, const char *words)
{
	char name[64], value[64];
	int used;
	*limits = (curfew_limits){.size = sizeof *limits};
	for (; *words != '\0'; words += used) {
		used = 0;
		if (sscanf(words, "%63[^=\n]=%63[^\n]\n%n", name, value, &used) != 2 || used == 0)
			return false;
		if (curfew_limits_set(limits, name, value, NULL) != CURFEW_OK)
			return false;
	}
	return true;
}
