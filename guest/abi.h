/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract between host and guest: one control block in guest memory, and the imports. Both sides are compiled with
 * this file. The guest is not trusted: the host checks every offset and length that it reads from here, and no value
 * that it reads here decides an outcome.
 */
#ifndef CURFEW_GUEST_ABI_H
#define CURFEW_GUEST_ABI_H

#include <stdint.h>

/* What a guest entry returns. */
enum {
	CURFEW_GUEST_DONE = 0,      /* finished: value_* is the JSON text of the value; value_length 0: there is none */
	CURFEW_GUEST_WAITING = 1,   /* nothing can run before wake_ns (INT64_MAX: before the host has an event) */
	CURFEW_GUEST_THREW = 2,     /* the program threw: error_* and the trace are filled */
	CURFEW_GUEST_REFUSED = 3,   /* the program does not load or has no such export; filled as for CURFEW_GUEST_THREW */
	CURFEW_GUEST_STOPPED = 4,   /* only in a session: a stop unwound the guest, and the trace is filled */
	CURFEW_GUEST_UNSETTLED = 5, /* the program waits for a promise that nothing can settle; the trace shows where */
};

/* Why the guest asks to be stopped (the argument of the import "stop"). */
enum {
	CURFEW_STOP_POLL = 0,   /* the host asked: a poll found that a stop was pending */
	CURFEW_STOP_MEMORY = 1, /* memory.grow was refused; the host has latched the cause already */
	CURFEW_STOP_TIMERS = 2,
	CURFEW_STOP_LOOPS = 3,
	CURFEW_STOP_FUEL = 4,
};

/* Indexes of the grace and of the memory limit in the control block's `limits`. */
#define CURFEW_LIMIT_GRACE 1
#define CURFEW_LIMIT_MEMORY 5
/* The maximum size of a secret. */
#define CURFEW_GUEST_SECRET_BYTES 65536
#define CURFEW_GUEST_TRACE_BYTES 16384
/* The capacity for a function's name in the trace, with its NUL. Longer names are truncated. */
#define CURFEW_GUEST_NAME_BYTES 96
#define CURFEW_GUEST_SCRATCH_BYTES 1024

/* Offsets are in guest memory. All fields are little-endian and naturally aligned. */
typedef struct curfew__control {
	/* The host writes these before an entry. */
	uint32_t input; /* the source after a line break, or the parameters' JSON; a NUL follows it */
	uint32_t input_length;
	uint32_t name; /* of the program, of the cell, or of the function to call (0: none) */
	uint32_t name_length;
	uint32_t user; /* 0: none */
	uint32_t user_length;
	uint32_t functions; /* the host functions as JSON: [[name, whether it is asynchronous, its index]...]; 0: none */
	uint32_t functions_length;
	uint32_t env; /* the environment, as a JSON object; 0: none */
	uint32_t env_length;
	uint32_t timezone; /* the zone's name; 0: UTC */
	uint32_t timezone_length;
	uint32_t files; /* the value of curfew.files, as JSON; 0: none */
	uint32_t files_length;
	uint32_t flags;             /* CURFEW_CONTROL_* */
	uint32_t stack_bytes;       /* the engine's own stack limit, counted down from the top of the shadow stack */
	int64_t time_origin_ns;     /* when the run started, on the program's monotonic clock */
	int64_t deadline_ns;        /* on the same clock; INT64_MAX: none */
	int64_t realtime_offset_us; /* wall-clock time in us = that clock / 1000 + this */
	uint64_t seed;
	uint64_t loops_left;   /* UINT64_MAX: no limit */
	uint32_t timers_limit; /* UINT32_MAX: no limit */
	uint64_t limits[10];   /* as in the report, for curfew.limits; UINT64_MAX: unlimited */

	/* The host writes these at any time, from another thread. */
	uint32_t stop;    /* 1: the next poll must stop, and so must a builtin whose host call has returned */
	uint32_t aborted; /* 0 no, 1 deadline, 2 cancelled: the state of curfew.signal within the grace */

	/* The guest writes these. */
	int64_t wake_ns;    /* when a waiting guest wants to be resumed */
	uint32_t answering; /* a poll has seen `stop`, and the entry is about to end */
	uint32_t evaluated; /* the program's top level has been evaluated */
	uint64_t polls;     /* loops and calls counted until the last refill of the interrupt counter */
	uint32_t interval;  /* the value that the interrupt counter was last filled with */
	uint32_t value;
	uint32_t value_length;
	uint32_t timers_peak;
	uint32_t error_name; /* UTF-8 without a NUL */
	uint32_t error_name_length;
	uint32_t error_message;
	uint32_t error_message_length;
	uint32_t error_trace; /* the engine's own record of where it was thrown, in lines "    at f (file:1:2)\n" */
	uint32_t error_trace_length;
	uint32_t error_details; /* JSON: { cause, errors, properties } of the thrown value; errors have the form of
	                           guest/prelude/62-errors.js */
	uint32_t error_details_length;
	uint32_t value_note; /* why there is no value, as text; length 0: there is a value, or none was expected */
	uint32_t value_note_length;
	char scratch[CURFEW_GUEST_SCRATCH_BYTES]; /* input, name and user if they fit; otherwise they are allocated */
	uint32_t trace_length;                    /* the length of `trace`, which curfew_trace fills */
	char trace[CURFEW_GUEST_TRACE_BYTES];     /* the frames that were running, in lines of the same form */
} curfew__control;

