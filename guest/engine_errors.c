/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine says about errors: the expression that was called and is no function, the async callers of a stack,
 * the place in a value that has no JSON, and the last match of a regular expression. A part of engine.c, which includes
 * it, because it needs the engine's internals.
 */

/* ---- The expression that stands for a value on the interpreter's stack ------------------------------------ */

/*
 * A function's bytecode is read from its beginning to the instruction that failed, as if it had no jumps. Each stack
 * entry is noted with the instruction that pushed it. Where several paths join, the top of the stack is unknown.
 */
#define EXPRESSION_CODE_MAX 65536
#define EXPRESSION_BYTES 96
#define EXPRESSION_NESTING 8
#define UNKNOWN (-1)

/* The instructions that pushed what another instruction popped: an object, and a key or function. */
typedef struct producer {
	int object, key;
} producer;

/* The state that a jump brings to a position: the depth of the stack, and its top. */
typedef struct arrival {
	int depth; /* UNKNOWN: no jump leads here */
	int top;
} arrival;

typedef struct code_reader {
	const JSFunctionBytecode *code;
	producer *producers; /* by position */
	int *stack;          /* for each entry, the position of the instruction that pushed it */
	int depth;
	arrival *arrivals; /* by position */
} code_reader;

static int add_producer(code_reader *r, int pc, int object, int key)
{
	r->producers[pc] = (producer){object, key};
	return pc;
}

static int stack_slot(const code_reader *r, int below_top)
{
	int at = r->depth - 1 - below_top;
	return at >= 0 ? r->stack[at] : UNKNOWN;
}

/* Pops some values and pushes others, all of them by this instruction. */
static void replace_top(code_reader *r, int pops, int pushes, int made)
{
	r->depth = r->depth > pops ? r->depth - pops : 0;
	while (pushes-- > 0 && r->depth < r->code->stack_size)
		r->stack[r->depth++] = made;
}

static int pops_of(const uint8_t *at)
{
	const JSOpCode *info = &short_opcode_info(*at);

	if (info->fmt == OP_FMT_npop || info->fmt == OP_FMT_npop_u16)
		return info->n_pop + get_u16(at + 1);
	return info->fmt == OP_FMT_npopx ? info->n_pop + *at - OP_call0 : info->n_pop;
}

/* The target of a jump instruction. UNKNOWN: the instruction does not jump. */
static int jump_target(const code_reader *r, int pc)
{
	const uint8_t *at = r->code->byte_code_buf + pc;
	int target = UNKNOWN;

	switch (short_opcode_info(*at).fmt) {
	case OP_FMT_label: target = pc + 1 + (int)get_u32(at + 1); break;
	case OP_FMT_label8: target = pc + 1 + (int8_t)at[1]; break;
	case OP_FMT_label16: target = pc + 1 + (int16_t)get_u16(at + 1); break;
	default: break;
	}
	return target >= 0 && target < r->code->byte_code_len ? target : UNKNOWN;
}

static bool goes_nowhere_else(uint8_t op)
{
	return op == OP_goto || op == OP_goto8 || op == OP_goto16 || op == OP_return || op == OP_return_undef ||
	       op == OP_return_async || op == OP_throw || op == OP_throw_error || op == OP_tail_call ||
	       op == OP_tail_call_method || op == OP_ret;
}

static bool is_call(uint8_t op)
{
	return op == OP_call || op == OP_tail_call || op == OP_eval || (op >= OP_call0 && op <= OP_call3);
}

static bool is_method_call(uint8_t op)
{
	return op == OP_call_method || op == OP_tail_call_method;
}

/* How far below the top the called function is. UNKNOWN: the instruction calls none. */
static int callee_slot(const uint8_t *at)
{
	if (is_call(*at) || is_method_call(*at))
		return pops_of(at) - 1 - is_method_call(*at);
	if (*at == OP_call_constructor)
		return pops_of(at) - 1;
	return *at == OP_apply ? 2 : UNKNOWN;
}

/* In a method call the function lies above its object. */
static int called_function(const code_reader *r, const uint8_t *at)
{
	int slot = callee_slot(at);

	return slot == UNKNOWN ? UNKNOWN : stack_slot(r, slot);
}

static void read_instruction(code_reader *r, int pc)
{
	const uint8_t *at = r->code->byte_code_buf + pc;
	int first = stack_slot(r, 1), top = stack_slot(r, 0);

	switch (*at) {
	case OP_dup: replace_top(r, 0, 1, top); return;
	case OP_dup1:
		replace_top(r, 1, 1, first);
		replace_top(r, 0, 1, top);
		return;
	case OP_swap:
		replace_top(r, 2, 1, top);
		replace_top(r, 0, 1, first);
		return;
	case OP_perm3: {
		int third = stack_slot(r, 2);
		replace_top(r, 3, 1, first);
		replace_top(r, 0, 1, third);
		replace_top(r, 0, 1, top);
		return;
	}
	case OP_get_field:
	case OP_get_length: replace_top(r, 1, 1, add_producer(r, pc, top, UNKNOWN)); return;
	case OP_get_field2: replace_top(r, 0, 1, add_producer(r, pc, top, UNKNOWN)); return;
	case OP_get_array_el:
	case OP_get_private_field: replace_top(r, 2, 1, add_producer(r, pc, first, top)); return;
	case OP_get_array_el2: replace_top(r, 1, 1, add_producer(r, pc, first, top)); return;
	case OP_to_propkey:
	case OP_to_propkey2:
	case OP_check_object:
	case OP_to_object:
	case OP_check_brand: return;
	default: {
		const JSOpCode *info = &short_opcode_info(*at);
		/* An instruction that only sets a variable leaves the value unchanged. */
		bool keeps = info->n_pop == 1 && info->n_push == 1 &&
		             (info->fmt == OP_FMT_loc || info->fmt == OP_FMT_loc8 || info->fmt == OP_FMT_none_loc ||
		              info->fmt == OP_FMT_arg || info->fmt == OP_FMT_none_arg || info->fmt == OP_FMT_var_ref ||
		              info->fmt == OP_FMT_none_var_ref);
		if (!keeps)
			replace_top(r, pops_of(at), info->n_push, add_producer(r, pc, UNKNOWN, called_function(r, at)));
	}
	}
}

static void note_arrival(code_reader *r, int target)
{
	arrival *there = &r->arrivals[target];

	if (there->depth == UNKNOWN)
		*there = (arrival){r->depth, stack_slot(r, 0)};
	else if (there->top != stack_slot(r, 0))
		there->top = UNKNOWN;
}

