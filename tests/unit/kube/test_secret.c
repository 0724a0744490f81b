/* init/kube/secret.c: stringData as base64 in data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "kube/secret.h"
#include "unit/kube/json.h"

static struct err e;

static char *converted(const char *json)
{
	char *in = json_quoted(json);
	size_t len = strlen(in);
	char *out = secret_data(in, &len, &e);
	if (out)
		assert_int_equal(strlen(out), len);
	free(in);
	return out;
}

static void text_becomes_base64(void **state)
{
	static const struct {
		const char *json, *want;
	} rows[] = {
		/* RFC 4648, section 10 */
		{"{'stringData':{'k':''}}", "{'data':{'k':''}}"},
		{"{'stringData':{'k':'f'}}", "{'data':{'k':'Zg=='}}"},
		{"{'stringData':{'k':'fo'}}", "{'data':{'k':'Zm8='}}"},
		{"{'stringData':{'k':'foo'}}", "{'data':{'k':'Zm9v'}}"},
		{"{'stringData':{'k':'foob'}}", "{'data':{'k':'Zm9vYg=='}}"},
		{"{'stringData':{'k':'fooba'}}", "{'data':{'k':'Zm9vYmE='}}"},
		{"{'stringData':{'k':'foobar'}}", "{'data':{'k':'Zm9vYmFy'}}"},
		/* bytes above 127, an escaped quote and a zero byte are themselves */
		{"{'stringData':{'k':'\xc3\xbf\xc3\xbe~?'}}", "{'data':{'k':'w7/Dvn4/'}}"},
		{"{'stringData':{'k':'a\\u0000\\u0022'}}", "{'data':{'k':'YQAi'}}"},
		/* over what stands in data, and nothing else is touched */
		{"{'kind':'Secret','data':{'a':'b2xk','b':'b2xk'},'stringData':{'b':'new','c':'new'},'immutable':true}",
	         "{'kind':'Secret','data':{'a':'b2xk','b':'bmV3','c':'bmV3'},'immutable':true}"},
		{"{'data':null,'stringData':{'k':'f'}}", "{'data':{'k':'Zg=='}}"},
		{"{'stringData':{}}", "{}"},
		{"{'stringData':null,'data':{'a':'b2xk'}}", "{'data':{'a':'b2xk'}}"},
		{"{'n':1.50,'stringData':null}", "{'n':1.50}"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *out = converted(rows[i].json);
		if (!out)
			fail_msg("row %zu: %s", i, e.text);
		yyjson_doc *a = json_doc(rows[i].want), *b = json_doc(out);
		assert_true(yyjson_equals(yyjson_doc_get_root(a), yyjson_doc_get_root(b)));
		yyjson_doc_free(a);
		yyjson_doc_free(b);
		free(out);
	}
}

static void what_is_no_secret_is_an_error(void **state)
{
	static const struct {
		const char *json, *want;
	} rows[] = {
		{"", "its JSON cannot be read"},
		{"[]", "its JSON cannot be read"},
		{"{'stringData':'x'}", "stringData is no mapping"},
		{"{'stringData':{'k':'x'},'data':[]}", "data is no mapping"},
		{"{'stringData':{'j':'x','k':true}}", "stringData.k is no text; write it in quotes"},
		{"{'stringData':{'k':null}}", "stringData.k is no text; write it in quotes"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_null(converted(rows[i].json));
		assert_string_equal(e.text, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_becomes_base64),
		cmocka_unit_test(what_is_no_secret_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
