/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data that outlives the server. The store knows neither a server nor its runs: it copies what is to be written,
 * and reports the result by a callback. One thread writes; requests that arrive while it writes go into its next
 * transaction together, so that thousands of runs share the cost of reaching the disk. Reading is done at once, on
 * separate connections, by any number of threads.
 */
#ifndef CURFEW_SERVER_STORE_H
#define CURFEW_SERVER_STORE_H

#include "blob.h"
#include "id.h"
#include "common/list.h"
#include "common/text.h"
#include "view.h"

typedef struct store store;

/* ---- What is in it ---------------------------------------------------------------------------------------- */

/* A submitted run. Texts are borrowed for the call. */
typedef struct stored_run {
	const char *id, *owner, *sha256;
	const char *name;                             /* of the program, in reports */
	const char *program;                          /* NULL: the source was submitted with the run */
	const char *call, *user, *allow_fetch, *wasi; /* NULL: none */
	const char *params;
	size_t params_length;
	const char *key, *body_sha256; /* NULL: without an idempotency key */
	/* NULL: it belongs to no schedule. Otherwise turn_us was the schedule's time, and next_turn_us is the next one. */
	const char *schedule;
	int64_t turn_us, next_turn_us;
	const char *hook_url, *hook_secret; /* NULL: no webhook; not signed */
	curfew_language language;
	run_state state;
	uint32_t flags;
	unsigned priority, retry, attempt;
	int64_t created_us, due_us, started_us, queue_us;
	curfew_limits limits;
	/* Set when it is read. */
	bool is_unreadable;     /* this build does not know its limits */
	const char *checkpoint; /* NULL: none */
	const char *output;     /* its output: a JSON array of its output events, or NULL */
	/* In a shared database. */
	uint64_t node;    /* the number of the node that has it; 0: none yet */
	uint64_t epoch;   /* how often it was taken; event numbers continue from there */
	unsigned cancels; /* how often its end was requested */
	bool is_watched;  /* another node shows its events */
	bool is_lost;     /* its node died while it was executed */
} stored_run;

typedef struct stored_start {
	const char *id;
	unsigned attempt;
	int64_t started_us, queue_us;
	uint64_t node; /* the number under which this server has it; 0: the database is not shared */
} stored_start;

typedef struct stored_end {
	const char *id;
	curfew_outcome outcome;
	int64_t started_us, ended_us, queue_us;
	uint64_t last_event;
	run_summary summary;
	size_t params_length;
	bool has_output; /* output was written, and is in the report now */
	uint64_t node;   /* as in stored_start */
	blob *report;    /* a reference until it is written */
} stored_end;

typedef struct stored_program {
	const char *owner; /* "": everybody's */
	const char *name;
	char sha256[SHA256_SIZE];
	curfew_language language;
	const char *kind;
	const char *exports; /* JSON; "": stored by a version that did not record them */
	uint64_t size_bytes;
	int64_t created_us, updated_us;
} stored_program;

/* Counts: UINT64_MAX means no limit. */
typedef struct stored_token {
	char id[TOKEN_ID_SIZE];
	char name[TOKEN_NAME_SIZE];
	unsigned char hash[32]; /* SHA-256 of the token */
	unsigned scopes;
	bool is_revoked; /* also set if its ceilings cannot be read */
	uint64_t running_max, queued_max, per_minute_max, programs_bytes_max;
	unsigned priority_max;
	curfew_limits ceilings;                  /* 0: none */
	int64_t created_us, expires_us, used_us; /* 0: never */
	const char *user;                        /* "": its runs name their user */
	const char *allow_fetch;                 /* "": all */
} stored_token;

/* What happens to a schedule's run if the previous one has not ended: it is skipped, begins beside it, or replaces it.
 * The values are explicit, because they are on disk. */
typedef enum schedule_overlap { OVERLAP_SKIP = 0, OVERLAP_ALLOW = 1, OVERLAP_REPLACE = 2, OVERLAPS } schedule_overlap;

