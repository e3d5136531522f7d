/* SPDX-License-Identifier: Apache-2.0 */
/* Telling systemd how the server is (sd_notify(3)); where nobody asked for it nothing happens. */
#ifndef CURFEW_SERVER_NOTIFY_H
#define CURFEW_SERVER_NOTIFY_H

#include <stdint.h>

/* "READY=1", "STOPPING=1", "WATCHDOG=1"; lines. */
void notify_say(const char *lines);
void notify_reloading(void);
/* How often it wants to hear that the server lives; 0: never. */
int64_t notify_watchdog_us(void);

#endif
