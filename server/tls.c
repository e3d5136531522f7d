/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and keys. A loaded certificate is kept until the end, because connections that began with it may still
 * need it. */
#include "tls.h"

#include "common/text.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CERTS_MAX = 16, FILE_BYTES_MAX = 1 << 20 };

typedef struct identity {
	struct identity *older;
	gnutls_pcert_st certs[CERTS_MAX];
	unsigned cert_count;
	gnutls_privkey_t key;
} identity;

/* Global, because GnuTLS's callback has no context. A process has only one server. */
static _Atomic(identity *) current;

static bool refuse_file(curfew_failure *failure, const char *path, const char *why)
{
	(void)snprintf(failure->message, sizeof failure->message, "%.160s: %.80s", path, why);
	return false;
}

static bool read_file(const char *path, gnutls_datum_t *data, curfew_failure *failure)
{
	text all;
	char part[4096];
	size_t length;
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return refuse_file(failure, path, strerror(errno));
	text_init(&all, FILE_BYTES_MAX);
	for (size_t got; (got = fread(part, 1, sizeof part, file)) > 0;)
		text_add(&all, part, got);
	bool good = ferror(file) == 0 && all.length > 0 && !all.failed;
	(void)fclose(file);
	explicit_bzero(part, sizeof part);
	if (!good) {
		text_finish(&all);
		return refuse_file(failure, path, "cannot be read");
	}
	data->data = (unsigned char *)text_take(&all, &length);
	data->size = (unsigned)length;
	return data->data != NULL || refuse_file(failure, path, "out of memory");
}

/* Refuses a key that others can read. */
static bool is_private(const char *path, curfew_failure *failure)
{
	struct stat info;
	if (stat(path, &info) != 0 || (info.st_mode & (S_IROTH | S_IWOTH)) == 0)
		return true;
	(void)snprintf(failure->message, sizeof failure->message, "tls-key %.200s: others can read it; chmod o-rw it",
	               path);
	return false;
}

/* Whether the key belongs to the first certificate. */
static bool belong_together(const gnutls_datum_t *certs, const gnutls_datum_t *key)
{
	gnutls_certificate_credentials_t credentials;
	if (gnutls_certificate_allocate_credentials(&credentials) < 0)
		return false;
	bool do_they = gnutls_certificate_set_x509_key_mem(credentials, certs, key, GNUTLS_X509_FMT_PEM) >= 0;
	gnutls_certificate_free_credentials(credentials);
	return do_they;
}

static void free_identity(identity *i)
{
	for (unsigned n = 0; n < i->cert_count; n++)
		gnutls_pcert_deinit(&i->certs[n]);
	if (i->key != NULL)
		gnutls_privkey_deinit(i->key);
	free(i);
}

static identity *make_identity(const gnutls_datum_t *certs, const gnutls_datum_t *key)
{
	identity *i = calloc(1, sizeof *i);
	if (i == NULL)
		return NULL;
	unsigned count = CERTS_MAX;
	if (gnutls_pcert_list_import_x509_raw(i->certs, &count, certs, GNUTLS_X509_FMT_PEM, 0) >= 0)
		i->cert_count = count;
	if (i->cert_count > 0 && gnutls_privkey_init(&i->key) >= 0 &&
	    gnutls_privkey_import_x509_raw(i->key, key, GNUTLS_X509_FMT_PEM, NULL, 0) >= 0)
		return i;
	free_identity(i);
	return NULL;
}

bool tls_load(const char *cert_path, const char *key_path, curfew_failure *failure)
{
	gnutls_datum_t certs = {0}, key = {0};
	identity *made = NULL;
	bool good = read_file(cert_path, &certs, failure) && is_private(key_path, failure) &&
	            read_file(key_path, &key, failure);
	if (good && belong_together(&certs, &key))
		made = make_identity(&certs, &key);
	if (good && made == NULL)
		(void)refuse_file(failure, cert_path,
		                  "HTTPS cannot be served with it: does the key belong to the certificate?");
	if (key.data != NULL)
		explicit_bzero(key.data, key.size);
	free(key.data);
	free(certs.data);
	if (made == NULL)
		return false;
	made->older = atomic_load(&current);
	atomic_store(&current, made);
	return true;
}

int tls_choose(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
               const gnutls_pk_algorithm_t *kinds, int kind_count, gnutls_pcert_st **certs, unsigned *cert_count,
               gnutls_privkey_t *key)
{
	identity *i = atomic_load(&current);
	(void)session, (void)authorities, (void)authority_count, (void)kinds, (void)kind_count;
	if (i == NULL)
		return -1;
	*certs = i->certs;
	*cert_count = i->cert_count;
	*key = i->key;
	return 0;
}

void tls_finish(void)
{
	identity *i = atomic_exchange(&current, NULL);
	while (i != NULL) {
		identity *older = i->older;
		free_identity(i);
		i = older;
	}
}