/* A recurring run. Times are of the wall clock; 0: never. */
typedef struct stored_schedule {
	const char *owner, *name;
	const char *cron, *zone;
	const char *body; /* the body of each submission, as for POST /v1/runs */
	size_t body_length;
	schedule_overlap overlap;
	bool is_paused;
	int64_t created_us, updated_us;
	int64_t next_us, last_us;
	/* Set when it is read. */
	const char *last_run; /* "": none */
	bool last_goes_on;    /* the last run has not ended */
	const char *problem;  /* why there was no run the last time; "": there was one */
	uint64_t runs, skipped;
} stored_schedule;

/* A turn of a schedule without a run. */
typedef struct stored_turn {
	const char *owner, *name;
	int64_t turn_us, next_us; /* next_us 0: it has ended */
	const char *problem;
} stored_turn;

/* An attempt to report the end of a run. */
typedef struct stored_attempt {
	const char *id; /* of the run */
	hook_state state;
	unsigned attempts, status; /* attempts includes this one; status 0: no answer */
	int64_t at_us;
	int64_t wait_us;     /* until the next one, if it waits for one */
	const char *problem; /* NULL: none */
} stored_attempt;

/* ---- Opening ---------------------------------------------------------------------------------------------- */

typedef enum store_user {
	STORE_SERVER, /* creates the database if it is missing, and upgrades it to this version */
	STORE_MAKER,  /* creates it if it is missing, and leaves its version to a running server */
	STORE_VISITOR /* it must exist */
} store_user;

/*
 * Opens a database: PostgreSQL at postgres://..., or the SQLite database of the directory after sqlite: or of a plain
 * directory. NULL, and why; the message never contains the place, which may include a password.
 */
store *store_open(const char *place, store_user user, curfew_failure *failure);
/* Whether a place means PostgreSQL. If not, *directory (may be NULL) is the directory. */
bool store_is_postgres(const char *place, const char **directory);
void store_close(store *st);
/* Claims the database for this process until the store is closed. False: another server has it. */
bool store_claim(store *st, curfew_failure *failure);

/* Counts the starts of servers with this database, including this one. Call it before any write. */
uint64_t store_begin_life(store *st);

/* Sets how many ended runs are kept. */
typedef struct store_retention {
	uint64_t age_us, bytes;
} store_retention;

typedef struct store_news store_news;

/*
 * The owner of the store. All functions are called on the writing thread, which holds nothing meanwhile. Callbacks of
 * writes, collect and forget_sources are called between enter and leave.
 */
typedef struct store_listener {
	void *context;
	void (*enter)(void *context);
	void (*leave)(void *context);
	/* Adds the output and checkpoints of runs since the last time. */
	void (*collect)(void *context, store_news *into);
	/* Called before sources that no run on disk has are dropped: from now on every run must include its source. */
	void (*forget_sources)(void *context);
} store_listener;

/* Starts and ends the writing thread. Ending writes what is left. The listener is copied. */
bool store_start(store *st, const store_listener *listener, const store_retention *retention);
void store_stop(store *st);

typedef struct store_stats {
	uint64_t commits;
	uint64_t writes;
	uint64_t failures;
	uint64_t bytes; /* of the database */
	bool healthy;   /* the last commit worked, and none takes long */
	char problem[128];
} store_stats;
void store_get_stats(store *st, store_stats *stats);
/* Whether a transaction has been in progress for long: a new request would have to wait for it. */
bool store_is_stuck(store *st);

/* Keeps retention from dropping a run. Initialise it with zeros. */
typedef struct store_hold {
	curfew__link link; /* linked while it holds */
	char id[ID_SIZE];
} store_hold;

/*
 * Until the hold is released, retention of this process does not drop the run, because its report is being sent or
 * somebody waits for its end. False: the run is just being dropped, and is not held. Any thread; waits for nothing.
 */
bool store_hold_run(store *st, store_hold *hold, const char *id);
/* Also if it holds nothing. */
void store_release_run(store *st, store_hold *hold);

/* ---- Writing: copied now, done later by the thread ---------------------------------------------------------- */

/*
 * Called when a write is on disk, or when it failed and its failure is reported once. problem is NULL after success,
 * and STORE_KEY_TAKEN, as a pointer, if another run has the key.
 */
typedef void (*store_done)(void *context, const char *problem);
extern const char STORE_KEY_TAKEN[];

/* All return false when out of memory, and then do not call back. done may be NULL. */
bool store_insert_run(store *st, const stored_run *r, const char *source, size_t source_length, store_done done,
                      void *context);
