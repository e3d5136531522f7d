/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of commands and options, which drive the parser (arguments.c), help, man page and completion. */
#include "options.h"

#include "masks.h"

#include <stdio.h>
#include <string.h>

const cli_command cli_commands[CLI_COMMANDS] = {
	[CLI_RUN] = {"run", "[options] PROGRAM [ARG...]", "run a program under limits",
                 "Runs an untrusted program, stops it at its limits and reports what happened. PROGRAM is\n"
                 "JavaScript (.js .mjs .cjs), TypeScript (.ts .mts .cts: its types are stripped),\n"
                 "WebAssembly (.wasm: core module or component; .wat: text), a directory (package.json's\n"
                 "main, or index.js), a tar archive of one (.tar), an image that curfew compile made, or -\n"
                 "for standard input (with --lang). -e CODE takes its place. JavaScript gets each ARG as\n"
                 "a string, as if by --params; a WASI program gets it as an argument. ARGs begin with the\n"
                 "first argument after PROGRAM that is not an option, or after --. If the first line of a\n"
                 "file is #!/usr/bin/env -S curfew run --, all its arguments are ARGs."},
	[CLI_COMPILE] = {"compile", "[options] PROGRAM [-o FILE]", "write a program's image, for run to start from",
                     "Parses a program once, under limits, and writes it as an image that curfew run starts\n"
                     "from without parsing or compiling. An image belongs to the build of curfew that made\n"
                     "it. By default the program has 10 minutes, and to compile WebAssembly 8 GiB of memory;\n"
                     "--timeout and --memory change that."},
	[CLI_INSPECT] = {"inspect", "[options] PROGRAM", "show what a program imports, exports and needs",
                     "Loads a program, under limits, without running any of it, and prints its kind, size and\n"
                     "hash, the memory it needs, whether it uses WASI, and what it imports and exports, with\n"
                     "types. PROGRAM is as for curfew run; it may also be an image. The exports of a\n"
                     "JavaScript script are known only when it runs."},
	[CLI_CALIBRATE] = {"calibrate", "[--kept] [--json]", "measure how much fuel a millisecond is here",
                       "Measures, in about two seconds, how much fuel programs of different kinds use in a\n"
                       "millisecond of CPU time on this machine, prints it, and keeps it in\n"
                       "~/.cache/curfew/calibration.json ($XDG_CACHE_HOME). --fuel 250ms then means so much\n"
                       "work: for JavaScript by its figure, for WebAssembly by the geometric mean of the\n"
                       "others. If nothing is kept, or only the result of another machine or version, --fuel\n"
                       "with a duration measures first."},
	[CLI_BENCH] = {"bench", "[options] PROGRAM [-- ARG...]", "repeat a program and print how long it takes",
                   "Repeats a program and prints the distribution of wall-clock time, start, CPU time,\n"
                   "fuel and memory. The program is parsed once; each run is isolated and starts fresh\n"
                   "from its image."},
	[CLI_SECRET] = {"secret", "set|list|remove|key [options] [NAME|FILE]", "keep secrets of users, for runs to ask for",
                    "set reads the value of NAME from standard input, without a line break at its end; on\n"
                    "a terminal it asks for the value. list prints the names of the user's secrets, remove\n"
                    "deletes one. Values are encrypted in the file of --secrets. Its key is 64 hexadecimal\n"
                    "digits in CURFEW_SECRETS_KEY, or in the file that --secrets-key or\n"
                    "CURFEW_SECRETS_KEY_FILE names. key writes a new key to FILE.",
                    "set list remove key"},
	[CLI_SERVE] = {"serve", "[options]", "serve runs over HTTP",
                   "Serves the HTTP interface that /openapi.json describes, and a console at /. Runs are\n"
                   "executed in confined processes; accepted runs are on disk, and survive the server.\n"
                   "SIGTERM, SIGINT and SIGQUIT shut it down in order. Each option may also be a line\n"
                   "\"name = value\" in the file of --config; the command line takes precedence."},
	[CLI_TOKEN] = {"token", "create | list | revoke ID [options]", "make, list and revoke access tokens of a server",
                   "create prints a new token, once; only its hash is kept. A token sees only its own runs.\n"
                   "With --scopes admin it sees all, and everybody may run the programs that it stores.\n"
                   "The limits are ceilings for the runs of the token. As soon as there is a token,\n"
                   "requests need one. revoke takes an id or a name; it takes effect within a second.",
                   "create list revoke"},
	[CLI_ADMIN] = {"admin", "prune | backup FILE | check [options]", "maintain a server's database",
                   "prune deletes runs that have ended: those older than --older-than, and the oldest until\n"
                   "the history takes at most --keep. backup writes a copy of the database, as it is at one\n"
                   "instant, to a new FILE. check reads all of it; exit 1 if it is damaged, or a run cannot be\n"
                   "executed or shown. All of them work while a server uses the database.",
                   "prune backup check"},
	[CLI_DOCTOR] = {"doctor", "[--json]", "show what this system offers",
                    "Shows what confines a worker process on this system, for --isolate process and serve,\n"
                    "and what makes runs faster or stops earlier. Starts a worker to find out. Exit 0,\n"
                    "whatever is missing."},
	[CLI_SUBMIT] = {"submit", "[options] FILE|--program NAME [-- ARG...]", "have a server run a program",
                    "Submits a program to a curfew serve, and prints the run's id. FILE is as for curfew run,\n"
                    "also a directory, or - for standard input (with --lang). Its imports, packages in\n"
                    "node_modules included, are sent along as one bundle: to find them the program is loaded\n"
                    "here, and nothing of it runs. --program names one that the server stores (curfew\n"
                    "programs). JavaScript gets each ARG as a string, as if by --params; a WASI program gets\n"
                    "it as an argument. With --wait it continues as curfew run does: it passes on output,\n"
                    "reports a stop, and its exit code is the run's. SIGINT cancels the run; a second one\n"
                    "ends the command. If the server is full, it tries again for 30 seconds."},
	[CLI_PS] = {"ps", "[options]", "list a server's runs",
                "Lists the runs of a server, newest first: those that wait or run, and with --all also those\n"
                "that have ended. A run that has ended shows its outcome in place of its state. TIME is how\n"
                "long it has run, AGE how long ago it was submitted."},
	[CLI_LOGS] = {"logs", "[options] ID", "print the output of a server's run",
                  "Prints what a run has written so far, its stdout to stdout and its stderr to stderr. With -f\n"
                  "it continues until the run has ended, even if the connection is lost meanwhile or the\n"
                  "server restarts (for up to 60 seconds). The exit code is 0, whatever the outcome of the run."},
	[CLI_CANCEL] = {"cancel", "[options] ID...", "cancel runs of a server",
                    "Cancels runs and waits for their end, which comes at once or after their grace; cancelling\n"
                    "again skips the grace. If a run had ended before, that is printed; it is not an error."},
	[CLI_PROGRAMS] = {"programs", "[list | put NAME FILE | get NAME | remove NAME...] [options]",
                      "list and store a server's programs",
                      "list prints the programs that the server stores and this token may run. put stores a FILE\n"
                      "or directory, and its imports, under a name for curfew submit --program NAME; the server\n"
                      "loads it first, and refuses it if that fails. get prints what is known of one; remove deletes\n"
                      "programs. Without a subcommand, curfew programs lists them.",
                      "list put get remove"},
	[CLI_SCHEDULES] =
		{"schedules", "[list | get NAME | pause NAME... | resume NAME... | remove NAME...]",
         "list, pause and end a server's schedules",
         "A schedule submits a run again and again; curfew submit --schedule makes one. list prints\n"
         "those of the token, with the time of the next run; get also shows the outcome of the last one.\n"
         "A paused schedule has no runs until it is resumed. remove deletes schedules; runs that have\n"
         "begun continue. Without a subcommand, curfew schedules lists them.",
         "list get pause resume remove"},
	[CLI_REPL] = {"repl", "[options]", "evaluate JavaScript line by line",
                  "Evaluates what is typed, or piped in, as the cells of one session: a cell sees what earlier\n"
                  "ones declared, may await, and prints its value as JSON. Each cell has the limits given here;\n"
                  "memory and stack are those of all cells together. A cell that is stopped leaves the state as\n"
                  "it is, or loses it, which is then reported. SIGINT cancels a cell. .help lists what else there\n"
                  "is. Imports are read from the current directory."},
	[CLI_MCP] = {"mcp", "[options]", "serve a tool that runs programs to an AI client",
                 "Serves the Model Context Protocol on standard input and output, for clients that start it. Its\n"
                 "tool run executes the JavaScript, TypeScript or WebAssembly text that it is called with, in\n"
                 "fresh memory each time. The limits and grants given here are those of each call, which may\n"
                 "ask for less, and not for more. Calls proceed at the same time, and can be cancelled."},
	[CLI_HELP] = {"help", "[COMMAND]", "explain a command", ""},
};

