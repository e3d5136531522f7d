/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiling for engines in other processes, on both sides: the engine that requests code, and the compiler that
 * answers. It uses the same compiler, cache and jobs as programs that run in this process.
 */
#include "run/run.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/copy_in.h"
#include "base/refuse.h"
#include "engine/cache.h"
#include "run/wasm_image.h"

#define BYTES_DEFAULT ((uint64_t)2 << 30)
#define CPU_DEFAULT (UINT64_C(600) * 1000000000)

struct curfew_compiler {
	curfew__compiler *compiler;
	char *cache_dir; /* NULL: there is no cache */
};

struct curfew_code {
	curfew__wasm_program *program;
	curfew__asker asker; /* of the next request */
};

struct curfew_code_request {
	curfew__wasm_program *program;
	curfew__wasm_part part;
	curfew__wasm_waiter waiter;
	bool has_interface; /* the interface was answered */
};

/* ---- The engine's side -------------------------------------------------------------------------------------- */

static void request_code(void *context, uint64_t number, const void *program, const curfew__compile_request *request)
{
	const curfew_engine *engine = context;
	uint32_t what = !request            ? CURFEW_CODE_NONE
	                : request->describe ? CURFEW_CODE_DESCRIPTION
	                : request->metered  ? CURFEW_CODE_METERED
	                                    : CURFEW_CODE_PLAIN;

	engine->on_compile(engine->compile_context, number, program, what);
}

curfew__compiler *curfew__engine_compiler(const curfew_engine_options *options, const char *cache_dir,
                                          curfew_engine *engine)
{
	curfew__compiler_options given = {
		.where = (curfew__compile_where)options->compile,
		.executable = options->compiler,
		.memory_bytes = options->compiler_memory_bytes ? options->compiler_memory_bytes : BYTES_DEFAULT,
		.cpu_ns = options->compiler_cpu_ns ? options->compiler_cpu_ns : CPU_DEFAULT,
		.cache_dir = cache_dir,
		.ask = request_code,
		.context = engine,
	};
	return curfew__compiler_create(&given);
}

curfew_status curfew_engine_receive(curfew_engine *engine, uint64_t number, const curfew_code_answer *given,
                                    curfew_failure *failure)
{
	curfew_code_answer answer;
	curfew__compile_failure reason = {0};

	if (!engine || !given || !curfew__copy_in(&answer, sizeof answer, given) || answer.kind > CURFEW_CODE_FAILED)
		return curfew__refuse(failure, CURFEW_INVALID,
		                      "engine or answer is missing, or the answer is not a CURFEW_CODE_* value");
	curfew__heard heard = {.kind = (curfew__heard_kind)answer.kind, .cpu_ns = answer.cpu_ns, .file = answer.file};
	bool needs_file = answer.kind == CURFEW_CODE_INTERFACE || answer.kind == CURFEW_CODE_DONE;
	if (needs_file && answer.file < 0) {
		heard.kind = CURFEW__HEARD_FAILED;
		answer.internal = 1;
		snprintf(answer.message, sizeof answer.message, "no descriptor is left for the compiled code");
	}
	if (heard.kind == CURFEW__HEARD_FAILED) {
		curfew__fail(&reason.why, "%.255s", answer.message);
		reason.line = answer.line;
		reason.column = answer.column;
		reason.internal = answer.internal != 0;
		heard.failure = &reason;
	}
	curfew__compiler_hear(engine->compiler, number, &heard);
	return curfew__refuse(failure, CURFEW_OK, "");
}

/* ---- Who is asked ------------------------------------------------------------------------------------------- */

static bool fill(curfew_compiler *compiler, const curfew_engine_options *options)
{
	curfew_failure ignored;

	/* Without a writable cache the program is compiled all the same. */
	if (options->cache_dir && curfew__cache_prepare(options->cache_dir, &ignored) &&
	    !(compiler->cache_dir = strdup(options->cache_dir)))
		return false;
	compiler->compiler = curfew__engine_compiler(options, compiler->cache_dir, NULL);
	return compiler->compiler;
}

curfew_status curfew_compiler_create(const curfew_engine_options *options, curfew_compiler **compiler,
                                     curfew_failure *failure)
{
	curfew_engine_options known = {0};

	if (!compiler)
		return curfew__refuse(failure, CURFEW_INVALID, "compiler is NULL");
	*compiler = NULL;
	if (options && !curfew__copy_in(&known, sizeof known, options))
		return curfew__refuse(failure, CURFEW_INVALID, "options.size is not that of a curfew_engine_options");
	if (known.compile > CURFEW_COMPILE_IN_PROCESS)
		return curfew__refuse(failure, CURFEW_INVALID, "options.compile is not possible for a compiler");
	curfew_compiler *made = sodium_init() < 0 ? NULL : calloc(1, sizeof *made);
	if (!made || !fill(made, &known)) {
		curfew_compiler_destroy(made);
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	}
	*compiler = made;
	return curfew__refuse(failure, CURFEW_OK, "");
}

