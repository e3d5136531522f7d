/* SPDX-License-Identifier: Apache-2.0 */
/* The hosts and addresses that a run may reach. */
#include "../harness.h"
#include "host/allow.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

static curfew__allow_list *allow(const char *const *entries, size_t count)
{
	curfew_failure failure = {.message = ""};
	curfew__allow_list *list = curfew__allow_list_create(entries, count, &failure);
	if (!list)
		harness_fail("%s", failure.message);
	return list;
}

static bool reaches(const curfew__allow_list *list, const char *host, uint16_t port, const char *address)
{
	struct sockaddr_in six_or_four[2] = {0};
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)six_or_four;
	struct sockaddr_in *four = six_or_four;

	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
	} else {
		CHECK_EQUAL(inet_pton(AF_INET6, address, &six->sin6_addr), 1);
		six->sin6_family = AF_INET6;
	}
	return curfew__allow_list_has_address(list, host, port, (struct sockaddr *)(void *)six_or_four);
}

static void test_nothing_is_allowed(void)
{
	curfew__allow_list *list = allow(NULL, 0);
	CHECK(!curfew__allow_list_has(list, "example.com", 80));
	CHECK(!curfew__allow_list_has(list, "", 80));
	curfew__allow_list_destroy(list);
	curfew__allow_list_destroy(NULL);
}

static void test_names(void)
{
	static const char *const entries[] = {"Example.com", "*.wild.net", "api.test:8443", "*.both.org:81"};
	curfew__allow_list *list = allow(entries, COUNT(entries));

	CHECK(curfew__allow_list_has(list, "example.com", 80));
	CHECK(curfew__allow_list_has(list, "EXAMPLE.com.", 443));
	CHECK(!curfew__allow_list_has(list, "example.com", 8080));
	CHECK(!curfew__allow_list_has(list, "a.example.com", 443));
	CHECK(!curfew__allow_list_has(list, "example.com.evil.org", 443));
	CHECK(!curfew__allow_list_has(list, "notexample.com", 443));
	CHECK(curfew__allow_list_has(list, "a.wild.net", 443));
	CHECK(curfew__allow_list_has(list, "a.b.wild.net", 443));
	CHECK(!curfew__allow_list_has(list, "wild.net", 443));
	CHECK(!curfew__allow_list_has(list, ".wild.net", 443));
	CHECK(!curfew__allow_list_has(list, "evilwild.net", 443));
	CHECK(curfew__allow_list_has(list, "api.test", 8443));
	CHECK(!curfew__allow_list_has(list, "api.test", 443));
	CHECK(curfew__allow_list_has(list, "x.both.org", 81));
	CHECK(!curfew__allow_list_has(list, "x.both.org", 80));
	curfew__allow_list_destroy(list);
}

static void test_addresses_as_hosts(void)
{
	static const char *const entries[] = {"192.0.2.7", "[2001:db8::1]:99", "::1"};
	curfew__allow_list *list = allow(entries, COUNT(entries));

	CHECK(curfew__allow_list_has(list, "192.0.2.7", 80));
	CHECK(!curfew__allow_list_has(list, "192.0.2.70", 80));
	CHECK(curfew__allow_list_has(list, "2001:DB8:0::1", 99));
	CHECK(!curfew__allow_list_has(list, "2001:db8::1", 443));
	CHECK(curfew__allow_list_has(list, "0:0:0:0:0:0:0:1", 443));
	CHECK(curfew__allow_list_has(list, "::ffff:192.0.2.7", 443));
	curfew__allow_list_destroy(list);
}

static void test_bad_entries(void)
{
	static const char *const bad[] = {"",
	                                  ":80",
	                                  "*",
	                                  "*.",
	                                  "a..b",
	                                  "https://example.com",
	                                  "example.com/",
	                                  "exa mple.com",
	                                  "example.com:0",
	                                  "example.com:65536",
	                                  "example.com:http",
	                                  "example.com:",
	                                  "[::1",
	                                  "[::1]:x",
	                                  "[1.2.3.4]",
	                                  "[]",
	                                  "*.1.2.3.4",
	                                  "1.2.3",
	                                  "256.1.1.1",
	                                  "h\xc3\xb6st.de",
	                                  "user@host",
	                                  "a.*.b",
	                                  "fe80::1%eth0",
	                                  NULL};
	for (size_t i = 0; i < COUNT(bad); i++) {
		curfew_failure failure = {.message = ""};
		curfew__allow_list *list = curfew__allow_list_create(&bad[i], 1, &failure);
		if (list)
			harness_fail("%s was taken", bad[i]);
		CHECK(strstr(failure.message, "allow_fetch") != NULL);
	}
}

