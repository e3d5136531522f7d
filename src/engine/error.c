/* SPDX-License-Identifier: Apache-2.0 */
/* Wasmtime's messages have several lines. The first one says what is wrong. */
#include "engine/error.h"

#include <string.h>

void curfew__first_line(char *to, size_t size, const wasm_byte_vec_t *message)
{
	size_t length = 0;
	while (length < message->size && length + 1 < size && message->data[length] && message->data[length] != '\n')
		length++;
	memcpy(to, message->data, length);
	to[length] = 0;
}

bool curfew__failed(wasmtime_error_t *error, curfew_failure *failure)
{
	wasm_byte_vec_t text;

	if (!error)
		return false;
	wasmtime_error_message(error, &text);
	curfew__first_line(failure->message, sizeof failure->message, &text);
	wasm_byte_vec_delete(&text);
	wasmtime_error_delete(error);
	return true;
}
