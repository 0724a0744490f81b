/* init/kube/object.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "kube/object.h"
#include "unit/kube/json.h"

static yyjson_doc *doc;
static yyjson_val *root;

static void parse(const char *json)
{
	yyjson_doc_free(doc);
	doc = json_doc(json);
	root = yyjson_doc_get_root(doc);
}

static int teardown(void **state)
{
	(void)state;
	yyjson_doc_free(doc);
	doc = NULL;
	return 0;
}

static void ids_are_compared_and_written(void **state)
{
	char text[128];
	struct buf b;
	(void)state;
	parse("{'metadata':{'name':'web','namespace':'htpc'}}");
	struct object_id a = object_id_of(root, "apps", "Deployment"), c = {"apps", "Deployment", "htpc", "web"};
	assert_true(object_same(&a, &c));
	assert_int_equal(object_hash(&a), object_hash(&c));
	c.ns = "utils";
	assert_false(object_same(&a, &c));
	c = (struct object_id){"", "Deployment", "htpc", "web"};
	assert_false(object_same(&a, &c));
	assert_int_not_equal(object_hash(&a), object_hash(&c));
	buf_init(&b, text, sizeof(text));
	object_text(&b, &a);
	object_text(&b, &(struct object_id){"", "Namespace", "", "htpc"});
	assert_string_equal(text, "Deployment htpc/webNamespace htpc");
	buf_reset(&b);
	object_group_kind(&b, "apps", "Deployment");
	object_group_kind(&b, "", "Secret");
	assert_string_equal(text, "Deployment.appsSecret");
	assert_int_not_equal(object_hash(&(struct object_id){"", "", "ab", "c"}),
	                     object_hash(&(struct object_id){"", "", "b", "ca"}));
}

static void paths_are_escaped(void **state)
{
	char text[64];
	struct buf b;
	(void)state;
	buf_init(&b, text, sizeof(text));
	object_escape(&b, "system:a-B_c.~/?&=%\xc3 ");
	assert_string_equal(text, "system:a-B_c.~%2F%3F%26%3D%25%C3%20");
}

static void fields_that_are_not_there_have_a_default(void **state)
{
	(void)state;
	parse("{'a':{'n':7,'s':'x','app/name~':'v'},'metadata':{'labels':{'app.kubernetes.io/name':'web'}}}");
	assert_string_equal(object_str(root, "/a/s"), "x");
	assert_string_equal(object_str(root, "/a/n"), "");
	assert_string_equal(object_str(root, "/b"), "");
	assert_string_equal(object_str(NULL, "/b"), "");
	assert_int_equal(object_int(root, "/a/n", 1), 7);
	assert_int_equal(object_int(root, "/a/s", 1), 1);
	assert_string_equal(object_key(root, "/metadata/labels", "app.kubernetes.io/name"), "web");
	assert_string_equal(object_key(root, "/a", "app/name~"), "v");
	assert_string_equal(object_key(root, "/none", "x"), "");
}

static void conditions_are_found(void **state)
{
	(void)state;
	parse("{'status':{'conditions':[7,{'type':'A','status':'False'},{'type':'B','status':'True'}]}}");
	assert_true(object_is(root, "B", "True"));
	assert_false(object_is(root, "A", "True"));
	assert_false(object_is(root, "C", "True"));
	assert_null(object_condition(root, "C"));
}

static void revisions_are_numbers(void **state)
{
	(void)state;
	parse("{'metadata':{'resourceVersion':'42'}}");
	assert_int_equal(object_revision(root), 42);
	parse("{'metadata':{'resourceVersion':'opaque'}}");
	uint64_t opaque = object_revision(root);
	assert_true(opaque > INT64_MAX);
	parse("{'metadata':{'resourceVersion':'opaquf'}}");
	assert_true(object_revision(root) != opaque);
	parse("{}");
	assert_int_equal(object_revision(root), 0);
}

static void what_a_manager_owns_has_a_number(void **state)
{
	static const char format[] =
		"{'metadata':{'managedFields':[{'manager':'other','operation':'Apply','fieldsV1':{'f:x':{}}},"
		"{'manager':'hearth','operation':'Update','fieldsV1':{'f:x':{}}},"
		"{'manager':'hearth','operation':'Apply','subresource':'status','fieldsV1':{'f:z':{}}},"
		"{'manager':'hearth','operation':'Apply','time':'%s','fieldsV1':{'f:%s':{}}}]}}";
	char json[600];
	(void)state;
	assert_int_equal(str_format(json, sizeof(json), format, "t1", "spec"), 0);
	parse(json);
	uint32_t spec = object_owned(root, "hearth");
	assert_int_not_equal(spec, 0);
	assert_int_equal(str_format(json, sizeof(json), format, "t2", "spec"), 0);
	parse(json);
	assert_int_equal(object_owned(root, "hearth"), spec); /* the time does not matter */
	assert_int_equal(str_format(json, sizeof(json), format, "t1", "spek"), 0);
	parse(json);
	assert_int_not_equal(object_owned(root, "hearth"), spec);
	assert_int_equal(object_owned(root, "nobody"), 0);
	parse("{}");
	assert_int_equal(object_owned(root, "hearth"), 0);
}

static void the_last_other_manager_is_named(void **state)
{
	(void)state;
	parse("{'metadata':{'managedFields':["
	      "{'manager':'kubectl-edit','time':'2026-01-02T00:00:00Z'},{'manager':'helm','time':'2026-01-01T00:00:00Z'"
	      "},"
	      "{'manager':'kubelet','subresource':'status','time':'2026-02-01T00:00:00Z'},"
	      "{'manager':'hearth','time':'2026-03-01T00:00:00Z'}]}}");
	assert_string_equal(object_last_manager(root, "hearth"), "kubectl-edit");
	parse("{'metadata':{'managedFields':[{'manager':'kubectl','subresource':'scale','time':'2026-01-02T00:00:00Z'}]"
	      "}}");
	assert_string_equal(object_last_manager(root, "hearth"), "kubectl");
	parse("{}");
	assert_string_equal(object_last_manager(root, "hearth"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(ids_are_compared_and_written, teardown),
		cmocka_unit_test_teardown(paths_are_escaped, teardown),
		cmocka_unit_test_teardown(fields_that_are_not_there_have_a_default, teardown),
		cmocka_unit_test_teardown(conditions_are_found, teardown),
		cmocka_unit_test_teardown(revisions_are_numbers, teardown),
		cmocka_unit_test_teardown(what_a_manager_owns_has_a_number, teardown),
		cmocka_unit_test_teardown(the_last_other_manager_is_named, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
