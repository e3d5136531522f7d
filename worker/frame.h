/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes through the socket between a pool and its workers: a head of fixed size, then as many bytes as it says.
 * Both ends are the same executable, so that structs go as they are. The pool's end trusts nothing that it reads.
 */
#ifndef CURFEW_WORKER_FRAME_H
#define CURFEW_WORKER_FRAME_H

#include "curfew.h"

enum { WORKER_FRAME_VERSION = 1 };

typedef enum worker_frame_kind {
	/* To a worker. number: of the program, or of the run. */
	WORKER_FRAME_PROGRAM = 1, /* worker_program_head, name, import map, bytes */
	WORKER_FRAME_FORGET = 2,  /* the program */
	WORKER_FRAME_RUN = 3,     /* worker_run_head, texts */
	WORKER_FRAME_CANCEL = 4,
	WORKER_FRAME_ASK_USAGE = 5,
	WORKER_FRAME_ANSWER = 6, /* for curfew_run_receive */
	WORKER_FRAME_ASK_MEMORY = 7,
	WORKER_FRAME_CODE = 8, /* number: of the request; curfew_code_answer. A file comes with it where it has one */
	/* From a worker. */
	WORKER_FRAME_READY = 32,  /* uint32_t: WORKER_HAS_* */
	WORKER_FRAME_FAILED = 33, /* why it cannot be a worker */
	WORKER_FRAME_STARTED = 34,
	WORKER_FRAME_USAGE = 35,   /* curfew_run_usage */
	WORKER_FRAME_EVENT = 36,   /* worker_event_head, data */
	WORKER_FRAME_DONE = 37,    /* worker_done_head, the report; the description of a program that was inspected */
	WORKER_FRAME_REQUEST = 38, /* for curfew_broker_receive */
	WORKER_FRAME_MEMORY = 39,  /* worker_memory */
	WORKER_FRAME_STOPPED = 40, /* the watch stops the run; it is not due in any other way any more */
	WORKER_FRAME_COMPILE = 41, /* number: of the request, which the worker chooses; worker_compile_head */
} worker_frame_kind;

/* The first thing that a worker is sent, before any frame. */
typedef struct worker_setup {
	uint32_t version; /* WORKER_FRAME_VERSION */
	uint32_t threads;
	uint64_t data_bytes;
	uint32_t engine_flags; /* CURFEW_ENGINE_* */
	uint32_t reserved;
} worker_setup;

/* A run's number: where both sides keep it, and above that what tells it from those that were there before. */
#define WORKER_SLOT_BITS 20
#define WORKER_SLOTS_MOST ((size_t)1 << WORKER_SLOT_BITS)

static inline size_t worker_slot(uint64_t number)
{
	return (size_t)(number & (WORKER_SLOTS_MOST - 1));
}

/* The most bytes that the report of a run with these limits can have: texts may take six times their size as JSON. */
static inline uint64_t worker_report_most(const curfew_limits *limits)
{
	return (UINT64_C(2) << 20) + 7 * limits->output_bytes;
}

/* The longest description of a program: less than any report may have. */
#define WORKER_DESCRIPTION_MOST ((uint64_t)1 << 20)

typedef struct worker_frame {
	uint64_t length; /* of what follows */
	uint64_t number;
	uint8_t version;
	uint8_t kind;
	uint8_t zero[6];
} worker_frame;

typedef struct worker_program_head {
	uint32_t language;
	uint32_t flags;                                    /* WORKER_PROGRAM_* */
	uint64_t name_length, map_name_length, map_length; /* with a NUL; 0: none. The texts follow, and then the program */
} worker_program_head;

#define WORKER_PROGRAM_IMAGE 1u
#define WORKER_PROGRAM_ONCE 2u
#define WORKER_PROGRAM_PATH 4u
#define WORKER_PROGRAM_NODE 8u

/*
 * Texts follow in this order, each with a NUL: call, params, user, timezone, standard input, files, args, env, and name
 * and value of each secret. One of the first six that is not there has length 0.
 */
typedef struct worker_run_head {
	uint64_t program;
	curfew_limits limits;
	char id[32];
	uint32_t flags;
	uint32_t arg_count;
	uint32_t env_count;
	uint32_t secret_count;
	uint32_t has_broker; /* 1: it may send requests */
	uint32_t reserved;
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

/* A queue of bytes: added at the end, taken from the front. What was taken is wiped: there are secrets among it. */
typedef struct worker_bytes {
	char *data;
	size_t at;     /* the first that was not taken */
	size_t length; /* end of what was added */
	size_t capacity;
} worker_bytes;

static inline size_t worker_bytes_count(const worker_bytes *bytes)
{
	return bytes->length - bytes->at;
}

void worker_bytes_finish(worker_bytes *bytes);
/* Makes room for so many more behind length. False: out of memory, nothing changed. */
bool worker_bytes_reserve(worker_bytes *bytes, size_t more);
bool worker_bytes_add(worker_bytes *bytes, const void *data, size_t length);
void worker_bytes_take(worker_bytes *bytes, size_t length);

/* Files that are sent along: each with the byte of a queue that is so many from its front. */
typedef struct worker_files {
	struct worker_file {
		size_t at;
		int file;
	} *items;
	size_t count;
} worker_files;

/* Takes the file over, also where there is no memory for it (false). */
bool worker_files_add(worker_files *files, size_t at, int file);
/* The first one; -1: there is none. */
int worker_files_take(worker_files *files);
void worker_files_finish(worker_files *files);

/* Adds a head; whoever calls it adds `length` bytes. */
bool worker_frame_add(worker_bytes *bytes, worker_frame_kind kind, uint64_t number, size_t length);
/* A whole frame of up to two parts. */
bool worker_frame_add_whole(worker_bytes *bytes, worker_frame_kind kind, uint64_t number, const void *head,
                            size_t head_length, const void *data, size_t data_length);

typedef enum worker_peek { WORKER_PEEK_NOTHING, WORKER_PEEK_HEAD, WORKER_PEEK_BAD } worker_peek;

/* The head at the front, if it is all there: of this version, with nothing where nothing is to be. */
worker_peek worker_frame_peek(const worker_bytes *bytes, worker_frame *frame);
/* What follows that head, if it is all there; else NULL. */
const char *worker_frame_body(const worker_bytes *bytes, const worker_frame *frame);
void worker_frame_take(worker_bytes *bytes, const worker_frame *frame);

/*
 * Reads what there is, at most about 256 KiB. 1: something; 0: nothing now; -1: the end, or no memory. Files that came
 * are added to files, -1 for one that there was no room for; without (NULL) none is taken.
 */
int worker_bytes_receive(worker_bytes *bytes, worker_files *files, int socket);
/* Sends what it can without waiting, with files (NULL: none), which are closed then. False: nobody is there any more.
 */
bool worker_bytes_send(worker_bytes *bytes, worker_files *files, int socket);

#endif
