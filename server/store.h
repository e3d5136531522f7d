/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What outlives the server. The store knows neither a server nor its runs: what is to be written is copied into it, and
 * what became of that is told by a callback. One thread writes; what is asked of it while it writes goes into its next
 * transaction together, so that thousands of runs share the cost of reaching the disk. Reading is done at once, on
 * connections of its own, by any number of threads.
 */
#ifndef CURFEW_SERVER_STORE_H
#define CURFEW_SERVER_STORE_H

#include "blob.h"
#include "id.h"
#include "common/text.h"
#include "view.h"

typedef struct store store;

/* ---- What is in it ---------------------------------------------------------------------------------------- */

/* A run as it was asked for. Texts are borrowed for the call. */
typedef struct stored_run {
	const char *id, *owner, *sha256;
	const char *name;                             /* of the program, as reports show it */
	const char *program;                          /* NULL: the source came with it */
	const char *call, *user, *allow_fetch, *wasi; /* NULL: none */
	const char *params;
	size_t params_length;
	const char *key, *body_sha256; /* NULL: without an idempotency key */
	/* NULL: it is of no schedule. Else that schedule's time was turn_us, and the next one is next_turn_us. */
	const char *schedule;
	int64_t turn_us, next_turn_us;
	const char *hook_url, *hook_secret; /* NULL: nobody is told of its end; that is not signed */
	curfew_language language;
	run_state state;
	uint32_t flags;
	unsigned priority, retry, attempt;
	int64_t created_us, due_us, started_us, queue_us;
	curfew_limits limits;
	/* Of one that is read. */
	bool is_unreadable;     /* its limits are not known to this build */
	const char *checkpoint; /* NULL: none */
	const char *output;     /* what it had printed: a JSON array of its output events, or NULL */
	/* Of a database that many servers share. */
	uint64_t node;    /* whose it is: the number of a node, 0: nobody's yet */
	uint64_t epoch;   /* how often it was taken: its events are numbered from there */
	unsigned cancels; /* how often it was asked to end */
	bool is_watched;  /* another node shows its events */
	bool is_lost;     /* its node has died while it was carried out */
} stored_run;

typedef struct stored_start {
	const char *id;
	unsigned attempt;
	int64_t started_us, queue_us;
	uint64_t node; /* under which number this server has it; 0: the database is not shared */
} stored_start;

typedef struct stored_end {
	const char *id;
	curfew_outcome outcome;
	int64_t started_us, ended_us, queue_us;
	uint64_t last_event;
	run_summary summary;
	size_t params_length;
	bool has_output; /* some of it was written, and is in the report now */
	uint64_t node;   /* as in stored_start */
	blob *report;    /* shared until it is written */
} stored_end;

typedef struct stored_program {
	const char *owner; /* "": everybody's */
	const char *name;
	char sha256[SHA256_ROOM];
	curfew_language language;
	const char *kind;
	const char *exports; /* JSON; "": stored by a version that did not know them */
	uint64_t size_bytes;
	int64_t created_us, updated_us;
} stored_program;

/* Counts: UINT64_MAX for any number. */
typedef struct stored_token {
	char id[TOKEN_ID_ROOM];
	char name[TOKEN_NAME_ROOM];
	unsigned char hash[32]; /* SHA-256 of the token */
	unsigned scopes;
	bool is_revoked; /* also where its ceilings cannot be read */
	uint64_t running_max, queued_max, per_minute_max, programs_bytes_max;
	unsigned priority_max;
	curfew_limits ceilings;                  /* 0: none */
	int64_t created_us, expires_us, used_us; /* 0: never */
	const char *user;                        /* "": of whom its runs say */
	const char *allow_fetch;                 /* "": all */
} stored_token;

/* What becomes of a schedule's run when the one before it has not ended: it is left out, begins beside it, or takes its
 * place. Explicit, since it is on disk. */
typedef enum schedule_overlap { OVERLAP_SKIP = 0, OVERLAP_ALLOW = 1, OVERLAP_REPLACE = 2, OVERLAPS } schedule_overlap;

/* A run that is submitted again and again. Times are of the wall clock; 0: never. */
typedef struct stored_schedule {
	const char *owner, *name;
	const char *cron, *zone;
	const char *body; /* what is submitted each time, as POST /v1/runs takes it */
	size_t body_length;
	schedule_overlap overlap;
	bool is_paused;
	int64_t created_us, updated_us;
	int64_t next_us, last_us;
	/* Of one that is read. */
	const char *last_run; /* "": none */
	bool last_goes_on;    /* that run has not ended */
	const char *problem;  /* why there was no run the last time; "": there was */
	uint64_t runs, skipped;
} stored_schedule;

