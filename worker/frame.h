/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol between a pool and its workers: a head of fixed size, then as many bytes as the head says. Both sides
 * are the same executable, so structs are sent as they are. The pool trusts nothing that it reads.
 */
#ifndef CURFEW_WORKER_FRAME_H
#define CURFEW_WORKER_FRAME_H

#include "curfew.h"

enum { WORKER_FRAME_VERSION = 1 };

typedef enum worker_frame_kind {
	/* To a worker. number is that of the program or of the run. */
	WORKER_FRAME_PROGRAM = 1, /* worker_program_head, name, import map, bytes or their file */
	WORKER_FRAME_FORGET = 2,  /* the program */
	WORKER_FRAME_RUN = 3,     /* worker_run_head, texts */
	WORKER_FRAME_CANCEL = 4,
	WORKER_FRAME_ASK_USAGE = 5,
	WORKER_FRAME_ANSWER = 6, /* for curfew_run_receive */
	WORKER_FRAME_ASK_MEMORY = 7,
	WORKER_FRAME_CODE = 8, /* number: of the request; curfew_code_answer, with its file if it has one */
	/* From a worker. */
	WORKER_FRAME_READY = 32,  /* uint32_t: WORKER_HAS_* */
	WORKER_FRAME_FAILED = 33, /* why it cannot be a worker */
	WORKER_FRAME_STARTED = 34,
	WORKER_FRAME_USAGE = 35,   /* curfew_run_usage */
	WORKER_FRAME_EVENT = 36,   /* worker_event_head, data */
	WORKER_FRAME_DONE = 37,    /* worker_done_head, the report; the description of a program that was inspected */
	WORKER_FRAME_REQUEST = 38, /* for curfew_broker_receive */
	WORKER_FRAME_MEMORY = 39,  /* worker_memory */
	WORKER_FRAME_STOPPED = 40, /* the watch stops the run, which then has no other due time */
	WORKER_FRAME_COMPILE = 41, /* number: of the request, which the worker chooses; worker_compile_head */
} worker_frame_kind;

/* The first message to a worker, before any frame. */
typedef struct worker_setup {
	uint32_t version; /* WORKER_FRAME_VERSION */
	uint32_t threads;
	uint64_t data_bytes;
	uint32_t engine_flags; /* CURFEW_ENGINE_* */
	uint32_t reserved;
} worker_setup;

/* A run's number consists of its slot on both sides, and a serial number that distinguishes it from earlier runs in
 * that slot. */
#define WORKER_SLOT_BITS 20
#define WORKER_SLOTS_MAX ((size_t)1 << WORKER_SLOT_BITS)

static inline size_t worker_slot(uint64_t number)
{
	return (size_t)(number & (WORKER_SLOTS_MAX - 1));
}

/* The maximum length of the report of a run with these limits. Texts may take six times their size as JSON. */
static inline uint64_t worker_report_max(const curfew_limits *limits)
{
	return (UINT64_C(2) << 20) + 7 * limits->output_bytes;
}

/* The maximum length of a program's description, which is less than any report's. */
#define WORKER_DESCRIPTION_MAX ((uint64_t)1 << 20)

typedef struct worker_frame {
	uint64_t length; /* of what follows */
	uint64_t number;
	uint8_t version;
	uint8_t kind;
	uint8_t more; /* 1: the next frame of this kind and number continues it */
	uint8_t zero[5];
} worker_frame;

/*
 * The maximum length of a worker's frame. A longer event or report comes in parts. The first one begins with the length
 * of the whole (uint64_t), and all but the last have this length. So what one run sends can be mixed with what others
 * send, and the pool never has much to do at once.
 */
#define WORKER_PART_BYTES ((size_t)256 << 10)

/* A SHA-256 in hexadecimal. */
#define WORKER_SHA256_ROOM 72

typedef struct worker_program_head {
	uint32_t language;
	uint32_t flags;                                    /* WORKER_PROGRAM_* */
	uint64_t name_length, map_name_length, map_length; /* with a NUL; 0: none. The texts follow, and then the program */
	uint64_t file_length;                              /* of the program, if it is a file; else 0 */
	char sha256[WORKER_SHA256_ROOM];                   /* of the program; "": not known */
} worker_program_head;