/* At a join, the fall-through path may not be reachable, and the top may come from another path. */
static void meet_jumps(code_reader *r, int pc, bool *reached)
{
	const arrival *from = &r->arrivals[pc];

	if (from->depth == UNKNOWN)
		return;
	int top = *reached && stack_slot(r, 0) != from->top ? UNKNOWN : from->top;
	for (; r->depth < from->depth && r->depth < r->code->stack_size; r->depth++)
		r->stack[r->depth] = UNKNOWN;
	r->depth = from->depth;
	if (r->depth > 0)
		r->stack[r->depth - 1] = top;
	*reached = true;
}

/* Reads up to the instruction that ends at `failed`. Returns its position, or UNKNOWN if no known path leads there. */
static int read_code(code_reader *r, int failed)
{
	const uint8_t *code = r->code->byte_code_buf;
	bool reached = true;

	r->depth = 0;
	for (int pc = 0; pc < r->code->byte_code_len;) {
		int size = short_opcode_info(code[pc]).size, target = jump_target(r, pc);
		meet_jumps(r, pc, &reached);
		if (reached && pc < failed && pc + size >= failed)
			return pc;
		if (reached) {
			read_instruction(r, pc);
			if (target != UNKNOWN)
				note_arrival(r, target);
		}
		reached = reached && !goes_nowhere_else(code[pc]);
		pc += size;
	}
	return UNKNOWN;
}

/* The name of the variable that an instruction reads. JS_ATOM_NULL: it reads none. */
static JSAtom variable_of(const JSFunctionBytecode *code, const uint8_t *at)
{
	const JSOpCode *info = &short_opcode_info(*at);
	int index = -1;

	if (info->n_push != 1)
		return JS_ATOM_NULL;
	switch (info->fmt) {
	case OP_FMT_loc:
	case OP_FMT_arg:
	case OP_FMT_var_ref: index = get_u16(at + 1); break;
	case OP_FMT_loc8: index = at[1]; break;
	case OP_FMT_none_loc: index = (*at - OP_get_loc0) & 3; break;
	case OP_FMT_none_arg: index = (*at - OP_get_arg0) & 3; break;
	case OP_FMT_none_var_ref: index = (*at - OP_get_var_ref0) & 3; break;
	default: return *at == OP_get_var || *at == OP_get_var_undef ? get_u32(at + 1) : JS_ATOM_NULL;
	}
	if (info->fmt == OP_FMT_var_ref || info->fmt == OP_FMT_none_var_ref)
		return code->closure_var && index < code->closure_var_count ? code->closure_var[index].var_name : JS_ATOM_NULL;
	bool is_argument = info->fmt == OP_FMT_arg || info->fmt == OP_FMT_none_arg;
	if (!code->vardefs || index >= (is_argument ? code->arg_count : code->var_count))
		return JS_ATOM_NULL;
	return code->vardefs[index + (is_argument ? 0 : code->arg_count)].var_name;
}

typedef struct expression {
	char text[EXPRESSION_BYTES];
	size_t length;
	bool is_known;
} expression;

static void add_expression(expression *e, const char *text)
{
	size_t length = strlen(text), left = sizeof e->text - 1 - e->length;

	length = length < left ? length : left;
	memcpy(e->text + e->length, text, length);
	e->length += length;
	e->text[e->length] = 0;
}

static void add_atom_name(JSContext *ctx, expression *e, JSAtom atom)
{
	char name[64];
	add_expression(e, JS_AtomGetStrRT(ctx->rt, name, sizeof name, atom));
}

static void write_expression(JSContext *ctx, const code_reader *r, expression *e, int made, int nesting);

/* A computed key: ".name" for a constant text, "[0]" for a number, "[name]" for a variable. */
static void write_key(JSContext *ctx, const code_reader *r, expression *e, int made, int nesting)
{
	const uint8_t *at = made == UNKNOWN ? NULL : r->code->byte_code_buf + made;
	char number[16] = "";

	if (at && *at == OP_push_atom_value) {
		add_expression(e, ".");
		add_atom_name(ctx, e, get_u32(at + 1));
		return;
	}
	if (at && *at >= OP_push_0 && *at <= OP_push_7)
		snprintf(number, sizeof number, "%d", *at - OP_push_0);
	else if (at && *at == OP_push_i8)
		snprintf(number, sizeof number, "%d", (int8_t)at[1]);
	else if (at && *at == OP_push_i16)
		snprintf(number, sizeof number, "%d", (int16_t)get_u16(at + 1));
	add_expression(e, "[");
	if (*number)
		add_expression(e, number);
	else
		write_expression(ctx, r, e, made, nesting + 1);
	add_expression(e, "]");
}

static void write_expression(JSContext *ctx, const code_reader *r, expression *e, int made, int nesting)
{
	const producer *p = made == UNKNOWN || nesting > EXPRESSION_NESTING ? NULL : &r->producers[made];
	const uint8_t *at = p ? r->code->byte_code_buf + made : NULL;
	JSAtom variable = p ? variable_of(r->code, at) : JS_ATOM_NULL;

	if (variable != JS_ATOM_NULL) {
		add_atom_name(ctx, e, variable);
		e->is_known = true;
	} else if (p && *at == OP_push_this) {
		add_expression(e, "this");
	} else if (p && (*at == OP_get_field || *at == OP_get_field2)) {
		write_expression(ctx, r, e, p->object, nesting + 1);
		add_expression(e, ".");
		add_atom_name(ctx, e, get_u32(at + 1));
		e->is_known = true;
	} else if (p && *at == OP_get_length) {
		write_expression(ctx, r, e, p->object, nesting + 1);
		add_expression(e, ".length");
	} else if (p && *at == OP_get_private_field) {
		write_expression(ctx, r, e, p->object, nesting + 1);
		add_expression(e, ".");
		write_expression(ctx, r, e, p->key, nesting + 1);
	} else if (p && (*at == OP_get_array_el || *at == OP_get_array_el2)) {
		write_expression(ctx, r, e, p->object, nesting + 1);
		write_key(ctx, r, e, p->key, nesting);
		e->is_known = true;
	} else if (p && p->key != UNKNOWN && callee_slot(at) != UNKNOWN) {
		write_expression(ctx, r, e, p->key, nesting + 1);
		add_expression(e, "(...)");
	} else {
		add_expression(e, "(intermediate value)");
	}
}

static bool begin_reading(JSContext *ctx, code_reader *r, const JSFunctionBytecode *code)
{
	size_t length = (size_t)code->byte_code_len;

	*r = (code_reader){.code = code};
	if (length > EXPRESSION_CODE_MAX)
		return false;
	r->producers = js_malloc(ctx, (length + 1) * sizeof *r->producers);
	r->stack = js_malloc(ctx, (code->stack_size + 1u) * sizeof *r->stack);
	r->arrivals = js_malloc(ctx, (length + 1) * sizeof *r->arrivals);
	for (size_t i = 0; i <= length; i++)
		r->arrivals[i] = (arrival){UNKNOWN, UNKNOWN};
	return true;
}

