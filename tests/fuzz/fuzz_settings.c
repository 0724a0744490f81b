/* core/settings: what is taken is sound to the last byte and says the same when written again; what is refused changes
 * nothing. */
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "core/settings.h"
#include "fuzz/check.h"

static struct yaml y;

static void check_sound(const struct settings *s)
{
	size_t n = strlen(s->hostname);

	FUZZ_CHECK(n < SETTINGS_HOSTNAME && strspn(s->hostname, "abcdefghijklmnopqrstuvwxyz0123456789-") == n);
	FUZZ_CHECK(s->hostname[0] != '-' && (n == 0 || s->hostname[n - 1] != '-'));
	FUZZ_CHECK(s->time_servers <= SETTINGS_SERVERS);
	for (unsigned i = 0; i < s->time_servers; i++) {
		const char *name = s->time_server[i];
		/* They become arguments of a program. */
		FUZZ_CHECK(name[0] != '\0' && name[0] != '-' && !strpbrk(name, " \t\n'\"\\;$`|&<>()%"));
	}
	FUZZ_CHECK(s->sites <= SETTINGS_SITE);
	for (unsigned i = 0; i < s->sites; i++) {
		const struct settings_value *v = &s->site[i];
		FUZZ_CHECK(str_is_name(v->name) && strlen(v->text) < SETTINGS_VALUE && !strpbrk(v->text, "\n\t\r"));
		FUZZ_CHECK(settings_site(s, v->name, strlen(v->name)) == v->text);
	}
	FUZZ_CHECK(s->update.from < 1440 && s->update.until < 1440 && s->update.health < 8);
	FUZZ_CHECK(s->update.health_deadline_ms >= SETTINGS_HEALTH_LEAST && !strpbrk(s->update.url, " \t\n'\"\\"));
}

static void check_again(const struct settings *s)
{
	static char text[2048];
	struct settings again;
	struct err e = {0};
	struct buf b;

	buf_init(&b, text, sizeof(text));
	buf_addf(&b, "hostname: '%s'\ntime-servers: [", s->hostname);
	for (unsigned i = 0; i < s->time_servers; i++)
		buf_addf(&b, "%s'%s'", i ? ", " : "", s->time_server[i]);
	buf_add(&b, "]\n");
	FUZZ_CHECK(buf_ok(&b));
	memset(&again, 0, sizeof(again));
	FUZZ_CHECK(settings_parse(&again, &y, "again", text, b.len, &e) == 0);
	FUZZ_CHECK(str_eq(again.hostname, s->hostname) && again.time_servers == s->time_servers);
	FUZZ_CHECK(memcmp(again.time_server, s->time_server, sizeof(again.time_server)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings s, before;
	struct err e = {0};

	memset(&s, 0, sizeof(s));
	settings_default(&s);
	before = s;
	if (settings_parse(&s, &y, "s.yaml", (const char *)data, size, &e) < 0) {
		FUZZ_CHECK(str_starts(e.text, "s.yaml:"));
		FUZZ_CHECK(memcmp(&s, &before, sizeof(s)) == 0);
		return 0;
	}
	check_sound(&s);
	check_again(&s);
	return 0;
}