/* A time of a schedule that had no run. */
typedef struct stored_turn {
	const char *owner, *name;
	int64_t turn_us, next_us; /* next_us 0: it has ended */
	const char *problem;
} stored_turn;

/* An attempt to tell of a run's end. */
typedef struct stored_attempt {
	const char *id; /* of the run */
	hook_state state;
	unsigned attempts, status; /* attempts: this one included; status 0: no answer */
	int64_t at_us;
	int64_t wait_us;     /* until the next one, if it waits for one */
	const char *problem; /* NULL: none */
} stored_attempt;

/* ---- Opening ---------------------------------------------------------------------------------------------- */

typedef enum store_user {
	STORE_SERVER, /* makes the database if it is missing, and brings it to this version */
	STORE_MAKER,  /* makes it if it is missing, and leaves its version to a server that runs */
	STORE_VISITOR /* it must be there */
} store_user;

/*
 * Opens a database: PostgreSQL's at postgres://..., or the SQLite database of the folder behind sqlite: or of a folder
 * alone. NULL, and why; never with the place, which may hold a password.
 */
store *store_open(const char *place, store_user user, curfew_failure *failure);
/* Whether a place is of PostgreSQL; *folder (may be NULL): else the folder. */
bool store_is_postgres(const char *place, const char **folder);
void store_close(store *st);
/* Holds the database for this process until the store is closed; false: another server has it. */
bool store_claim(store *st, curfew_failure *failure);

/* How often a server was started with it, this time included: the number of its life. Before it writes. */
uint64_t store_begin_life(store *st);

/* What is kept of runs that have ended. */
typedef struct store_retention {
	uint64_t age_us, bytes;
} store_retention;

typedef struct store_news store_news;

/*
 * Whom the store serves. All are called on the writing thread, which holds nothing meanwhile. Callbacks of writes come
 * between enter and leave, and so do collect and forget_sources.
 */
typedef struct store_listener {
	void *context;
	void (*enter)(void *context);
	void (*leave)(void *context);
	/* Adds what runs have printed and noted since the last time. */
	void (*collect)(void *context, store_news *into);
	/* Sources that no run on disk has are about to be dropped: from now on every run brings its own. */
	void (*forget_sources)(void *context);
} store_listener;

/* Starts and ends the writing thread; ending writes what is left. The listener is copied. */
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
/* Whether a transaction has been under way for long: what is asked for now would wait behind it. */
bool store_is_stuck(store *st);

/* ---- Writing: copied now, done later by the thread ---------------------------------------------------------- */

/*
 * A write is on disk, or failed and its failure is told once. problem is NULL after success; STORE_KEY_TAKEN, as a
 * pointer, where another run has the key.
 */
typedef void (*store_done)(void *context, const char *problem);
extern const char STORE_KEY_TAKEN[];

/* All return false when out of memory, and then call nothing back. done may be NULL. */
bool store_insert_run(store *st, const stored_run *r, const char *source, size_t source_length, store_done done,
                      void *context);
bool store_start_run(store *st, const stored_start *start, store_done done, void *context);
/* A failed one is told, and tried again until it works. */
bool store_end_run(store *st, const stored_end *end, store_done done, void *context);

/* Has collect called soon. */
void store_expect_news(store *st);
/* An event of a run. The numbers and kinds (event_kind) count where a database is shared. */
typedef struct stored_event {
	uint64_t number;
	int kind;
	blob *data;
} stored_event;

/* What a run has had since the last time, and its last checkpoint. Events and checkpoint are shared. */
typedef struct stored_news {
	const char *id;
	const stored_event *events; /* [count] */
	size_t count;
	blob *checkpoint; /* NULL: none */
	bool is_watched;
} stored_news;

/* Within collect. False: out of memory. */
bool store_add_news(store_news *into, const stored_news *news);
/* At once, before what is asked for after it. */
bool store_write_news(store *st, const stored_news *news);

/* What became of telling of a run's end. */
bool store_note_attempt(store *st, const stored_attempt *attempt);

/* The program's source goes with it. */
bool store_put_program(store *st, const stored_program *p, const void *source, store_done done, void *context);
bool store_delete_program(store *st, const char *owner, const char *name, store_done done, void *context);
bool store_use_token(store *st, const char *id, int64_t used_us);

/* In place of the one of that owner and name; what became of its runs stays. */
bool store_put_schedule(store *st, const stored_schedule *schedule, store_done done, void *context);
/* A copy with its texts, in one piece of memory; NULL: out of memory. */
stored_schedule *store_copy_schedule(const stored_schedule *schedule);
bool store_delete_schedule(store *st, const char *owner, const char *name, store_done done, void *context);
/* Nothing happens where the schedule was changed since it was taken. */
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
	unsigned states; /* a bit for each; 0: any. Others than done are there only where the database is shared */
} run_filter;