static void end_reading(JSContext *ctx, code_reader *r)
{
	js_free(ctx, r->producers);
	js_free(ctx, r->stack);
	js_free(ctx, r->arrivals);
}

/* The expression that the top frame's current instruction calls or iterates. False: it is unknown. */
static bool present_expression(JSContext *ctx, expression *e)
{
	const JSStackFrame *frame = ctx->rt->current_stack_frame;
	code_reader reader;

	*e = (expression){.text = ""};
	if (!is_interpreting(frame) || !frame->cur_pc)
		return false;
	const JSFunctionBytecode *code = JS_VALUE_GET_OBJ(frame->cur_func)->u.func.function_bytecode;
	if (code->filename == prelude_name || !begin_reading(ctx, &reader, code))
		return false;
	int failed = (int)(frame->cur_pc - code->byte_code_buf), pc = read_code(&reader, failed);
	/* The target of a backward jump is found only when the jump is known, so read a second time. */
	if (pc == UNKNOWN)
		pc = read_code(&reader, failed);
	if (pc != UNKNOWN) {
		const uint8_t *at = code->byte_code_buf + pc;
		bool iterates = *at == OP_for_of_start || *at == OP_for_await_of_start || *at == OP_append ||
		                *at == OP_to_object;
		int slot = iterates ? 0 : callee_slot(at);
		if (slot != UNKNOWN)
			write_expression(ctx, &reader, e, stack_slot(&reader, slot), 0);
	}
	end_reading(ctx, &reader);
	return e->is_known;
}

/* ---- Messages as V8 has them, which programs print and compare -------------------------------------------- */

#define VALUE_BYTES 72

/* The name of the function that an object's class has, without calling anything of the program's. NULL: it has none. */
static const char *class_name(JSContext *ctx, JSValueConst value)
{
	JSProperty *property;

	for (JSObject *at = JS_VALUE_GET_OBJ(value); at; at = at->shape->proto) {
		JSShapeProperty *found = find_own_property(&property, at, JS_ATOM_constructor);
		if (found)
			return (found->flags & JS_PROP_TMASK) == JS_PROP_NORMAL ? get_func_name(ctx, property->u.value) : NULL;
	}
	return NULL;
}

