/* SPDX-License-Identifier: Apache-2.0 */
/* The C helpers of the prelude: text encodings, URLs, and properties of values that only the engine knows. */
#ifndef CURFEW_GUEST_WEB_H
#define CURFEW_GUEST_WEB_H

#include "quickjs.h"

/* Adds the helpers to the prelude's internal object. Returns 0, or -1 with an exception pending. */
int curfew_web_init(JSContext *ctx, JSValueConst native);

#endif
