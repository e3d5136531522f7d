/* SPDX-License-Identifier: Apache-2.0 */
/* The parts that Go needs in C: callbacks with C types, and structs whose pointers Go may not hold. */
#ifndef CURFEW_GO_BRIDGE_H
#define CURFEW_GO_BRIDGE_H

#include <curfew.h>

/* Starts a run. Go fills the options. The memory that they point to is the caller's, in C. */
curfew_status bridge_start(curfew_program *program, curfew_run_options *options, uintptr_t handle, bool events,
                           curfew_run **run, curfew_failure *failure);
/* Fills a row for curfew_program_set_functions. False: out of memory. */
bool bridge_function(curfew_host_function *row, char *name, char *module, char *type, uint64_t fuel, bool is_async,
                     uintptr_t handle);
/* The oldest synchronous call and the handle of its function. call is NULL if no call has arrived for a while. */
struct bridge_call {
	curfew_host_call *call;
	uintptr_t handle;
};
struct bridge_call bridge_take(void);
/* The data of a call as a number. 0: it has none. */
void bridge_set_data(curfew_host_call *call, uintptr_t number);
uintptr_t bridge_get_data(curfew_host_call *call);
const char *bridge_status_name(curfew_status status);

#endif
