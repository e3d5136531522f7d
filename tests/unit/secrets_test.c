/* SPDX-License-Identifier: Apache-2.0 */
/* The store of secrets: what is stored, for which user, and how each error of the file is distinguished. */
#include "../harness.h"
#include "host/secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

static const unsigned char key[CURFEW_SECRETS_KEY_BYTES] = "0123456789abcdef0123456789abcde";
static const unsigned char other_key[CURFEW_SECRETS_KEY_BYTES] = "another";

static char directory[HARNESS_PATH], path[2 * HARNESS_PATH];

static void *begin(void)
{
	harness_directory(directory, "secrets");
	(void)snprintf(path, sizeof path, "%s/store", directory);
	return directory;
}

static void end(void *state)
{
	(void)state;
	(void)unlink(path);
	/* No other file is left there, not even a journal. */
	CHECK_EQUAL(rmdir(directory), 0);
}

static curfew_secrets *open_store(uint32_t flags)
{
	curfew_secrets *store = NULL;
	curfew_failure failure;
	curfew_status status = curfew_secrets_open(path, key, flags, &store, &failure);
	if (status != CURFEW_OK)
		harness_fail("open: %s", failure.message);
	CHECK_TEXT(failure.message, "");
	return store;
}

static curfew_status set(curfew_secrets *store, const char *user, const char *name, const char *value)
{
	const curfew_secret secret = {name, value, strlen(value)};
	curfew_failure failure = {.message = "?"};
	curfew_status status = curfew_secrets_set(store, user, &secret, &failure);
	CHECK_EQUAL(failure.message[0] == '\0', status == CURFEW_OK);
	return status;
}

/* "" if the user has no such secret. */
static void expect_secret(curfew_secrets *store, const char *user, const char *name, const char *expected)
{
	curfew__grants *grants;
	CHECK_EQUAL(curfew__grants_create(NULL, 0, store, user, &grants, NULL), CURFEW_OK);
	const curfew_secret *found = curfew__grants_find(grants, name, strlen(name));
	CHECK_TEXT(found != NULL ? found->value : "", expected);
	if (found != NULL)
		CHECK_EQUAL(found->value_length, strlen(expected));
	curfew__grants_destroy(grants);
}

