/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread waits for two things. An event counter notifies it that a chunk is wanted, or that no more will be; and
 * poll says that there is something to read. The thread has a reference to the operation, and ends with it. If it is in
 * a read when its run ends, it stays there until the read returns, and drops what came.
 */
#include "host/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../guest/abi.h"
#include "common/thread.h"
#include "host/files.h"

/* How often a waiting thread checks whether its run must stop. A thread that uses no CPU time is not interrupted. */
#define RECHECK_MS 1

typedef struct input {
	curfew__operation operation;
	int file; /* a duplicate, which this closes */
	int told; /* event counter: the thread must check the next two fields */
	atomic_bool wanted;
	atomic_bool ended;
} input;

static void notify_reader(input *in)
{
	uint64_t one = 1;
	ssize_t written = write(in->told, &one, sizeof one);
	(void)written; /* a full counter has notified it already */
}

/* ---- The thread ------------------------------------------------------------------------------------------- */

/* Waits until a chunk is wanted. False: nothing more is wanted. */
static bool wait_until_wanted(input *in)
{
	uint64_t count;

	while (!atomic_load(&in->wanted) && !atomic_load(&in->ended))
		if (read(in->told, &count, sizeof count) < 0 && errno != EINTR)
			return false;
	return !atomic_load(&in->ended);
}

/* Waits until there is something to read, or the end of input. False: nothing more is wanted. */
static bool wait_until_readable(input *in)
{
	struct pollfd fds[] = {{.fd = in->file, .events = POLLIN}, {.fd = in->told, .events = POLLIN}};

	while (!atomic_load(&in->ended)) {
		int ready = poll(fds, 2, -1);
		if (ready < 0 && errno != EINTR)
			return false;
		if (ready > 0 && fds[0].revents)
			return !atomic_load(&in->ended);
		/* The notification says that a chunk is wanted, which is known, or that the run has ended, which is checked
		 * above. */
		uint64_t count;
		if (ready > 0 && read(in->told, &count, sizeof count) < 0 && errno != EINTR)
			return false;
	}
	return false;
}

static bool post_failure(input *in, const char *why)
{
	char *text = strdup(why);
	curfew__operation_post(&in->operation, CURFEW_INPUT_FAILED, true, text, text ? strlen(text) : 0);
	return false;
}

/* Reads and posts one chunk. False: it was the last one. */
static bool pass_chunk(input *in)
{
	char *bytes = malloc(CURFEW_INPUT_CHUNK_BYTES);

	if (!bytes)
		return post_failure(in, strerror(ENOMEM));
	ssize_t got = read(in->file, bytes, CURFEW_INPUT_CHUNK_BYTES);
	if (got > 0) {
		atomic_store(&in->wanted, false);
		return curfew__operation_post(&in->operation, CURFEW_INPUT_CHUNK, false, bytes, (size_t)got);
	}
	int error = errno;
	free(bytes);
	if (got < 0 && (error == EINTR || error == EAGAIN))
		return true;
	if (got < 0)
		return post_failure(in, strerror(error));
	curfew__operation_post(&in->operation, CURFEW_INPUT_END, true, NULL, 0);
	return false;
}

static void *reader_main(void *argument)
{
	input *in = argument;

	while (wait_until_wanted(in) && wait_until_readable(in) && pass_chunk(in))
		;
	curfew__operation_unref(&in->operation);
	return NULL;
}

/* ---- The operation ---------------------------------------------------------------------------------------- */

static bool on_send(curfew__operation *operation, uint32_t kind, const void *bytes, size_t length)
{
	input *in = (input *)operation;

	(void)bytes, (void)length;
	if (kind != CURFEW_INPUT_TAKE || atomic_exchange(&in->wanted, true))
		return false;
	notify_reader(in);
	return true;
}

static void on_cancel(curfew__operation *operation)
{
	input *in = (input *)operation;

	atomic_store(&in->ended, true);
	notify_reader(in);
}

static void on_destroy(curfew__operation *operation)
{
	input *in = (input *)operation;

	close(in->file);
	close(in->told);
	free(in);
}

static const curfew__operation_type type = {.send = on_send, .cancel = on_cancel, .destroy = on_destroy};

static uint32_t answer_error(curfew__operations *operations, int error)
{
	char *text = strdup(strerror(error));
	return curfew__operations_answer(operations, CURFEW_INPUT_FAILED, text, text ? strlen(text) : 0);
}

static bool start_thread(input *in)
{
	pthread_t thread;

	curfew__operation_ref(&in->operation);
	bool ok = thread_start(&thread, NULL, reader_main, in);
	if (ok)
		pthread_detach(thread);
	else
		curfew__operation_unref(&in->operation);
	return ok;
}

static input *create_input(int file)
{
	input *in = calloc(1, sizeof *in);

	if (!in)
		return NULL;
	in->file = fcntl(file, F_DUPFD_CLOEXEC, 3);
	in->told = in->file >= 0 ? eventfd(0, EFD_CLOEXEC) : -1;
	if (in->told >= 0)
		return in;
	int error = errno;
	if (in->file >= 0)
		close(in->file);
	free(in);
	errno = error;
	return NULL;
}

/* ---- Reading at once -------------------------------------------------------------------------------------- */

/* Reads the available bytes. It does not wait, even if another reader of the same pipe has taken them. */
static ssize_t read_ready(int file, char *bytes, size_t length)
{
	struct iovec piece = {bytes, length};
	ssize_t got = preadv2(file, &piece, 1, -1, RWF_NOWAIT);

	if (got < 0 && (errno == EOPNOTSUPP || errno == ENOSYS))
		got = read(file, bytes, length);
	return got;
}

static int32_t read_at_once(int file, curfew__guest_file *call, const atomic_uint *stop)
{
	size_t length = call->request.length < CURFEW_FILE_PIECE_BYTES ? call->request.length : CURFEW_FILE_PIECE_BYTES;
	struct pollfd readable = {.fd = file, .events = POLLIN};

	if (call->request.position >= 0)
		return -ESPIPE;
	while (length && call->bytes && !atomic_load(stop)) {
		if (poll(&readable, 1, RECHECK_MS) <= 0)
			continue;
		ssize_t got = read_ready(file, call->bytes, length);
		if (got >= 0)
			return (int32_t)got;
		if (errno != EINTR && errno != EAGAIN)
			return -errno;
	}
	return length && call->bytes ? -EINTR : 0;
}

int32_t curfew__input_call(int file, curfew__guest_file *call, const atomic_uint *stop)
{
	switch (call->request.operation) {
	case CURFEW_FILE_READ: return file < 0 ? 0 : read_at_once(file, call, stop);
	case CURFEW_FILE_STATUS_OF_OPEN:
		/* Empty input has the status of /dev/null. */
		call->request.status = (curfew__file_status){.mode = S_IFCHR | 0666, .links = 1};
		return file < 0 ? 0 : curfew__file_status_of(file, &call->request.status);
	default: return -EBADF;
	}
}

/* ---- As an operation -------------------------------------------------------------------------------------- */

uint32_t curfew__input_start(curfew__operations *operations, int file)
{
	if (file < 0)
		return curfew__operations_answer(operations, CURFEW_INPUT_END, NULL, 0);
	input *in = create_input(file);
	if (!in)
		return answer_error(operations, errno);
	if (!curfew__operation_start(operations, &in->operation, &type)) {
		on_destroy(&in->operation);
		return 0;
	}
	uint32_t id = in->operation.id;
	if (!start_thread(in)) {
		curfew__operations_cancel(operations, id);
		id = answer_error(operations, EAGAIN);
	}
	curfew__operation_unref(&in->operation);
	return id;
}