static const cli_option static_options[] = {
	{.id = CLI_OPTION_CALL,
     .name = "call",
     .argument = "NAME",
     .commands = RUN | BENCH | SUBMIT,
     .meaning = "exported or global function to call; a default-exported function is called anyway"},
	{.id = CLI_OPTION_PARAMS,
     .name = "params",
     .argument = "JSON|@FILE|-",
     .commands = RUN | BENCH | SUBMIT,
     .default_text = "[]",
     .meaning = "JSON array: the call's arguments, and curfew.params; from FILE, or - from standard input"},
	{.id = CLI_OPTION_LANG,
     .name = "lang",
     .argument = "LANG",
     .values = "js ts wasm wat tar",
     .commands = LIMITED,
     .meaning = "language of PROGRAM: js, ts, wasm, wat or tar (a bundle); needed if PROGRAM is -"},
	{.id = CLI_OPTION_LANG,
     .name = "lang",
     .argument = "LANG",
     .values = "js mjs ts mts wasm wat tar",
     .commands = SUBMIT | PROGRAMS,
     .meaning = "language of FILE: js, mjs, ts, mts, wasm, wat or tar (a bundle); needed if FILE is -"},
	{.id = CLI_OPTION_DIR,
     .name = "dir",
     .argument = "HOST::GUEST[:ro|:rw]",
     .commands = RUN | BENCH | SERVING,
     .repeatable = true,
     .meaning = "a directory that the program may read, under the name GUEST (WASI, node:fs); :rw lets it write"},
	{.id = CLI_OPTION_ALLOW_ENV,
     .name = "allow-env",
     .argument = "NAME",
     .commands = RUN | BENCH | SERVING,
     .repeatable = true,
     .meaning = "a variable of curfew's own environment that the program gets too"},
	{.id = CLI_OPTION_ENV,
     .name = "env",
     .argument = "NAME=VALUE",
     .commands = RUN | BENCH | SUBMIT | SERVING,
     .repeatable = true,
     .meaning = "an environment variable: curfew.env, or a WASI program's"},
	{.id = CLI_OPTION_FILE,
     .name = "file",
     .argument = "[NAME=]PATH",
     .commands = RUN | SUBMIT,
     .repeatable = true,
     .meaning =
         "a file that JavaScript sees as curfew.files[NAME], WASI as /NAME; its own name by default; 16 MiB together"},
	{.id = CLI_OPTION_STDIN,
     .name = "stdin",
     .argument = "FILE",
     .commands = SUBMIT,
     .meaning = "the program's standard input, - is curfew's own; by default empty; at most 16 MiB"},
	{.id = CLI_OPTION_EVAL,
     .name = "eval",
     .letter = 'e',
     .argument = "CODE",
     .commands = RUN,
     .meaning = "run this text in place of a PROGRAM; imports are read from the current directory"},
	{.id = CLI_OPTION_IMPORT_DIR,
     .name = "import-dir",
     .argument = "DIR",
     .commands = LIMITED | SUBMIT | PROGRAMS | REPL,
     .meaning = "directory that imports may read and that contains PROGRAM; by default the directory of PROGRAM"},
	{.id = CLI_OPTION_IMPORT_MAP,
     .name = "import-map",
     .argument = "FILE",
     .commands = LIMITED | SUBMIT | PROGRAMS | REPL,
     .meaning = "an import map (JSON: imports, scopes) that says which file or module an import means"},
	{.id = CLI_OPTION_NODE,
     .name = "node",
     .commands = LIMITED | SUBMIT | PROGRAMS | SERVING,
     .meaning = "give JavaScript the globals of Node's: process, Buffer, global, setImmediate"},
	{.id = CLI_OPTION_OUT,
     .name = "out",
     .letter = 'o',
     .argument = "FILE",
     .commands = COMPILE,
     .meaning = "where the image goes; by default PROGRAM with the ending .curfew"},
	{.id = CLI_OPTION_RUNS,
     .name = "runs",
     .argument = "N",
     .commands = BENCH,
     .default_text = "100",
     .meaning = "how often to run it"},
	{.id = CLI_OPTION_WARM,
     .name = "warm",
     .commands = BENCH,
     .meaning = "first run it several times without measuring, so that caches are warm"},
	{.id = CLI_OPTION_VS,
     .name = "vs",
     .argument = "OTHER",
     .commands = BENCH,
     .meaning = "a second program, run in turns with the first"},
	{.id = CLI_OPTION_ISOLATE,
     .name = "isolate",
     .argument = "KIND",
     .values = "none process",
     .commands = RUN,
     .default_text = "none",
     .meaning = "process: run it in a confined process of its own"},
	{.id = CLI_OPTION_HUGEPAGES,
     .name = "hugepages",
     .commands = RUN | BENCH,
     .meaning = "faster first touch of much memory, in pages of 2 MiB; a stop may be some milliseconds later"},
	{.id = CLI_OPTION_DETERMINISTIC,
     .name = "deterministic",
     .commands = RUN | BENCH | SUBMIT | SERVING,
     .meaning = "fixed clock, seeded random: the same run every time"},
	{.id = CLI_OPTION_TIMEZONE,
     .name = "timezone",
     .argument = "NAME",
     .commands = RUN | SUBMIT | SERVING,
     .meaning = "the time zone of Date and Intl, such as Europe/Berlin; by default UTC"},
	{.id = CLI_OPTION_USER,
     .name = "user",
     .argument = "ID",
     .commands = RUN | BENCH | SECRET | SERVING,
     .meaning = "the user: curfew.user, and the owner of the secrets"},
	{.id = CLI_OPTION_USER,
     .name = "user",
     .argument = "ID",
     .commands = SUBMIT,
     .meaning = "the user: curfew.user; users take turns in the server's queue"},
	{.id = CLI_OPTION_SECRET,
     .name = "secret",
     .argument = "NAME=VALUE",
     .commands = RUN | BENCH | SERVING,
     .repeatable = true,
     .meaning = "a secret for secrets.get; others may see it in the argument list, so keep it with curfew secret"},
	{.id = CLI_OPTION_SECRET_FOR,
     .name = "secret-for",
     .argument = "HOST:HEADER=TEMPLATE",
     .commands = RUN | SUBMIT | SERVING,
     .repeatable = true,
     .meaning = "put secrets into a header of requests to HOST, {NAME} in TEMPLATE; the program sees a placeholder"},
	{.id = CLI_OPTION_SECRETS,
     .name = "secrets",
     .argument = "FILE",
     .commands = RUN | BENCH | SERVING,
     .meaning = "the user's secrets, as curfew secret keeps them, for secrets.get"},
	{.id = CLI_OPTION_SECRETS,
     .name = "secrets",
     .argument = "FILE",
     .commands = SECRET,
     .meaning = "where secrets are kept; by default ~/.local/state/curfew/secrets.db"},
	{.id = CLI_OPTION_SECRETS_KEY,
     .name = "secrets-key",
     .argument = "FILE",
     .commands = RUN | BENCH | SECRET | SERVING,
     .meaning = "the key of that file; by default from CURFEW_SECRETS_KEY or CURFEW_SECRETS_KEY_FILE"},
	{.id = CLI_OPTION_ALLOW_FETCH,
     .name = "allow-fetch",
     .argument = "HOST",
     .commands = RUN | SUBMIT | SERVING,
     .repeatable = true,
     .meaning = "let fetch and wasi:http reach HOST (ports 80 and 443), HOST:PORT or *.DOMAIN"},
	{.id = CLI_OPTION_PRINT, .name = "print", .commands = RUN, .meaning = "print the value as JSON on stdout"},
	{.id = CLI_OPTION_PROGRAM,
     .name = "program",
     .argument = "NAME",
     .commands = SUBMIT,
     .meaning = "run the program that the server stores under this name"},
	{.id = CLI_OPTION_PROGRAM,
     .name = "program",
     .argument = "NAME",
     .commands = PS,
     .meaning = "only runs of the stored program of this name"},
	{.id = CLI_OPTION_WAIT,
     .name = "wait",
     .letter = 'w',
     .commands = SUBMIT,
     .meaning = "wait for the end, and pass output on as curfew run does"},
	{.id = CLI_OPTION_PRINT,
     .name = "print",
     .commands = SUBMIT,
     .meaning = "with --wait: print the value as JSON on stdout"},
	{.id = CLI_OPTION_DELAY,
     .name = "delay",
     .argument = "DUR",
     .commands = SUBMIT,
     .meaning = "start it after this time; at most 8784h"},
	{.id = CLI_OPTION_SCHEDULE,
     .name = "schedule",
     .argument = "CRON",
     .commands = SUBMIT,
     .meaning = "run it again and again: minute, hour, day, month and weekday, such as \"0 3 * * mon-fri\", or @daily"},
	{.id = CLI_OPTION_ZONE,
     .name = "zone",
     .argument = "NAME",
     .commands = SUBMIT,
     .default_text = "UTC",
     .meaning = "the time zone of --schedule, such as Europe/Berlin"},
	{.id = CLI_OPTION_OVERLAP,
     .name = "overlap",
     .argument = "HOW",
     .commands = SUBMIT,
     .values = "skip allow replace",
     .default_text = "skip",
     .meaning = "with --schedule, if the previous run has not ended: skip this one, run both, or cancel that one"},
	{.id = CLI_OPTION_NAME,
     .name = "name",
     .argument = "NAME",
     .commands = SUBMIT,
     .meaning = "the name of the schedule, which replaces one of that name; by default the server chooses it"},
	{.id = CLI_OPTION_WEBHOOK,
     .name = "webhook",
     .argument = "URL",
     .commands = SUBMIT,
     .meaning = "where the server reports the end of the run; the server must allow the host"},
	{.id = CLI_OPTION_WEBHOOK_SECRET,
     .name = "webhook-secret",
     .argument = "NAME",
     .commands = SUBMIT,
     .meaning = "the secret of the user that signs what is sent to --webhook"},
	{.id = CLI_OPTION_PRIORITY,
     .name = "priority",
     .argument = "0-9",
     .commands = SUBMIT,
     .default_text = "5",
     .meaning = "higher ones start first"},
	{.id = CLI_OPTION_RETRY,
     .name = "retry",
     .argument = "0-10",
     .commands = SUBMIT,
     .default_text = "0",
     .meaning = "how often to run it again if its worker or the server dies"},
	{.id = CLI_OPTION_NOT_DURABLE,
     .name = "not-durable",
     .commands = SUBMIT,
     .meaning = "do not write it to the server's disk: accepted sooner, and lost with the server"},
	{.id = CLI_OPTION_IDEMPOTENCY_KEY,
     .name = "idempotency-key",
     .argument = "KEY",
     .commands = SUBMIT,
     .meaning = "submitting again with the same key leads to the same run; by default a new key each time"},
	{.id = CLI_OPTION_ALL, .name = "all", .letter = 'a', .commands = PS, .meaning = "also runs that have ended"},
	{.id = CLI_OPTION_STATE,
     .name = "state",
     .argument = "STATE",
     .commands = PS,
     .values = "scheduled queued running stopping done",
     .meaning = "only runs in this state"},
	{.id = CLI_OPTION_MAX,
     .name = "limit",
     .letter = 'n',
     .argument = "N",
     .commands = PS,
     .default_text = "50",
     .meaning = "at most this many; \"unlimited\" lists all"},
	{.id = CLI_OPTION_FOLLOW,
     .name = "follow",
     .letter = 'f',
     .commands = LOGS,
     .meaning = "follow the output until the run has ended"},
	{.id = CLI_OPTION_JSON,
     .name = "json",
     .commands = RUN,
     .meaning = "print only the report, as one JSON object, on stdout; guest output is inside it"},
	{.id = CLI_OPTION_JSON,
     .name = "json",
     .commands = BENCH | CALIBRATE,
     .meaning = "print the figures as one JSON object"},
	{.id = CLI_OPTION_KEPT,
     .name = "kept",
     .commands = CALIBRATE,
     .meaning = "print the kept result; measure only if there is none of this machine and version"},
	{.id = CLI_OPTION_JSON, .name = "json", .commands = INSPECT, .meaning = "print all of it as one JSON object"},
	{.id = CLI_OPTION_JSON, .name = "json", .commands = DOCTOR, .meaning = "print what was found as one JSON object"},
	{.id = CLI_OPTION_JSON,
     .name = "json",
     .commands = SUBMIT,
     .meaning = "print {\"id\":...}; with --wait only the report, guest output inside it"},
	{.id = CLI_OPTION_JSON,
     .name = "json",
     .commands = PS,
     .meaning = "print each run as one JSON object on a line of its own"},
	{.id = CLI_OPTION_JSON,
     .name = "json",
     .commands = LOGS,
     .meaning = "print each event (output, state, progress, report) as one JSON object on a line of its own"},
	{.id = CLI_OPTION_JSON,
     .name = "json",
     .commands = CANCEL,
     .meaning = "print each run's report as one JSON object on a line of its own"},
	{.id = CLI_OPTION_JSON,
     .name = "json",
     .commands = PROGRAMS,
     .meaning = "print each program as one JSON object on a line of its own"},
	{.id = CLI_OPTION_JSON,
     .name = "json",
     .commands = SCHEDULES,
     .meaning = "print each schedule as one JSON object on a line of its own"},
	{.id = CLI_OPTION_SERVER,
     .name = "server",
     .argument = "URL",
     .commands = CLIENT,
     .default_text = "http://127.0.0.1:7433",
     .meaning = "the address of curfew serve; by default from CURFEW_SERVER"},
	{.id = CLI_OPTION_TOKEN_FILE,
     .name = "token-file",
     .argument = "FILE",
     .commands = CLIENT,
     .meaning = "a file whose first line is the token; by default CURFEW_TOKEN is the token itself"},
	{.id = CLI_OPTION_CA_FILE,
     .name = "ca-file",
     .argument = "FILE",
     .commands = CLIENT,
     .meaning = "trusted certificate authorities (PEM), in place of the system's"},
	{.id = CLI_OPTION_REPORT,
     .name = "report",
     .argument = "FILE",
     .commands = RUN,
     .meaning = "write the JSON report there as well"},
	{.id = CLI_OPTION_QUIET,
     .name = "quiet",
     .commands = RUN | COMPILE | INSPECT | SUBMIT,
     .meaning = "print nothing on stderr: no live line, no report of a stop"},
	{.id = CLI_OPTION_QUIET,
     .name = "quiet",
     .commands = LOGS,
     .meaning = "no live line, nothing about a lost connection"},
	{.id = CLI_OPTION_CONFIG,
     .name = "config",
     .argument = "FILE",
     .commands = SERVE,
     .meaning = "a file with further options"},
	{.id = CLI_OPTION_OLDER_THAN,
     .name = "older-than",
     .argument = "DUR",
     .commands = ADMIN,
     .meaning = "prune: runs that ended longer ago, such as 720h"},
	{.id = CLI_OPTION_KEEP,
     .name = "keep",
     .argument = "SIZE",
     .commands = ADMIN,
     .meaning = "prune: the oldest runs, until the history takes at most this"},
	{.id = CLI_OPTION_JSON, .name = "json", .commands = ADMIN, .meaning = "print one JSON object"},
	{.id = CLI_OPTION_DATA,
     .name = "data",
     .argument = "DIR",
     .commands = TOKEN | ADMIN,
     .meaning = "directory of the server's database; by default curfew in $XDG_STATE_HOME"},
	{.id = CLI_OPTION_STORE,
     .name = "store",
     .argument = "PLACE",
     .commands = TOKEN | ADMIN,
     .meaning = "where the database is, as for curfew serve; by default from CURFEW_STORE"},
	{.id = CLI_OPTION_NAME,
     .name = "name",
     .argument = "NAME",
     .commands = TOKEN,
     .default_text = "token",
     .meaning = "the name of the token in lists"},
	{.id = CLI_OPTION_SCOPES,
     .name = "scopes",
     .argument = "LIST",
     .commands = TOKEN,
     .default_text = "run,read",
     .meaning = "what it may do, separated by commas: run, read, metrics, admin"},
	{.id = CLI_OPTION_RUNNING,
     .name = "running",
     .argument = "N",
     .commands = TOKEN,
     .meaning = "its runs in progress at once; more of them wait in the queue"},
	{.id = CLI_OPTION_QUEUED,
     .name = "queued",
     .argument = "N",
     .commands = TOKEN,
     .meaning = "its runs that may wait; more are refused"},
	{.id = CLI_OPTION_PER_MINUTE,
     .name = "per-minute",
     .argument = "N",
     .commands = TOKEN,
     .meaning = "runs that it may submit in a minute; more are refused"},
	{.id = CLI_OPTION_TOP_PRIORITY,
     .name = "top-priority",
     .argument = "0-9",
     .commands = TOKEN,
     .default_text = "9",
     .meaning = "the highest priority that its runs may have among each other"},
	{.id = CLI_OPTION_PROGRAMS_SIZE,
     .name = "programs-size",
     .argument = "SIZE",
     .commands = TOKEN,
     .meaning = "size of the programs that it may store; by default the server's --max-programs-size"},
	{.id = CLI_OPTION_EXPIRES,
     .name = "expires",
     .argument = "DUR",
     .commands = TOKEN,
     .meaning = "how long it may be used, such as 720h; by default until it is revoked"},
	{.id = CLI_OPTION_USER,
     .name = "user",
     .argument = "ID",
     .commands = TOKEN,
     .meaning = "its runs are this user's, and no other's; by default they name their user"},
	{.id = CLI_OPTION_ALLOW_FETCH,
     .name = "allow-fetch",
     .argument = "HOST",
     .commands = TOKEN,
     .repeatable = true,
     .meaning = "a host, of those that the server allows, that its runs may fetch from; by default all of them"},
	{.id = CLI_OPTION_HELP, .name = "help", .letter = 'h', .commands = ALL, .meaning = "print this help"},
	{.id = CLI_OPTION_VERSION, .name = "version", .commands = ALL, .meaning = "print the version"},
};

