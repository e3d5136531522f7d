/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What host and guest agree on: one control block in guest memory, and the imports. Compiled into both sides.
 * The guest is not trusted: the host checks every offset and length that it reads from here, and takes nothing
 * that decides an outcome from it.
 */
#ifndef CURFEW_GUEST_ABI_H
#define CURFEW_GUEST_ABI_H

#include <stdint.h>

/* What a guest entry answers. */
enum {
	CURFEW_GUEST_DONE = 0,      /* finished: value_* is the JSON text of the value, or value_length 0 */
	CURFEW_GUEST_WAITING = 1,   /* nothing to do before wake_ns (INT64_MAX: before the host has something) */
	CURFEW_GUEST_THREW = 2,     /* error_* and the trace are filled */
	CURFEW_GUEST_REFUSED = 3,   /* the program does not load or has no such export: as CURFEW_GUEST_THREW */
	CURFEW_GUEST_STOPPED = 4,   /* a session's: it was stopped, has come back all the same, and trace is filled */
	CURFEW_GUEST_UNSETTLED = 5, /* it waits for what nothing can settle; the trace says where */
};

/* Why the guest asks to be stopped (import "stop"). */
enum {
	CURFEW_STOP_POLL = 0,   /* the host asked: the interrupt counter ran out and a stop was pending */
	CURFEW_STOP_MEMORY = 1, /* memory.grow was refused (the host has latched that itself) */
	CURFEW_STOP_TIMERS = 2,
	CURFEW_STOP_LOOPS = 3,
	CURFEW_STOP_FUEL = 4,
};

/* Places of the grace and the memory limit in the control block's limits. */
#define CURFEW_LIMIT_GRACE 1
#define CURFEW_LIMIT_MEMORY 5
/* The longest secret. */
#define CURFEW_GUEST_SECRET_BYTES 65536
#define CURFEW_GUEST_TRACE_BYTES 16384
/* Of a function's name in the trace, with a NUL; longer ones are cut. */
#define CURFEW_GUEST_NAME_BYTES 96
#define CURFEW_GUEST_SCRATCH_BYTES 1024

/* Offsets are in guest memory; all fields are little-endian and naturally aligned. */
typedef struct curfew__control {
	/* Written by the host before an entry. */
	uint32_t input; /* source with a line break before it, or the parameters' JSON; a NUL behind it */
	uint32_t input_length;
	uint32_t name; /* of the program or cell, or of the function to call (0: none) */
	uint32_t name_length;
	uint32_t user; /* 0: none */
	uint32_t user_length;
	uint32_t functions; /* the host's, as JSON: [[name, whether it is asynchronous, its place]...]; 0: none */
	uint32_t functions_length;
	uint32_t env; /* the environment, as a JSON object; 0: none */
	uint32_t env_length;
	uint32_t timezone; /* its name; 0: UTC */
	uint32_t timezone_length;
	uint32_t files; /* what the program has as curfew.files, as JSON; 0: none */
	uint32_t files_length;
	uint32_t flags;             /* CURFEW_CONTROL_* */
	uint32_t stack_bytes;       /* the engine's own stack limit, below the top of the shadow stack */
	int64_t time_origin_ns;     /* the program's monotonic clock when the run started */
	int64_t deadline_ns;        /* the same clock; INT64_MAX: none */
	int64_t realtime_offset_us; /* wall-clock time in us = that clock / 1000 + this */
	uint64_t seed;
	uint64_t loops_left;   /* UINT64_MAX: no limit */
	uint32_t timers_limit; /* UINT32_MAX: no limit */
	uint64_t limits[10];   /* as the report shows them, for curfew.limits; UINT64_MAX: unlimited */

	/* Written by the host at any time, from another thread. */
	uint32_t stop;    /* 1: the next poll, or who called the host, must stop */
	uint32_t aborted; /* 0 no, 1 deadline, 2 cancelled: the signal's state within the grace */

	/* Written by the guest. */
	int64_t wake_ns;    /* when a waiting guest wants to go on */
	uint32_t answering; /* a poll has seen `stop`, and the entry is about to end */
	uint32_t evaluated; /* the program's top level is done */
	uint64_t polls;     /* loops and calls up to the last refill of the interrupt counter */
	uint32_t interval;  /* what the interrupt counter was last filled with */
	uint32_t value;
	uint32_t value_length;
	uint32_t timers_peak;
	uint32_t error_name; /* NUL-free UTF-8 */
	uint32_t error_name_length;
	uint32_t error_message;
	uint32_t error_message_length;
	uint32_t error_trace; /* the engine's own record of where it was thrown, as "    at f (file:1:2)\n" lines */
	uint32_t error_trace_length;
	uint32_t error_details; /* JSON: { cause, errors, properties } of what was thrown, with an error as in
	                           guest/prelude/62-errors.js */
	uint32_t error_details_length;
	uint32_t value_note; /* why there is no value: text; length 0: there is one, or none is missing */
	uint32_t value_note_length;
	char scratch[CURFEW_GUEST_SCRATCH_BYTES]; /* input, name and user where they fit; else they are allocated */
	uint32_t trace_length;                    /* of trace, filled by curfew_trace */
	char trace[CURFEW_GUEST_TRACE_BYTES];     /* the same lines, of the frames that were running */
} curfew__control;

