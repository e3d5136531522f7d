/* SPDX-License-Identifier: Apache-2.0 */
/* Queues of bytes, the frames in them, and the files that go with them. */
#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIRST_BYTES = 4096, RECEIVE_BYTES = 256 * 1024, KEPT_BYTES = 1024 * 1024, MOVED_BYTES = 32 * 1024 * 1024 };

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

	/* If moving the rest to the front frees half of the memory, that is enough. */
	if (bytes->capacity / 2 >= count + more) {
		memmove(bytes->data, bytes->data + bytes->at, count);
		explicit_bzero(bytes->data + count, bytes->at);
	} else {
		/* More than half of a small one, and a quarter of a large one, which is mostly one message. */
		size_t wanted = count + more, capacity = wanted > KEPT_BYTES ? wanted + wanted / 4 : wanted * 2;
		if (capacity < FIRST_BYTES)
			capacity = FIRST_BYTES;
		/* The C library moves the pages of much memory, so nothing is copied, and no copy remains. */
		bool moves = bytes->capacity >= MOVED_BYTES && bytes->at == 0;
		char *data = moves ? realloc(bytes->data, capacity) : malloc(capacity);
		if (data == NULL)
			return false;
		if (!moves && count > 0) {
			memcpy(data, bytes->data + bytes->at, count);
			explicit_bzero(bytes->data + bytes->at, count);
		}
		if (!moves)
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
	/* Do not keep the memory of one large frame for ever. */
	if (bytes->capacity > KEPT_BYTES)
		worker_bytes_finish(bytes);
}

static bool add_head(worker_bytes *bytes, const worker_frame *frame)
{
	if (frame->length > SIZE_MAX - sizeof *frame || !worker_bytes_reserve(bytes, sizeof *frame + (size_t)frame->length))
		return false;
	return worker_bytes_add(bytes, frame, sizeof *frame);
}

bool worker_frame_add(worker_bytes *bytes, worker_frame_kind kind, uint64_t number, size_t length)
{
	worker_frame frame = {.length = length, .number = number, .version = WORKER_FRAME_VERSION, .kind = (uint8_t)kind};
	return add_head(bytes, &frame);
}

bool worker_frame_add_part(worker_bytes *bytes, const worker_frame *frame, const void *head, size_t head_length,
                           const void *data, size_t data_length)
{
	worker_frame whole = *frame;
	whole.version = WORKER_FRAME_VERSION;
	whole.length = head_length + data_length;
	return add_head(bytes, &whole) && worker_bytes_add(bytes, head, head_length) &&
	       worker_bytes_add(bytes, data, data_length);
}

bool worker_frame_add_whole(worker_bytes *bytes, worker_frame_kind kind, uint64_t number, const void *head,
                            size_t head_length, const void *data, size_t data_length)
{
	worker_frame frame = {.number = number, .kind = (uint8_t)kind};
	return worker_frame_add_part(bytes, &frame, head, head_length, data, data_length);
}

worker_peek worker_frame_peek(const worker_bytes *bytes, worker_frame *frame)
{
	static const uint8_t zero[sizeof frame->zero];
	if (worker_bytes_count(bytes) < sizeof *frame)
		return WORKER_PEEK_NOTHING;
	memcpy(frame, bytes->data + bytes->at, sizeof *frame);
	bool good = frame->version == WORKER_FRAME_VERSION && frame->more <= 1 &&
	            memcmp(frame->zero, zero, sizeof zero) == 0;
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

/* ---- Files ------------------------------------------------------------------------------------------------- */

bool worker_files_add(worker_files *files, size_t at, int file)
{
	struct worker_file *grown = realloc(files->items, (files->count + 1) * sizeof *grown);
	if (grown == NULL) {
		if (file >= 0)
			(void)close(file);
		return false;
	}
	files->items = grown;
	files->items[files->count++] = (struct worker_file){at, file};
	return true;
}

int worker_files_take(worker_files *files)
{
	if (files->count == 0)
		return -1;
	int file = files->items[0].file;
	memmove(files->items, files->items + 1, --files->count * sizeof *files->items);
	return file;
}

void worker_files_finish(worker_files *files)
{
	while (files->count > 0) {
		int file = worker_files_take(files);
		if (file >= 0)
			(void)close(file);
	}
	free(files->items);
	files->items = NULL;
}

/* ---- The socket --------------------------------------------------------------------------------------------- */

/* Space for one descriptor: the system never delivers two that were sent separately at once. */
typedef union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
} control;

static ssize_t receive_with_file(void *to, size_t max, worker_files *files, int socket)
{
	control room;
	struct iovec part = {to, max};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof room.room};
	ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *head = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	bool is_cut = got > 0 && (message.msg_flags & MSG_CTRUNC) != 0;
	int file = -1;
	if (head != NULL && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof file))
		memcpy(&file, CMSG_DATA(head), sizeof file);
	if ((file >= 0 || is_cut) && !worker_files_add(files, 0, file)) {
		errno = ENOMEM;
		return -1;
	}
	return got;
}

int worker_bytes_receive(worker_bytes *bytes, worker_files *files, int socket)
{
	if (!worker_bytes_reserve(bytes, RECEIVE_BYTES))
		return -1;
	for (;;) {
		/* Without space for control messages the system closes descriptors that a hostile peer sends. */
		char *to = bytes->data + bytes->length;
		ssize_t got = files != NULL ? receive_with_file(to, RECEIVE_BYTES, files, socket)
		                            : recv(socket, to, RECEIVE_BYTES, MSG_DONTWAIT);
		if (got > 0) {
			bytes->length += (size_t)got;
			return 1;
		}
		if (got < 0 && errno == EINTR)
			continue;
		return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : -1;
	}
}

static ssize_t send_with_file(const void *data, size_t length, int file, int socket)
{
	control room = {.head = {.cmsg_len = CMSG_LEN(sizeof file), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	struct iovec part = {(void *)(uintptr_t)data, length};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof room.room};
	memcpy(CMSG_DATA(&room.head), &file, sizeof file);
	return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Send up to the byte that the next file belongs to, which begins a separate piece. */
static ssize_t send_piece(const worker_bytes *bytes, worker_files *files, int socket)
{
	size_t length = worker_bytes_count(bytes), next = 0;
	const char *data = bytes->data + bytes->at;
	bool has_file = files != NULL && files->count > 0 && files->items[0].at == 0;
	if (files != NULL && files->count > has_file)
		next = files->items[has_file].at;
	if (next != 0 && next < length)
		length = next;
	ssize_t sent = has_file ? send_with_file(data, length, files->items[0].file, socket)
	                        : send(socket, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent > 0 && has_file)
		(void)close(worker_files_take(files));
	for (size_t i = 0; sent > 0 && files != NULL && i < files->count; i++)
		files->items[i].at -= (size_t)sent;
	return sent;
}

bool worker_bytes_send(worker_bytes *bytes, worker_files *files, int socket)
{
	while (worker_bytes_count(bytes) > 0) {
		ssize_t sent = send_piece(bytes, files, socket);
		if (sent > 0)
			worker_bytes_take(bytes, (size_t)sent);
		else if (errno != EINTR)
			return errno == EAGAIN || errno == EWOULDBLOCK || errno == ETOOMANYREFS;
	}
	return true;
}
