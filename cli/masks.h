/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of commands, as bits, that an option belongs to. */
#ifndef CURFEW_CLI_MASKS_H
#define CURFEW_CLI_MASKS_H

#include "options.h"

#define RUN (1u << CLI_RUN)
#define COMPILE (1u << CLI_COMPILE)
#define INSPECT (1u << CLI_INSPECT)
#define CALIBRATE (1u << CLI_CALIBRATE)
#define BENCH (1u << CLI_BENCH)
#define SECRET (1u << CLI_SECRET)
#define SERVE (1u << CLI_SERVE)
#define TOKEN (1u << CLI_TOKEN)
#define ADMIN (1u << CLI_ADMIN)
#define DOCTOR (1u << CLI_DOCTOR)
#define SUBMIT (1u << CLI_SUBMIT)
#define PS (1u << CLI_PS)
#define LOGS (1u << CLI_LOGS)
#define CANCEL (1u << CLI_CANCEL)
#define PROGRAMS (1u << CLI_PROGRAMS)
#define SCHEDULES (1u << CLI_SCHEDULES)
#define REPL (1u << CLI_REPL)
#define MCP (1u << CLI_MCP)
/* Commands that run what they read from standard input. */
#define SERVING (REPL | MCP)
#define LIMITED (RUN | COMPILE | INSPECT | BENCH)
#define CLIENT (SUBMIT | PS | LOGS | CANCEL | PROGRAMS | SCHEDULES)
#define ALL (LIMITED | SECRET | SERVE | TOKEN | ADMIN | DOCTOR | CALIBRATE | CLIENT | SERVING)
/* Commands for which --fuel may be a time. */
#define TIMED_FUEL (RUN | BENCH | SUBMIT)

#endif
