/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replaces the dynamic linker in a static executable for any Linux. Debian's glibc can load libraries into a static
 * executable only if the same glibc is installed.
 *
 * libcurl is linked in. The commands and the library load it by name at its first use. Here dlopen and dlsym (--wrap)
 * find libcurl, and nothing else. Certificates are read from the places of known systems, or from SSL_CERT_FILE.
 *
 * GnuTLS is not linked in, but libmicrohttpd is, and all calls of GnuTLS by it or by the server fail.
 * MHD_is_feature_supported reports that there is no TLS, so curfew serve refuses --tls-cert.
 */
#include <curl/curl.h>
#include <dlfcn.h>
#include <microhttpd.h>
#include <netdb.h>
#include <nss.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Names of hosts ----------------------------------------------------------------------------------------- */

/* Both are part of glibc. Other services of /etc/nsswitch.conf would have to be loaded. */
__attribute__((constructor)) static void use_own_name_services(void)
{
	(void)__nss_configure_lookup("hosts", "files dns");
	(void)__nss_configure_lookup("passwd", "files");
}

/* ---- libcurl ------------------------------------------------------------------------------------------------ */

static const char *find_certificates(void)
{
	static const char *const places[] = {
		"/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Arch, Gentoo */
		"/etc/ssl/cert.pem",                                 /* Alpine */
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, Red Hat */
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/ca-bundle.pem", /* SUSE */
	};
	const char *named = getenv("SSL_CERT_FILE");
	if (named != NULL && *named != '\0')
		return named;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (access(places[i], R_OK) == 0)
			return places[i];
	return NULL;
}

static void set_certificates(CURL *easy)
{
	const char *path = find_certificates();
	if (easy != NULL && path != NULL)
		(void)curl_easy_setopt(easy, CURLOPT_CAINFO, path);
}

static CURL *init_with_certificates(void)
{
	CURL *easy = curl_easy_init();
	set_certificates(easy);
	return easy;
}

static void reset_with_certificates(CURL *easy)
{
	curl_easy_reset(easy);
	set_certificates(easy);
}

/* clang-format off */
#define FUNCTIONS(X)                                                                                              \
	X(global_init) X(easy_setopt) X(easy_getinfo) X(easy_pause) X(easy_cleanup) X(easy_strerror)                \
	X(multi_init) X(multi_setopt) X(multi_add_handle) X(multi_remove_handle) X(multi_socket_action)           \
	X(multi_perform) X(multi_poll) X(multi_info_read) X(multi_assign) X(multi_cleanup)                        \
	X(share_init) X(share_setopt) X(share_cleanup) X(slist_append) X(slist_free_all)                          \
	X(url) X(url_set) X(url_get) X(url_cleanup) X(free)
/* clang-format on */

static const struct {
	const char *name;
	void (*function)(void);
} functions[] = {{"curl_easy_init", (void (*)(void))init_with_certificates},
                 {"curl_easy_reset", (void (*)(void))reset_with_certificates},
#define X(name) {"curl_" #name, (void (*)(void))curl_##name},
                 FUNCTIONS(X)
#undef X
};

void *__wrap_dlopen(const char *name, int flags);
void *__wrap_dlsym(void *library, const char *name);
char *__wrap_dlerror(void);
int __wrap_dlclose(void *library);
enum MHD_Result __wrap_MHD_is_feature_supported(enum MHD_FEATURE feature);
enum MHD_Result __real_MHD_is_feature_supported(enum MHD_FEATURE feature);

void *__wrap_dlopen(const char *name, int flags)
{
	(void)flags;
	return name != NULL && strcmp(name, "libcurl.so.4") == 0 ? (void *)(uintptr_t)functions : NULL;
}

/* libmicrohttpd's function, under the name that scripts/dist gives it. server/reply.c wraps it. */
enum MHD_Result MHD_queue_response_of_library(struct MHD_Connection *connection, unsigned int status,
                                              struct MHD_Response *response);

