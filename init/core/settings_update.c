/* The settings of updates from YAML. PID 1, the update role and `hearth check` use it, through core/settings. */
#include "core/settings_update.h"

#include <string.h>

#include "base/str.h"

#define VALUE_SHOWN 64 /* bytes of a value in a message */

const struct settings_update settings_update_default = {
	.health = HEALTH_SERVICES | HEALTH_NODE | HEALTH_APPS,
	.health_deadline_ms = 15 * 60000,
	.from = 3 * 60,
	.until = 5 * 60,
};

static const char *text_of(const struct yaml_node *v)
{
	return v->kind == YAML_SCALAR ? v->text : "";
}

int settings_bool(const struct yaml *y, const struct yaml_node *v, bool *out, struct err *e)
{
	bool yes = v->kind == YAML_SCALAR && str_eq(v->text, "true");

	if (!yes && (v->kind != YAML_SCALAR || !str_eq(v->text, "false")))
		return yaml_error(y, v, e, "%s: '%.*s' is neither true nor false", v->key, VALUE_SHOWN, text_of(v));
	*out = yes;
	return 0;
}

static const struct {
	const char *name;
	enum settings_health bit;
} criteria[] = {
	{"services", HEALTH_SERVICES},
	{"node", HEALTH_NODE},
	{"apps", HEALTH_APPS},
};

static int add_criterion(const struct yaml *y, const struct yaml_node *v, unsigned *mask, struct err *e)
{
	size_t i = 0;

	while (i < COUNT_OF(criteria) && !str_eq(criteria[i].name, text_of(v)))
		i++;
	if (i == COUNT_OF(criteria))
		return yaml_error(y, v, e, "update.health: '%.*s' is none of services, node and apps", VALUE_SHOWN,
		                  text_of(v));
	if (*mask & criteria[i].bit)
		return yaml_error(y, v, e, "update.health: '%s' stands here twice; keep one", criteria[i].name);
	*mask |= criteria[i].bit;
	return 0;
}

static int set_health(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	struct settings_update *u = into;

	if (v->kind != YAML_LIST)
		return yaml_error(y, v, e, "update.health is not a list; write [services, node, apps]");
	u->health = 0;
	for (const struct yaml_node *n = v->first; n; n = n->next) {
		if (add_criterion(y, n, &u->health, e) < 0)
			return -1;
	}
	return 0;
}

static int set_deadline(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	struct settings_update *u = into;
	uint64_t ms;

	if (v->kind != YAML_SCALAR || str_duration_ms(v->text, &ms) < 0 || ms < SETTINGS_HEALTH_LEAST ||
	    ms > SETTINGS_HEALTH_MOST)
		return yaml_error(y, v, e, "update.health-deadline: '%.*s' is none; use 1m to 24h, as 15m", VALUE_SHOWN,
		                  text_of(v));
	u->health_deadline_ms = (uint32_t)ms;
	return 0;
}

/* It becomes an argument of a library and is shown on consoles. */
static bool is_url(const char *s)
{
	if (s[0] == '\0')
		return true;
	for (const char *p = s; *p; p++) {
		if (*p <= ' ' || *p >= 0x7f || strchr("\"'\\<>`", *p))
			return false;
	}
	const char *host = strstr(s, "://");
	return (str_starts(s, "https://") || str_starts(s, "http://")) && host[3] != '\0' && host[3] != '/';
}

static int set_url(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	struct settings_update *u = into;

	if (v->kind != YAML_SCALAR || !is_url(v->text) || str_copy(u->url, sizeof(u->url), v->text) < 0)
		return yaml_error(y, v, e,
		                  "update.url: '%.*s' is none; use http:// or https:// and at most %d bytes, or \"\" "
		                  "for none",
		                  VALUE_SHOWN, text_of(v), SETTINGS_URL - 1);
	return 0;
}

static int set_automatic(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return settings_bool(y, v, &((struct settings_update *)into)->automatic, e);
}

static int set_snapshot(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return settings_bool(y, v, &((struct settings_update *)into)->snapshot, e);
}

/* "03:00" at s, exactly. */
static int minutes(const char *s, uint16_t *out)
{
	for (unsigned i = 0; i < 5; i++) {
		if (i == 2 ? s[i] != ':' : s[i] < '0' || s[i] > '9')
			return -1;
	}
	unsigned hour = (unsigned)(s[0] - '0') * 10 + (unsigned)(s[1] - '0');
	unsigned minute = (unsigned)(s[3] - '0') * 10 + (unsigned)(s[4] - '0');
	*out = (uint16_t)(hour * 60 + minute);
	return hour < 24 && minute < 60 ? 0 : -1;
}

static int set_window(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	struct settings_update *u = into;
	const char *s = text_of(v);

	u->from = u->until = 0;
	if (v->kind == YAML_SCALAR && s[0] == '\0')
		return 0;
	if (strlen(s) != 11 || s[5] != '-' || minutes(s, &u->from) < 0 || minutes(s + 6, &u->until) < 0 ||
	    u->from == u->until)
		return yaml_error(y, v, e, "update.window: '%.*s' is none; write \"03:00-05:00\", or \"\" for always",
		                  VALUE_SHOWN, s);
	return 0;
}

static const struct yaml_key keys[] = {
	{"health", set_health, false}, {"health-deadline", set_deadline, false},
	{"url", set_url, false},       {"automatic", set_automatic, false},
	{"window", set_window, false}, {"snapshot", set_snapshot, false},
	{NULL, NULL, false},
};

int settings_update_take(struct settings_update *u, const struct yaml *y, const struct yaml_node *v, struct err *e)
{
	if (v->kind == YAML_SCALAR && v->text[0] == '\0')
		return 0;
	if (v->kind != YAML_MAP)
		return yaml_error(y, v, e, "update is not a mapping; write 'KEY: value' lines below it");
	return yaml_walk(y, v, keys, u, e);
}
