/* Settings from YAML. PID 1 and `hearth check` use it.
 * Never reads or writes a file, never takes a value that it has not checked to the last byte. */
#include "core/settings.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "base/str.h"

#define LABEL       63 /* bytes between two dots of a name (RFC 1035 2.3.4) */
#define LOWER       "abcdefghijklmnopqrstuvwxyz"
#define UPPER       "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS      "0123456789"
#define VALUE_SHOWN 64 /* bytes of a value in a message */

void settings_default(struct settings *s)
{
	static const struct settings defaults = {
		.hostname = "",
		.time_server = {"time.cloudflare.com", "ntp.se"},
		.time_servers = 2,
		.site = {{"domain", "home.arpa"}, {"email", ""}, {"timezone", "UTC"}, {"lb-range", ""}},
		.sites = 4,
		.watchdog = true,
	};

	*s = defaults;
	s->update = settings_update_default;
}

/* RFC 1123 2.1: letters, digits and hyphens, no hyphen at either end. */
static bool is_label(const char *s, size_t n, const char *chars)
{
	return n >= 1 && n <= LABEL && strspn(s, chars) >= n && s[0] != '-' && s[n - 1] != '-';
}

static bool is_host_name(const char *s)
{
	size_t n = strlen(s);

	if (n >= SETTINGS_SERVER)
		return false;
	for (;;) {
		n = strcspn(s, ".");
		if (!is_label(s, n, LOWER UPPER DIGITS "-"))
			return false;
		if (s[n] == '\0')
			return true;
		s += n + 1;
	}
}

/* What looks like an address must be one: "1.2.3" and "::g" are no names. */
static bool is_server(const char *s)
{
	struct in6_addr address;

	if (strchr(s, ':'))
		return inet_pton(AF_INET6, s, &address) == 1;
	if (s[strspn(s, DIGITS ".")] == '\0')
		return inet_pton(AF_INET, s, &address) == 1;
	return is_host_name(s);
}

static int set_hostname(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	struct settings *s = into;
	bool good =
		v->kind == YAML_SCALAR && (v->text[0] == '\0' || is_label(v->text, strlen(v->text), LOWER DIGITS "-"));

	if (!good || str_copy(s->hostname, sizeof(s->hostname), v->text) < 0)
		return yaml_error(
			y, v, e,
			"hostname '%.*s' is none; use 1 to %d small letters, digits and '-' (not at the ends), "
			"or \"\" to have one made",
			VALUE_SHOWN, v->kind == YAML_SCALAR ? v->text : "", LABEL);
	return 0;
}

static int add_server(const struct yaml *y, const struct yaml_node *v, struct settings *s, struct err *e)
{
	if (v->kind != YAML_SCALAR || !is_server(v->text))
		return yaml_error(y, v, e, "time server '%.*s' is none; use a host name or an IP address", VALUE_SHOWN,
		                  v->kind == YAML_SCALAR ? v->text : "");
	for (unsigned i = 0; i < s->time_servers; i++) {
		if (str_eq(s->time_server[i], v->text))
			return yaml_error(y, v, e, "time server '%.*s' stands here twice; keep one", VALUE_SHOWN,
			                  v->text);
	}
	if (s->time_servers == SETTINGS_SERVERS)
		return yaml_error(y, v, e, "more than %d time servers; keep the nearest ones", SETTINGS_SERVERS);
	return str_copy(s->time_server[s->time_servers++], SETTINGS_SERVER, v->text); /* fits: is_server */
}

static int set_time_servers(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	struct settings *s = into;

	if (v->kind != YAML_LIST)
		return yaml_error(y, v, e, "time-servers is not a list; write [NAME, NAME]");
	s->time_servers = 0;
	memset(s->time_server, 0, sizeof(s->time_server));
	for (const struct yaml_node *n = v->first; n; n = n->next) {
		if (add_server(y, n, s, e) < 0)
			return -1;
	}
	return 0;
}

/* "192.168.1.240/28" */
static bool is_block(const char *s)
{
	struct in_addr address;
	char text[INET_ADDRSTRLEN];
	const char *slash = strchr(s, '/');
	uint64_t bits;

	return slash && str_format(text, sizeof(text), "%.*s", (int)(slash - s), s) == 0 &&
	       inet_pton(AF_INET, text, &address) == 1 && str_u64(slash + 1, 32, &bits) == 0;
}

/* "192.168.1.240-192.168.1.250", or a block. */
static bool is_range(const char *s)
{
	struct in_addr from, to;
	char text[INET_ADDRSTRLEN];
	const char *dash = strchr(s, '-');

	if (!dash)
		return is_block(s);
	return str_format(text, sizeof(text), "%.*s", (int)(dash - s), s) == 0 &&
	       inet_pton(AF_INET, text, &from) == 1 && inet_pton(AF_INET, dash + 1, &to) == 1 &&
	       ntohl(from.s_addr) <= ntohl(to.s_addr);
}

