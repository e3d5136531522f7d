/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runner for QuickJS-ng compiled to native code, with an interrupt handler like that of an embedder. Reads one command
 * per line and answers each with one line of JSON. "speed FILE" runs a program once in a new runtime. "fresh COUNT"
 * makes that many runs of x => x + 1, each in a new runtime.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "quickjs.h"

static uint64_t deadline_ns;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int on_interrupt(JSRuntime *runtime, void *context)
{
	(void)runtime;
	(void)context;
	return now_ns() > deadline_ns;
}

static JSContext *context_create(void)
{
	JSRuntime *runtime = JS_NewRuntime();

	deadline_ns = now_ns() + 60000000000u;
	JS_SetMemoryLimit(runtime, (size_t)1 << 30);
	JS_SetInterruptHandler(runtime, on_interrupt, NULL);
	return JS_NewContext(runtime);
}

static void context_destroy(JSContext *context)
{
	JSRuntime *runtime = JS_GetRuntime(context);

	JS_FreeContext(context);
	JS_FreeRuntime(runtime);
}

static char *file_read(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	char *text;

	if (!file)
		return NULL;
	fseek(file, 0, SEEK_END);
	*length = (size_t)ftell(file);
	rewind(file);
	text = malloc(*length + 1);
	*length = fread(text, 1, *length, file);
	text[*length] = 0;
	fclose(file);
	return text;
}

static void speed(const char *path)
{
	size_t length;
	char *text = file_read(path, &length);
	uint64_t start_ns;
	JSContext *context;
	JSValue value;
	const char *shown;

	if (!text) {
		printf("{\"error\": \"cannot read the program\"}\n");
		return;
	}
	start_ns = now_ns();
	context = context_create();
	value = JS_Eval(context, text, length, path, JS_EVAL_TYPE_GLOBAL);
	shown = JS_ToCString(context, value);
	if (JS_IsException(value))
		printf("{\"error\": \"the program threw\"}\n");
	else
		printf("{\"ns\": %" PRIu64 ", \"value\": \"%s\"}\n", now_ns() - start_ns, shown);
	JS_FreeCString(context, shown);
	JS_FreeValue(context, value);
	context_destroy(context);
	free(text);
}

static int32_t run_once(int32_t number)
{
	static const char source[] = "(x => x + 1)";
	JSContext *context = context_create();
	JSValue function = JS_Eval(context, source, sizeof(source) - 1, "fresh.js", JS_EVAL_TYPE_GLOBAL);
	JSValue argument = JS_NewInt32(context, number);
	JSValue value = JS_Call(context, function, JS_UNDEFINED, 1, &argument);
	int32_t result = -1;

	JS_ToInt32(context, &result, value);
	JS_FreeValue(context, value);
	JS_FreeValue(context, function);
	context_destroy(context);
	return result;
}

static void fresh(int count)
{
	for (int i = 0; i < count; i++) {
		uint64_t start_ns = now_ns();
		int32_t result = run_once(i);
		uint64_t elapsed_ns = now_ns() - start_ns;

		if (result != i + 1)
			elapsed_ns = 0;
		printf("%s%" PRIu64, i ? ", " : "{\"samples_ns\": [", elapsed_ns);
	}
	printf("]}\n");
}

int main(void)
{
	static char output[1 << 16];
	char line[4096];

	setvbuf(stdout, output, _IOFBF, sizeof output);
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "speed ", 6) == 0)
			speed(line + 6);
		else if (strncmp(line, "fresh ", 6) == 0)
			fresh(atoi(line + 6));
		else
			printf("{\"error\": \"unknown command\"}\n");
		fflush(stdout);
	}
	return 0;
}
