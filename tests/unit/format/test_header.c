/* Lines of HTTP heads: names in any case, values without white space around, nothing believed that does not fit. */
#include "format/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

static void values(void **state)
{
	static const struct {
		const char *line;
		size_t len; /* 0: strlen */
		bool is;
		const char *value;
	} table[] = {
		{"ETag: \"x\"\r\n", 0, true, "\"x\""},
		{"etag:\"x\"", 0, true, "\"x\""},
		{"ETAG: \t a b \t\r\n", 0, true, "a b"},
		{"etag:\r\n", 0, true, ""},
		{"etag:", 0, true, ""},
		{"etag\r\n", 0, false, ""},
		{"etags: x\r\n", 0, false, ""},
		{"eta", 0, false, ""},
		{"", 0, false, ""},
		{"etag: 1234567\r\n", 0, true, "1234567"},
		{"etag: 12345678\r\n", 0, true, ""},
		{"etag: a\0b\r\n", 11, true, ""},
	};
	char value[8];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		size_t len = table[i].len > 0 ? table[i].len : strlen(table[i].line);
		memcpy(value, "before", sizeof("before"));
		assert_int_equal(header_is(table[i].line, len, "etag", value, sizeof(value)), table[i].is);
		assert_string_equal(value, table[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
