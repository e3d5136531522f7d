/* SPDX-License-Identifier: Apache-2.0 */
/* The natives for time zones, which the prelude's Intl uses. */
#include "guest.h"

/* zoneAt(name, ms) -> [ms ahead of UTC, whether that is summer time]; undefined: there is no such zone */
static JSValue native_zone_at(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	size_t length;
	double ms;
	int32_t offset;
	bool is_summer;
	const char *name = argc > 1 ? JS_ToCStringLen(ctx, &length, argv[0]) : NULL;

	if (!name || JS_ToFloat64(ctx, &ms, argv[1]))
		return JS_EXCEPTION;
	bool is_known = curfew_zone_at(name, length, ms, &offset, &is_summer);
	JS_FreeCString(ctx, name);
	if (curfew_stop_asked())
		return curfew_engine_stop(CURFEW_STOP_POLL);
	if (!is_known)
		return JS_UNDEFINED;
	JSValue pair = JS_NewArray(ctx);
	JS_SetPropertyUint32(ctx, pair, 0, JS_NewInt64(ctx, (int64_t)offset * 1000));
	JS_SetPropertyUint32(ctx, pair, 1, JS_NewBool(ctx, is_summer));
	return pair;
}

/* defaultZone() -> the name of the program's zone */
static JSValue native_default_zone(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	if (!curfew_control.timezone)
		return JS_NewString(ctx, "UTC");
	return JS_NewStringLen(ctx, (const char *)(uintptr_t)curfew_control.timezone, curfew_control.timezone_length);
}

void curfew_zones_init(JSValueConst native)
{
	JSContext *ctx = curfew_context;

	JS_SetPropertyStr(ctx, native, "zoneAt", JS_NewCFunction(ctx, native_zone_at, "zoneAt", 2));
	JS_SetPropertyStr(ctx, native, "defaultZone", JS_NewCFunction(ctx, native_default_zone, "defaultZone", 0));
}
