/* SPDX-License-Identifier: Apache-2.0 */
/* Loads libcurl and its functions at run time. */
#include "host/curl.h"
#include "base/refuse.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define LIBRARY "libcurl.so.4"

static bool load_symbol(void *library, const char *name, void *function, curfew_failure *failure)
{
	void *found = dlsym(library, name);

	if (!found)
		curfew__fail(failure, "fetch needs a newer %s: it has no %s", LIBRARY, name);
	memcpy(function, &found, sizeof found);
	return found != NULL;
}

bool curfew__curl_load(curfew__curl *curl, curfew_failure *failure)
{
	/* Never unload libcurl: the libraries of OpenSSL cannot be unloaded safely. */
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	if (!library) {
		return curfew__fail(failure, "fetch needs libcurl: %.200s", dlerror());
	}
#define X(name) &&load_symbol(library, "curl_" #name, &curl->name, failure)
	bool found = true CURFEW__CURL_FUNCTIONS(X);
#undef X
	if (found && curl->global_init(CURL_GLOBAL_DEFAULT)) {
		curfew__fail(failure, "libcurl cannot be started");
		found = false;
	}
	dlclose(library);
	return found;
}