enum {
	CURFEW_CONTROL_MODULE = 1,    /* load: parse as a module, whatever the syntax */
	CURFEW_CONTROL_PARAMS = 2,    /* run: parameters were given */
	CURFEW_CONTROL_IMPORTS = 4,   /* relative imports may be requested */
	CURFEW_CONTROL_DESCRIBE = 16, /* start: do not run; the value lists what the program imports and exports */
	CURFEW_CONTROL_SESSION = 32,  /* more calls follow, so a stop unwinds */
	CURFEW_CONTROL_AGAIN = 64,    /* start: an earlier call has evaluated the program */
	CURFEW_CONTROL_TYPES = 512,   /* load: the program is TypeScript */
	CURFEW_CONTROL_NODE = 1024,   /* load: the program has Node's globals */
	CURFEW_CONTROL_MAP = 2048,    /* load: there is an import map; its name opens it */
	CURFEW_CONTROL_REACH = 4096,  /* load: also load the modules that may be imported later */
	CURFEW_CONTROL_PATH = 256,    /* load: the program's name is its path below the directory of imports */
	CURFEW_CONTROL_CELL = 128,    /* start: input is source text to evaluate; `name` is its name */
};

/* The name that opens the import map. No file can have it. */
#define CURFEW_IMPORT_MAP_NAME "\0import-map"

/* ---- Operations: work that the host does while the program continues -------------------------------------- */

/* The kinds of operation. */
enum {
	CURFEW_OPERATION_FETCH = 1,
	CURFEW_OPERATION_CALL = 2,
	CURFEW_OPERATION_INPUT = 3,
};

/* An event. The host writes it when the guest asks for the next one. */
typedef struct curfew__event_record {
	uint32_t id;
	uint32_t kind;
	uint32_t length; /* the number of its bytes; the guest takes them next, or not at all */
	uint32_t last;   /* 1: the last event of its operation */
} curfew__event_record;

/*
 * CURFEW_OPERATION_FETCH: one exchange over HTTP. The request is lines, each ended by a line break: the method, the URL
 * without its fragment, the body, and the headers, each as "name:value". The body is "-" (none), "?" (of unknown
 * length), or its length in bytes. "^" asks for a WebSocket: the body is then what is sent once the server has agreed.
 * Text is UTF-8, but a header's value has only U+0000 to U+00FF.
 */
