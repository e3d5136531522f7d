/* SPDX-License-Identifier: Apache-2.0 */
/* URLPattern by Ada, with the engine's own regular expressions. */
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ada.h"

extern "C" {
#include "quickjs.h"

void curfew_url_pattern_init(JSContext *ctx, JSValueConst native);
}

namespace {

JSContext *context;
/* The engine's own functions, which a program cannot replace. */
JSValue regexp_class, regexp_exec;
JSClassID pattern_class;

constexpr int PARTS = 8;

/* Owns a reference to one of the engine's values. */
class held {
public:
	held() : value(JS_UNDEFINED) {}
	explicit held(JSValue taken) : value(taken) {}
	held(const held &other) : value(JS_DupValue(context, other.value)) {}
	held(held &&other) noexcept : value(std::exchange(other.value, JS_UNDEFINED)) {}
	held &operator=(held other) noexcept
	{
		std::swap(value, other.value);
		return *this;
	}
	~held() { JS_FreeValue(context, value); }

	JSValue value;
};

/* An exception that occurred here must not reach the program. */
void forget_exception()
{
	JS_FreeValue(context, JS_GetException(context));
}

class engine_regexps {
public:
	using regex_type = held;

	static std::optional<held> create_instance(std::string_view pattern, bool ignore_case)
	{
		JSValue args[2] = { JS_NewStringLen(context, pattern.data(), pattern.size()), JS_NewString(context, ignore_case ? "vi" : "v") };
		held regexp(JS_CallConstructor(context, regexp_class, 2, args));
		JS_FreeValue(context, args[0]);
		JS_FreeValue(context, args[1]);
		if (!JS_IsException(regexp.value))
			return regexp;
		forget_exception();
		return std::nullopt;
	}

	static std::optional<std::vector<std::optional<std::string>>> regex_search(std::string_view input, const held &regexp)
	{
		held found(run(input, regexp));
		int64_t count = 0;
		if (!JS_IsObject(found.value) || JS_GetLength(context, found.value, &count) < 0)
			return std::nullopt;
		std::vector<std::optional<std::string>> groups;
		for (uint32_t i = 1; i < count; i++) {
			held group(JS_GetPropertyUint32(context, found.value, i));
			size_t length;
			const char *text = JS_IsUndefined(group.value) ? nullptr : JS_ToCStringLen(context, &length, group.value);
			if (text)
				groups.emplace_back(std::string(text, length));
			else
				groups.emplace_back(std::nullopt);
			JS_FreeCString(context, text);
		}
		return groups;
	}