static const char *argument_of(cli_command_id command, const curfew_limit_info *limit)
{
	if (limit->offset == offsetof(curfew_limits, fuel) && (TIMED_FUEL & 1u << command) != 0)
		return CLI_FUEL_OR_TIME;
	switch (limit->unit) {
	case CURFEW_UNIT_DURATION: return "DUR";
	case CURFEW_UNIT_BYTES: return "SIZE";
	case CURFEW_UNIT_COUNT: return "N";
	}
	return "VALUE";
}

static size_t list_settings(cli_option *options)
{
	size_t count;
	const config_setting *table = config_table(&count);
	for (size_t i = 0; i < count && i < CLI_OPTIONS_MAX; i++) {
		options[i] = (cli_option){.id = CLI_OPTION_SETTING,
		                          .name = table[i].name,
		                          .argument = table[i].argument,
		                          .meaning = table[i].meaning,
		                          .values = table[i].values,
		                          .commands = SERVE,
		                          .repeatable = table[i].kind == CONFIG_HOSTS,
		                          .setting = i};
		(void)snprintf(options[i].default_text, sizeof options[i].default_text, "%s",
		               table[i].initial != NULL ? table[i].initial : "");
	}
	return count < CLI_OPTIONS_MAX ? count : CLI_OPTIONS_MAX;
}