static bool is_domain(const char *s)
{
	return is_host_name(s) && s[strcspn(s, UPPER)] == '\0';
}

static bool is_email(const char *s)
{
	const char *at = strchr(s, '@');

	return at && at > s && s[strcspn(s, " \t\"<>")] == '\0' && is_host_name(at + 1);
}

/* As in /usr/share/zoneinfo, which may not be here. */
static bool is_timezone(const char *s)
{
	return s[strspn(s, LOWER UPPER DIGITS "_+-/")] == '\0' && s[0] != '/';
}

/* Values that the platform itself needs; a wrong one would show up late, in some app. */
static const struct known {
	const char *name;
	bool (*good)(const char *text);
	const char *want;
} known[] = {
	{"domain", is_domain, "a domain name such as home.arpa, in small letters"},
	{"email", is_email, "an address such as me@example.org"},
	{"timezone", is_timezone, "a name such as Europe/Berlin"},
	{"lb-range", is_range, "IPv4 addresses such as 192.168.1.240/28 or 192.168.1.240-192.168.1.250"},
};

static int check_site(const struct yaml *y, const struct yaml_node *v, struct err *e)
{
	if (!str_is_name(v->key))
		return yaml_error(y, v, e, "site: '%.*s' is no name; use up to %d small letters, digits and '-'",
		                  VALUE_SHOWN, v->key, LIMIT_NAME - 1);
	if (v->kind != YAML_SCALAR)
		return yaml_error(y, v, e, "site.%s is not text; write one value", v->key);
	if (strlen(v->text) >= SETTINGS_VALUE || strpbrk(v->text, "\n\t"))
		return yaml_error(y, v, e, "site.%s is no single line of up to %d bytes; shorten it", v->key,
		                  SETTINGS_VALUE - 1);
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (str_eq(known[i].name, v->key) && v->text[0] != '\0' && !known[i].good(v->text))
			return yaml_error(y, v, e, "site.%s: '%.*s' is none; use %s, or \"\" for none", v->key,
			                  VALUE_SHOWN, v->text, known[i].want);
	}
	return 0;
}

static struct settings_value *find_site(struct settings *s, const char *name)
{
	for (unsigned i = 0; i < s->sites; i++) {
		if (str_eq(s->site[i].name, name))
			return &s->site[i];
	}
	return NULL;
}

static int add_site(const struct yaml *y, const struct yaml_node *v, struct settings *s, struct err *e)
{
	struct settings_value *to = find_site(s, v->key);

	if (check_site(y, v, e) < 0)
		return -1;
	if (!to && s->sites == SETTINGS_SITE)
		return yaml_error(y, v, e, "more than %d values of the site; remove some", SETTINGS_SITE);
	if (!to)
		to = &s->site[s->sites++];
	(void)!str_copy(to->name, sizeof(to->name), v->key);  /* fits: str_is_name */
	return str_copy(to->text, sizeof(to->text), v->text); /* fits: check_site */
}

static int set_site(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	if (v->kind != YAML_MAP && (v->kind != YAML_SCALAR || v->text[0] != '\0'))
		return yaml_error(y, v, e, "site is not a mapping; write 'NAME: value' lines below it");
	for (const struct yaml_node *n = v->first; n; n = n->next) {
		if (add_site(y, n, into, e) < 0)
			return -1;
	}
	return 0;
}

static int set_watchdog(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return settings_bool(y, v, &((struct settings *)into)->watchdog, e);
}

static int set_update(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return settings_update_take(&((struct settings *)into)->update, y, v, e);
}

static const struct yaml_key keys[] = {
	{"hostname", set_hostname, false}, {"time-servers", set_time_servers, false},
	{"site", set_site, false},         {"watchdog", set_watchdog, false},
	{"update", set_update, false},     {NULL, NULL, false},
};

int settings_parse(struct settings *s, struct yaml *y, const char *file, const char *text, size_t len, struct err *e)
{
	struct settings fresh = *s;
	struct yaml_node *root;

	if (yaml_parse(y, file, text, len, &root, e) < 0 || yaml_walk(y, root, keys, &fresh, e) < 0)
		return -1;
	*s = fresh;
	return 0;
}

const char *settings_site(const struct settings *s, const char *name, size_t len)
{
	for (unsigned i = 0; i < s->sites; i++) {
		if (strlen(s->site[i].name) == len && memcmp(s->site[i].name, name, len) == 0)
			return s->site[i].text;
	}
	return "";
}