	static bool regex_match(std::string_view input, const held &regexp)
	{
		held found(run(input, regexp));
		return JS_IsObject(found.value);
	}

private:
	static JSValue run(std::string_view input, const held &regexp)
	{
		held text(JS_NewStringLen(context, input.data(), input.size()));
		JSValue found = JS_Call(context, regexp_exec, regexp.value, 1, &text.value);
		if (JS_IsException(found))
			forget_exception();
		return found;
	}
};

using pattern = ada::url_pattern<engine_regexps>;

std::optional<std::string> text_of(JSContext *ctx, JSValueConst value)
{
	size_t length;
	const char *text = JS_IsUndefined(value) ? nullptr : JS_ToCStringLen(ctx, &length, value);
	if (!text)
		return std::nullopt;
	std::string copy(text, length);
	JS_FreeCString(ctx, text);
	return copy;
}

/* The array has the parts in the order of the prelude, then the base. */
ada::url_pattern_init init_of(JSContext *ctx, JSValueConst list)
{
	ada::url_pattern_init init;
	std::optional<std::string> *const parts[] = { &init.protocol, &init.username, &init.password, &init.hostname, &init.port,
		&init.pathname, &init.search, &init.hash, &init.base_url };
	for (uint32_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		held part(JS_GetPropertyUint32(ctx, list, i));
		*parts[i] = text_of(ctx, part.value);
	}
	return init;
}

JSValue string_value(JSContext *ctx, std::string_view text)
{
	return JS_NewStringLen(ctx, text.data(), text.size());
}

JSValue parts_of(JSContext *ctx, pattern &made, JSValue object)
{
	JSValue values[PARTS + 2] = { object, string_value(ctx, made.get_protocol()), string_value(ctx, made.get_username()),
		string_value(ctx, made.get_password()), string_value(ctx, made.get_hostname()), string_value(ctx, made.get_port()),
		string_value(ctx, made.get_pathname()), string_value(ctx, made.get_search()), string_value(ctx, made.get_hash()),
		JS_NewBool(ctx, made.has_regexp_groups()) };
	return JS_NewArrayFrom(ctx, PARTS + 2, values);
}

/* urlPattern(input, base or undefined, ignores case) -> [pattern, its parts..., has groups]; null: an error */
JSValue url_pattern(JSContext *ctx, JSValueConst, int, JSValueConst *argv)
{
	std::optional<std::string> text, base = text_of(ctx, argv[1]);
	std::string_view base_view = base ? *base : std::string_view();
	ada::url_pattern_options options;
	options.ignore_case = JS_ToBool(ctx, argv[2]) > 0;
	std::variant<std::string_view, ada::url_pattern_init> input;
	if (JS_IsString(argv[0])) {
		text = text_of(ctx, argv[0]);
		input = std::string_view(*text);
	} else {
		input = init_of(ctx, argv[0]);
	}
	auto made = ada::parse_url_pattern<engine_regexps>(std::move(input), base ? &base_view : nullptr, &options);
	if (!made)
		return JS_NULL;
	JSValue object = JS_NewObjectClass(ctx, pattern_class);
	if (JS_IsException(object))
		return object;
	auto *kept = new pattern(std::move(*made));
	JS_SetOpaque(object, kept);
	return parts_of(ctx, *kept, object);
}

/* The groups, in the order of the pattern. */
JSValue match_value(JSContext *ctx, const ada::url_pattern_component<engine_regexps> &wanted, const ada::url_pattern_component_result &part)
{
	JSValue groups = JS_NewArray(ctx);
	uint32_t count = 0;
	for (const std::string &name : wanted.group_name_list) {
		const auto found = part.groups.find(name);
		if (found == part.groups.end())
			continue;
		JS_DefinePropertyValueUint32(ctx, groups, count++, string_value(ctx, name), JS_PROP_C_W_E);
		JS_DefinePropertyValueUint32(ctx, groups, count++, found->second ? string_value(ctx, *found->second) : JS_UNDEFINED, JS_PROP_C_W_E);
	}
	JSValue values[2] = { string_value(ctx, part.input), groups };
	return JS_NewArrayFrom(ctx, 2, values);
}

/*
 * matchUrlPattern(pattern, input, base or undefined) -> for each part [input, [name, value, ...]]; null: no match;
 * false: an error
 */
JSValue match_url_pattern(JSContext *ctx, JSValueConst, int, JSValueConst *argv)
{
	auto *wanted = static_cast<pattern *>(JS_GetOpaque2(ctx, argv[0], pattern_class));
	if (!wanted)
		return JS_EXCEPTION;
	std::optional<std::string> text, base = text_of(ctx, argv[2]);
	std::string_view base_view = base ? *base : std::string_view();
	ada::url_pattern_input input;
	if (JS_IsString(argv[1])) {
		text = text_of(ctx, argv[1]);
		input = std::string_view(*text);
	} else {
		input = init_of(ctx, argv[1]);
	}
	auto found = wanted->match(input, base ? &base_view : nullptr);
	if (!found)
		return JS_FALSE;
	if (!*found)
		return JS_NULL;
	const ada::url_pattern_result &result = **found;
	JSValue values[PARTS] = {
		match_value(ctx, wanted->protocol_component, result.protocol),
		match_value(ctx, wanted->username_component, result.username),
		match_value(ctx, wanted->password_component, result.password),
		match_value(ctx, wanted->hostname_component, result.hostname),
		match_value(ctx, wanted->port_component, result.port),
		match_value(ctx, wanted->pathname_component, result.pathname),
		match_value(ctx, wanted->search_component, result.search),
		match_value(ctx, wanted->hash_component, result.hash),
	};
	return JS_NewArrayFrom(ctx, PARTS, values);
}

void finalize(JSRuntime *, JSValueConst value)
{
	delete static_cast<pattern *>(JS_GetOpaque(value, pattern_class));
}

} // namespace

void curfew_url_pattern_init(JSContext *ctx, JSValueConst native)
{
	context = ctx;
	JSClassDef definition = {};
	definition.class_name = "Pattern";
	definition.finalizer = finalize;
	JS_NewClassID(JS_GetRuntime(ctx), &pattern_class);
	JS_NewClass(JS_GetRuntime(ctx), pattern_class, &definition);

	held global(JS_GetGlobalObject(ctx));
	regexp_class = JS_GetPropertyStr(ctx, global.value, "RegExp");
	held prototype(JS_GetPropertyStr(ctx, regexp_class, "prototype"));
	regexp_exec = JS_GetPropertyStr(ctx, prototype.value, "exec");
	JS_SetPropertyStr(ctx, native, "urlPattern", JS_NewCFunction(ctx, url_pattern, "urlPattern", 3));
	JS_SetPropertyStr(ctx, native, "matchUrlPattern", JS_NewCFunction(ctx, match_url_pattern, "matchUrlPattern", 3));
}
