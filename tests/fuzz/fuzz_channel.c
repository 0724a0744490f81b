/* update/channel: an index that is taken is sound to the last byte, and so is what is chosen of it; what is refused
 * changes nothing. */
#include <string.h>

#include "base/str.h"
#include "fuzz/check.h"
#include "update/channel.h"

static struct yaml y;
static struct channel c, before;

static int check_nothing(const void *text, size_t len, const void *sig, size_t sig_len, void *arg, struct err *e)
{
	(void)text, (void)len, (void)sig, (void)sig_len, (void)arg, (void)e;
	return 0;
}

static void check_version(const struct channel_version *v)
{
	struct version number, minimum;
	char url[URL_MAX];
	struct err e = {0};

	FUZZ_CHECK(version_read(v->version, &number) == 0 && version_read(v->minimum, &minimum) == 0);
	FUZZ_CHECK(version_compare(&minimum, &number) <= 0);
	FUZZ_CHECK(str_is_name(v->board) && v->size > 0 && v->size <= CHANNEL_BUNDLE && v->released > 0);
	FUZZ_CHECK(url_check_reference(v->url, &e) == 0);
	if (url_join(url, "https://h/c/index.yaml", v->url, &e) == 0)
		FUZZ_CHECK(url_check(url, &e) == 0);
}

static void check_choice(const char *running)
{
	struct channel_choice o;
	struct err e = {0};

	FUZZ_CHECK(channel_choose(&c, running, "x86-64-efi", &o, &e) == 0);
	FUZZ_CHECK(o.text[0] != '\0' && (!o.take || o.newest));
	if (!o.take)
		return;
	FUZZ_CHECK(!o.take->withdrawn && !o.newest->withdrawn && str_eq(o.take->board, "x86-64-efi"));
	FUZZ_CHECK(!str_eq(o.take->version, running));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct channel_text t = {.file = "index.yaml", .text = (const char *)data, .len = size};
	struct channel_now now = {.wall = 1795564800, .synced = true};
	struct err e = {0};

	before = c;
	if (channel_read(&c, &y, &t, check_nothing, NULL, &e) < 0) {
		FUZZ_CHECK(str_starts(e.text, "index.yaml:") && e.code != 0);
		FUZZ_CHECK(memcmp(&c, &before, sizeof(c)) == 0);
		return 0;
	}
	FUZZ_CHECK(str_is_name(c.name) && c.serial > 0 && c.issued > 0 && c.expires > c.issued);
	FUZZ_CHECK(c.versions >= 1 && c.versions <= CHANNEL_VERSIONS);
	for (unsigned i = 0; i < c.versions; i++)
		check_version(&c.version[i]);
	check_choice("0.1.0");
	check_choice("0.2.5");
	if (channel_fresh(&c, &now, &e) < 0)
		FUZZ_CHECK(strstr(e.text, c.name) != NULL);
	return 0;
}