/* Rust's library asks for functions of newer systems, with other handles. It works without them. */
void *__wrap_dlsym(void *library, const char *name)
{
	void *found = NULL;
	enum MHD_Result (*queue)(struct MHD_Connection *, unsigned int,
	                         struct MHD_Response *) = MHD_queue_response_of_library;
	if (library == RTLD_NEXT && strcmp(name, "MHD_queue_response") == 0)
		memcpy(&found, &queue, sizeof found);
	for (size_t i = 0; library == functions && i < sizeof functions / sizeof *functions; i++)
		if (strcmp(functions[i].name, name) == 0)
			memcpy(&found, &functions[i].function, sizeof found);
	return found;
}

char *__wrap_dlerror(void)
{
	static char message[] = "a static executable loads no libraries";
	return message;
}

int __wrap_dlclose(void *library)
{
	(void)library;
	return 0;
}

/* ---- libmicrohttpd without GnuTLS --------------------------------------------------------------------------- */

enum MHD_Result __wrap_MHD_is_feature_supported(enum MHD_FEATURE feature)
{
	return feature == MHD_FEATURE_TLS ? MHD_NO : __real_MHD_is_feature_supported(feature);
}

void *(*gnutls_malloc)(size_t size) = malloc;

/* GnuTLS returns 0 for success. Creating anything fails. */
#define SUCCEEDS(X) X(gnutls_global_init) X(gnutls_global_deinit)
/* clang-format off */
#define FAILS(X)                                                                                                  \
	X(gnutls_alpn_set_protocols) X(gnutls_bye) X(gnutls_certificate_allocate_credentials)                       \
	X(gnutls_certificate_free_credentials) X(gnutls_certificate_server_set_request)                           \
	X(gnutls_certificate_set_dh_params) X(gnutls_certificate_set_retrieve_function2)                          \
	X(gnutls_certificate_set_retrieve_function3) X(gnutls_certificate_set_x509_key_mem)                       \
	X(gnutls_certificate_set_x509_key_mem2) X(gnutls_certificate_set_x509_trust_mem) X(gnutls_cipher_get)     \
	X(gnutls_pcert_list_import_x509_raw) X(gnutls_privkey_import_x509_raw) X(gnutls_privkey_init)             \
	X(gnutls_pcert_deinit) X(gnutls_privkey_deinit) X(gnutls_credentials_set) X(gnutls_deinit) X(gnutls_dh_params_deinit) X(gnutls_dh_params_import_pkcs3)    \
	X(gnutls_dh_params_init) X(gnutls_handshake) X(gnutls_init) X(gnutls_priority_deinit)                     \
	X(gnutls_priority_init) X(gnutls_priority_set) X(gnutls_protocol_get_version)                             \
	X(gnutls_psk_allocate_server_credentials) X(gnutls_psk_free_server_credentials)                           \
	X(gnutls_psk_set_server_credentials_function) X(gnutls_record_check_pending)                              \
	X(gnutls_record_get_direction) X(gnutls_record_recv) X(gnutls_record_send) X(gnutls_session_set_ptr)      \
	X(gnutls_transport_set_int2)
/* clang-format on */
#define X(name)                                                                                                        \
	int name(void);                                                                                                    \
	int name(void)                                                                                                     \
	{                                                                                                                  \
		return 0;                                                                                                      \
	}
SUCCEEDS(X)
#undef X
#define X(name)                                                                                                        \
	int name(void);                                                                                                    \
	int name(void)                                                                                                     \
	{                                                                                                                  \
		return -1;                                                                                                     \
	}
FAILS(X)
#undef X

const char *gnutls_strerror(int error);
const char *gnutls_strerror(int error)
{
	(void)error;
	return "there is no TLS in a static executable";
}

void *gnutls_session_get_ptr(void *session);
void *gnutls_session_get_ptr(void *session)
{
	(void)session;
	return NULL;
}
