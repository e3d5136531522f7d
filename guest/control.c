/* SPDX-License-Identifier: Apache-2.0 */
/* The control block, and the guest's only engine. */
#include "guest.h"

/* Aligned so that all fields that are commonly written, and the beginning of the trace, share one page. */
_Alignas(2048) curfew__control curfew_control;
JSRuntime *curfew_runtime;
JSContext *curfew_context;
JSValue curfew_hooks;
