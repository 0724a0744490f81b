/* init/kube/outcome.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "kube/outcome.h"
#include "unit/kube/json.h"

static const struct {
	enum kclient_fault fault;
	int status;
	const char *body; /* NULL: none */
	enum outcome outcome;
} rows[] = {
	{KCLIENT_OK, 200, "{}", OUTCOME_OK},
	{KCLIENT_OK, 201, "{}", OUTCOME_OK},
	{KCLIENT_OK, 200, NULL, OUTCOME_LATER}, /* no JSON: a proxy, or a defect */
	{KCLIENT_OK, 200, "[]", OUTCOME_LATER},
	{KCLIENT_OK, 409, "{'details':{'causes':[{'reason':'FieldManagerConflict'}]}}", OUTCOME_TAKEN},
	{KCLIENT_OK, 409, "{'details':{'causes':[{'reason':'Else'}]}}", OUTCOME_LATER},
	{KCLIENT_OK, 409, NULL, OUTCOME_LATER},
	{KCLIENT_OK, 422, "{'message':'spec.template: Invalid value: field is immutable'}", OUTCOME_FIXED},
	{KCLIENT_OK, 422, "{'message':'spec: Forbidden: updates to statefulset spec for fields other than'}",
         OUTCOME_FIXED},
	{KCLIENT_OK, 422, "{'message':'spec.clusterIPs: may not change once set'}", OUTCOME_FIXED},
	{KCLIENT_OK, 422, "{'message':'spec.replicas: must be positive'}", OUTCOME_REFUSED},
	{KCLIENT_OK, 400, "{'message':'field is immutable'}", OUTCOME_REFUSED},
	{KCLIENT_OK, 404, NULL, OUTCOME_MISSING},
	{KCLIENT_OK, 401, NULL, OUTCOME_HOLD},
	{KCLIENT_OK, 429, NULL, OUTCOME_HOLD},
	{KCLIENT_OK, 503, NULL, OUTCOME_HOLD},
	{KCLIENT_OK, 500, NULL, OUTCOME_LATER},
	{KCLIENT_OK, 403, NULL, OUTCOME_LATER},
	{KCLIENT_OK, 410, NULL, OUTCOME_LATER},
	{KCLIENT_REFUSED, 0, NULL, OUTCOME_HOLD},
	{KCLIENT_RESET, 0, NULL, OUTCOME_HOLD},
	{KCLIENT_TLS, 0, NULL, OUTCOME_HOLD},
	{KCLIENT_TIMEOUT, 0, NULL, OUTCOME_HOLD},
	{KCLIENT_CUT, 200, NULL, OUTCOME_LATER},
	{KCLIENT_TOO_LARGE, 200, NULL, OUTCOME_REFUSED},
	{KCLIENT_MEMORY, 0, NULL, OUTCOME_LATER},
};

static void every_row_holds(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		yyjson_doc *doc = rows[i].body ? json_doc(rows[i].body) : NULL;
		struct outcome_answer a = {rows[i].fault, rows[i].status, 0, "", yyjson_doc_get_root(doc)};
		enum outcome o = outcome_of(&a);
		if (o != rows[i].outcome)
			fail_msg("row %zu: %d", i, (int)o);
		yyjson_doc_free(doc);
	}
}

static void texts_say_what_is_known(void **state)
{
	char text[200];
	struct buf b;
	(void)state;
	yyjson_doc *doc = json_doc("{'message':'the server said so'}");
	struct outcome_answer a = {KCLIENT_OK, 422, 0, "", yyjson_doc_get_root(doc)};
	buf_init(&b, text, sizeof(text));
	outcome_text(&a, &b);
	assert_string_equal(text, "the server said so");
	a.body = NULL;
	buf_reset(&b);
	outcome_text(&a, &b);
	assert_non_null(strstr(text, "(status 422)"));
	a.fault = KCLIENT_REFUSED;
	a.why = "connection refused";
	buf_reset(&b);
	outcome_text(&a, &b);
	assert_string_equal(text, "connection refused");
	yyjson_doc_free(doc);
}

static void an_answer_that_is_not_json_is_named(void **state)
{
	char text[200];
	struct buf b;
	(void)state;
	struct outcome_answer a = {KCLIENT_OK, 200, 0, "", NULL};
	buf_init(&b, text, sizeof(text));
	outcome_text(&a, &b);
	assert_string_equal(text, "the API server sent an answer that is not JSON (status 200)");
	yyjson_doc *doc = json_doc("[]");
	a.body = yyjson_doc_get_root(doc);
	buf_reset(&b);
	outcome_text(&a, &b);
	assert_string_equal(text, "the API server sent an answer that is no JSON object (status 200)");
	yyjson_doc_free(doc);
	a = (struct outcome_answer){KCLIENT_OK, 500, 0, "", NULL}; /* its rule says more */
	buf_reset(&b);
	outcome_text(&a, &b);
	assert_string_equal(text, "the API server failed (status 500)");
}

static void rivals_are_named(void **state)
{
	char text[200];
	struct buf b;
	(void)state;
	yyjson_doc *doc = json_doc("{'details':{'causes':[{'reason':'Else','field':'.no'},"
	                           "{'reason':'FieldManagerConflict','message':'no quotes here','field':'.spec.a'}]}}");
	buf_init(&b, text, sizeof(text));
	outcome_rival(yyjson_doc_get_root(doc), &b);
	assert_string_equal(text, "another on .spec.a");
	yyjson_doc_free(doc);
	static const char quoted[] = "{\"details\":{\"causes\":[{\"reason\":\"FieldManagerConflict\",\"message\":"
				     "\"conflict with \\\"helm\\\" using v1\",\"field\":\".data.x\"}]}}";
	doc = yyjson_read(quoted, strlen(quoted), 0);
	assert_non_null(doc);
	buf_reset(&b);
	outcome_rival(yyjson_doc_get_root(doc), &b);
	assert_string_equal(text, "helm on .data.x");
	yyjson_doc_free(doc);
	buf_reset(&b);
	outcome_rival(NULL, &b);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_holds),
		cmocka_unit_test(texts_say_what_is_known),
		cmocka_unit_test(an_answer_that_is_not_json_is_named),
		cmocka_unit_test(rivals_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