enum {
	CURFEW_CONTROL_MODULE = 1,    /* load: a module in any case */
	CURFEW_CONTROL_PARAMS = 2,    /* run: parameters were given */
	CURFEW_CONTROL_IMPORTS = 4,   /* relative imports may be asked for */
	CURFEW_CONTROL_DESCRIBE = 16, /* start: the value is what the program imports and exports; it does not run */
	CURFEW_CONTROL_SESSION = 32,  /* there are more calls to come: a stop unwinds */
	CURFEW_CONTROL_AGAIN = 64,    /* start: the program was evaluated by an earlier call */
	CURFEW_CONTROL_TYPES = 512,   /* load: the program is TypeScript */
	CURFEW_CONTROL_NODE = 1024,   /* load: the program has Node's globals */
	CURFEW_CONTROL_MAP = 2048,    /* load: there is an import map, opened by its name */
	CURFEW_CONTROL_REACH = 4096,  /* load: what may be imported later is loaded, too */
	CURFEW_CONTROL_PATH = 256,    /* load: the program's name says where it lies below the directory of imports */
	CURFEW_CONTROL_CELL = 128,    /* start: input is source text to evaluate, and name what it is called */
};

/* What the import map is opened by: no file is called so. */
#define CURFEW_IMPORT_MAP_NAME "\0import-map"

/* ---- Operations: what the host does meanwhile ------------------------------------------------------------- */

/* What can be started. */
enum {
	CURFEW_OPERATION_FETCH = 1,
	CURFEW_OPERATION_CALL = 2,
	CURFEW_OPERATION_INPUT = 3,
};

/* An event, as the host writes it where the guest asks for the next one. */
typedef struct curfew__event_record {
	uint32_t id;
	uint32_t kind;
	uint32_t length; /* of its bytes, which are taken next, or not at all */
	uint32_t last;   /* 1: the last of its operation */
} curfew__event_record;

/*
 * CURFEW_OPERATION_FETCH: one exchange over HTTP. The request is lines, each ended by a line break: the method, the
 * URL without its fragment, the body, and the headers, each as "name:value". The body is "-": none, "?": of unknown
 * length, or its length in bytes; "^" asks for a WebSocket, and the body is what is sent once the server has agreed.
 * Text is UTF-8; of a header's value only U+0000 to U+00FF.
 */
enum {
	/* What the guest sends. */
	CURFEW_FETCH_TAKE = 1,     /* asks for one chunk of the response; not again before that has come */
	CURFEW_FETCH_BODY = 2,     /* a piece of the request's body; not again before CURFEW_FETCH_SENT */
	CURFEW_FETCH_BODY_END = 3, /* there is no more of it */
	/* What comes. */
	CURFEW_FETCH_HEAD = 1,   /* the status, a blank and its text, and the headers: lines as above */
	CURFEW_FETCH_CHUNK = 2,  /* of the response, decompressed */
	CURFEW_FETCH_SENT = 3,   /* there is room for more of the body */
	CURFEW_FETCH_END = 4,    /* of the response; last */
	CURFEW_FETCH_FAILED = 5, /* why, as text; last */
};

