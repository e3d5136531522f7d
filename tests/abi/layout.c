/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the facts that callers were compiled with: offsets and sizes of structs, values of lists. */
#include "curfew.h"

#include <stdio.h>

#define AT(type, field)                                                                                                \
	(void)printf("%s.%s %zu %zu\n", #type, #field, offsetof(type, field), sizeof(((type *)0)->field))
#define SIZE(type) (void)printf("sizeof %s %zu\n", #type, sizeof(type))

static void print_inputs(void)
{
	AT(curfew_failure, message);
	AT(curfew_limits, size);
	AT(curfew_limits, reserved);
	AT(curfew_limits, timeout_ns);
	AT(curfew_limits, grace_ns);
	AT(curfew_limits, cpu_ns);
	AT(curfew_limits, fuel);
	AT(curfew_limits, loops);
	AT(curfew_limits, memory_bytes);
	AT(curfew_limits, stack_bytes);
	AT(curfew_limits, output_bytes);
	AT(curfew_limits, host_calls);
	AT(curfew_limits, timers);
	AT(curfew_limit_info, name);
	AT(curfew_limit_info, report_key);
	AT(curfew_limit_info, meaning);
	AT(curfew_limit_info, unit);
	AT(curfew_limit_info, default_value);
	AT(curfew_limit_info, minimum);
	AT(curfew_limit_info, ceiling);
	AT(curfew_limit_info, may_be_unlimited);
	AT(curfew_limit_info, offset);
	AT(curfew_limit_info, outcome);
	AT(curfew_engine_options, size);
	AT(curfew_engine_options, threads);
	AT(curfew_engine_options, cache_dir);
	AT(curfew_engine_options, resident_bytes);
	AT(curfew_engine_options, reserved);
	AT(curfew_engine_options, pagemap_fd);
	AT(curfew_engine_options, max_runs);
	AT(curfew_engine_options, flags);
	AT(curfew_engine_options, compiler);
	AT(curfew_engine_options, compiler_memory_bytes);
	AT(curfew_engine_options, compile);
	AT(curfew_engine_options, reserved2);
	AT(curfew_engine_options, compiler_cpu_ns);
	AT(curfew_engine_options, on_compile);
	AT(curfew_engine_options, compile_context);
	AT(curfew_source, size);
	AT(curfew_source, language);
	AT(curfew_source, name);
	AT(curfew_source, text);
	AT(curfew_source, text_length);
	AT(curfew_source, import_dir);
	AT(curfew_source, flags);
	AT(curfew_source, reserved);
	AT(curfew_source, import_map);
	AT(curfew_source, import_map_length);
	AT(curfew_source, import_map_name);
	AT(curfew_source, sha256);
	AT(curfew_secret, name);
	AT(curfew_secret, value);
	AT(curfew_secret, value_length);
	AT(curfew_run_options, size);
	AT(curfew_run_options, flags);
	AT(curfew_run_options, limits);
	AT(curfew_run_options, call);
	AT(curfew_run_options, params);
	AT(curfew_run_options, params_length);
	AT(curfew_run_options, user);
	AT(curfew_run_options, cancel);
	AT(curfew_run_options, on_event);
	AT(curfew_run_options, on_event_context);
	AT(curfew_run_options, on_done);
	AT(curfew_run_options, on_done_context);
	AT(curfew_run_options, id);
	AT(curfew_run_options, args);
	AT(curfew_run_options, arg_count);
	AT(curfew_run_options, env);
	AT(curfew_run_options, env_count);
	AT(curfew_run_options, dirs);
	AT(curfew_run_options, dir_count);
	AT(curfew_run_options, stdin_fd);
	AT(curfew_run_options, allow_fetch);
	AT(curfew_run_options, allow_fetch_count);
	AT(curfew_run_options, host_context);
	AT(curfew_result, size);
	AT(curfew_result, outcome);
	AT(curfew_result, status);
	AT(curfew_result, value);
	AT(curfew_result, output);
	AT(curfew_result, output_length);
	AT(curfew_result, error_name);
	AT(curfew_result, error_message);
	AT(curfew_result, is_stopped);
	AT(curfew_result, limit_name);
	AT(curfew_result, limit);
	AT(curfew_result, elapsed_ns);
	AT(curfew_result, loops);
	AT(curfew_result, host_calls);
	AT(curfew_result, stack);
	AT(curfew_result, report);
	AT(curfew_host_function, size);
	AT(curfew_host_function, flags);
	AT(curfew_host_function, name);
	AT(curfew_host_function, module);
	AT(curfew_host_function, type);
	AT(curfew_host_function, fuel);
	AT(curfew_host_function, call);
	AT(curfew_host_function, stopped);
	AT(curfew_host_function, context);
	AT(curfew_host_function, queue);
	AT(curfew_host_function, released);
	AT(curfew_run_options, reserved);
	AT(curfew_run_options, secrets);
	AT(curfew_run_options, secret_count);
	AT(curfew_run_options, store);
	AT(curfew_run_options, on_request);
	AT(curfew_run_options, on_request_context);
	AT(curfew_run_options, on_stop);
	AT(curfew_run_options, on_stop_context);
	AT(curfew_run_options, timezone);
	AT(curfew_run_options, stdin_bytes);
	AT(curfew_run_options, stdin_length);
	AT(curfew_run_options, files);
	AT(curfew_run_options, files_length);
	AT(curfew_run_options, owner);
	AT(curfew_run_options, secret_for);
	AT(curfew_run_options, secret_for_count);
	AT(curfew_broker_options, size);
	AT(curfew_broker_options, reserved);
	AT(curfew_broker_options, limits);
	AT(curfew_broker_options, allow_fetch);
	AT(curfew_broker_options, allow_fetch_count);
	AT(curfew_broker_options, network);
	AT(curfew_broker_options, import_dir);
	AT(curfew_broker_options, on_ready);
	AT(curfew_broker_options, context);
	AT(curfew_broker_options, secret_for);
	AT(curfew_broker_options, secret_for_count);
	AT(curfew_broker_options, secrets);
	AT(curfew_broker_options, secret_count);
	AT(curfew_code_answer, size);
	AT(curfew_code_answer, kind);
	AT(curfew_code_answer, cpu_ns);
	AT(curfew_code_answer, file);
	AT(curfew_code_answer, internal);
	AT(curfew_code_answer, line);
	AT(curfew_code_answer, column);
	AT(curfew_code_answer, message);
	AT(curfew_dir, host);
	AT(curfew_dir, guest);
	AT(curfew_dir, flags);
	AT(curfew_dir, reserved);
}

static void print_outputs(void)
{
	AT(curfew_engine_stats, size);
	AT(curfew_engine_stats, runs_active);
	AT(curfew_engine_stats, regions_in_use);
	AT(curfew_engine_stats, regions_pooled);
	AT(curfew_engine_stats, runs_total);
	AT(curfew_engine_stats, resident_bytes);
	AT(curfew_run_usage, size);
	AT(curfew_run_usage, wall_ns);
	AT(curfew_run_usage, cpu_ns);
	AT(curfew_run_usage, memory_bytes);
	AT(curfew_run_usage, output_bytes);
	AT(curfew_session_totals, size);
	AT(curfew_session_totals, calls);
	AT(curfew_session_totals, wall_ns);
	AT(curfew_session_totals, cpu_ns);
	AT(curfew_session_totals, fuel);
	AT(curfew_session_totals, loops);
	AT(curfew_session_totals, output_bytes);
	AT(curfew_session_totals, host_calls);
	AT(curfew_session_totals, memory_bytes);
	AT(curfew_frame, function);
	AT(curfew_frame, file);
	AT(curfew_frame, line);
	AT(curfew_frame, column);
	AT(curfew_frame, native);
	AT(curfew_frame, has_wasm_offset);
	AT(curfew_frame, wasm_offset);
	AT(curfew_used, wall_ns);
	AT(curfew_used, cpu_ns);
	AT(curfew_used, fuel);
	AT(curfew_used, loops);
	AT(curfew_used, memory_peak_bytes);
	AT(curfew_used, stack_peak_bytes);
	AT(curfew_used, output_bytes);
	AT(curfew_used, host_calls);
	AT(curfew_used, timers_peak);
	AT(curfew_used, load_ns);
	AT(curfew_used, compile_ns);
	AT(curfew_used, start_ns);
	AT(curfew_used, run_ns);
	AT(curfew_report, size);
	AT(curfew_report, outcome);
	AT(curfew_report, id);
	AT(curfew_report, tripped_count);
	AT(curfew_report, tripped);
	AT(curfew_report, stop_mode);
	AT(curfew_report, stop_cause);
	AT(curfew_report, stop_latency_ns);
	AT(curfew_report, value);
	AT(curfew_report, partial);
	AT(curfew_report, has_error);
	AT(curfew_report, error_name);
	AT(curfew_report, error_message);
	AT(curfew_report, frames);
	AT(curfew_report, frame_count);
	AT(curfew_report, source_line);
	AT(curfew_report, limits);
	AT(curfew_report, used);
	AT(curfew_report, stdout_text);
	AT(curfew_report, stdout_length);
	AT(curfew_report, stderr_text);
	AT(curfew_report, stderr_length);
	AT(curfew_report, output_truncated);
	AT(curfew_report, program_name);
	AT(curfew_report, program_kind);
	AT(curfew_report, program_sha256);
	AT(curfew_report, exit_code);
	AT(curfew_report, trace_truncated);
	AT(curfew_report, value_note);
	AT(curfew_report, error_properties);
	AT(curfew_report, error_cause);
	AT(curfew_report, error_errors);
	AT(curfew_report, error_error_count);
	AT(curfew_error, name);
	AT(curfew_error, message);
	AT(curfew_error, frames);
	AT(curfew_error, frame_count);
	AT(curfew_error, properties);
	AT(curfew_error, cause);
	AT(curfew_error, errors);
	AT(curfew_error, error_count);
	AT(curfew_report, stop_while);
}

static void print_sizes(void)
{
	SIZE(curfew_failure);
	SIZE(curfew_limits);
	SIZE(curfew_limit_info);
	SIZE(curfew_engine_options);
	SIZE(curfew_engine_stats);
	SIZE(curfew_source);
	SIZE(curfew_secret);
	SIZE(curfew_run_options);
	SIZE(curfew_broker_options);
	SIZE(curfew_code_answer);
	SIZE(curfew_dir);
	SIZE(curfew_host_function);
	SIZE(curfew_result);
	SIZE(curfew_run_usage);
	SIZE(curfew_session_totals);
	SIZE(curfew_frame);
	SIZE(curfew_used);
	SIZE(curfew_report);
	SIZE(curfew_error);
}

static void print_values(void)
{
#define X(name, value, sentence) (void)printf("CURFEW_%s %d\n", #name, (int)CURFEW_##name);
	CURFEW_STATUS_LIST(X)
#undef X
#define X(name, value, text, exit_code, sentence)                                                                      \
	(void)printf("CURFEW_OUTCOME_%s %d %s %d\n", #name, (int)CURFEW_OUTCOME_##name, text, exit_code);
	CURFEW_OUTCOME_LIST(X)
#undef X
	(void)printf("CURFEW_EVENT_STDOUT %d\n", (int)CURFEW_EVENT_STDOUT);
	(void)printf("CURFEW_EVENT_STDERR %d\n", (int)CURFEW_EVENT_STDERR);
	(void)printf("CURFEW_EVENT_PROGRESS %d\n", (int)CURFEW_EVENT_PROGRESS);
	(void)printf("CURFEW_EVENT_CHECKPOINT %d\n", (int)CURFEW_EVENT_CHECKPOINT);
	(void)printf("CURFEW_STOP_NONE %d\n", (int)CURFEW_STOP_NONE);
	(void)printf("CURFEW_STOP_COOPERATIVE %d\n", (int)CURFEW_STOP_COOPERATIVE);
	(void)printf("CURFEW_STOP_SOFT %d\n", (int)CURFEW_STOP_SOFT);
	(void)printf("CURFEW_STOP_HARD %d\n", (int)CURFEW_STOP_HARD);
	(void)printf("CURFEW_LANGUAGE_JS %d\n", (int)CURFEW_LANGUAGE_JS);
	(void)printf("CURFEW_LANGUAGE_JS_MODULE %d\n", (int)CURFEW_LANGUAGE_JS_MODULE);
	(void)printf("CURFEW_SOURCE_ONCE %u\n", CURFEW_SOURCE_ONCE);
	(void)printf("CURFEW_RUN_DETERMINISTIC %u\n", CURFEW_RUN_DETERMINISTIC);
}

int main(void)
{
	print_inputs();
	print_outputs();
	print_sizes();
	print_values();
	return 0;
}
