/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of the thread sanitizer. They are in the programs, because a worker has no environment to take them from,
 * and must not make the system calls that go with some defaults.
 */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);

/* Wasmtime keeps its own handler of faults. It allocates there, which is safe: the fault is always in guest code, never
 * inside malloc. */
const char *__tsan_default_options(void)
{
	return "handle_segv=0:handle_sigbus=0:allow_user_segv_handler=1:report_signal_unsafe=0:exitcode=99:"
		   "second_deadlock_stack=1:halt_on_error=1:color=never";
}

/* Wasmtime is not instrumented: what it maps with system calls of its own looks like the memory that was there before,
 * and what its threads pass to each other is not seen. These are parts of names that only Rust has. */
const char *__tsan_default_suppressions(void)
{
	return "race:::\nrace:_ZN\nrace:_RN\nrace:LT*GT\n";
}
