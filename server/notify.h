/* SPDX-License-Identifier: Apache-2.0 */
/* Notifies systemd of the server's state (sd_notify(3)). Does nothing if it was not requested. */
#ifndef CURFEW_SERVER_NOTIFY_H
#define CURFEW_SERVER_NOTIFY_H

#include <stdint.h>

/* "READY=1", "STOPPING=1", "WATCHDOG=1"; lines. */
void notify_say(const char *lines);
void notify_reloading(void);
/* The interval of systemd's watchdog; 0: none. */
int64_t notify_watchdog_us(void);

#endif
