/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names, sentences and exit codes of outcomes and statuses, made from the lists in curfew.h so that an entry added
 * there is known here.
 */
#include "curfew.h"

#include <stddef.h>

typedef struct outcome_info {
	const char *name;
	const char *sentence;
	int exit_code;
} outcome_info;

static const outcome_info outcomes[CURFEW_OUTCOME_COUNT] = {
#define X(name, value, text, exit_code, sentence) [value] = {text, sentence, exit_code},
	CURFEW_OUTCOME_LIST(X)
#undef X
};

static const char *const status_sentences[] = {
#define X(name, value, sentence) [value] = (sentence),
	CURFEW_STATUS_LIST(X)
#undef X
};

static const outcome_info *info_of(curfew_outcome outcome)
{
	size_t index = (size_t)outcome;
	return index < CURFEW_OUTCOME_COUNT && outcomes[index].name != NULL ? &outcomes[index] : NULL;
}

const char *curfew_outcome_name(curfew_outcome outcome)
{
	const outcome_info *info = info_of(outcome);
	return info != NULL ? info->name : NULL;
}

const char *curfew_outcome_text(curfew_outcome outcome)
{
	const outcome_info *info = info_of(outcome);
	return info != NULL ? info->sentence : NULL;
}

int curfew_outcome_exit_code(curfew_outcome outcome)
{
	const outcome_info *info = info_of(outcome);
	return info != NULL ? info->exit_code : outcomes[CURFEW_OUTCOME_INTERNAL_ERROR].exit_code;
}

const char *curfew_status_text(curfew_status status)
{
	size_t index = (size_t)status;
	size_t count = sizeof status_sentences / sizeof status_sentences[0];
	return index < count && status_sentences[index] != NULL ? status_sentences[index] : "unknown status";
}