/* A token's limits are ceilings, and have no defaults. */
static size_t list_limits(cli_command_id command, cli_option *options)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	for (size_t i = 0; i < count && i < CLI_OPTIONS_MAX; i++) {
		options[i] = (cli_option){.id = CLI_OPTION_LIMIT,
		                          .name = table[i].name,
		                          .argument = argument_of(command, &table[i]),
		                          .meaning = table[i].meaning,
		                          .commands = LIMITED,
		                          .limit = &table[i]};
		bool is_own = command == CLI_COMPILE && table[i].offset == offsetof(curfew_limits, timeout_ns);
		uint64_t value = is_own ? CLI_COMPILE_TIMEOUT_NS : table[i].default_value;
		if (command != CLI_TOKEN)
			curfew_limit_format(&table[i], value, options[i].default_text, sizeof options[i].default_text);
	}
	return count < CLI_OPTIONS_MAX ? count : CLI_OPTIONS_MAX;
}

size_t cli_list_options(cli_command_id command, cli_option options[CLI_OPTIONS_MAX])
{
	if (command == CLI_HELP)
		return 0;
	size_t count = command == CLI_SERVE                                          ? list_settings(options)
	               : ((LIMITED | SERVING | TOKEN | SUBMIT) & 1u << command) != 0 ? list_limits(command, options)
	                                                                             : 0;
	for (size_t i = 0; i < sizeof static_options / sizeof static_options[0]; i++) {
		if ((static_options[i].commands & 1u << command) != 0 && count < CLI_OPTIONS_MAX)
			options[count++] = static_options[i];
	}
	return count;
}

