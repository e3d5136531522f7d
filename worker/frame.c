/* SPDX-License-Identifier: Apache-2.0 */
/* Queues of bytes, and the frames in them. */
#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { FIRST_BYTES = 4096, RECEIVE_BYTES = 256 * 1024, KEPT_BYTES = 1024 * 1024 };

void worker_bytes_finish(worker_bytes *bytes)
{
	if (bytes->data != NULL)
		explicit_bzero(bytes->data, bytes->length);
	free(bytes->data);
	*bytes = (worker_bytes){0};
}

bool worker_bytes_reserve(worker_bytes *bytes, size_t more)
{
	if (bytes->capacity - bytes->length >= more)
		return true;
	size_t count = worker_bytes_count(bytes);
	if (more > SIZE_MAX / 4 - count)
		return false;
	/* Moving what is left to the front is enough where that frees half. */
	if (bytes->capacity / 2 >= count + more) {
		memmove(bytes->data, bytes->data + bytes->at, count);
		explicit_bzero(bytes->data + count, bytes->at);
	} else {
		size_t capacity = (count + more) * 2 > FIRST_BYTES ? (count + more) * 2 : FIRST_BYTES;
		char *data = malloc(capacity);
		if (data == NULL)
			return false;
		if (count > 0) {
			memcpy(data, bytes->data + bytes->at, count);
			explicit_bzero(bytes->data + bytes->at, count);
		}
		free(bytes->data);
		bytes->data = data;
		bytes->capacity = capacity;
	}
	bytes->at = 0;
	bytes->length = count;
	return true;
}

bool worker_bytes_add(worker_bytes *bytes, const void *data, size_t length)
{
	if (!worker_bytes_reserve(bytes, length))
		return false;
	if (length > 0)
		memcpy(bytes->data + bytes->length, data, length);
	bytes->length += length;
	return true;
}

void worker_bytes_take(worker_bytes *bytes, size_t length)
{
	if (length > 0)
		explicit_bzero(bytes->data + bytes->at, length);
	bytes->at += length;
	if (bytes->at < bytes->length)
		return;
	bytes->at = bytes->length = 0;
	/* What one large frame needed is not kept for ever. */
	if (bytes->capacity > KEPT_BYTES)
		worker_bytes_finish(bytes);
}

bool worker_frame_add(worker_bytes *bytes, worker_frame_kind kind, uint64_t number, size_t length)
{
	worker_frame frame = {.length = length, .number = number, .version = WORKER_FRAME_VERSION,
	                      .kind = (uint8_t)kind};
	if (length > SIZE_MAX - sizeof frame || !worker_bytes_reserve(bytes, sizeof frame + length))
		return false;
	return worker_bytes_add(bytes, &frame, sizeof frame);
}

bool worker_frame_add_whole(worker_bytes *bytes, worker_frame_kind kind, uint64_t number, const void *head,
                            size_t head_length, const void *data, size_t data_length)
{
	return worker_frame_add(bytes, kind, number, head_length + data_length) &&
	       worker_bytes_add(bytes, head, head_length) && worker_bytes_add(bytes, data, data_length);
}

worker_peek worker_frame_peek(const worker_bytes *bytes, worker_frame *frame)
{
	static const uint8_t zero[sizeof frame->zero];
	if (worker_bytes_count(bytes) < sizeof *frame)
		return WORKER_PEEK_NOTHING;
	memcpy(frame, bytes->data + bytes->at, sizeof *frame);
	bool good = frame->version == WORKER_FRAME_VERSION && memcmp(frame->zero, zero, sizeof zero) == 0;
	return good ? WORKER_PEEK_HEAD : WORKER_PEEK_BAD;
}

const char *worker_frame_body(const worker_bytes *bytes, const worker_frame *frame)
{
	bool whole = worker_bytes_count(bytes) - sizeof *frame >= frame->length;
	return whole ? bytes->data + bytes->at + sizeof *frame : NULL;
}

void worker_frame_take(worker_bytes *bytes, const worker_frame *frame)
{
	worker_bytes_take(bytes, sizeof *frame + (size_t)frame->length);
}

int worker_bytes_receive(worker_bytes *bytes, int socket)
{
	if (!worker_bytes_reserve(bytes, RECEIVE_BYTES))
		return -1;
	for (;;) {
		/* Without room for control messages: descriptors that a hostile end sends along are closed by the system. */
		ssize_t got = recv(socket, bytes->data + bytes->length, RECEIVE_BYTES, MSG_DONTWAIT);
		if (got > 0) {
			bytes->length += (size_t)got;
			return 1;
		}
		if (got < 0 && errno == EINTR)
			continue;
		return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : -1;
	}
}

bool worker_bytes_send(worker_bytes *bytes, int socket)
{
	while (worker_bytes_count(bytes) > 0) {
		ssize_t sent = send(socket, bytes->data + bytes->at, worker_bytes_count(bytes),
		                    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent > 0)
			worker_bytes_take(bytes, (size_t)sent);
		else if (errno != EINTR)
			return errno == EAGAIN || errno == EWOULDBLOCK;
	}
	return true;
}