#define WORKER_PROGRAM_IMAGE 1u
#define WORKER_PROGRAM_ONCE 2u
#define WORKER_PROGRAM_PATH 4u
#define WORKER_PROGRAM_NODE 8u

/*
 * These texts follow in this order, each with a NUL: call, params, user, timezone, standard input, files, args, env,
 * name and value of each secret, and secret_for. One of the first six that is missing has length 0.
 */
typedef struct worker_run_head {
	uint64_t program;
	uint64_t owner;
	curfew_limits limits;
	char id[32];
	uint32_t flags;
	uint32_t arg_count;
	uint32_t env_count;
	uint32_t secret_count;
	uint32_t has_broker; /* 1: it may send requests */
	uint32_t secret_for_count;
	uint64_t call_length, params_length, user_length, timezone_length, stdin_length, files_length; /* with the NUL */
} worker_run_head;

typedef struct worker_compile_head {
	uint64_t program;
	uint32_t what; /* CURFEW_CODE_* */
	uint32_t reserved;
} worker_compile_head;

typedef struct worker_event_head {
	uint32_t kind; /* curfew_event_kind */
	uint32_t reserved;
} worker_event_head;

typedef struct worker_done_head {
	uint32_t outcome;
	int32_t exit_code;
} worker_done_head;

/* ---- Bytes on their way ---------------------------------------------------------------------------------- */

/* A queue of bytes, added at the end and taken from the front. Taken bytes are wiped, because they may contain secrets.
 */
typedef struct worker_bytes {
	char *data;
	size_t at;     /* the first byte that was not taken */
	size_t length; /* the end of the bytes that were added */
	size_t capacity;
} worker_bytes;

static inline size_t worker_bytes_count(const worker_bytes *bytes)
{
	return bytes->length - bytes->at;
}

void worker_bytes_finish(worker_bytes *bytes);
/* Reserves memory for this many more bytes after length. False: out of memory, nothing changed. */
bool worker_bytes_reserve(worker_bytes *bytes, size_t more);
bool worker_bytes_add(worker_bytes *bytes, const void *data, size_t length);
void worker_bytes_take(worker_bytes *bytes, size_t length);

/* Files that are sent along with a queue, each with a byte at some distance from its front. */
typedef struct worker_files {
	struct worker_file {
		size_t at;
		int file;
	} *items;
	size_t count;
} worker_files;

/* Takes ownership of the file, even if there is no memory for it (false). */
bool worker_files_add(worker_files *files, size_t at, int file);
/* Takes the first file. -1: there is none. */
int worker_files_take(worker_files *files);
void worker_files_finish(worker_files *files);

/* Adds a head. The caller adds `length` bytes after it. */
bool worker_frame_add(worker_bytes *bytes, worker_frame_kind kind, uint64_t number, size_t length);
/* Adds a whole frame, made of a head and data. */
bool worker_frame_add_whole(worker_bytes *bytes, worker_frame_kind kind, uint64_t number, const void *head,
                            size_t head_length, const void *data, size_t data_length);
/* The same for a part of a message. */
bool worker_frame_add_part(worker_bytes *bytes, const worker_frame *frame, const void *head, size_t head_length,
                           const void *data, size_t data_length);

typedef enum worker_peek { WORKER_PEEK_NOTHING, WORKER_PEEK_HEAD, WORKER_PEEK_BAD } worker_peek;

/* Returns the head at the front, if it is complete. */
worker_peek worker_frame_peek(const worker_bytes *bytes, worker_frame *frame);
/* Returns the bytes that follow that head, if they are complete, otherwise NULL. */
const char *worker_frame_body(const worker_bytes *bytes, const worker_frame *frame);
void worker_frame_take(worker_bytes *bytes, const worker_frame *frame);

/*
 * Reads at most about 256 KiB. Returns 1 if it read something, 0 if there is nothing now, and -1 at the end or if
 * memory ran out. Files that came are added to files, -1 for one that there was no memory for; without files (NULL)
 * none is accepted.
 */
int worker_bytes_receive(worker_bytes *bytes, worker_files *files, int socket);
/* Sends what it can without waiting, with files (NULL: none), which are then closed. False: the other end has closed.
 */
bool worker_bytes_send(worker_bytes *bytes, worker_files *files, int socket);

#endif
