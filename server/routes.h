/* SPDX-License-Identifier: Apache-2.0 */
/* Which function answers which route, and which scopes it needs. */
#ifndef CURFEW_SERVER_ROUTES_H
#define CURFEW_SERVER_ROUTES_H

#include "http.h"

/* Finds the route of a request and checks its access. False: the request is answered already. */
bool routes_find(request *q, const char *url, const char *method, answer *result);

/* run_routes.c */
answer route_post_run(request *q);
answer route_list_runs(request *q);
answer route_get_run(request *q);
answer route_cancel_run(request *q);
/* event_routes.c */
answer route_get_events(request *q) CURFEW__UNCHECKED;
/* file_routes.c */
/* Whether there is a file at this address. */
bool file_exists(const char *url);
answer route_get_file(request *q);
/* program_routes.c */
answer route_put_program(request *q);
answer route_list_programs(request *q);
answer route_get_program(request *q);
answer route_delete_program(request *q);
/* schedule_routes.c */
answer route_put_schedule(request *q);
answer route_list_schedules(request *q);
answer route_get_schedule(request *q);
answer route_pause_schedule(request *q);
answer route_delete_schedule(request *q);

#endif