void curfew_compiler_destroy(curfew_compiler *compiler)
{
	if (!compiler)
		return;
	curfew__compiler_destroy(compiler->compiler);
	free(compiler->cache_dir);
	free(compiler);
}

/* Takes ownership of the program. */
static curfew_status make_code(curfew__wasm_program *program, curfew_code **code, curfew_failure *failure)
{
	curfew_code *made = program ? calloc(1, sizeof *made) : NULL;

	if (!made) {
		curfew__wasm_program_destroy(program);
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	}
	made->program = program;
	*code = made;
	return curfew__refuse(failure, CURFEW_OK, "");
}

curfew_status curfew_code_create(curfew_compiler *compiler, const curfew_source *given, curfew_code **code,
                                 curfew_failure *failure)
{
	curfew_source source;

	if (!compiler || !given || !code || !curfew__copy_in(&source, sizeof source, given))
		return curfew__refuse(failure, CURFEW_INVALID, "compiler, source or code is missing, or source.size is wrong");
	*code = NULL;
	curfew_status status = curfew__program_check(&source, failure);
	if (status != CURFEW_OK)
		return status;
	if (source.language < CURFEW_LANGUAGE_WASM)
		return curfew__refuse(failure, CURFEW_INVALID, "JavaScript is not compiled");
	uint8_t sum[32];
	if (source.sha256)
		curfew__source_sum(&source, sum);
	curfew__wasm_source from = {
		.bytes = source.text ? source.text : "",
		.length = source.text_length,
		.is_text = source.language == CURFEW_LANGUAGE_WAT,
		.sha256 = source.sha256 ? sum : NULL,
		.compiler = compiler->compiler,
		.cache_dir = compiler->cache_dir,
		.is_lent = true,
		.is_passed_on = true,
	};
	return make_code(curfew__wasm_program_create(&from), code, failure);
}

curfew_status curfew_code_load(curfew_compiler *compiler, const void *image, size_t length, curfew_code **code,
                               curfew_failure *failure)
{
	curfew__wasm_program *program;

	if (!compiler || !image || !code)
		return curfew__refuse(failure, CURFEW_INVALID, "compiler, image or code is missing");
	*code = NULL;
	curfew__wasm_source from = {.compiler = compiler->compiler, .cache_dir = compiler->cache_dir, .is_passed_on = true};
	curfew_status status = curfew__wasm_image_read(image, length, &from, &program, failure);
	return status == CURFEW_OK ? make_code(program, code, failure) : status;
}

void curfew_code_destroy(curfew_code *code)
{
	if (!code)
		return;
	curfew__wasm_program_destroy(code->program);
	free(code);
}

void curfew_code_set_asker(curfew_code *code, uint64_t owner, uint64_t user)
{
	code->asker = (curfew__asker){owner, user};
}

/* ---- Requests ----------------------------------------------------------------------------------------------- */

curfew_status curfew_code_ask(curfew_code *code, uint32_t what, void (*on_ready)(void *context), void *context,
                              curfew_code_request **request, curfew_failure *failure)
{
	if (!code || !on_ready || !request || what < CURFEW_CODE_PLAIN || what > CURFEW_CODE_DESCRIPTION)
		return curfew__refuse(failure, CURFEW_INVALID,
		                      "code, on_ready or request is missing, or there is no such code");
	curfew_code_request *made = *request = calloc(1, sizeof *made);
	if (!made)
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	made->program = code->program;
	made->part = (curfew__wasm_part)(what - CURFEW_CODE_PLAIN);
	made->waiter = (curfew__wasm_waiter){.wake = on_ready, .context = context, .asker = code->asker};
	on_ready(context);
	return curfew__refuse(failure, CURFEW_OK, "");
}

static void take_failure(curfew_code_answer *answer, curfew__wasm_error *error)
{
	answer->kind = CURFEW_CODE_FAILED;
	answer->internal = error->internal || !error->message;
	answer->line = error->line;
	answer->column = error->column;
	snprintf(answer->message, sizeof answer->message, "%s", error->message ? error->message : "out of memory");
	free(error->message);
}

void curfew_code_next(curfew_code_request *request, curfew_code_answer *given)
{
	curfew_code_answer answer = {.size = given->size, .kind = CURFEW_CODE_GOES_ON};
	curfew__wasm_error error;
	curfew__wasm_step step = curfew__wasm_program_part(request->program, request->part, &request->waiter,
	                                                   !request->has_interface, &answer.file, &error);

	if (step == CURFEW__WASM_BAD) {
		take_failure(&answer, &error);
	} else if (step == CURFEW__WASM_LOADED) {
		answer.kind = CURFEW_CODE_DONE;
	} else if (answer.file >= 0) {
		answer.kind = CURFEW_CODE_INTERFACE;
		request->has_interface = true;
	}
	answer.cpu_ns = curfew__wasm_waiter_cpu(request->program, &request->waiter);
	curfew__copy_out(given, &answer, sizeof answer);
}

void curfew_code_request_destroy(curfew_code_request *request)
{
	if (!request)
		return;
	curfew__wasm_program_leave(request->program, &request->waiter);
	free(request);
}
