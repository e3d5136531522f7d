/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Describes a thrown value in the control block. A part of engine.c, which includes it, because it needs the engine's
 * internals.
 */

static void set_text(uint32_t *text, uint32_t *text_length, const char *source, size_t length)
{
	*text = (uint32_t)(uintptr_t)source;
	*text_length = source ? (uint32_t)length : 0;
}

int32_t curfew_engine_refuse(const char *name, const char *message)
{
	set_text(&curfew_control.error_name, &curfew_control.error_name_length, name, strlen(name));
	set_text(&curfew_control.error_message, &curfew_control.error_message_length, message, strlen(message));
	return CURFEW_GUEST_REFUSED;
}

/* The texts of one call: an error's four, a value and the note on it. */
static const char *kept_texts[6];
static uint32_t kept_text_count;

void curfew_engine_keep_text(const char *text)
{
	if (text && kept_text_count < countof(kept_texts))
		kept_texts[kept_text_count++] = text;
}

/* Reading a thrown value may run the program's code (a getter, toString). The run's limits still apply to that. */
static void describe_text(JSContext *ctx, JSValue value, uint32_t *text, uint32_t *text_length)
{
	size_t length = 0;
	const char *string = JS_IsUndefined(value) ? NULL : JS_ToCStringLen(ctx, &length, value);
	if (!string)
		JS_FreeValue(ctx, JS_GetException(ctx));
	set_text(text, text_length, string, length);
	curfew_engine_keep_text(string);
}

/* The texts that the prelude makes of an error, in its order. */
static const struct {
	uint32_t *text, *length;
} described_texts[] = {
	{&curfew_control.error_name, &curfew_control.error_name_length},
	{&curfew_control.error_message, &curfew_control.error_message_length},
	{&curfew_control.error_details, &curfew_control.error_details_length},
};

/* [name, message, details]. If the prelude is not loaded yet or fails, the parts that can be read without it. */
static JSValue describe_error(JSContext *ctx, JSValueConst error)
{
	JSValue hook = JS_IsObject(curfew_hooks) ? JS_GetPropertyStr(ctx, curfew_hooks, "describe") : JS_UNDEFINED;
	JSValue description = JS_IsFunction(ctx, hook) ? JS_Call(ctx, hook, JS_UNDEFINED, 1, &error) : JS_EXCEPTION;

	JS_FreeValue(ctx, hook);
	if (!JS_IsException(description))
		return description;
	JS_FreeValue(ctx, JS_GetException(ctx));
	description = JS_NewArray(ctx);
	JS_SetPropertyUint32(ctx, description, 0, text_property(ctx, error, JS_ATOM_name, "Uncaught"));
	JS_SetPropertyUint32(ctx, description, 1, text_property(ctx, error, JS_ATOM_message, ""));
	return description;
}

int32_t curfew_engine_describe(int32_t result)
{
	JSContext *ctx = curfew_context;

	if (curfew_engine_stopping())
		return CURFEW_GUEST_STOPPED;
	JSValue trace = JS_DupValue(ctx, ctx->error_back_trace);
	JSValue error = JS_GetException(ctx);
	bool is_object = JS_IsObject(error);

	if (is_object && JS_VALUE_GET_OBJ(error)->class_id == JS_CLASS_ERROR &&
	    JS_IsString(JS_VALUE_GET_OBJ(error)->u.object_data))
		trace = JS_DupValue(ctx, JS_VALUE_GET_OBJ(error)->u.object_data);
	if (JS_IsString(trace))
		describe_text(ctx, trace, &curfew_control.error_trace, &curfew_control.error_trace_length);

	JSValue description = describe_error(ctx, error);
	for (uint32_t i = 0; i < countof(described_texts); i++) {
		JSValue text = JS_GetPropertyUint32(ctx, description, i);
		describe_text(ctx, text, described_texts[i].text, described_texts[i].length);
		JS_FreeValue(ctx, text);
	}
	if (curfew_is_session()) {
		JS_FreeValue(ctx, trace);
		JS_FreeValue(ctx, error);
		JS_FreeValue(ctx, description);
	}
	return result;
}