bool store_start_run(store *st, const stored_start *start, store_done done, void *context);
/* A failure is reported, and the write is tried again until it succeeds. */
bool store_end_run(store *st, const stored_end *end, store_done done, void *context);

/* Makes the writing thread call collect soon. */
void store_expect_news(store *st);
/* An event of a run. Numbers and kinds (event_kind) matter in a shared database. */
typedef struct stored_event {
	uint64_t number;
	int kind;
	blob *data;
} stored_event;

/* The new events of a run, and its last checkpoint. Events and checkpoint are shared by reference. */
typedef struct stored_news {
	const char *id;
	const stored_event *events; /* [count] */
	size_t count;
	blob *checkpoint; /* NULL: none */
	bool is_watched;
} stored_news;

/* Only within collect. False: out of memory. */
bool store_add_news(store_news *into, const stored_news *news);
/* Writes it before any later request. */
bool store_write_news(store *st, const stored_news *news);

/* Writes the result of an attempt to report the end of a run. */
bool store_note_attempt(store *st, const stored_attempt *attempt);

/* Deletes a program with its source. */
bool store_put_program(store *st, const stored_program *p, const void *source, store_done done, void *context);
bool store_delete_program(store *st, const char *owner, const char *name, store_done done, void *context);
bool store_use_token(store *st, const char *id, int64_t used_us);

/* Replaces the schedule of that owner and name. The state of its runs stays. */
bool store_put_schedule(store *st, const stored_schedule *schedule, store_done done, void *context);
/* Makes a copy with its texts, in one piece of memory. NULL: out of memory. */
stored_schedule *store_copy_schedule(const stored_schedule *schedule);
bool store_delete_schedule(store *st, const char *owner, const char *name, store_done done, void *context);
/* Does nothing if the schedule was changed after it was taken. */
bool store_pass_turn(store *st, const stored_turn *turn);

/* ---- Reading: at once, on any thread ------------------------------------------------------------------------ */

typedef struct run_filter {
	const char *owner;    /* NULL: of everybody */
	const char *program;  /* NULL: any */
	const char *schedule; /* NULL: any, or none */
	const char *after;    /* NULL: from the newest */
	const char *id;       /* NULL: any; else only this one */
	int outcome;          /* -1: any */
	size_t most;
	unsigned states; /* a bit for each; 0: any. States other than done occur only in a shared database */
} run_filter;

/*
 * Shows runs that have ended (in a shared database, all runs), newest first, until show returns false. Reports are not
 * read, only their place (report_number, report_length). False: the database failed.
 */
bool store_read_runs(store *st, const run_filter *filter, bool (*show)(void *context, const run_view *view),
                     void *context);

/* A report is written and read in parts of this many bytes, so that nobody needs all of it at once. */
enum { STORE_PART_BYTES = 1 << 20, STORE_PARTS_MAX = 4096 };
#define STORE_REPORT_MAX ((size_t)STORE_PART_BYTES * STORE_PARTS_MAX)

/* Reads one part of a report, which the caller owns. NULL: it does not exist. */
blob *store_read_part(store *st, int64_t report_number, size_t part);
/* Reads a whole report. NULL: it does not exist, or out of memory. */
blob *store_read_report(store *st, int64_t report_number, size_t length);

/* Finds the id and the body's hash of the run with this key. Returns 1; 0: there is none; -1: the database failed. */
int store_find_key(store *st, const char *owner, const char *key, char id[ID_SIZE], char body_sha256[SHA256_SIZE]);

/* Which programs are shown. */
typedef struct program_filter {
	const char *owner;                    /* NULL: of all */
	const char *name;                     /* NULL: any */
	const char *after_owner, *after_name; /* only those behind this one; NULL: from the first on */
} program_filter;

/* Shows programs in the order of their owners and names, as long as show returns true. */
bool store_read_programs(store *st, const program_filter *filter, bool (*show)(void *context, const stored_program *p),
                         void *context);
/* Bytes of an owner's stored programs. UINT64_MAX: the database failed. */
uint64_t store_count_program_bytes(store *st, const char *owner);
/* Reads the bytes of a source; free them with free. NULL: it does not exist. */
void *store_read_source(store *st, const char *sha256, curfew_language language, size_t *length);