enum {
	/* What the guest sends: */
	CURFEW_FETCH_TAKE = 1,     /* asks for one chunk of the response; not again before that has arrived */
	CURFEW_FETCH_BODY = 2,     /* a piece of the request's body; not again before CURFEW_FETCH_SENT */
	CURFEW_FETCH_BODY_END = 3, /* the body ends */
	/* What it receives: */
	CURFEW_FETCH_HEAD = 1,   /* the status, a space and its text, and the headers: lines as above */
	CURFEW_FETCH_CHUNK = 2,  /* a chunk of the response, decompressed */
	CURFEW_FETCH_SENT = 3,   /* more of the body can be sent */
	CURFEW_FETCH_END = 4,    /* the response ends; last event */
	CURFEW_FETCH_FAILED = 5, /* the reason, as text; last event */
};

/*
 * CURFEW_OPERATION_CALL: a call of an asynchronous host function. The request is its index in the list, a line break,
 * and its arguments as a JSON array. It has one event.
 */
enum {
	CURFEW_CALL_RETURNED = 1, /* the value as JSON; empty: undefined */
	CURFEW_CALL_THREW = 2,    /* the error's message */
};

/* CURFEW_OPERATION_INPUT: reads standard input. A run can start it once. The request is empty. */
enum {
	/* What the guest sends: */
	CURFEW_INPUT_TAKE = 1, /* asks for one chunk; not again before that has arrived */
	/* What it receives: */
	CURFEW_INPUT_CHUNK = 1,
	CURFEW_INPUT_END = 2,    /* last event */
	CURFEW_INPUT_FAILED = 3, /* the reason, as text; last event */
};
#define CURFEW_INPUT_CHUNK_BYTES 65536

/* ---- Files of the directories that the run was given ------------------------------------------------------- */

/* The requests. The result is 0 or what is shown after "->", or -errno with Linux's numbers. */
enum {
	CURFEW_FILE_OPEN = 1,           /* path, flags, mode -> file, and its status */
	CURFEW_FILE_CLOSE = 2,          /* file */
	CURFEW_FILE_READ = 3,           /* file, bytes, position (below 0: the current one) -> how many; 0: at the end */
	CURFEW_FILE_WRITE = 4,          /* the same */
	CURFEW_FILE_STATUS_OF_OPEN = 5, /* file */
	CURFEW_FILE_STATUS = 6,         /* path, flags */
	CURFEW_FILE_READ_DIRECTORY =
		7, /* file, 32 KiB of bytes -> bytes of some entries: type, name and a NUL; 0: no entry is left */
	CURFEW_FILE_TRUNCATE = 8,        /* file, position */
	CURFEW_FILE_SYNC = 9,            /* file */
	CURFEW_FILE_ACCESS = 10,         /* path, mode */
	CURFEW_FILE_REAL_PATH = 11,      /* path, bytes -> length */
	CURFEW_FILE_READ_LINK = 12,      /* path, bytes -> length */
	CURFEW_FILE_MAKE_DIRECTORY = 13, /* path, mode */
	CURFEW_FILE_REMOVE = 14,         /* path, flags */
	CURFEW_FILE_SET_TIMES = 15,      /* path, access_ns, modify_ns */
	CURFEW_FILE_MAKE_LINK = 16,      /* path; other: the target */
	CURFEW_FILE_RENAME = 17,         /* path, other */
	CURFEW_FILE_LINK = 18,           /* path, other */
	CURFEW_FILE_DIRECTORIES = 19,    /* bytes -> length of the directories' names, each with a NUL */
};

/* Flags of an open, added to 0 (read), 1 (write) or 2 (both). */
enum {
	CURFEW_OPEN_CREATE = 4,
	CURFEW_OPEN_EXCLUSIVE = 8,
	CURFEW_OPEN_TRUNCATE = 16,
	CURFEW_OPEN_APPEND = 32,
	CURFEW_OPEN_DIRECTORY = 64,
	CURFEW_OPEN_NO_FOLLOW = 128,
};

/* Standard input as a file: to be read, and asked for its status. */
#define CURFEW_FILE_INPUT 0xfffffffdu

/* The maximum that one call reads or writes. */
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
	uint32_t path; /* 0: none, as for the other addresses */
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

/* The maximum size of a chunk of a body, in both directions. */
#define CURFEW_FETCH_CHUNK_BYTES 65536

#endif
