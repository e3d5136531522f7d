/* SPDX-License-Identifier: Apache-2.0 */
/* The allow list of hosts, and the table of addresses that are not public. All addresses are stored in the form of
 * IPv6. */
#include "host/allow.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/refuse.h"
#include "../guest/abi.h"
#include "host/fetch.h"

#define NAME_BYTES_MAX 253

typedef struct host_entry {
	char name[NAME_BYTES_MAX + 1]; /* that of a domain begins with a dot */
	uint16_t port;                 /* 0: ports 80 and 443 */
	bool is_domain;                /* all names below it, but not the name itself */
	bool is_address;
	struct in6_addr address;
} host_entry;

struct curfew__allow_list {
	size_t count;
	host_entry entries[];
};

/* ---- Addresses -------------------------------------------------------------------------------------------- */

typedef struct range {
	const char *prefix;
	unsigned bits;
} range;

/* IANA's registries of special-purpose addresses, multicast included. */
static const range special4[] = {
	{"0.0.0.0", 8},      {"10.0.0.0", 8},     {"100.64.0.0", 10},   {"127.0.0.0", 8},     {"169.254.0.0", 16},
	{"172.16.0.0", 12},  {"192.0.0.0", 24},   {"192.0.2.0", 24},    {"192.31.196.0", 24}, {"192.52.193.0", 24},
	{"192.88.99.0", 24}, {"192.168.0.0", 16}, {"192.175.48.0", 24}, {"198.18.0.0", 15},   {"198.51.100.0", 24},
	{"203.0.113.0", 24}, {"224.0.0.0", 4},    {"240.0.0.0", 4},
};
/* These are within 2000::/3. Outside that range no address is public. */
static const range special6[] = {
	{"2001::", 23},
	{"2001:db8::", 32},
	{"2002::", 16},
	{"3fff::", 20},
};

static bool has_prefix(const uint8_t *address, const uint8_t *prefix, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;
	return !memcmp(address, prefix, bytes) && (!rest || !((address[bytes] ^ prefix[bytes]) >> (8 - rest)));
}

static bool is_in(int family, const uint8_t *address, const range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t prefix[16];
		if (inet_pton(family, ranges[i].prefix, prefix) == 1 && has_prefix(address, prefix, ranges[i].bits))
			return true;
	}
	return false;
}

static bool is_public4(const uint8_t *address)
{
	return !is_in(AF_INET, address, special4, sizeof special4 / sizeof *special4);
}

/* An IPv4 address inside an IPv6 address, mapped or translated (64:ff9b::/96), is judged as that IPv4 address. */
static bool is_public(const struct in6_addr *address)
{
	static const uint8_t translated[12] = {0, 0x64, 0xff, 0x9b};

	if (IN6_IS_ADDR_V4MAPPED(address) || !memcmp(address->s6_addr, translated, sizeof translated))
		return is_public4(address->s6_addr + 12);
	return address->s6_addr[0] >> 5 == 1 &&
	       !is_in(AF_INET6, address->s6_addr, special6, sizeof special6 / sizeof *special6);
}

