/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl is loaded when a run may fetch. It needs about thirty libraries, and linking it would add milliseconds to the
 * start of every process. Once loaded it stays, with the state of curl_global_init. That and OpenSSL's own state are
 * all that this library leaves in a process.
 */
#ifndef CURFEW_HOST_CURL_H
#define CURFEW_HOST_CURL_H

#include <curl/curl.h>
#include <stdbool.h>

#include "curfew.h"

/* clang-format off */
#define CURFEW__CURL_FUNCTIONS(X)                                                                               \
	X(global_init) X(easy_init) X(easy_setopt) X(easy_getinfo) X(easy_pause) X(easy_cleanup) X(easy_strerror) \
	X(multi_init) X(multi_setopt) X(multi_add_handle) X(multi_remove_handle) X(multi_socket_action)         \
	X(multi_info_read) X(multi_assign) X(multi_cleanup)                                                     \
	X(share_init) X(share_setopt) X(share_cleanup)                                                          \
	X(slist_append) X(slist_free_all) X(url) X(url_set) X(url_get) X(url_cleanup) X(free)
/* clang-format on */

/* The functions, named without "curl_". */
typedef struct curfew__curl {
#define X(name) __typeof__(&curl_##name) name;
	CURFEW__CURL_FUNCTIONS(X)
#undef X
} curfew__curl;

/* False and a failure if libcurl is missing, too old or does not start. */
bool curfew__curl_load(curfew__curl *curl, curfew_failure *failure);

#endif