/* A short text for a value: its own for a primitive value, "#<NAME>" for an object. */
static const char *text_of(JSContext *ctx, JSValueConst value, char text[VALUE_BYTES])
{
	bool is_symbol = JS_IsSymbol(value), is_object = JS_IsObject(value), is_function = JS_IsFunction(ctx, value);
	const char *own = is_function ? get_func_name(ctx, value)
	                  : is_object ? class_name(ctx, value)
	                  : is_symbol ? NULL
	                              : JS_ToCString(ctx, value);

	if (is_symbol) {
		char description[VALUE_BYTES];
		JSAtom atom = js_symbol_to_atom(ctx, value);
		JS_AtomGetStrRT(ctx->rt, description, sizeof description, atom);
		snprintf(text, VALUE_BYTES, "Symbol(%.60s)", JS_AtomSymbolHasDescription(ctx, atom) ? description : "");
	} else if (is_object && JS_VALUE_GET_OBJ(value)->class_id == JS_CLASS_ARRAY)
		snprintf(text, VALUE_BYTES, "[object Array]");
	else if (is_function)
		snprintf(text, VALUE_BYTES, "%.64s", own && *own ? own : "(intermediate value)");
	else if (is_object)
		snprintf(text, VALUE_BYTES, "#<%.64s>", own && *own ? own : "Object");
	else
		snprintf(text, VALUE_BYTES, "%.64s", own ? own : "");
	JS_FreeCString(ctx, own);
	return text;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
/* The formats are those of the patches, with one %s each. */
static JSValue curfew_throw_of_value(JSContext *ctx, const char *format, JSValueConst value)
{
	char text[VALUE_BYTES];
	return JS_ThrowTypeError(ctx, format, text_of(ctx, value, text));
}

static JSValue curfew_throw_without_properties(JSContext *ctx, const char *format, JSAtom name)
{
	char text[VALUE_BYTES], key[VALUE_BYTES];

	JS_AtomGetStr(ctx, key, sizeof key, name);
	snprintf(text, sizeof text, JS_AtomSymbolHasDescription(ctx, name) ? "Symbol(%.60s)" : "%.70s", key);
	return JS_ThrowTypeError(ctx, format, text);
}

static int curfew_not_extensible(JSContext *ctx, int flags, const char *format, JSAtom name)
{
	char text[VALUE_BYTES];
	bool throws = (flags & JS_PROP_THROW) || ((flags & JS_PROP_THROW_STRICT) && is_strict_mode(ctx));

	return throws ? (JS_ThrowTypeError(ctx, format, JS_AtomGetStr(ctx, text, sizeof text, name)), -1) : false;
}
#pragma GCC diagnostic pop

/* Throws that a variable, or a property of an object, cannot be changed. */
static JSValue curfew_throw_read_only(JSContext *ctx, JSValueConst object, JSAtom name)
{
	char key[VALUE_BYTES], text[VALUE_BYTES];

	if (JS_IsUndefined(object))
		return JS_ThrowTypeError(ctx, "Assignment to constant variable.");
	JS_AtomGetStr(ctx, key, sizeof key, name);
	return JS_ThrowTypeError(ctx, "Cannot assign to read only property '%s' of %s '%s'", key,
	                         JS_IsString(object) ? "string" : "object", text_of(ctx, object, text));
}

static JSValue curfew_throw_no_setter(JSContext *ctx, JSValueConst object, JSAtom name)
{
	char key[VALUE_BYTES], text[VALUE_BYTES];
	return JS_ThrowTypeError(ctx, "Cannot set property %s of %s which has only a getter",
	                         JS_AtomGetStr(ctx, key, sizeof key, name), text_of(ctx, object, text));
}

static JSValue curfew_throw_kept(JSContext *ctx, JSValueConst object, JSAtom name)
{
	char key[VALUE_BYTES], text[VALUE_BYTES];
	return JS_ThrowTypeError(ctx, "Cannot delete property '%s' of %s", JS_AtomGetStr(ctx, key, sizeof key, name),
	                         text_of(ctx, object, text));
}

static JSValue curfew_throw_in(JSContext *ctx, JSValueConst key, JSValueConst object)
{
	char text[VALUE_BYTES], other[VALUE_BYTES];
	return JS_ThrowTypeError(ctx, "Cannot use 'in' operator to search for '%s' in %s", text_of(ctx, key, text),
	                         text_of(ctx, object, other));
}

/* In the interpreter, a BigInt becomes a number only beside one. */
static JSValue curfew_throw_bigint(JSContext *ctx)
{
	if (is_interpreting(ctx->rt->current_stack_frame))
		return JS_ThrowTypeError(ctx, "Cannot mix BigInt and other types, use explicit conversions");
	return JS_ThrowTypeError(ctx, "Cannot convert a BigInt value to a number");
}

static JSValue curfew_throw_fraction(JSContext *ctx, double value)
{
	char text[VALUE_BYTES];
	return JS_ThrowRangeError(ctx, "The number %s cannot be converted to a BigInt because it is not an integer",
	                          text_of(ctx, js_float64(value), text));
}

static JSValue curfew_throw_count(JSContext *ctx, JSValueConst value)
{
	char text[VALUE_BYTES];
	return JS_ThrowRangeError(ctx, "Invalid count value: %s", text_of(ctx, value, text));
}

/* The name of a property that holds this object, without calling getters. JS_ATOM_NULL: none does. The caller frees it.
 */
static JSAtom name_that_holds(JSContext *ctx, const JSObject *holder, const JSObject *wanted)
{
	if (holder->fast_array && holder->class_id == JS_CLASS_ARRAY) {
		for (uint32_t i = 0; i < holder->u.array.count; i++)
			if (JS_IsObject(holder->u.array.u.values[i]) && JS_VALUE_GET_OBJ(holder->u.array.u.values[i]) == wanted)
				return JS_NewAtomUInt32(ctx, i);
	}
	for (int i = 0; i < holder->shape->prop_count; i++) {
		const JSShapeProperty *property = &get_shape_prop(holder->shape)[i];
		if (property->atom != JS_ATOM_NULL && (property->flags & JS_PROP_TMASK) == JS_PROP_NORMAL &&
		    JS_IsObject(holder->prop[i].u.value) && JS_VALUE_GET_OBJ(holder->prop[i].u.value) == wanted)
			return JS_DupAtom(ctx, property->atom);
	}
	return JS_ATOM_NULL;
}

/* "property 'a'", or "index 0" */
static void write_step(JSContext *ctx, char *text, size_t size, const JSObject *holder, const JSObject *wanted)
{
	char key[48] = "...";
	JSAtom name = name_that_holds(ctx, holder, wanted);
	bool is_index = __JS_AtomIsTaggedInt(name);

	if (name != JS_ATOM_NULL)
		JS_AtomGetStr(ctx, key, sizeof key, name);
	snprintf(text, size, is_index ? "index %s" : "property '%s'", key);
	JS_FreeAtom(ctx, name);
}

/* Throws that JSON.stringify met an object that it is inside of. `stack` is the array of those that it is inside of. */
static JSValue curfew_throw_circular(JSContext *ctx, JSValueConst stack, JSValueConst value)
{
	const JSObject *list = JS_VALUE_GET_OBJ(stack), *closes = JS_VALUE_GET_OBJ(value);
	const JSValue *inside = list->u.array.u.values;
	uint32_t count = list->fast_array ? list->u.array.count : 0, first = 0;
	char text[640], step[80];

	while (first < count && JS_VALUE_GET_OBJ(inside[first]) != closes)
		first++;
	if (first == count)
		return JS_ThrowTypeError(ctx, "Converting circular structure to JSON");
	const char *kind = class_name(ctx, value);
	int length = snprintf(text, sizeof text,
	                      "Converting circular structure to JSON\n    --> starting at object with constructor '%.48s'",
	                      kind && *kind ? kind : "Object");
	JS_FreeCString(ctx, kind);
	/* The first two steps and the last one, if there are more than three. */
	for (uint32_t at = first + 1; at < count; at = at == first + 2 && count - at > 2 ? count - 1 : at + 1) {
		kind = class_name(ctx, inside[at]);
		write_step(ctx, step, sizeof step, JS_VALUE_GET_OBJ(inside[at - 1]), JS_VALUE_GET_OBJ(inside[at]));
		length += snprintf(
			text + length, sizeof text - (size_t)length, "%s\n    |     %s -> object with constructor '%.48s'",
			at == count - 1 && count - first > 4 ? "\n    |     ..." : "", step, kind && *kind ? kind : "Object");
		JS_FreeCString(ctx, kind);
	}
	write_step(ctx, step, sizeof step, JS_VALUE_GET_OBJ(inside[count - 1]), closes);
	snprintf(text + length, sizeof text - (size_t)length, "\n    --- %s closes the circle", step);
	return JS_Throw(ctx, JS_MakeError2(ctx, JS_TYPE_ERROR, true, text));
}

/*
 * Throws that a value is not usable. The message names the expression that it came from, or in a builtin the value.
 */
static JSValue curfew_throw_unusable(JSContext *ctx, JSValueConst value, const char *what)
{
	char text[VALUE_BYTES];
	expression e;

	/* The program chooses names of properties, so they must not be used as a format. */
	if (present_expression(ctx, &e))
		return JS_ThrowTypeError(ctx, "%s is not %s", e.text, what);
	if (JS_IsUninitialized(value))
		return JS_ThrowTypeError(ctx, "%s is not %s", "the value", what);
	text_of(ctx, value, text);
	if (strcmp(what, "iterable"))
		return JS_ThrowTypeError(ctx, "%s is not %s", text, what);
	if (is_interpreting(ctx->rt->current_stack_frame))
		return JS_ThrowTypeError(ctx, "%s is not iterable", JS_IsObject(value) ? "object" : text);
	const char *kind = JS_IsNumber(value)   ? "number "
	                   : JS_IsBool(value)   ? "boolean "
	                   : JS_IsNull(value)   ? "object "
	                   : JS_IsSymbol(value) ? "symbol "
	                   : JS_IsBigInt(value) ? "bigint "
	                                        : "";
	return JS_ThrowTypeError(ctx, "%s%s is not iterable (cannot read property Symbol(Symbol.iterator))", kind,
	                         JS_IsObject(value) ? "object" : text);
}

/* Throws that undefined or null was to be destructured, into the property that is read next. */
static JSValue curfew_throw_without_members(JSContext *ctx, JSValueConst value)
{
	char text[VALUE_BYTES], key[VALUE_BYTES];
	const JSStackFrame *frame = ctx->rt->current_stack_frame;
	const uint8_t *next = frame->cur_pc;
	expression e;
	bool is_known = present_expression(ctx, &e);

	text_of(ctx, value, text);
	if (*next == OP_dup)
		next++;
	bool is_nested = is_known && e.text[0] == '(';
	if ((*next == OP_get_field || *next == OP_get_field2) && is_nested)
		return JS_ThrowTypeError(ctx, "Cannot read properties of %s (reading '%s')", text,
		                         JS_AtomGetStr(ctx, key, sizeof key, get_u32(next + 1)));
	if (*next == OP_get_field || *next == OP_get_field2)
		return JS_ThrowTypeError(ctx, "Cannot destructure property '%s' of '%s' as it is %s.",
		                         JS_AtomGetStr(ctx, key, sizeof key, get_u32(next + 1)), is_known ? e.text : text,
		                         text);
	return JS_ThrowTypeError(ctx, "Cannot destructure '%s' as it is %s.", is_known ? e.text : text, text);
}

/* ---- JSON.parse: positions count UTF-16 units, as those of strings ---------------------------------------- */

static int units_between(const uint8_t *from, const uint8_t *to)
{
	int units = 0;

	for (; from < to; from++)
		units += (*from < 0x80 || *from >= 0xc0) + (*from >= 0xf0);
	return units;
}

/* "MESSAGE in JSON at position 7 (line 1 column 8)" */
static int curfew_json_error(JSParseState *s, const uint8_t *at, const char *message)
{
	const uint8_t *line = s->buf_start;
	int number = 1;

	for (const uint8_t *p = s->buf_start; p < at; p++)
		if (*p == '\n' || (*p == '\r' && p[1] != '\n')) {
			line = p + 1;
			number++;
		}
	return js_parse_error(s, "%s%s at position %d (line %d column %d)", message,
	                      strstr(message, "JSON") ? "" : " in JSON", units_between(s->buf_start, at), number,
	                      units_between(line, at) + 1);
}

/* Goes back or forward by a number of UTF-16 units, at most to the end of the text. */
static const uint8_t *units_before(const uint8_t *start, const uint8_t *at, int units)
{
	while (at > start && units > 0) {
		at--;
		units -= units_between(at, at + 1);
	}
	return at;
}

static const uint8_t *units_after(const uint8_t *at, const uint8_t *end, int units)
{
	for (; at < end && (units > 0 || (*at >= 0x80 && *at < 0xc0)); at++)
		units -= units_between(at, at + 1);
	return at;
}

/* What begins here is no value. */
static int curfew_json_unexpected(JSParseState *s, const uint8_t *at)
{
	static const char *const words[] = {"true", "false", "null"}, *const special[] = {"NaN", "Infinity", "undefined",
	                                                                                  "[object Object]"};
	const uint8_t *start = s->buf_start, *end = s->buf_end;
	enum { SHOWN = 10, SHORT = 2 * SHOWN + 1 };

	for (int i = 0; i < 4; i++)
		if ((size_t)(end - start) == strlen(special[i]) && !memcmp(start, special[i], (size_t)(end - start)))
			return js_parse_error(s, "\"%s\" is not valid JSON", special[i]);
	/* A word that begins like one of JSON's fails where it differs. */
	for (int i = 0; i < 3; i++)
		if (at < end && *at == (uint8_t)words[i][0]) {
			for (const char *c = words[i]; *c && at < end && *at == (uint8_t)*c; c++)
				at++;
			break;
		}
	if (at >= end)
		return js_parse_error(s, "Unexpected end of JSON input");
	bool is_long = units_between(start, end) >= SHORT;
	bool cuts_start = is_long && units_between(start, at) >= SHOWN,
		 cuts_end = is_long && units_between(at, end) > SHOWN;
	const uint8_t *from = cuts_start ? units_before(start, at, SHOWN) : start;
	const uint8_t *to = cuts_end ? units_after(at, end, SHOWN) : end;
	const uint8_t *after = units_after(at, end, 1);
	return js_parse_error(s, "Unexpected token '%.*s', %s\"%.*s\"%s is not valid JSON", (int)(after - at), at,
	                      cuts_start ? "..." : "", (int)(to - from), from, cuts_end ? "..." : "");
}

/* ---- The parser ------------------------------------------------------------------------------------------- */

static int curfew_refuse_redeclared(JSParseState *s, JSAtom name)
{
	char text[ATOM_GET_STR_BUF_SIZE];
	return js_parse_error(s, "Identifier '%s' has already been declared",
	                      JS_AtomGetStr(s->ctx, text, sizeof text, name));
}

/* A statement ends, but something follows on its line. */
static int curfew_refuse_without_semicolon(JSParseState *s)
{
	static const char word[] = "await";
	const size_t length = sizeof word - 1;

	if (s->last_ptr >= s->buf_start + length && !memcmp(s->last_ptr - length, word, length))
		return js_parse_error(s, "await is only valid in async functions and the top level bodies of modules");
	return js_parse_expect(s, INT32_MIN); /* no token: it names the present one */
}

static void curfew_refuse_regexp(JSContext *ctx, const char *pattern, JSValueConst flags, const char *reason)
{
	static const struct {
		const char *reason, *of_v8;
	} names[] = {
		{"expecting ')'", "Unterminated group"},
		{"unexpected end", "Unterminated character class"},
		{"invalid class range", "Range out of order in character class"},
		{"nothing to repeat", "Nothing to repeat"},
		{"extraneous characters at the end", "Unmatched ')'"},
		{"invalid group", "Invalid group"},
		{"invalid group name", "Invalid capture group name"},
		{"duplicate group name", "Duplicate capture group name"},
		{"group name not defined", "Invalid named capture referenced"},
		{"expecting group name", "Invalid named reference"},
		{"invalid repetition count", "numbers out of order in {} quantifier"},
		{"invalid escape sequence in regular expression", "Invalid escape"},
		{"unknown unicode property name", "Invalid property name"},
	};
	const char *letters = JS_IsString(flags) ? JS_ToCString(ctx, flags) : NULL;

	for (size_t i = 0; i < countof(names); i++)
		if (!strcmp(reason, names[i].reason)) {
			reason = names[i].of_v8;
			break;
		}
	JS_ThrowSyntaxError(ctx, "Invalid regular expression: /%.120s/%.16s: %s", pattern, letters ? letters : "", reason);
	JS_FreeCString(ctx, letters);
}

static int curfew_refuse_type(JSParseState *s)
{
	return js_parse_error(s, "types need the ending .ts, or --lang ts");
}

/* The pending error of a regular expression in the source gets its position, unless it is another kind of error. */
static int curfew_place_regexp(JSParseState *s)
{
	JSContext *ctx = s->ctx;
	JSValueConst pending = ctx->rt->current_exception;

	if (!JS_IsError(pending) ||
	    JS_VALUE_GET_OBJ(pending)->shape->proto != JS_VALUE_GET_OBJ(ctx->native_error_proto[JS_SYNTAX_ERROR]))
		return -1;
	JSValue error = JS_GetException(ctx), message = JS_GetProperty(ctx, error, JS_ATOM_message);
	const char *text = JS_ToCString(ctx, message);
	js_parse_error(s, "%s", text ? text : "Invalid regular expression");
	JS_FreeCString(ctx, text);
	JS_FreeValue(ctx, message);
	JS_FreeValue(ctx, error);
	return -1;
}

/* ---- Stacks ----------------------------------------------------------------------------------------------- */

static JSValue text_property(JSContext *ctx, JSValueConst object, JSAtom name, const char *otherwise)
{
	JSValue value = JS_GetProperty(ctx, object, name);
	JSValue text = JS_IsException(value)   ? JS_EXCEPTION
	               : JS_IsUndefined(value) ? JS_NewString(ctx, otherwise)
	                                       : JS_ToString(ctx, value);

	JS_FreeValue(ctx, value);
	if (!JS_IsException(text))
		return text;
	JS_FreeValue(ctx, JS_GetException(ctx));
	return JS_NewString(ctx, otherwise);
}

/* "NAME: MESSAGE" and the frames, each on a line of its own. Takes ownership of the frames. */
static JSValue curfew_stack_with_header(JSContext *ctx, JSValueConst error, JSValue frames)
{
	if (!JS_IsString(frames))
		return frames;
	JSValue name = text_property(ctx, error, JS_ATOM_name, "Error");
	JSValue message = text_property(ctx, error, JS_ATOM_message, "");
	bool both = !JS_IsEmptyString(name) && !JS_IsEmptyString(message);
	JSValue header = JS_ConcatString(ctx, JS_ConcatString3(ctx, "", name, both ? ": " : ""), message);

	return JS_ConcatString(ctx, JS_ConcatString3(ctx, "", header, "\n"), frames);
}

/* The async function of this frame, if the engine has resumed it. NULL: it is no such frame. */
static const JSAsyncFunctionData *resumed_function(const JSStackFrame *frame)
{
	/* The frame of a function without bytecode has only the function and its arguments set. */
	bool is_outermost = !frame->prev_frame && js_class_has_bytecode(JS_VALUE_GET_OBJ(frame->cur_func)->class_id);
	JSGCObjectHeader *owner = is_outermost ? frame->cur_gc_obj : NULL;

	if (!owner || JS_GC_TYPE(owner) != JS_GC_OBJ_TYPE_ASYNC_FUNCTION)
		return NULL;
	return container_of(owner, JSAsyncFunctionData, header);
}

static void add_async_frame(JSContext *ctx, DynBuf *out, const JSStackFrame *frame)
{
	JSFunctionBytecode *code = JS_VALUE_GET_OBJ(frame->cur_func)->u.func.function_bytecode;
	const char *name = get_func_name(ctx, frame->cur_func), *file = JS_AtomToCString(ctx, code->filename);
	bool is_named = name && *name && *name != '<';
	int column, line = find_line_num(ctx, code, (uint32_t)(frame->cur_pc - code->byte_code_buf - 1), &column);

	dbuf_printf(out, "    at %s%s", is_named ? "async " : "", is_named ? name : "");
	if (is_named)
		curfew_clean_name((char *)out->buf, out->size, strlen(name));
	dbuf_printf(out, is_named ? " (%s:%d:%d)\n" : "%s:%d:%d\n", file ? file : "<null>", line, column);
	JS_FreeCString(ctx, name);
	JS_FreeCString(ctx, file);
}

/*
 * Adds the functions that wait for the outermost function of a stack, or for what follows from the current job, as if
 * they had called it, innermost first.
 */
static void curfew_add_async_callers(JSContext *ctx, DynBuf *out, const JSStackFrame *frame, int most)
{
	while (frame && frame->prev_frame)
		frame = frame->prev_frame;
	const JSAsyncFunctionData *at = frame ? resumed_function(frame) : NULL;
	JSObject *promise = promise_of(at ? at->resolving_funcs[0] : job_resolver);
	uint32_t ignored;

	for (; most > 0 && (at = awaiting(promise, true, &ignored)); most--) {
		if (at->is_active && at->func_state.frame.cur_pc && frame_kind(&at->func_state.frame) == FRAME_PROGRAM)
			add_async_frame(ctx, out, &at->func_state.frame);
		promise = promise_of(at->resolving_funcs[0]);
	}
}

JSValue curfew_engine_trace_of(JSValueConst error)
{
	JSObject *object = JS_IsObject(error) ? JS_VALUE_GET_OBJ(error) : NULL;

	return object && object->class_id == JS_CLASS_ERROR ? js_dup(object->u.object_data) : JS_UNDEFINED;
}

void curfew_engine_set_trace(JSValueConst error, JSValueConst trace)
{
	JSContext *ctx = curfew_context;
	JSObject *object = JS_IsObject(error) ? JS_VALUE_GET_OBJ(error) : NULL;

	if (!object || object->class_id != JS_CLASS_ERROR || !JS_IsString(trace))
		return;
	JS_FreeValue(ctx, object->u.object_data);
	object->u.object_data = js_dup(trace);
}

/* ---- Call sites, as Error.prepareStackTrace is given them ------------------------------------------------- */

/* Whether the program replaces the stack that it reads of errors. The engine's record is kept beside that. */
static bool curfew_prepares_stack(JSContext *ctx)
{
	return JS_IsFunction(ctx, ctx->error_prepare_stack) && !js_same_value(ctx, ctx->error_prepare_stack, stop_hook);
}

static bool curfew_is_prelude(const struct JSFunctionBytecode *code)
{
	char file[sizeof "curfew:"];

	return !strncmp(JS_AtomGetStrRT(curfew_runtime, file, sizeof file, code->filename), "curfew:", sizeof file - 1);
}

enum { SITE_UNKNOWN, SITE_NULL, SITE_NO, SITE_ZERO, SITE_EMPTY };

/* Answers that the engine cannot give about a frame. */
static JSValue call_site_constant(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv, int what)
{
	static const JSValue answers[] = {
		[SITE_UNKNOWN] = JS_UNDEFINED,
		[SITE_NULL] = JS_NULL,
		[SITE_NO] = JS_FALSE,
		[SITE_ZERO] = JS_MKVAL(JS_TAG_INT, 0),
	};

	if (!JS_GetOpaque2(ctx, this_value, JS_CLASS_CALL_SITE))
		return JS_EXCEPTION;
	return what == SITE_EMPTY ? JS_NewString(ctx, "") : answers[what];
}

/* A frame does not keep `this`. Only a constructor's is known to be an object. */
static JSValue call_site_is_toplevel(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const JSCallSiteData *site = JS_GetOpaque2(ctx, this_value, JS_CLASS_CALL_SITE);

	return site ? js_bool(!site->constructor) : JS_EXCEPTION;
}

/* "new NAME (FILE:LINE:COLUMN)", the text after "at" in a stack. */
static JSValue call_site_to_string(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
	const JSCallSiteData *site = JS_GetOpaque2(ctx, this_value, JS_CLASS_CALL_SITE);
	char place[48] = "native";

	if (!site)
		return JS_EXCEPTION;
	bool is_placed = !site->native && JS_IsString(site->filename), is_named = JS_IsString(site->func_name);
	if (is_placed)
		snprintf(place, sizeof place, ":%d:%d", site->line_num, site->col_num);
	JSValue head = JS_ConcatString3(ctx, site->constructor ? "new " : "",
	                                is_named ? js_dup(site->func_name)
	                                         : JS_NewString(ctx, is_placed ? "" : "<anonymous>"),
	                                is_named || !is_placed ? " (" : "");
	JSValue where = is_placed ? JS_ConcatString3(ctx, "", js_dup(site->filename), place) : JS_NewString(ctx, place);

	return JS_ConcatString3(ctx, "", JS_ConcatString(ctx, head, where), is_named || !is_placed ? ")" : "");
}

#define SITE_CONSTANT(name, what) JS_CFUNC_MAGIC_DEF(name, 0, call_site_constant, what)

static const JSCFunctionListEntry call_site_functions[] = {
	SITE_CONSTANT("getThis", SITE_UNKNOWN),
	SITE_CONSTANT("getTypeName", SITE_NULL),
	SITE_CONSTANT("getMethodName", SITE_NULL),
	SITE_CONSTANT("getEvalOrigin", SITE_UNKNOWN),
	SITE_CONSTANT("getPromiseIndex", SITE_NULL),
	SITE_CONSTANT("getPosition", SITE_ZERO),
	SITE_CONSTANT("getScriptHash", SITE_EMPTY),
	SITE_CONSTANT("isAsync", SITE_NO),
	SITE_CONSTANT("isEval", SITE_NO),
	SITE_CONSTANT("isPromiseAll", SITE_NO),
	JS_CFUNC_DEF("isToplevel", 0, call_site_is_toplevel),
	JS_CFUNC_MAGIC_DEF("getScriptNameOrSourceURL", 0, js_callsite_getfield, offsetof(JSCallSiteData, filename)),
	JS_CFUNC_DEF("toString", 0, call_site_to_string),
};

static void add_call_site_functions(JSContext *ctx)
{
	JS_SetPropertyFunctionList(ctx, ctx->class_proto[JS_CLASS_CALL_SITE], call_site_functions,
	                           countof(call_site_functions));
}

/* ---- Where a value has no JSON ---------------------------------------------------------------------------- */

/* A path such as ".rows[3].total". It is built from its end, and stored at the end of this array. */
static char json_place[256];

static void add_json_place(const char *text)
{
	size_t length = strlen(text), left = sizeof json_place - (size_t)curfew_json_place_length;

	if (length >= left) {
		/* The outermost part does not fit any more. */
		memcpy(json_place + sizeof json_place - (size_t)curfew_json_place_length, "...", 3);
		return;
	}
	curfew_json_place_length += (int)length;
	memcpy(json_place + sizeof json_place - (size_t)curfew_json_place_length, text, length);
}

static bool is_plain_name(const char *text)
{
	if (!*text || (*text >= '0' && *text <= '9'))
		return false;
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '$')
			return false;
	}
	return true;
}

