/* kube/easy, over tests/fake/curl. What a handle carries is looked at in test_client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake/curl.h"
#include "kube/easy.h"

static const struct credentials credentials = {
	.server = "https://h:1", .ca = {1, "a"}, .cert = {1, "c"}, .key = {1, "k"}};
static const struct kclient_request request = {
	.method = "PUT", .path = "/p", .accept = "x/y", .type = "t/u", .etag = "e"};

static void a_failure_leaves_no_handle(void **state)
{
	struct curl_slist *headers;
	CURL *easy = NULL;
	unsigned n;

	(void)state;
	for (n = 1; !easy; n++) {
		headers = NULL;
		fake_curl_fail_at(n);
		easy = easy_new(&credentials, &request, &headers);
		assert_int_equal(fake_curl_fired(), !easy);
		assert_int_equal(fake_curl_handles, easy != NULL);
		if (!easy)
			curl_slist_free_all(headers);
		assert_int_equal(fake_curl_lists, easy ? 4 : 0);
	}
	assert_true(n > 20);
	curl_easy_cleanup(easy);
	curl_slist_free_all(headers);
}

static void what_does_not_fit_is_refused(void **state)
{
	static char large[KCLIENT_PATH + LIMIT_PATH];
	struct kclient_request long_path = request, long_type = request;
	struct curl_slist *headers = NULL;

	(void)state;
	fake_curl_fail_at(0);
	memset(large, 'x', sizeof(large) - 1);
	long_path.path = large;
	assert_null(easy_new(&credentials, &long_path, &headers));
	long_type.type = large;
	assert_null(easy_new(&credentials, &long_type, &headers));
	curl_slist_free_all(headers);
	assert_int_equal(fake_curl_handles + fake_curl_lists, 0);
}

static void only_what_was_asked_for_is_sent(void **state)
{
	struct kclient_request plain = {.method = "GET", .path = "/p"};
	struct curl_slist *headers = NULL;

	(void)state;
	struct fake_curl *f = easy_new(&credentials, &plain, &headers);
	assert_string_equal(f->headers, "Accept: application/json\nExpect: \n");
	assert_null(f->body);
	assert_string_equal(f->url, "https://h:1/p");
	curl_easy_cleanup(f);
	curl_slist_free_all(headers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_leaves_no_handle),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(only_what_was_asked_for_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
