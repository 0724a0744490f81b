/* service/def: what is taken keeps its promises, what is refused names the file. */
#include <errno.h>

#include "base/str.h"
#include "fuzz/check.h"
#include "service/def.h"

#define FILE_NAME "/etc/hearth/services/web.yaml"

static int user(const char *name, struct passwd_user *out, struct err *e)
{
	*out = (struct passwd_user){1, 1};
	return str_eq(name, "web") ? 0 : err_set(e, ENOENT, "no user");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct service_def d, copy;
	struct err e;

	if (def_parse(&d, FILE_NAME, (const char *)data, size, user, &e) < 0) {
		FUZZ_CHECK(str_starts(e.text, FILE_NAME));
		return 0;
	}
	def_copy(&copy, &d);
	FUZZ_CHECK(str_eq(copy.name, "web"));
	FUZZ_CHECK(copy.argv[0][0] == '/' && !copy.argv[LIMIT_ARGS] && !copy.env[LIMIT_ENV]);
	FUZZ_CHECK(copy.start_timeout_ms > 0 && copy.stop_timeout_ms > 0 && copy.stop_signal > 0);
	for (unsigned i = 0; i < copy.requires_count; i++)
		FUZZ_CHECK(str_is_name(copy.requires[i]) && !str_eq(copy.requires[i], "web"));
	return 0;
}