/* Adds a step of the path to the value that has no JSON: the key at this index of a list of keys, or an index. */
static void curfew_note_json_place(JSContext *ctx, JSValueConst keys, int64_t index)
{
	char step[80];
	JSValue pending, key;

	if (index < 0)
		return;
	if (!JS_IsObject(keys)) {
		snprintf(step, sizeof step, "[%lld]", (long long)index);
		add_json_place(step);
		return;
	}
	pending = JS_GetException(ctx);
	key = JS_GetPropertyInt64(ctx, keys, index);
	const char *text = JS_ToCString(ctx, key);
	if (text) {
		snprintf(step, sizeof step, is_plain_name(text) ? ".%.64s" : "[\"%.64s\"]", text);
		add_json_place(step);
	}
	JS_FreeCString(ctx, text);
	JS_FreeValue(ctx, key);
	JS_Throw(ctx, pending);
}

JSValue curfew_engine_json_place(void)
{
	size_t length = (size_t)curfew_json_place_length;

	return JS_NewStringLen(curfew_context, json_place + sizeof json_place - length, length);
}

/* ---- What a value's JSON lacks ---------------------------------------------------------------------------- */

static bool notes_empty;
static char empty_note[400];

void curfew_engine_note_empty(bool notes)
{
	notes_empty = notes;
	if (notes)
		empty_note[0] = '\0';
}