cli_command_id cli_find_command(const char *name)
{
	int id = 0;
	while (id < CLI_COMMANDS && strcmp(cli_commands[id].name, name) != 0)
		id++;
	return (cli_command_id)id;
}

bool cli_is_client(cli_command_id command)
{
	return (CLIENT & 1u << command) != 0;
}

/* ---- The nearest name ------------------------------------------------------------------------------------ */

enum { NAME_LENGTH_MAX = 40 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters to insert, drop, replace or swap (Damerau and Levenshtein), over the first NAME_LENGTH_MAX of each.
 */
static size_t edit_distance(const char *a, const char *b)
{
	size_t rows[3][NAME_LENGTH_MAX + 1];
	size_t *before_last = rows[0];
	size_t *last = rows[1];
	size_t *row = rows[2];
	size_t a_length = least(strlen(a), NAME_LENGTH_MAX);
	size_t b_length = least(strlen(b), NAME_LENGTH_MAX);

	for (size_t j = 0; j <= b_length; j++)
		last[j] = before_last[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t replaced = last[j - 1] + (a[i - 1] != b[j - 1]);
			row[j] = least(least(last[j], row[j - 1]) + 1, replaced);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before_last[j - 2] + 1);
		}
		size_t *free_row = before_last;
		before_last = last;
		last = row;
		row = free_row;
	}

	return last[b_length];
}

const char *cli_nearest_command(const char *name)
{
	int nearest = 0;
	for (int i = 1; i < CLI_COMMANDS; i++) {
		if (edit_distance(name, cli_commands[i].name) < edit_distance(name, cli_commands[nearest].name))
			nearest = i;
	}
	return cli_commands[nearest].name;
}

const char *cli_nearest_option(const cli_option *options, size_t count, const char *name)
{
	size_t nearest = 0;
	for (size_t i = 1; i < count; i++) {
		if (edit_distance(name, options[i].name) < edit_distance(name, options[nearest].name))
			nearest = i;
	}
	return options[nearest].name;
}