/*
 * CURFEW_OPERATION_CALL: a call of an asynchronous function of the host's. The request is its place in the list, a line
 * break, and its arguments as a JSON array. One event comes.
 */
enum {
	CURFEW_CALL_RETURNED = 1, /* JSON; nothing: undefined */
	CURFEW_CALL_THREW = 2,    /* a message */
};

/* CURFEW_OPERATION_INPUT: standard input, once in a run. The request is empty. */
enum {
	/* What the guest sends. */
	CURFEW_INPUT_TAKE = 1, /* asks for one chunk; not again before that has come */
	/* What comes. */
	CURFEW_INPUT_CHUNK = 1,
	CURFEW_INPUT_END = 2,    /* last */
	CURFEW_INPUT_FAILED = 3, /* why, as text; last */
};
#define CURFEW_INPUT_CHUNK_BYTES 65536

/* ---- Files of the directories that the run was given ----------------------------------------------------------- */

/* What is asked for; the answer is 0 or as said, or -errno as Linux has it. */
enum {
	CURFEW_FILE_OPEN = 1,           /* path, flags, mode -> file, and its status */
	CURFEW_FILE_CLOSE = 2,          /* file */
	CURFEW_FILE_READ = 3,           /* file, bytes, position (below 0: where it is) -> how many; 0: at the end */
	CURFEW_FILE_WRITE = 4,          /* the same */
	CURFEW_FILE_STATUS_OF_OPEN = 5, /* file */
	CURFEW_FILE_STATUS = 6,         /* path, flags */
	CURFEW_FILE_READ_DIRECTORY =
		7,                      /* file, 32 KiB of bytes -> bytes of some entries: type, name and a NUL; 0: none left */
	CURFEW_FILE_TRUNCATE = 8,   /* file, position */
	CURFEW_FILE_SYNC = 9,       /* file */
	CURFEW_FILE_ACCESS = 10,    /* path, mode */
	CURFEW_FILE_REAL_PATH = 11, /* path, bytes -> length */
	CURFEW_FILE_READ_LINK = 12, /* path, bytes -> length */
	CURFEW_FILE_MAKE_DIRECTORY = 13, /* path, mode */
	CURFEW_FILE_REMOVE = 14,         /* path, flags */
	CURFEW_FILE_SET_TIMES = 15,      /* path, access_ns, modify_ns */
	CURFEW_FILE_MAKE_LINK = 16,      /* path; other: where it leads */
	CURFEW_FILE_RENAME = 17,         /* path, other */
	CURFEW_FILE_LINK = 18,           /* path, other */
	CURFEW_FILE_DIRECTORIES = 19,    /* bytes -> length of what the directories are called, each with a NUL */
};

/* Flags, beside 0 to read, 1 to write and 2 for both. */
enum {
	CURFEW_OPEN_CREATE = 4,
	CURFEW_OPEN_EXCLUSIVE = 8,
	CURFEW_OPEN_TRUNCATE = 16,
	CURFEW_OPEN_APPEND = 32,
	CURFEW_OPEN_DIRECTORY = 64,
	CURFEW_OPEN_NO_FOLLOW = 128,
};

/* One call reads or writes no more. */
#define CURFEW_FILE_PIECE_BYTES 262144

typedef struct curfew__file_status {
	uint64_t device;
	uint64_t inode;
	uint64_t size;
	uint64_t blocks;
	int64_t access_ns;
	int64_t modify_ns;
	int64_t change_ns;
	uint32_t mode;
	uint32_t links;
	uint32_t user;
	uint32_t group;
	uint32_t block_bytes;
	uint32_t reserved;
} curfew__file_status;

typedef struct curfew__file_request {
	uint32_t operation;
	uint32_t file;
	uint32_t flags;
	uint32_t mode;
	uint32_t path; /* 0: none, as of the other addresses */
	uint32_t path_length;
	uint32_t other;
	uint32_t other_length;
	uint32_t bytes;
	uint32_t length;
	int64_t position;
	int64_t access_ns;
	int64_t modify_ns;
	curfew__file_status status; /* written by the host */
} curfew__file_request;

/* Of a piece of a body, in both directions. */
#define CURFEW_FETCH_CHUNK_BYTES 65536

#endif
