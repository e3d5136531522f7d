/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watch: one thread that calls back at absolute times, and at once when a cancel is fired. It never ticks:
 * with nothing armed it sleeps for good. If it cannot start, no engine can be made: runs fail closed.
 */
#ifndef CURFEW_WATCH_WATCH_H
#define CURFEW_WATCH_WATCH_H

#include "common/heap.h"

#include <stdatomic.h>

typedef struct curfew__watch curfew__watch;

/*
 * An alarm. The callback runs on the watch thread when its time has come. It returns the next time at which it wants to
 * be called, or CURFEW__NEVER. It must not block.
 */
typedef struct curfew__alarm {
	int64_t (*call)(void *context, int64_t now_ns);
	void *context;
	curfew__due due;   /* not in the heap: not armed */
	bool closed;       /* cannot be armed or called any more */
	atomic_uint calls; /* how often the callback has returned */
} curfew__alarm;

/* NULL if the thread cannot be started. */
curfew__watch *curfew__watch_create(void);
void curfew__watch_destroy(curfew__watch *watch);

/* Arms, or moves, an alarm. False: no memory for it, and it is not armed. Not from a callback. */
bool curfew__watch_arm(curfew__watch *watch, curfew__alarm *alarm, int64_t when_ns);
/*
 * Arms an alarm for a time that was computed from what the callback may change too. calls is alarm->calls from before
 * the computation: if the callback ran since, it is called again at once, so that what it wanted is not overwritten by
 * a time that is out of date. The rest is as for curfew__watch_arm.
 */
bool curfew__watch_arm_since(curfew__watch *watch, curfew__alarm *alarm, int64_t when_ns, unsigned calls);
/* Disarms an alarm. When this returns, the callback is not running, and its time will not call it. Not from a callback.
 */
void curfew__watch_disarm(curfew__watch *watch, curfew__alarm *alarm);
/* Closes an alarm: no signal calls it any more either, and arming it does nothing. */
void curfew__watch_close(curfew__watch *watch, curfew__alarm *alarm);

/*
 * A cancel signal. Any thread or signal handler may fire it at any time, several times. It is reference-counted, so
 * that it may outlive the run that it cancels.
 */
typedef struct curfew__signal {
	atomic_uint references;
	atomic_uint fired;        /* how often */
	_Atomic int64_t fired_ns; /* when first */
	atomic_bool queued;
	struct curfew__signal *next;
	curfew__watch *watch; /* a reference */
	curfew__alarm *alarm; /* what to call at once; guarded by the watch */
} curfew__signal;

curfew__signal *curfew__signal_create(curfew__watch *watch);
void curfew__signal_unref(curfew__signal *signal);
curfew__signal *curfew__signal_ref(curfew__signal *signal);
/* Async-signal-safe. */
void curfew__signal_fire(curfew__signal *signal);
/* Binds the signal to an alarm (NULL: to none); a fired signal calls that alarm at once. False: it is in use. */
bool curfew__signal_bind(curfew__signal *signal, curfew__alarm *alarm);

/* Unbinds a signal and drops the reference in *signal, which is NULL after; *signal may be NULL. */
void curfew__signal_release(curfew__signal **signal);

#endif