/*
 * Shows runs that have ended, and of a shared database all, newest first, until show returns false; their reports are
 * not read, but where they are (report_number, report_length). False: the database failed.
 */
bool store_read_runs(store *st, const run_filter *filter, bool (*show)(void *context, const run_view *view),
                     void *context);

/* A report is written and read in parts of so many bytes, so that nobody needs all of it at once. */
enum { STORE_PART_BYTES = 1 << 20, STORE_PARTS_MAX = 4096 };
#define STORE_REPORT_MAX ((size_t)STORE_PART_BYTES * STORE_PARTS_MAX)

/* One part of a report, owned by the caller; NULL: it is not there. */
blob *store_read_part(store *st, int64_t report_number, size_t part);
/* All of a report; NULL: it is not there, or out of memory. */
blob *store_read_report(store *st, int64_t report_number, size_t length);

/* The id and the hash of the body of the run with this key: 1; 0: there is none; -1: the database failed. */
int store_find_key(store *st, const char *owner, const char *key, char id[ID_ROOM], char body_sha256[SHA256_ROOM]);

/* Shows programs of an owner (NULL: of all), or one by name. */
bool store_read_programs(store *st, const char *owner, const char *name,
                         void (*show)(void *context, const stored_program *p), void *context);
/* Bytes of the programs that an owner has stored; UINT64_MAX: the database failed. */
uint64_t store_count_program_bytes(store *st, const char *owner);
/* The bytes of a source; free with free. NULL: it is not there. */
void *store_read_source(store *st, const char *sha256, curfew_language language, size_t *length);

/* Shows schedules of an owner (NULL: of all), or one by name. False: the database failed. */
bool store_read_schedules(store *st, const char *owner, const char *name,
                          void (*show)(void *context, const stored_schedule *schedule), void *context);
/*
 * Takes schedules whose time has come, at most so many, and shows them: whoever else asks is not given them before
 * STORE_TAKEN_US have passed, or their turn is written (a run of theirs, or store_pass_turn). By one thread. False: the
 * database failed.
 */
#define STORE_TAKEN_US (INT64_C(10) * 1000000)
bool store_take_schedules(store *st, size_t max, void (*show)(void *context, const stored_schedule *schedule),
                          void *context);

/*
 * The same for runs that have ended and whose end is to be told: at most so many in all, and of one owner, so that
 * nobody waits for another one's. They are due again after STORE_TOLD_US, unless an attempt is noted before. By the
 * same thread.
 */
#define STORE_TOLD_US (INT64_C(60) * 1000000)
bool store_take_deliveries(store *st, size_t max, size_t max_each, void (*show)(void *context, const run_view *view),
                           void *context);

/* At the start: every run that has not ended, oldest first, until add returns false. False, and why. */
bool store_load_runs(store *st, bool (*add)(void *context, const stored_run *r), void *context,
                     curfew_failure *failure);

/* ---- Many servers on one database ---------------------------------------------------------------------------- */

/*
 * A server is a node: it has a number, and a lease that it renews. One whose lease has ended was thought dead: nothing
 * that it wrote under that number is written any more, and its runs are others'. Numbers are never used again. Only the
 * database's clock counts. All but store_is_shared are for a shared database; they ask it at once.
 */
bool store_is_shared(const store *st);

/* What others see of a node. */
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
	int64_t started_us, lease_us; /* lease_us: how long it still lasts */
} stored_node;

/* Joins, under a new number, also after its last one was lost. False, and why. */
bool store_join(store *st, const store_member *member, curfew_failure *failure);
/* The number; 0: not joined, or lost. Any thread, asks nothing. */
uint64_t store_node(store *st);
/* What the next renewal tells the others. */
void store_tell_load(store *st, uint64_t running, bool is_draining);
bool store_read_nodes(store *st, void (*show)(void *context, const stored_node *node), void *context);

/* What a node has room for. */
typedef struct store_room {
	size_t runs;
	size_t ahead;                      /* that wait here until there is */
	uint64_t memory_bytes, memory_max; /* of all of these, of one run */
} store_room;

/*
 * Takes runs whose turn it is, until take returns false: those that are begun have the state of that, those that are to
 * wait here the one before. Turns go round the tokens, over all nodes, and none has more at once than it may. The
 * number of them; -1: the database failed.
 */
