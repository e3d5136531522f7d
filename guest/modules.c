/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Imports: relative ones only, resolved to a path below the program's folder. The host reads the files, and
 * decides for itself what lies below.
 */
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define PATH_BYTES 512

static char *entry_name;

void curfew_modules_set_entry(const char *name)
{
	entry_name = strdup(name);
}

/* Appends the parts of path to the parts in out, resolving "." and ".."; false if it leaves the folder. */
static bool append(char *out, const char *path)
{
	while (*path) {
		size_t length = strcspn(path, "/");
		size_t held = strlen(out);
		if (length == 2 && !memcmp(path, "..", 2)) {
			char *slash = strrchr(out, '/');
			if (!held)
				return false;
			*(slash ? slash : out) = 0;
		} else if (length && !(length == 1 && *path == '.')) {
			if (held + length + 2 > PATH_BYTES)
				return false;
			if (held)
				out[held++] = '/';
			memcpy(out + held, path, length);
			out[held + length] = 0;
		}
		path += length;
		path += *path == '/';
	}
	return *out != 0;
}

static char *normalize(JSContext *ctx, const char *base, const char *specifier, void *opaque)
{
	char path[PATH_BYTES] = "";
	const char *slash = strrchr(base, '/');
	(void)opaque;

	if (strncmp(specifier, "./", 2) && strncmp(specifier, "../", 3)) {
		JS_ThrowReferenceError(ctx, "cannot import '%s': only relative imports ('./name.js') are possible", specifier);
		return NULL;
	}
	/* The entry is at the top of the folder whatever it is called; others are named by their path below it. */
	if (slash && (!entry_name || strcmp(base, entry_name))) {
		size_t length = (size_t)(slash - base);
		if (length >= PATH_BYTES)
			length = PATH_BYTES - 1;
		memcpy(path, base, length);
		path[length] = 0;
	}
	if (!append(path, specifier)) {
		JS_ThrowReferenceError(ctx, "cannot import '%s': it lies outside the program's folder", specifier);
		return NULL;
	}
	return js_strdup(ctx, path);
}

static const char *const refusals[] = {
	"no such file",
	"it lies outside the program's folder",
	"it is too large",
	"it is not a JavaScript file (.js, .mjs) that can be read",
};

static JSModuleDef *load(JSContext *ctx, const char *name, void *opaque)
{
	(void)opaque;
	if (!(curfew_control.flags & CURFEW_CONTROL_IMPORTS)) {
		JS_ThrowReferenceError(ctx, "cannot import './%s': this program has no folder to import from", name);
		return NULL;
	}
	int32_t length = host_import_open(name, (uint32_t)strlen(name));
	if (curfew_stop_asked()) {
		curfew_engine_stop(CURFEW_STOP_POLL);
		return NULL;
	}
	if (length < 0) {
		uint32_t why = (uint32_t)-length - 1;
		JS_ThrowReferenceError(ctx, "cannot import './%s': %s", name, refusals[why < 4 ? why : 3]);
		return NULL;
	}
	char *source = calloc(1, (size_t)length + 2);
	if (!source)
		host_stop(CURFEW_STOP_MEMORY);
	source[0] = '\n';
	host_import_read(source + 1, (uint32_t)length);
	JSValue compiled = curfew_engine_compile(source, (size_t)length + 1, name, JS_EVAL_TYPE_MODULE);
	free(source);
	if (JS_IsException(compiled))
		return NULL;
	JSModuleDef *definition = JS_VALUE_GET_PTR(compiled);
	JS_FreeValue(ctx, compiled);
	return definition;
}

void curfew_modules_init(void)
{
	JS_SetModuleLoaderFunc(curfew_runtime, normalize, load, NULL);
}
