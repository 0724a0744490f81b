/* init/console/web_asset.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "console/web_asset.h"

static void the_page_is_whole_and_small(void **state)
{
	(void)state;
	assert_true(str_starts(web_asset_page, "<!doctype html>"));
	assert_int_equal(strlen(web_asset_page), web_asset_page_len);
	assert_true(web_asset_page_len < 40 * 1024);
	assert_non_null(strstr(web_asset_page, "</script>\n"));
}

/* Nothing on it may come from elsewhere: it has to work on a box without internet. */
static void the_page_needs_nobody(void **state)
{
	(void)state;
	assert_null(strstr(web_asset_page, "http://"));
	assert_null(strstr(web_asset_page, "src=\"http"));
	assert_null(strstr(web_asset_page, "href=\"http"));
	assert_null(strstr(web_asset_page, "@import"));
}

static void the_icon_is_whole(void **state)
{
	(void)state;
	assert_true(str_starts(web_asset_icon, "<svg "));
	assert_int_equal(strlen(web_asset_icon), web_asset_icon_len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_is_whole_and_small),
		cmocka_unit_test(the_page_needs_nobody),
		cmocka_unit_test(the_icon_is_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