const char *curfew_engine_empty_note(void)
{
	return empty_note[0] ? empty_note : NULL;
}

/* The path to the innermost of the objects that JSON.stringify is inside of. A getter's value has no known name. */
static void find_json_place(JSContext *ctx, const JSObject *stack)
{
	const JSValue *inside = stack->u.array.u.values;
	char key[72], step[80];

	curfew_json_place_length = 0;
	for (uint32_t at = stack->fast_array ? stack->u.array.count : 0; at > 1; at--) {
		JSAtom name = name_that_holds(ctx, JS_VALUE_GET_OBJ(inside[at - 2]), JS_VALUE_GET_OBJ(inside[at - 1]));
		JS_AtomGetStr(ctx, key, sizeof key, name);
		const char *format = is_plain_name(key) ? ".%.64s" : "[\"%.64s\"]";
		if (name == JS_ATOM_NULL)
			format = ".(?)";
		else if (__JS_AtomIsTaggedInt(name))
			format = "[%.64s]";
		snprintf(step, sizeof step, format, key);
		add_json_place(step);
		JS_FreeAtom(ctx, name);
	}
}

/*
 * JSON.stringify has found nothing in an object. If that is not a plain one, its content may be elsewhere, as that of a
 * Map is.
 */
static void curfew_note_empty(JSContext *ctx, JSValueConst stack, JSValueConst value)
{
	if (!notes_empty || empty_note[0] || is_typed_array(JS_VALUE_GET_OBJ(value)->class_id))
		return;
	const char *kind = class_name(ctx, value);
	if (kind && *kind && strcmp(kind, "Object")) {
		find_json_place(ctx, JS_VALUE_GET_OBJ(stack));
		int length = curfew_json_place_length;
		snprintf(empty_note, sizeof empty_note, "the value %s %s %.64s%s%.*s, which JSON shows as {}",
		         length ? "has" : "is", strchr("AEIOU", *kind) ? "an" : "a", kind, length ? " at " : "", length,
		         json_place + sizeof json_place - (size_t)length);
	}
	JS_FreeCString(ctx, kind);
}