static void test_private_addresses(void)
{
	/* Claim T26. */
	static const char *const entries[] = {"example.com"};
	static const char *const private[] = {
		"0.0.0.0",
		"0.1.2.3",
		"10.0.0.1",
		"100.64.0.1",
		"100.127.255.255",
		"127.0.0.1",
		"127.9.9.9",
		"169.254.169.254",
		"172.16.0.1",
		"172.31.255.255",
		"192.0.0.1",
		"192.0.2.1",
		"192.168.1.1",
		"198.18.0.1",
		"198.19.255.255",
		"198.51.100.1",
		"203.0.113.1",
		"224.0.0.1",
		"239.255.255.255",
		"240.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"::127.0.0.1",
		"::ffff:127.0.0.1",
		"::ffff:10.0.0.1",
		"::ffff:169.254.169.254",
		"64:ff9b::7f00:1",
		"64:ff9b::10.0.0.1",
		"64:ff9b:1::1",
		"100::1",
		"fc00::1",
		"fdff::1",
		"fe80::1",
		"fec0::1",
		"ff02::1",
		"2001::1",
		"2001:db8::1",
		"2002:7f00:1::",
		"3fff::1",
		"4000::1",
	};
	static const char *const public[] = {
		"1.1.1.1",         "8.8.8.8",         "9.255.255.255",  "11.0.0.0",         "100.63.255.255",
		"100.128.0.0",     "126.255.255.255", "128.0.0.1",      "169.253.1.1",      "172.15.255.255",
		"172.32.0.0",      "192.167.1.1",     "198.17.255.255", "198.20.0.0",       "223.255.255.255",
		"2606:4700::1111", "2a00:1450::1",    "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2001:4860::8888",
	};
	curfew__allow_list *list = allow(entries, 1);

	for (size_t i = 0; i < COUNT(private); i++)
		if (reaches(list, "example.com", 443, private[i]) || reaches(list, "example.com", 80, private[i]))
			harness_fail("%s was taken for public", private[i]);
	for (size_t i = 0; i < COUNT(public); i++)
		if (!reaches(list, "example.com", 443, public[i]))
			harness_fail("%s was taken for private", public[i]);
	curfew__allow_list_destroy(list);
}

static void test_private_addresses_by_name(void)
{
	/* Claim T26. */
	static const char *const entries[] = {"localhost:8080", "inside.corp", "10.1.2.3", "[fd00::5]:99"};
	curfew__allow_list *list = allow(entries, COUNT(entries));

	CHECK(reaches(list, "localhost", 8080, "127.0.0.1"));
	CHECK(reaches(list, "localhost", 8080, "::1"));
	CHECK(!reaches(list, "localhost", 8080, "10.0.0.1"));
	CHECK(!reaches(list, "inside.corp", 443, "127.0.0.1"));
	CHECK(reaches(list, "inside.corp", 443, "10.1.2.3"));
	CHECK(reaches(list, "inside.corp", 443, "::ffff:10.1.2.3"));
	CHECK(!reaches(list, "inside.corp", 8080, "10.1.2.3"));
	CHECK(!reaches(list, "inside.corp", 443, "10.1.2.4"));
	CHECK(reaches(list, "inside.corp", 99, "fd00::5"));
	CHECK(!reaches(list, "inside.corp", 443, "fd00::5"));
	curfew__allow_list_destroy(list);
}

static bool covers(const char *outer, const char *inner)
{
	curfew_failure failure;
	curfew__allow_list *a = curfew__allow_list_create(&outer, 1, &failure),
					   *b = curfew__allow_list_create(&inner, 1, &failure);
	bool result = curfew__allow_list_covers(a, b);
	curfew__allow_list_destroy(a);
	curfew__allow_list_destroy(b);
	return result;
}

/* A list within another list allows only what the other one allows. */
static void test_lists_within_lists(void)
{
	static const char *const within[][2] = {
		{"a.com", "a.com"},          {"a.com", "A.COM"},           {"a.com", "a.com:80"},
		{"a.com", "a.com:443"},      {"a.com:8080", "a.com:8080"}, {"*.a.com", "b.a.com"},
		{"*.a.com", "*.a.com"},      {"*.a.com", "*.b.a.com:443"}, {"*.a.com:1", "c.b.a.com:1"},
		{"10.0.0.1", "10.0.0.1:80"}, {"[::1]:5", "[0:0::1]:5"},    {"::ffff:10.0.0.1", "10.0.0.1"},
	};
	static const char *const outside[][2] = {
		{"a.com", "b.com"},       {"a.com", "*.a.com"},       {"*.a.com", "a.com"},       {"a.com", "a.com:8080"},
		{"a.com:80", "a.com"},    {"*.b.a.com", "*.a.com"},   {"*.a.com", "xa.com"},      {"a.com", "b.a.com"},
		{"10.0.0.1", "10.0.0.2"}, {"localhost", "127.0.0.1"}, {"127.0.0.1", "localhost"}, {"[::1]:5", "[::1]:6"},
	};
	static const char *const both[] = {"a.com:80", "a.com:443"}, *const one[] = {"a.com"};
	curfew_failure failure;

	for (size_t i = 0; i < sizeof within / sizeof *within; i++)
		if (!covers(within[i][0], within[i][1]))
			harness_fail("%s does not cover %s", within[i][0], within[i][1]);
	for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
		if (covers(outside[i][0], outside[i][1]))
			harness_fail("%s covers %s", outside[i][0], outside[i][1]);
	curfew__allow_list *outer = curfew__allow_list_create(both, 2, &failure);
	curfew__allow_list *inner = curfew__allow_list_create(one, 1, &failure),
					   *none = curfew__allow_list_create(NULL, 0, &failure);
	CHECK(curfew__allow_list_covers(outer, inner));
	CHECK(curfew__allow_list_covers(none, none));
	CHECK(!curfew__allow_list_covers(none, inner));
	curfew__allow_list_destroy(outer);
	curfew__allow_list_destroy(inner);
	curfew__allow_list_destroy(none);
}

static const harness_test tests[] = {
	{"nothing_is_allowed", test_nothing_is_allowed}, {"names", test_names},
	{"addresses_as_hosts", test_addresses_as_hosts}, {"bad_entries", test_bad_entries},
	{"private_addresses", test_private_addresses},   {"private_addresses_by_name", test_private_addresses_by_name},
	{"lists_within_lists", test_lists_within_lists},
};

HARNESS_MAIN(tests)
