/* init/kube/body.c: the label's place in compact JSON, and objects of a real manifest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "fake/sys.h"
#include "kube/body.h"
#include "unit/kube/json.h"

static struct err e;

static void labelled(const char *json, const char *want)
{
	char *in = json_quoted(json), *out = json_quoted(want), text[512];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	buf_add(&b, in);
	assert_int_equal(body_label(&b, "a/b", "c", &e), 0);
	assert_string_equal(text, out);
	assert_int_equal(strlen(text), b.len);
	free(in);
	free(out);
}

static void the_label_is_put_where_labels_are(void **state)
{
	(void)state;
	labelled("{'metadata':{'labels':{'x':'y'}}}", "{'metadata':{'labels':{'a/b':'c','x':'y'}}}");
	labelled("{'metadata':{'name':'n','labels':{}},'z':1}", "{'metadata':{'name':'n','labels':{'a/b':'c'}},'z':1}");
	labelled("{'metadata':{'name':'n'}}", "{'metadata':{'labels':{'a/b':'c'},'name':'n'}}");
	labelled("{'metadata':{}}", "{'metadata':{'labels':{'a/b':'c'}}}");
	/* others of that name, deeper or in strings */
	labelled("{'spec':{'metadata':{'labels':{'no':''}}},'a':['metadata',{'metadata':{}}],'n':-1.5e3,'t':true,'"
	         "metadata':{}}",
	         "{'spec':{'metadata':{'labels':{'no':''}}},'a':['metadata',{'metadata':{}}],'n':-1.5e3,'t':true,'"
	         "metadata':"
	         "{'labels':{'a/b':'c'}}}");
}

static void quotes_in_strings_mislead_nobody(void **state)
{
	char text[256] = "{\"x\":\"\\\"metadata\\\":{\\\\\",\"metadata\":{\"name\":\"}]\\\"\"}}";
	struct buf b = {text, strlen(text), sizeof(text), false};
	(void)state;
	assert_int_equal(body_label(&b, "a", "c", &e), 0);
	assert_string_equal(
		text, "{\"x\":\"\\\"metadata\\\":{\\\\\",\"metadata\":{\"labels\":{\"a\":\"c\"},\"name\":\"}]\\\"\"}}");
}

static void an_escaped_quote_ends_no_string(void **state)
{
	char text[256] = "{\"x\":\"\\\"\",\"metadata\":{}}";
	struct buf b = {text, strlen(text), sizeof(text), false};
	(void)state;
	assert_int_equal(body_label(&b, "a", "c", &e), 0);
	assert_string_equal(text, "{\"x\":\"\\\"\",\"metadata\":{\"labels\":{\"a\":\"c\"}}}");
}

static void what_is_no_mapping_is_an_error(void **state)
{
	static const char *const bad[] = {"",
	                                  "[]",
	                                  "{",
	                                  "{}",
	                                  "{'metadata':null}",
	                                  "{'metadata':{'labels':null}}",
	                                  "{'metadata'",
	                                  "{'metadata':",
	                                  "{'metadata':{",
	                                  "{'x':'",
	                                  "{'x\\",
	                                  "{'metadata':{'labels':{"};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		char *in = json_quoted(bad[i]), text[256];
		struct buf b;
		buf_init(&b, text, sizeof(text));
		buf_add(&b, in);
		assert_int_equal(body_label(&b, "a", "c", &e), -1);
		free(in);
	}
}

static void room_is_needed(void **state)
{
	char text[32] = "{\"metadata\":{}}";
	struct buf b = {text, strlen(text), sizeof(text), false};
	(void)state;
	assert_int_equal(body_label(&b, "a", "cccccccccccc", &e), -1);
	assert_string_equal(text, "{\"metadata\":{}}");
}

static char path[] = "/tmp/hearth-body-XXXXXX.yaml";
static struct settings s;
static struct manifest m;

static void load(const char *yaml)
{
	fake_reset();
	memcpy(strchr(path, '.') - 6, "XXXXXX", 6);
	int fd = mkstemps(path, 5);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, yaml, strlen(yaml)), strlen(yaml));
	close(fd);
	settings_default(&s);
	if (manifest_load(&m, path, &s, &e) < 0)
		fail_msg("%s", e.text);
}

static void the_body_of(const char *yaml, const char *want)
{
	size_t len = 0;
	load(yaml);
	char *text = body_render(&m, 0, &len, &e);
	assert_non_null(text);
	assert_int_equal(strlen(text), len);
	assert_non_null(strstr(text, "\"labels\":{\"applyset.kubernetes.io/part-of\":\"applyset-"));
	if (!strstr(text, want))
		assert_string_equal(text, want);
	free(text);
	manifest_free(&m);
	unlink(path);
}

#define NAMED "metadata: {name: a, namespace: ns}\n"

static void string_data_of_a_secret_is_sent_as_data(void **state)
{
	(void)state;
	the_body_of("apiVersion: v1\nkind: Secret\n" NAMED "data: {k: b2xk}\nstringData: {k: one, l: two}\n",
	            ",\"data\":{\"k\":\"b25l\",\"l\":\"dHdv\"}}");
	/* of Secrets alone, and of the core group's */
	the_body_of("apiVersion: v1\nkind: ConfigMap\n" NAMED "stringData: {k: one}\n",
	            "\"stringData\":{\"k\":\"one\"}");
	the_body_of("apiVersion: x.dev/v1\nkind: Secret\n" NAMED "stringData: {k: one}\n",
	            "\"stringData\":{\"k\":\"one\"}");
	the_body_of("apiVersion: v1\nkind: Secret\n" NAMED "data: {stringData: b2xk}\n",
	            "\"data\":{\"stringData\":\"b2xk\"}");
}

static void a_secret_that_is_none_is_refused(void **state)
{
	size_t len = 0;
	(void)state;
	load("apiVersion: v1\nkind: Secret\n" NAMED "stringData: {k: 1}\n");
	assert_null(body_render(&m, 0, &len, &e));
	assert_string_equal(e.text, "stringData.k is no text; write it in quotes");
	manifest_free(&m);
	unlink(path);
}

static void a_manifest_is_rendered_with_the_label(void **state)
{
	size_t len = 0;
	(void)state;
	load("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: ns\n"
	     "  annotations: {hearth.dev/force: \"true\", other: \"false\"}\n");
	char *text = body_render(&m, 0, &len, &e);
	assert_non_null(text);
	assert_int_equal(strlen(text), len);
	assert_non_null(strstr(text, "\"labels\":{\"applyset.kubernetes.io/part-of\":\"applyset-"));
	free(text);
	assert_true(body_allows(&m, 0, "hearth.dev/force"));
	assert_false(body_allows(&m, 0, "other"));
	assert_false(body_allows(&m, 0, "hearth.dev/replace"));
	unlink(path);
	assert_null(body_render(&m, 0, &len, &e));
	assert_false(body_allows(&m, 0, "hearth.dev/force"));
	manifest_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_label_is_put_where_labels_are),
		cmocka_unit_test(quotes_in_strings_mislead_nobody),
		cmocka_unit_test(an_escaped_quote_ends_no_string),
		cmocka_unit_test(what_is_no_mapping_is_an_error),
		cmocka_unit_test(room_is_needed),
		cmocka_unit_test(string_data_of_a_secret_is_sent_as_data),
		cmocka_unit_test(a_secret_that_is_none_is_refused),
		cmocka_unit_test(a_manifest_is_rendered_with_the_label),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
