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
	};

	*s = defaults;
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

static const struct yaml_key keys[] = {
	{"hostname", set_hostname, false},
	{"time-servers", set_time_servers, false},
	{NULL, NULL, false},
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