static bool is_loopback(const struct in6_addr *address)
{
	return IN6_IS_ADDR_LOOPBACK(address) || (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

static void map4(struct in6_addr *to, const void *from)
{
	*to = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
	memcpy(to->s6_addr + 12, from, 4);
}

static bool parse_address(const char *text, struct in6_addr *address)
{
	struct in_addr four;

	if (inet_pton(AF_INET6, text, address) == 1)
		return true;
	if (inet_pton(AF_INET, text, &four) != 1)
		return false;
	map4(address, &four);
	return true;
}

static bool read_address(const struct sockaddr *from, struct in6_addr *address)
{
	if (from->sa_family == AF_INET)
		map4(address, &((const struct sockaddr_in *)(const void *)from)->sin_addr);
	else if (from->sa_family == AF_INET6)
		*address = ((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
	return from->sa_family == AF_INET || from->sa_family == AF_INET6;
}

/* ---- Entries ---------------------------------------------------------------------------------------------- */

static bool parse_port(const char *text, uint16_t *port)
{
	char *end;
	unsigned long value = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;

	if (!value || value > 65535 || *end)
		return false;
	*port = (uint16_t)value;
	return true;
}

/* Whether this is a host name: labels of letters, digits, "-" and "_". A last label that is a number would mean an
 * address. */
static bool is_name(const char *text)
{
	const char *label = text;

	for (const char *at = text;; at++) {
		if (*at == '.' || !*at) {
			if (at == label || at - label > 63)
				return false;
			if (!*at)
				return !isdigit((unsigned char)*label);
			label = at + 1;
		} else if (!isalnum((unsigned char)*at) && *at != '-' && *at != '_') {
			return false;
		}
	}
}

/* Parses an entry. Returns what is wrong with it, or NULL. */
static const char *parse_entry(const char *text, host_entry *result)
{
	const char *colon = strrchr(text, ':'), *end = text + strlen(text);
	bool bracket = *text == '[';

	*result = (host_entry){.is_domain = text[0] == '*' && text[1] == '.'};
	if (strstr(text, "//"))
		return "this is a URL, not a host";
	/* Several colons without a bracket mean an IPv6 address. */
	if (colon && !bracket && memchr(text, ':', (size_t)(colon - text)))
		colon = NULL;
	if (colon && bracket && colon[-1] != ']')
		colon = NULL;
	if (colon) {
		if (!parse_port(colon + 1, &result->port))
			return "the port is not a number from 1 to 65535";
		end = colon;
	}
	if (bracket && end[-1] != ']')
		return "the bracket is not closed";
	text += bracket || result->is_domain;
	end -= bracket;
	if (end == text)
		return "the host is missing";
	if (end - text > NAME_BYTES_MAX)
		return "the host is too long";
	memcpy(result->name, text, (size_t)(end - text));
	result->is_address = !result->is_domain && parse_address(result->name, &result->address);
	if (bracket && !(result->is_address && strchr(result->name, ':')))
		return "there is no IPv6 address in the brackets";
	if (!result->is_address && !is_name(result->name + result->is_domain))
		return "it is neither a host name (in ASCII) nor an address";
	return NULL;
}

curfew__allow_list *curfew__allow_list_create(const char *const *entries, size_t count, curfew_failure *failure)
{
	curfew__allow_list *list = calloc(1, sizeof *list + count * sizeof(host_entry));

	if (!list) {
		curfew__fail(failure, "out of memory");
		return NULL;
	}
	for (list->count = 0; list->count < count; list->count++) {
		const char *text = entries[list->count];
		const char *why = text ? parse_entry(text, &list->entries[list->count]) : "there is no text";
		if (!why)
			continue;
		curfew__fail(failure, "allow_fetch %.120s: %s", text ? text : "NULL", why);
		free(list);
		return NULL;
	}
	return list;
}

void curfew__allow_list_destroy(curfew__allow_list *list)
{
	free(list);
}

static bool has_port(const host_entry *entry, uint16_t port)
{
	return entry->port ? entry->port == port : port == 80 || port == 443;
}

static bool has_name(const host_entry *entry, const char *host)
{
	/* A dot at the end only says that the name is complete. */
	size_t length = strlen(host), own = strlen(entry->name);

	if (length && host[length - 1] == '.')
		length--;
	if (entry->is_domain)
		return length > own && !strncasecmp(host + length - own, entry->name, own);
	return length == own && !strncasecmp(host, entry->name, own);
}

static bool has_exactly(const host_entry *entry, const struct in6_addr *address)
{
	return entry->is_address && !memcmp(&entry->address, address, sizeof *address);
}

bool curfew__allow_list_has(const curfew__allow_list *list, const char *host, uint16_t port)
{
	struct in6_addr address;
	bool is_address = parse_address(host, &address);

	for (size_t i = 0; i < list->count; i++) {
		const host_entry *entry = &list->entries[i];
		if (has_port(entry, port) && (is_address ? has_exactly(entry, &address) : has_name(entry, host)))
			return true;
	}
	return false;
}

bool curfew__allow_list_has_address(const curfew__allow_list *list, const char *host, uint16_t port,
                                    const struct sockaddr *from)
{
	struct in6_addr address;

	if (!read_address(from, &address))
		return false;
	if (is_public(&address) || (is_loopback(&address) && !strcasecmp(host, "localhost")))
		return true;
	for (size_t i = 0; i < list->count; i++) {
		if (has_port(&list->entries[i], port) && has_exactly(&list->entries[i], &address))
			return true;
	}
	return false;
}

/* ---- Lists within lists ----------------------------------------------------------------------------------- */

/* Whether the outer entry includes everything that the inner one names, including all names of a domain. */
static bool covers_name(const host_entry *outer, const host_entry *inner)
{
	if (inner->is_address || outer->is_address)
		return inner->is_address && has_exactly(outer, &inner->address);
	if (inner->is_domain && !outer->is_domain)
		return false;
	return (inner->is_domain && !strcasecmp(outer->name, inner->name)) || has_name(outer, inner->name);
}

static bool covers_port(const curfew__allow_list *outer, const host_entry *inner, uint16_t port)
{
	for (size_t i = 0; i < outer->count; i++)
		if (has_port(&outer->entries[i], port) && covers_name(&outer->entries[i], inner))
			return true;
	return false;
}

bool curfew__allow_list_covers(const curfew__allow_list *outer, const curfew__allow_list *inner)
{
	for (size_t i = 0; i < inner->count; i++) {
		const host_entry *entry = &inner->entries[i];
		bool covered = entry->port ? covers_port(outer, entry, entry->port)
		                           : covers_port(outer, entry, 80) && covers_port(outer, entry, 443);
		if (!covered)
			return false;
	}
	return true;
}

uint32_t curfew__fetch_refuse(curfew__operations *operations, const char *reason)
{
	char *copy = strdup(reason);
	return copy ? curfew__operations_answer(operations, CURFEW_FETCH_FAILED, copy, strlen(copy)) : 0;
}