/* Shows schedules of an owner (NULL: of all), or one by name. False: the database failed. */
bool store_read_schedules(store *st, const char *owner, const char *name,
                          void (*show)(void *context, const stored_schedule *schedule), void *context);
/*
 * Takes schedules that are due, at most so many, and shows them. Nobody else gets them before STORE_TAKEN_US have
 * passed, or their turn is written (a run of theirs, or store_pass_turn). By one thread. False: the database failed.
 */
#define STORE_TAKEN_US (INT64_C(10) * 1000000)
bool store_take_schedules(store *st, size_t max, void (*show)(void *context, const stored_schedule *schedule),
                          void *context);

/*
 * The same for ended runs whose end has to be reported: at most so many in all, and so many of one owner, so that
 * nobody waits for another owner's. They are due again after STORE_TOLD_US, unless an attempt is noted before. By the
 * same thread.
 */
#define STORE_TOLD_US (INT64_C(60) * 1000000)
bool store_take_deliveries(store *st, size_t max, size_t max_each, void (*show)(void *context, const run_view *view),
                           void *context);

/* At the start: adds every run that has not ended, oldest first, until add returns false. False, and why. */
bool store_load_runs(store *st, bool (*add)(void *context, const stored_run *r), void *context,
                     curfew_failure *failure);

/* ---- Many servers on one database ---------------------------------------------------------------------------- */

/*
 * A server is a node: it has a number, and a lease that it renews. A node whose lease has expired is considered dead:
 * nothing that it writes under that number is accepted any more, and other nodes have its runs. Numbers are never
 * reused. Only the database's clock counts. Everything here except store_is_shared is for a shared database, and
 * queries it at once.
 */
bool store_is_shared(const store *st);

/* The public state of a node. */
typedef struct store_member {
	uint64_t lease_us;
	uint64_t capacity; /* runs at once */
	const char *address;
} store_member;

typedef struct stored_node {
	uint64_t number;
	const char *name, *version, *address;
	uint64_t capacity, running;
	bool is_draining, is_over;
	int64_t started_us, lease_us; /* lease_us: the rest of the lease */
} stored_node;

/* Joins under a new number, also after its last number was lost. False, and why. */
bool store_join(store *st, const store_member *member, curfew_failure *failure);
/* The number; 0: not joined, or lost. Any thread; makes no query. */
uint64_t store_node(store *st);
/* Sets what the next renewal reports to the others. */
void store_publish_load(store *st, uint64_t running, bool is_draining);
bool store_read_nodes(store *st, void (*show)(void *context, const stored_node *node), void *context);

/* The capacity of a node. */
typedef struct store_capacity {
	size_t runs;
	size_t ahead;                      /* runs that may wait here until there is capacity */
	uint64_t memory_bytes, memory_max; /* memory of all of these, and of one run */
} store_capacity;

/*
 * Takes runs whose turn it is, until take returns false. Runs that begin have the state running; runs that wait here
 * have the state before it. Tokens take turns over all nodes, and none has more concurrent runs than it may. Returns
 * their number; -1: the database failed.
 */
int store_take_runs(store *st, const store_capacity *room, bool (*take)(void *context, const stored_run *r),
                    void *context);
/* Takes runs of dead nodes that may not be repeated, to close them. Returns their number; -1: the database failed. */
int store_take_lost(store *st, bool (*take)(void *context, const stored_run *r), void *context);
/* Gives back a run that has not begun, or that may be repeated. */
bool store_give_back(store *st, const char *id, unsigned attempt, uint64_t node);
/* In how many microseconds the next delayed run is due; INT64_MAX: there is none. */
int64_t store_next_due(store *st);
/* Requests the end of a run. If it has no owner, this node gets it. take is not called if it has ended. */
bool store_cancel_run(store *st, const char *id, void (*take)(void *context, const stored_run *r), void *context);
/* Reads a run in any state without taking it, and makes its node write all of its events. */
bool store_look_at_run(store *st, const char *id, void (*show)(void *context, const stored_run *r), void *context);
/* Shows all of this node's runs, and what others request of them: id, state, attempt, node, cancels and is_watched. */
bool store_read_orders(store *st, void (*show)(void *context, const stored_run *r), void *context);

/* Whether refused runs may be in the database, until they are removed. */
bool store_has_doubts(store *st);