int store_take_runs(store *st, const store_room *room, bool (*take)(void *context, const stored_run *r), void *context);
/* Takes those of nodes that are over which are not to be carried out again, to be closed. The number; -1: failed. */
int store_take_lost(store *st, bool (*take)(void *context, const stored_run *r), void *context);
/* Gives back one that was not begun, or that may be carried out again. */
bool store_give_back(store *st, const char *id, unsigned attempt, uint64_t node);
/* In how many microseconds the next delayed run is due; INT64_MAX: there is none. */
int64_t store_next_due(store *st);
/* Asks for the end of a run; one that nobody has is this node's then. take is not called where it has ended. */
bool store_cancel_run(store *st, const char *id, void (*take)(void *context, const stored_run *r), void *context);
/* One run whatever its state, not to be taken; has its node write all of its events. */
bool store_look_at_run(store *st, const char *id, void (*show)(void *context, const stored_run *r), void *context);
/* All of this node's runs, and what others ask of them: shows id, state, attempt, node, cancels and is_watched. */
bool store_read_orders(store *st, void (*show)(void *context, const stored_run *r), void *context);

/* Whether runs may be there that were refused, until they are taken out. */
bool store_has_doubts(store *st);

/* What has become of a run that others carry out, and its events after one number. */
typedef struct store_change {
	run_view view; /* report: NULL where it is larger than one part */
	uint64_t epoch;
	curfew_outcome outcome; /* of one that is done */
} store_change;

typedef struct store_follower {
	void *context;
	void (*on_run)(void *context, const store_change *change);
	void (*on_event)(void *context, const char *id, uint64_t number, int kind, const char *data, size_t length);
} store_follower;

/* First all runs, then their events in order. 1: there are more events, 0: no more now, -1: the database failed. */
int store_follow(store *st, const char *const *ids, const uint64_t *after, size_t count,
                 const store_follower *follower);

/* How many wait and are carried out, by token. */
typedef struct store_waiting {
	const char *owner;
	uint64_t queued, scheduled, bytes, running;
	uint64_t held;        /* that wait on another node */
	uint64_t last_minute; /* accepted in it, in whatever state */
	uint64_t nodes;       /* that there are */
} store_waiting;
bool store_count_waiting(store *st, void (*show)(void *context, const store_waiting *w), void *context);

/*
 * What one is woken for; more may be said than has happened. WORK: runs wait that nobody has. LOST: a node is over.
 * ORDER: something is asked of a run of this node. CHANGE: any run that others show has changed. WAITING: another node
 * has runs that it has no room for.
 */
enum {
	STORE_NEWS_WORK = 1,
	STORE_NEWS_LOST = 2,
	STORE_NEWS_ORDER = 4,
	STORE_NEWS_CHANGE = 8,
	STORE_NEWS_WAITING = 16,
	STORE_NEWS_HEARD = 32 /* the hearer was told */
};

/* What others tell more of. */
typedef struct store_hearer {
	void *context;
	void (*on_change)(void *context, const char *id); /* this run has changed */
	void (*on_room)(void *context, uint64_t runs);    /* another node has room for so many */
} store_hearer;

/* Waits for others, for as long, or until something can be read from the descriptor. By one thread. */
unsigned store_await(store *st, int64_t most_us, int descriptor, const store_hearer *hearer);
/* Tells the others that this node has room for so many; by the thread that waits for them. */
void store_offer_room(store *st, uint64_t runs);
/* Asks the others whether they have; by the thread that takes runs. */
void store_ask_for_room(store *st);

/* ---- Tokens and upkeep: also used by the command line -------------------------------------------------------- */

bool store_read_tokens(store *st, void (*show)(void *context, const stored_token *token), void *context,
                       curfew_failure *failure);
bool store_add_token(store *st, const stored_token *token, curfew_failure *failure);
/* By id or name; *count tells how many were revoked. */
bool store_revoke_token(store *st, const char *word, int *count, curfew_failure *failure);

/* What is dropped by hand. */
typedef struct store_prune {
	int64_t ended_before_us; /* runs that ended before; INT64_MIN: none */
	uint64_t keep_bytes;     /* the oldest, until the history takes no more; UINT64_MAX: any */
} store_prune;

typedef struct store_pruned {
	uint64_t runs;
	uint64_t bytes_before, bytes_after; /* of the database */
} store_pruned;

/* Drops ended runs, a few at a time, so that a server on the same database is not held up. False, and why. */
bool store_drop_runs(store *st, const store_prune *prune, store_pruned *pruned, curfew_failure *failure);
/* Writes a copy of the whole database to a new file, as it is at one instant. False, and why. */
bool store_back_up(store *st, const char *path, uint64_t *bytes, curfew_failure *failure);

typedef struct store_check {
	char problem[256]; /* "": the database is sound */
	uint64_t runs, waiting, programs, tokens, bytes;
	uint64_t unreadable; /* runs that wait and that this version cannot read */
	uint64_t lacking;    /* runs that wait and whose program is not there */
	uint64_t reportless; /* ended runs whose report is not there */
} store_check;

/* Reads all of it. False: that was not possible, and why. */
bool store_examine(store *st, store_check *check, curfew_failure *failure);

#endif
