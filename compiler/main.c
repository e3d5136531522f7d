/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curfew-compiler compiles one untrusted WebAssembly program, in a process that can be killed. The library starts it
 * and talks to it through descriptor 3 (src/wasm/compiler_process.h). Like a worker it is confined before it reads the
 * first byte of a program: no files, no network, no other processes, and only as much memory and CPU time as its order
 * allows.
 */
#include "curfew.h"
#include "engine/extra.h"
#include "engine_key.h"
#include "wasm/compile.h"
#include "wasm/compiler_process.h"
#include "wasm/machine.h"
#include "worker/confine.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INPUT, INTERFACE, CODE, FILES };

/* ---- Memory ------------------------------------------------------------------------------------------------- */

/*
 * The program determines how much memory is needed. If there is not enough, the process exits, and its parent reports
 * that.
 */
static void *or_end(void *memory, size_t size)
{
	if (memory == NULL && size != 0)
		_exit(CURFEW__COMPILER_NO_MEMORY);
	return memory;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);

void *__wrap_malloc(size_t size)
{
	return or_end(__real_malloc(size), size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return or_end(__real_calloc(count, size), count != 0 ? size : 0);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return or_end(__real_realloc(memory, size), size);
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
	int error = __real_posix_memalign(memory, alignment, size);
	if (error == ENOMEM)
		_exit(CURFEW__COMPILER_NO_MEMORY);
	return error;
}

/* ---- Orders and answers ------------------------------------------------------------------------------------- */

static bool receive_order(curfew__compiler_order *order, int files[FILES])
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(FILES * sizeof(int))];
	} control;
	struct iovec part = {order, sizeof *order};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room};
	ssize_t got = recvmsg(CURFEW__COMPILER_SOCKET, &message, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	if (got != (ssize_t)sizeof *order || head == NULL || head->cmsg_len != CMSG_LEN(FILES * sizeof(int)))
		return false;
	memcpy(files, CMSG_DATA(head), FILES * sizeof(int));
	return true;
}

static void send_answer(uint32_t kind, const curfew__compile_failure *failure)
{
	curfew__compiler_answer text;
	memset(&text, 0, sizeof text);
	text.kind = kind;
	if (failure != NULL)
		text.failure = *failure;
	/* A failure is ignored: if the parent no longer listens, it is about to kill this process. */
	(void)send(CURFEW__COMPILER_SOCKET, &text, sizeof text, MSG_NOSIGNAL);
}

static void on_interface(void *context)
{
	(void)context;
	send_answer(CURFEW__COMPILER_INTERFACE, NULL);
}

static bool is_of_this_build(const curfew__compiler_order *order)
{
	return strncmp(order->build, CURFEW__COMPILER_BUILD, sizeof order->build) == 0;
}

static void execute_order(const curfew__compiler_order *order, const int files[FILES])
{
	curfew__compile_failure failure = {.why = {"curfew-compiler is of another build"}, .internal = true};
	void *bytes = order->input_length != 0
	                  ? mmap(NULL, (size_t)order->input_length, PROT_READ, MAP_PRIVATE, files[INPUT], 0)
	                  : NULL;
	bool done = is_of_this_build(order) && bytes != MAP_FAILED &&
	            curfew__compile(&order->request, bytes, (size_t)order->input_length, files[INTERFACE], files[CODE],
	                            on_interface, NULL, &failure);
	send_answer(done ? CURFEW__COMPILER_DONE : CURFEW__COMPILER_REFUSED, &failure);
}

/* ---- Start ---------------------------------------------------------------------------------------------------- */

/* A sanitizer's shadow memory counts as data, so a limit on data would be exceeded at once. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SHADOW true
#else
#define HAS_SHADOW false
#endif

static void limit(int resource, uint64_t most)
{
	struct rlimit both = {(rlim_t)most, (rlim_t)most};
	(void)setrlimit(resource, &both);
}

/* At the soft limit the system sends a signal that identifies the cause. At the hard limit it kills the process. */
static void limit_cpu(uint64_t seconds)
{
	struct rlimit both = {(rlim_t)seconds, (rlim_t)seconds + 1};
	(void)setrlimit(RLIMIT_CPU, &both);
}

int main(void)
{
	curfew__compiler_order order;
	curfew_failure failure;
	int files[FILES], pagemap;
	(void)prctl(PR_SET_NAME, "curfew-compiler");
	(void)worker_confine(0, &pagemap);
	if (pagemap >= 0)
		(void)close(pagemap);
	/* If the parent ends, the socket is closed, and this process ends too. */
	if (!receive_order(&order, files))
		return 0;
	if (!HAS_SHADOW)
		limit(RLIMIT_DATA, order.memory_bytes);
	limit_cpu(order.cpu_seconds);
	if (!worker_confine_calls(-1, &failure))
		return CURFEW__COMPILER_NOT_CONFINED;
	execute_order(&order, files);
	return 0;
}
