/* update/url: the input is a base, a newline, and what is joined to it. A URL that comes out is one that would be
 * taken, it stays on the base's host below the base's folder unless the reference named another, and no byte in it can
 * end a line of a request. */
#include <string.h>

#include "base/str.h"
#include "fuzz/check.h"
#include "update/url.h"

static void check_text(const char *url)
{
	FUZZ_CHECK(strlen(url) < URL_MAX && !strpbrk(url, " \t\r\n\"<>\\#") && !strstr(url, "/../"));
	FUZZ_CHECK(str_starts(url, "http://") || str_starts(url, "https://"));
	for (const char *s = url; *s; s++)
		FUZZ_CHECK(*s > 0x20 && *s < 0x7f);
}

static void check_one(const char *url)
{
	char site[URL_MAX], with[URL_MAX];
	struct err e = {0};

	url_site(url, site, sizeof(site)); /* whatever it is */
	if (url_check(url, &e) < 0) {
		FUZZ_CHECK(e.text[0] != '\0');
		return;
	}
	check_text(url);
	FUZZ_CHECK(site[0] != '\0' && str_starts(url, site) && !strchr(site, '@') && !strchr(site, '?'));
	if (url_suffix(with, url, ".sig", &e) == 0)
		FUZZ_CHECK(url_check(with, &e) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[4 * URL_MAX];
	char joined[URL_MAX], site[URL_MAX];
	struct err e = {0};

	if (size >= sizeof(text) || memchr(data, 0, size))
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	char *line = strchr(text, '\n');
	if (line)
		*line = '\0';
	const char *ref = line ? line + 1 : "index.yaml";
	check_one(text);
	check_one(ref);
	if (url_join(joined, text, ref, &e) < 0)
		return 0;
	check_text(joined);
	FUZZ_CHECK(url_check(joined, &e) == 0);
	url_site(text, site, sizeof(site));
	FUZZ_CHECK(str_starts(ref, "http") ? str_eq(joined, ref) || str_starts(joined, site)
	                                   : str_starts(joined, site));
	return 0;
}