/* The state of a run on another node, and its events after a number. */
typedef struct store_change {
	run_view view; /* report: NULL if it is larger than one part */
	uint64_t epoch;
	curfew_outcome outcome; /* of a run that is done */
} store_change;

typedef struct store_follower {
	void *context;
	void (*on_run)(void *context, const store_change *change);
	void (*on_event)(void *context, const char *id, uint64_t number, int kind, const char *data, size_t length);
} store_follower;

/* First all runs, then their events in order. 1: there are more events, 0: no more now, -1: the database failed. */
int store_follow(store *st, const char *const *ids, const uint64_t *after, size_t count,
                 const store_follower *follower);

/* Numbers of waiting and running runs, by token. */
typedef struct store_waiting {
	const char *owner;
	uint64_t queued, scheduled, bytes, running;
	uint64_t held;        /* that wait on another node */
	uint64_t last_minute; /* accepted in the last minute, in any state */
	uint64_t nodes;       /* that there are */
} store_waiting;
bool store_count_waiting(store *st, void (*show)(void *context, const store_waiting *w), void *context);
/* Makes the runs of these owners (ids with commas between) due that wait for their time. False: the database failed. */
bool store_make_due(store *st, const char *owners);

/*
 * What a node is woken for; there may be fewer changes than reported. WORK: runs wait without an owner. LOST: a node
 * has died. ORDER: something is requested of a run of this node. CHANGE: a run that others show has changed. WAITING:
 * runs wait on another node that has no capacity for them.
 */
enum {
	STORE_NEWS_WORK = 1,
	STORE_NEWS_LOST = 2,
	STORE_NEWS_ORDER = 4,
	STORE_NEWS_CHANGE = 8,
	STORE_NEWS_WAITING = 16,
	STORE_NEWS_HEARD = 32 /* the hearer's functions were called */
};

/* Notifications with details. */
typedef struct store_hearer {
	void *context;
	void (*on_change)(void *context, const char *id);  /* a run has changed */
	void (*on_capacity)(void *context, uint64_t runs); /* another node has capacity for this many */
} store_hearer;

/* Waits for notifications, up to this time, or until the descriptor is readable. By one thread. */
unsigned store_await(store *st, int64_t max_us, int descriptor, const store_hearer *hearer);
/* Notifies the others that this node has capacity for this many; by the thread that waits for notifications. */
void store_offer_capacity(store *st, uint64_t runs);
/* Asks the others for capacity; by the thread that takes runs. */
void store_ask_for_capacity(store *st);

/* ---- Tokens and upkeep: also used by the command line -------------------------------------------------------- */

bool store_read_tokens(store *st, void (*show)(void *context, const stored_token *token), void *context,
                       curfew_failure *failure);
bool store_add_token(store *st, const stored_token *token, curfew_failure *failure);
/* Revokes by id or name; *count is the number of revoked tokens. */
bool store_revoke_token(store *st, const char *word, int *count, curfew_failure *failure);

/* What an administrator drops. */
typedef struct store_prune {
	int64_t ended_before_us; /* runs that ended before; INT64_MIN: none */
	uint64_t keep_bytes;     /* drop the oldest, until the history takes at most this; UINT64_MAX: any */
} store_prune;

typedef struct store_pruned {
	uint64_t runs;
	uint64_t bytes_before, bytes_after; /* of the database */
} store_pruned;

/* Drops ended runs, a few at a time, so that it does not block a server on the same database. False, and why. */
bool store_drop_runs(store *st, const store_prune *prune, store_pruned *pruned, curfew_failure *failure);
/* Writes a copy of the whole database to a new file, as it is at one instant. False, and why. */
bool store_back_up(store *st, const char *path, uint64_t *bytes, curfew_failure *failure);

typedef struct store_check {
	char problem[256]; /* "": the database is sound */
	uint64_t runs, waiting, programs, tokens, bytes;
	uint64_t unreadable; /* waiting runs that this version cannot read */
	uint64_t lacking;    /* waiting runs whose program is missing */
	uint64_t reportless; /* ended runs whose report is missing */
} store_check;

/* Reads the whole database. False: that was not possible, and why. */
bool store_examine(store *st, store_check *check, curfew_failure *failure);

#endif