/* ---- What a regular expression matched last --------------------------------------------------------------- */

#define MATCH_GROUPS 10

enum { MATCH_LAST_GROUP = MATCH_GROUPS, MATCH_INPUT, MATCH_BEFORE, MATCH_BEHIND };

static JSValue match_text = JS_UNDEFINED;
static JSValue match_input = JS_UNDEFINED; /* what the program assigned to RegExp.input */
/*
 * Where each group begins and ends: the whole match first, the last group of the expression last. -1: it did not take
 * part.
 */
static int match_groups[MATCH_GROUPS + 1][2];

static void note_group(int which, uint8_t **capture, const uint8_t *start, int shift)
{
	bool found = capture && capture[0] && capture[1];

	match_groups[which][0] = found ? (int)((capture[0] - start) >> shift) : -1;
	match_groups[which][1] = found ? (int)((capture[1] - start) >> shift) : -1;
}

static void curfew_note_match(JSContext *ctx, JSString *text, uint8_t **capture, const uint8_t *start, int shift,
                              int count)
{
	JS_FreeValue(ctx, match_text);
	JS_FreeValue(ctx, match_input);
	match_text = js_dup(JS_MKPTR(JS_TAG_STRING, text));
	match_input = JS_UNDEFINED;
	for (int i = 0; i < MATCH_GROUPS; i++)
		note_group(i, i < count ? capture + 2 * i : NULL, start, shift);
	note_group(MATCH_LAST_GROUP, count > 1 ? capture + 2 * (count - 1) : NULL, start, shift);
}