static void run_sql(const char *sql)
{
	sqlite3 *database;
	CHECK_EQUAL(sqlite3_open(path, &database), SQLITE_OK);
	CHECK_EQUAL(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
	CHECK_EQUAL(sqlite3_close(database), SQLITE_OK);
}

static void expect_refused(curfew_status expected)
{
	curfew_secrets *store = (curfew_secrets *)1;
	curfew_failure failure = {.message = ""};
	CHECK_EQUAL(curfew_secrets_open(path, key, 0, &store, &failure), expected);
	CHECK(store == NULL);
	CHECK(strstr(failure.message, path) != NULL);
}

/* ---- Storing --------------------------------------------------------------------------------------------- */

static void test_keeps(void)
{
	curfew_secrets *store = open_store(CURFEW_SECRETS_CREATE);
	CHECK_EQUAL(set(store, "ann", "TOKEN", "one"), CURFEW_OK);
	CHECK_EQUAL(set(store, "bob", "TOKEN", "two"), CURFEW_OK);
	CHECK_EQUAL(set(store, "ann", "_2", "κ"), CURFEW_OK);
	curfew_secrets_close(store);
	store = open_store(CURFEW_SECRETS_CREATE);
	expect_secret(store, "ann", "TOKEN", "one");
	expect_secret(store, "bob", "TOKEN", "two");
	expect_secret(store, "ann", "_2", "κ");
	expect_secret(store, "bob", "_2", "");
	expect_secret(store, "ann", "TOKE", "");
	expect_secret(store, "eve", "TOKEN", "");
	CHECK_EQUAL(set(store, "ann", "TOKEN", "changed"), CURFEW_OK);
	expect_secret(store, "ann", "TOKEN", "changed");
	curfew_secrets_close(store);
	curfew_secrets_close(NULL);
}

static void test_lists_and_removes(void)
{
	curfew_secrets *store = open_store(CURFEW_SECRETS_CREATE);
	char **names = NULL;
	size_t count = 9;
	CHECK_EQUAL(curfew_secrets_list(store, "ann", &names, &count, NULL), CURFEW_OK);
	CHECK_EQUAL(count, 0);
	curfew_free(names);
	set(store, "ann", "B", "2");
	set(store, "ann", "A", "1");
	set(store, "bob", "C", "3");
	CHECK_EQUAL(curfew_secrets_list(store, "ann", &names, &count, NULL), CURFEW_OK);
	CHECK_EQUAL(count, 2);
	CHECK_TEXT(names[0], "A");
	CHECK_TEXT(names[1], "B");
	curfew_free(names);
	CHECK_EQUAL(curfew_secrets_remove(store, "bob", "A", NULL), CURFEW_NOT_FOUND);
	CHECK_EQUAL(curfew_secrets_remove(store, "ann", "A", NULL), CURFEW_OK);
	CHECK_EQUAL(curfew_secrets_remove(store, "ann", "A", NULL), CURFEW_NOT_FOUND);
	expect_secret(store, "ann", "A", "");
	expect_secret(store, "ann", "B", "2");
	curfew_secrets_close(store);
}

static void test_checks_arguments(void)
{
	/* Claim L67. */
	static const char *const bad_names[] = {"", "1A", "A-B", "A B", "A=B", "é", "A\n", "A/", "%"};
	curfew_secrets *store = open_store(CURFEW_SECRETS_CREATE);
	char long_text[CURFEW_USER_BYTES + 2] = "";
	memset(long_text, 'u', CURFEW_USER_BYTES + 1);
	for (size_t i = 0; i < sizeof bad_names / sizeof bad_names[0]; i++) {
		CHECK_EQUAL(set(store, "ann", bad_names[i], "value"), CURFEW_INVALID);
		CHECK_EQUAL(curfew_secrets_remove(store, "ann", bad_names[i], NULL), CURFEW_INVALID);
	}
	CHECK_EQUAL(set(store, "", "A", "1"), CURFEW_INVALID);
	CHECK_EQUAL(set(store, long_text, "A", "1"), CURFEW_INVALID);
	CHECK_EQUAL(set(store, "\xff", "A", "1"), CURFEW_INVALID);
	CHECK_EQUAL(set(store, long_text + 1, "A", "1"), CURFEW_OK);
	long_text[CURFEW_SECRET_NAME_BYTES + 1] = '\0';
	CHECK_EQUAL(set(store, "ann", long_text, "1"), CURFEW_INVALID);
	CHECK_EQUAL(set(store, "ann", long_text + 1, "1"), CURFEW_OK);
	CHECK_EQUAL(set(store, "ann", "A", ""), CURFEW_INVALID);
	CHECK_EQUAL(set(store, "ann", "A", "\xff"), CURFEW_INVALID);
	const curfew_secret with_nul = {"A", "a\0b", 3};
	CHECK_EQUAL(curfew_secrets_set(store, "ann", &with_nul, NULL), CURFEW_INVALID);
	const curfew_secret without = {"A", NULL, 0};
	CHECK_EQUAL(curfew_secrets_set(store, "ann", &without, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_secret_check(&without, NULL), CURFEW_OK);
	curfew_secrets_close(store);
}

static void test_bounds(void)
{
	/* Claim L68. */
	curfew_secrets *store = open_store(CURFEW_SECRETS_CREATE);
	char *big = calloc(1, CURFEW_SECRET_BYTES + 2);
	memset(big, 'x', CURFEW_SECRET_BYTES + 1);
	CHECK_EQUAL(set(store, "ann", "A", big), CURFEW_INVALID);
	for (unsigned i = 0; i < CURFEW_SECRETS_BYTES / CURFEW_SECRET_BYTES; i++) {
		char name[8];
		(void)snprintf(name, sizeof name, "N%u", i);
		CHECK_EQUAL(set(store, "ann", name, big + 1), CURFEW_OK);
	}
	CHECK_EQUAL(set(store, "ann", "MORE", "x"), CURFEW_INVALID);
	/* It replaces another secret, so there is capacity. */
	CHECK_EQUAL(set(store, "ann", "N0", big + 1), CURFEW_OK);
	expect_secret(store, "ann", "N3", big + 1);
	for (unsigned i = 0; i <= CURFEW_SECRETS_COUNT; i++) {
		char name[8];
		(void)snprintf(name, sizeof name, "N%u", i);
		CHECK_EQUAL(set(store, "bob", name, "x"), i < CURFEW_SECRETS_COUNT ? CURFEW_OK : CURFEW_INVALID);
	}
	free(big);
	curfew_secrets_close(store);
}

/* ---- Errors of the file ---------------------------------------------------------------------------------- */

static void test_missing(void)
{
	expect_refused(CURFEW_NOT_FOUND);
	(void)snprintf(path, sizeof path, "%s/none/store", directory);
	curfew_secrets *store;
	CHECK_EQUAL(curfew_secrets_open(path, key, CURFEW_SECRETS_CREATE, &store, NULL), CURFEW_NOT_FOUND);
	(void)snprintf(path, sizeof path, "%s", directory);
	expect_refused(CURFEW_INVALID);
	CHECK_EQUAL(curfew_secrets_open("", key, 0, &store, NULL), CURFEW_INVALID);
}

static void test_wrong_key(void)
{
	curfew_secrets *store = open_store(CURFEW_SECRETS_CREATE);
	curfew_secrets_close(store);
	CHECK_EQUAL(curfew_secrets_open(path, other_key, 0, &store, NULL), CURFEW_WRONG_KEY);
	CHECK_EQUAL(curfew_secrets_open(path, other_key, CURFEW_SECRETS_CREATE, &store, NULL), CURFEW_WRONG_KEY);
}

static void fill_file(const void *bytes, size_t length)
{
	FILE *file = fopen(path, "wb");
	CHECK(file != NULL);
	CHECK_EQUAL(fwrite(bytes, 1, length, file), length);
	CHECK_EQUAL(fclose(file), 0);
}

static void test_damaged(void)
{
	static const char text[] =
		"this is no store of secrets, though it is long enough to be looked at as if it were one ...";
	fill_file(text, sizeof text);
	expect_refused(CURFEW_DAMAGED);
	curfew_secrets *store;
	CHECK_EQUAL(curfew_secrets_open(path, key, CURFEW_SECRETS_CREATE, &store, NULL), CURFEW_DAMAGED);
	fill_file("", 0);
	expect_refused(CURFEW_DAMAGED);
	curfew_secrets_close(open_store(CURFEW_SECRETS_CREATE));
	run_sql("UPDATE store SET record = zeroblob(length(record))");
	expect_refused(CURFEW_DAMAGED);
	run_sql("DROP TABLE store");
	expect_refused(CURFEW_DAMAGED);
}

static void test_leaves_other_databases_alone(void)
{
	curfew_secrets *store;
	run_sql("CREATE TABLE theirs(a); INSERT INTO theirs VALUES(1)");
	CHECK_EQUAL(curfew_secrets_open(path, key, CURFEW_SECRETS_CREATE, &store, NULL), CURFEW_DAMAGED);
	run_sql("INSERT INTO theirs SELECT 2 FROM theirs");
}

static void test_rows_cannot_be_moved(void)
{
	/* Claim T23. */
	static const char *const changes[] = {
		"UPDATE secrets SET user = 'eve' WHERE user = 'ann'",
		"UPDATE secrets SET name = 'B' WHERE name = 'A'",
		"UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE user = 'bob') WHERE user = 'ann'",
		"UPDATE secrets SET sealed = substr(sealed, 1, length(sealed) - 1)",
		"UPDATE secrets SET sealed = x'00'",
		"UPDATE secrets SET name = 'no name'",
	};
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		curfew__grants *grants = NULL;
		curfew_failure failure = {.message = ""};
		curfew_secrets *store = open_store(CURFEW_SECRETS_CREATE);
		set(store, "ann", "A", "value of ann");
		set(store, "bob", "A", "value of bob");
		run_sql(changes[i]);
		const char *user = i == 0 ? "eve" : "ann";
		CHECK_EQUAL(curfew__grants_create(NULL, 0, store, user, &grants, &failure), CURFEW_DAMAGED);
		CHECK(grants == NULL);
		CHECK(strstr(failure.message, user) != NULL);
		curfew_secrets_close(store);
		(void)unlink(path);
	}
}

static void test_rows_of_another_store(void)
{
	char sql[200 + HARNESS_PATH], other[2 * HARNESS_PATH];
	(void)snprintf(other, sizeof other, "%s/other", directory);
	curfew_secrets *store = open_store(CURFEW_SECRETS_CREATE);
	set(store, "ann", "A", "old");
	CHECK_EQUAL(rename(path, other), 0);
	curfew_secrets_close(store);
	store = open_store(CURFEW_SECRETS_CREATE);
	(void)snprintf(sql, sizeof sql, "ATTACH '%s' AS other; INSERT INTO secrets SELECT * FROM other.secrets", other);
	run_sql(sql);
	curfew__grants *grants;
	CHECK_EQUAL(curfew__grants_create(NULL, 0, store, "ann", &grants, NULL), CURFEW_DAMAGED);
	curfew_secrets_close(store);
	(void)unlink(other);
}

static void test_locked(void)
{
	curfew_secrets *store = open_store(CURFEW_SECRETS_CREATE);
	sqlite3 *database;
	CHECK_EQUAL(sqlite3_open(path, &database), SQLITE_OK);
	CHECK_EQUAL(sqlite3_exec(database, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	CHECK_EQUAL(set(store, "ann", "A", "1"), CURFEW_BUSY);
	expect_refused(CURFEW_BUSY);
	CHECK_EQUAL(sqlite3_exec(database, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	CHECK_EQUAL(set(store, "ann", "A", "1"), CURFEW_OK);
	CHECK_EQUAL(sqlite3_close(database), SQLITE_OK);
	curfew_secrets_close(store);
}

static void test_file(void)
{
	/* Claim T49. */
	static const char needle[] = "a value that would be seen";
	mode_t mask = umask(0);
	curfew_secrets *store = open_store(CURFEW_SECRETS_CREATE);
	(void)umask(mask);
	struct stat found;
	CHECK_EQUAL(stat(path, &found), 0);
	CHECK_EQUAL(found.st_mode & 07777, 0600);
	set(store, "ann", "A", needle);
	char *bytes = calloc(1, 1 << 20);
	FILE *file = fopen(path, "rb");
	size_t length = fread(bytes, 1, 1 << 20, file);
	(void)fclose(file);
	CHECK(length > 1000);
	CHECK(bytes != NULL);
	CHECK(memmem(bytes, length, needle, strlen(needle)) == NULL);
	CHECK(memmem(bytes, length, "ann", 3) != NULL);
	/* A removed secret is removed from the file too. */
	curfew_secrets_remove(store, "ann", "A", NULL);
	file = fopen(path, "rb");
	length = fread(bytes, 1, 1 << 20, file);
	(void)fclose(file);
	CHECK(memmem(bytes, length, "ann", 3) == NULL);
	free(bytes);
	curfew_secrets_close(store);
}

/* ---- For a run ------------------------------------------------------------------------------------------- */

static void test_grants(void)
{
	curfew_secrets *store = open_store(CURFEW_SECRETS_CREATE);
	set(store, "ann", "A", "stored a");
	set(store, "ann", "B", "stored b");
	const curfew_secret given[] = {{"B", "first b", 7}, {"C", "given c!", 7}, {"B", "last b", 6}};
	curfew__grants *grants;
	CHECK_EQUAL(curfew__grants_create(given, 3, store, "ann", &grants, NULL), CURFEW_OK);
	CHECK_EQUAL(grants->count, 3);
	CHECK_TEXT(curfew__grants_find(grants, "A", 1)->value, "stored a");
	CHECK_TEXT(curfew__grants_find(grants, "B", 1)->value, "last b");
	CHECK_TEXT(curfew__grants_find(grants, "C", 1)->value, "given c");
	CHECK(curfew__grants_find(grants, "D", 1) == NULL);
	CHECK(curfew__grants_find(grants, "AA", 1 + 1) == NULL);
	curfew__grants_destroy(grants);
	CHECK_EQUAL(curfew__grants_create(given, 0, NULL, NULL, &grants, NULL), CURFEW_OK);
	CHECK(grants == NULL);
	CHECK(curfew__grants_find(NULL, "A", 1) == NULL);
	const curfew_secret bad = {"no name", "x", 1};
	CHECK_EQUAL(curfew__grants_create(&bad, 1, NULL, NULL, &grants, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew__grants_create(NULL, 1, NULL, NULL, &grants, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew__grants_create(NULL, 0, store, NULL, &grants, NULL), CURFEW_INVALID);
	curfew_secrets_close(store);
}

/* The fixture of each test. */
#define FIXTURE .set_up = begin, .tear_down = end

static const harness_test tests[] = {
	{"keeps", test_keeps, FIXTURE},
	{"lists_and_removes", test_lists_and_removes, FIXTURE},
	{"checks_arguments", test_checks_arguments, FIXTURE},
	{"bounds", test_bounds, FIXTURE},
	{"missing", test_missing, FIXTURE},
	{"wrong_key", test_wrong_key, FIXTURE},
	{"damaged", test_damaged, FIXTURE},
	{"leaves_other_databases_alone", test_leaves_other_databases_alone, FIXTURE},
	{"rows_cannot_be_moved", test_rows_cannot_be_moved, FIXTURE},
	{"rows_of_another_store", test_rows_of_another_store, FIXTURE},
	{"locked", test_locked, FIXTURE},
	{"file", test_file, FIXTURE},
	{"grants", test_grants, FIXTURE},
};

HARNESS_MAIN(tests)
