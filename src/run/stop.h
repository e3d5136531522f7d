/* SPDX-License-Identifier: Apache-2.0 */
/* The latch of a run and the alarm that serves it. */
#ifndef CURFEW_RUN_STOP_H
#define CURFEW_RUN_STOP_H

#include "run/run.h"

/* Adds a limit to the list of what tripped, once. */
void curfew__run_trip(curfew_run *run, curfew_outcome outcome);
/* Latches the cause of the stop, unless there is one already. due_ns: when its time was up. */
void curfew__run_latch(curfew_run *run, curfew_outcome cause, int64_t due_ns);
/* When the time of the latched cause was up. */
int64_t curfew__run_due(const curfew_run *run);
/* Compares deadline and cancel with the time. */
void curfew__run_look_at_clock(curfew_run *run, int64_t now);
/* Notifies the program that its time is up, if it is. */
void curfew__run_notify_time_up(curfew_run *run);
/* Notes that the guest can do nothing from now on, even if its thread still has to wait for a processor. */
void curfew__run_note_stopped(curfew_run *run);
/*
 * Called by the watch with each attempt to interrupt the guest. Whether the guest has used much CPU time since and has
 * answered no signal. If another signal handler replaced ours, restores it.
 */
bool curfew__run_is_deaf(curfew_run *run);
/* The CPU time between these two calls is charged to the run. */
void curfew__run_begin_stretch(curfew_run *run);
void curfew__run_end_stretch(curfew_run *run);
/* CPU time used so far, in ns. */
int64_t curfew__run_cpu(curfew_run *run);
/* The same without what others did for it: it grows only if the run's thread, or its compiler, has a processor. */
int64_t curfew__run_own_cpu(curfew_run *run);
/* The time of the alarm's next check. */
int64_t curfew__run_next_alarm(curfew_run *run, int64_t now);
/*
 * Arms the alarm for its next check. A cancel, or a limit, that the watch finds meanwhile is not lost. False: no memory
 * for it.
 */
bool curfew__run_arm(curfew_run *run, int64_t now);
/* The alarm's callback, on the watch thread. */
int64_t curfew__run_on_alarm(void *context, int64_t now);

#endif
