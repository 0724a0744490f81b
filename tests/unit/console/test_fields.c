/* console/fields: members of answers, and neutral values for what is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "console/fields.h"

static void members(void **state)
{
	(void)state;
	yyjson_doc *doc = fields_read("{\"s\":\"text\",\"n\":12,\"b\":true,\"neg\":-3,\"null\":null}");
	yyjson_val *root = yyjson_doc_get_root(doc);
	assert_string_equal(field_str(root, "s"), "text");
	assert_int_equal(field_u64(root, "n"), 12);
	assert_true(field_bool(root, "b"));
	assert_string_equal(field_str(root, "n"), "");
	assert_string_equal(field_str(root, "none"), "");
	assert_int_equal(field_u64(root, "s"), 0);
	assert_int_equal(field_u64(root, "neg"), 0);
	assert_false(field_bool(root, "null"));
	assert_string_equal(field_str(NULL, "s"), "");
	yyjson_doc_free(doc);
}

static void the_widest(void **state)
{
	(void)state;
	yyjson_doc *doc = fields_read("{\"l\":[{\"n\":\"four\"},{\"n\":\"\u00fcber\"},{\"m\":\"longer than all\"},7]}");
	yyjson_val *list = yyjson_obj_get(yyjson_doc_get_root(doc), "l");
	assert_int_equal(fields_widest(list, "n", "N"), 4);
	assert_int_equal(fields_widest(list, "n", "HEADER"), 6);
	assert_int_equal(fields_widest(NULL, "n", "N"), 1);
	yyjson_doc_free(doc);
}

static void not_objects(void **state)
{
	(void)state;
	assert_null(fields_read(""));
	assert_null(fields_read("[1,2]"));
	assert_null(fields_read("{\"a\":"));
	assert_null(fields_read("{} x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(members), cmocka_unit_test(the_widest),
	                                   cmocka_unit_test(not_objects)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