static JSValue part_of_match(JSContext *ctx, int from, int to)
{
	if (JS_IsUndefined(match_text) || from < 0)
		return JS_NewString(ctx, "");
	return js_sub_string(ctx, JS_VALUE_GET_STRING(match_text), from, to);
}

static bool is_regexp_itself(JSContext *ctx, JSValueConst value)
{
	return JS_IsObject(value) && JS_VALUE_GET_OBJ(value) == JS_VALUE_GET_OBJ(ctx->regexp_ctor);
}

static JSValue get_match(JSContext *ctx, JSValueConst this_value, int which)
{
	int length = JS_IsUndefined(match_text) ? 0 : (int)JS_VALUE_GET_STRING(match_text)->len;

	if (!is_regexp_itself(ctx, this_value))
		return JS_ThrowTypeError(ctx, "this property is RegExp's alone");
	if (which == MATCH_INPUT)
		return JS_IsUndefined(match_input) ? part_of_match(ctx, 0, length) : js_dup(match_input);
	if (which == MATCH_BEFORE)
		return part_of_match(ctx, 0, match_groups[0][0]);
	if (which == MATCH_BEHIND)
		return part_of_match(ctx, match_groups[0][1], length);
	return part_of_match(ctx, match_groups[which][0], match_groups[which][1]);
}

static JSValue set_match_input(JSContext *ctx, JSValueConst this_value, JSValueConst value, int which)
{
	(void)which;
	if (!is_regexp_itself(ctx, this_value))
		return JS_ThrowTypeError(ctx, "this property is RegExp's alone");
	JSValue text = JS_ToString(ctx, value);
	if (JS_IsException(text))
		return text;
	JS_FreeValue(ctx, match_input);
	match_input = text;
	return JS_UNDEFINED;
}

#define MATCH_GETTER(name, which) JS_CGETSET_MAGIC_DEF(name, get_match, NULL, which)

static const JSCFunctionListEntry match_properties[] = {
	JS_CGETSET_MAGIC_DEF("input", get_match, set_match_input, MATCH_INPUT),
	JS_CGETSET_MAGIC_DEF("$_", get_match, set_match_input, MATCH_INPUT),
	MATCH_GETTER("lastMatch", 0),
	MATCH_GETTER("$&", 0),
	MATCH_GETTER("lastParen", MATCH_LAST_GROUP),
	MATCH_GETTER("$+", MATCH_LAST_GROUP),
	MATCH_GETTER("leftContext", MATCH_BEFORE),
	MATCH_GETTER("$`", MATCH_BEFORE),
	MATCH_GETTER("rightContext", MATCH_BEHIND),
	MATCH_GETTER("$'", MATCH_BEHIND),
	MATCH_GETTER("$1", 1),
	MATCH_GETTER("$2", 2),
	MATCH_GETTER("$3", 3),
	MATCH_GETTER("$4", 4),
	MATCH_GETTER("$5", 5),
	MATCH_GETTER("$6", 6),
	MATCH_GETTER("$7", 7),
	MATCH_GETTER("$8", 8),
	MATCH_GETTER("$9", 9),
};

static void add_match_properties(JSContext *ctx)
{
	JS_SetPropertyFunctionList(ctx, ctx->regexp_ctor, match_properties, countof(match_properties));
}

/* ---- The rest of an iterator ----------------------------------------------------------------------------- */

JSValue curfew_engine_iterator_items(JSValueConst value)
{
	JSContext *ctx = curfew_context;
	JSObject *iterator = JS_IsObject(value) ? JS_VALUE_GET_OBJ(value) : NULL;

	if (!iterator || (iterator->class_id != JS_CLASS_MAP_ITERATOR && iterator->class_id != JS_CLASS_SET_ITERATOR))
		return JS_UNDEFINED;
	bool is_set = iterator->class_id == JS_CLASS_SET_ITERATOR;
	const JSMapIteratorData *data = iterator->u.map_iterator_data;
	JSValue items = JS_NewArray(ctx);
	uint32_t count = 0;
	JS_SetPropertyUint32(ctx, items, count++, JS_NewBool(ctx, data && data->kind == JS_ITERATOR_KIND_KEY_AND_VALUE));
	const JSMapState *map = data && !JS_IsUndefined(data->obj)
	                            ? JS_GetOpaque(data->obj, is_set ? JS_CLASS_SET : JS_CLASS_MAP)
	                            : NULL;
	if (!map)
		return items;
	for (struct list_head *at = data->cur_record ? data->cur_record->link.next : map->records.next; at != &map->records;
	     at = at->next) {
		const JSMapRecord *record = list_entry(at, JSMapRecord, link);
		if (record->empty)
			continue;
		if (data->kind != JS_ITERATOR_KIND_VALUE || is_set)
			JS_SetPropertyUint32(ctx, items, count++, js_dup(record->key));
		if (data->kind != JS_ITERATOR_KIND_KEY)
			JS_SetPropertyUint32(ctx, items, count++, js_dup(is_set ? record->key : record->value));
		if (data->kind == JS_ITERATOR_KIND_VALUE && is_set)
			count--;
	}
	return items;
}
