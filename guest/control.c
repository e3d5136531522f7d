/* SPDX-License-Identifier: Apache-2.0 */
/* What host and guest agree on, and the one engine that there is. */
#include "guest.h"

/* Aligned so that all that is commonly written of it lies in one page, the beginning of the trace too. */
_Alignas(2048) curfew__control curfew_control;
JSRuntime *curfew_runtime;
JSContext *curfew_context;
JSValue curfew_hooks;
