/* SPDX-License-Identifier: Apache-2.0 */
/* The latch of a run and the alarm that serves it. */
#ifndef CURFEW_RUN_STOP_H
#define CURFEW_RUN_STOP_H

#include "run/run.h"

/* Notes that a limit was exceeded, once. */
void curfew__run_trip(curfew_run *run, curfew_outcome outcome);
/* Latches the cause of the stop, unless there is one already; due_ns: when its time was up. */
void curfew__run_latch(curfew_run *run, curfew_outcome cause, int64_t due_ns);
/* When the time of the cause that is latched was up. */
int64_t curfew__run_due(const curfew_run *run);
/* Compares deadline and cancel with the time. */
void curfew__run_look_at_clock(curfew_run *run, int64_t now);
/* Shows the program that its time is up, if it is. */
void curfew__run_tell_time_up(curfew_run *run);
/* It can do nothing any more from now on, even if its thread has to wait for a processor to find out. */
void curfew__run_note_stopped(curfew_run *run);
/*
 * From the watch, with each attempt to interrupt it: whether it has gone on for long and answered no signal. If another
 * handler took the place of ours, that is mended.
 */
bool curfew__run_is_deaf(curfew_run *run);
/* The CPU time between these two is the run's. */
void curfew__run_begin_stretch(curfew_run *run);
void curfew__run_end_stretch(curfew_run *run);
/* CPU time used so far, in ns. */
int64_t curfew__run_cpu(curfew_run *run);
/* When the alarm has to look next. */
int64_t curfew__run_next_alarm(curfew_run *run, int64_t now);
/* What the watch calls. */
int64_t curfew__run_on_alarm(void *context, int64_t now);

#endif
