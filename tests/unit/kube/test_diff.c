/* init/kube/diff.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "kube/diff.h"
#include "unit/kube/json.h"

static char told[4096];
static struct buf out;

static void tell(const char *field, const char *want, const char *is, void *arg)
{
	(void)arg;
	buf_addf(&out, "%s: %s, is %s\n", field, want, is);
}

static unsigned differ(const char *want, const char *is)
{
	yyjson_doc *a = json_doc(want), *b = json_doc(is);
	buf_init(&out, told, sizeof(told));
	unsigned n = diff_objects(yyjson_doc_get_root(a), yyjson_doc_get_root(b), tell, NULL);
	yyjson_doc_free(a);
	yyjson_doc_free(b);
	return n;
}

static void the_same_is_the_same(void **state)
{
	(void)state;
	assert_int_equal(differ("{'a':1,'b':{'c':[1,2]}}", "{'b':{'c':[1,2]},'a':1}"), 0);
	assert_int_equal(
		differ("{'status':{'a':1},'metadata':{'generation':1,'managedFields':[1],'resourceVersion':'1'}}",
	               "{'status':{'a':2},'metadata':{'generation':2,'managedFields':[2],'resourceVersion':'2'}}"),
		0);
}

static void each_field_is_named(void **state)
{
	(void)state;
	assert_int_equal(
		differ("{'spec':{'replicas':1,'list':[{'image':'a'},{'image':'b'},'more'],'new':{'x':true}},'k':null}",
	               "{'spec':{'replicas':2,'list':[{'image':'a'},{'image':'c'}],'old':'y'},'k':{}}"),
		6);
	assert_string_equal(told, ".spec.replicas: 1, is 2\n"
	                          ".spec.list[1].image: b, is c\n"
	                          ".spec.list[2]: more, is \n"
	                          ".spec.new: {\"x\":true}, is \n"
	                          ".spec.old: , is y\n"
	                          ".k: null, is {}\n");
}

static void long_values_and_names_are_cut(void **state)
{
	char json[700], key[400];
	(void)state;
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	assert_int_equal(str_format(json, sizeof(json), "{'%s':'%.200s'}", key, key), 0);
	assert_int_equal(differ(json, "{}"), 1);
	char *colon = strchr(told, ':');
	assert_non_null(colon);
	assert_int_equal(colon - told, DIFF_FIELD - 1);
	assert_memory_equal(colon - 3, "...", 3);
	assert_non_null(strstr(colon, "kkk..., is "));
	assert_int_equal(differ("{'a':{'b':1,'c':1}}", "{'a':{'b':2,'c':1}}"), 1); /* and the next is whole again */
	assert_string_equal(told, ".a.b: 1, is 2\n");
}

static void depth_is_bounded(void **state)
{
	char a[1024] = "", b[1024];
	struct buf x;
	(void)state;
	buf_init(&x, a, sizeof(a));
	for (unsigned i = 0; i < DIFF_DEPTH + 10; i++)
		buf_add(&x, "{'a':");
	memcpy(b, a, sizeof(a));
	buf_add(&x, "1");
	for (unsigned i = 0; i < DIFF_DEPTH + 10; i++)
		buf_add(&x, "}");
	buf_init(&x, b + strlen(b), sizeof(b) - strlen(b));
	buf_add(&x, "2");
	for (unsigned i = 0; i < DIFF_DEPTH + 10; i++)
		buf_add(&x, "}");
	assert_int_equal(differ(a, b), 1);
	assert_int_equal(differ(a, a), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_is_the_same),
		cmocka_unit_test(each_field_is_named),
		cmocka_unit_test(long_values_and_names_are_cut),
		cmocka_unit_test(depth_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
