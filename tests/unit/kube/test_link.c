/* init/kube/link.c: from a kubeconfig that is not there to a server whose kinds are known, and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/kube/api.h"

static unsigned opened, closed, kinds;
static bool up;
static char text[LIMIT_DETAIL];

static void on_opened(void *arg)
{
	(void)arg;
	opened++;
}

static void on_closed(void *arg)
{
	(void)arg;
	closed++;
}

static void on_kinds(void *arg)
{
	(void)arg;
	kinds++;
}

static void on_changed(bool now, const char *why, void *arg)
{
	(void)arg;
	up = now;
	assert_int_equal(str_copy(text, sizeof(text), why), 0);
}

static const struct link_hooks hooks = {on_opened, on_closed, on_kinds, on_changed};

static int setup(void **state)
{
	(void)state;
	opened = closed = kinds = 0;
	up = false;
	text[0] = '\0';
	return api_setup(&hooks);
}

static int teardown(void **state)
{
	(void)state;
	return api_teardown();
}

static void note(enum kclient_fault fault, int status)
{
	struct kclient_reply r = {.fault = fault, .status = status, .etag = "", .body = (char[]){""}, .why = ""};
	link_note(&api_link, &r);
}

static void waits_for_the_kubeconfig(void **state)
{
	(void)state;
	unlink(api_file);
	link_start(&api_link);
	api_wait(0);
	assert_string_equal(text, "waiting for k3s");
	assert_false(up);
	api_wait(LINK_LOOK_MS * 3);
	assert_int_equal(api.opens, 0);
	FILE *f = fopen(api_file, "w");
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
	api_wait(LINK_LOOK_MS);
	assert_int_equal(api.opens, 1);
	api_kinds();
	assert_int_equal(opened, 1);
	assert_true(up);
	assert_string_equal(text, "https://127.0.0.1:6443");
}

static void kinds_are_asked_for_until_they_come(void **state)
{
	(void)state;
	link_start(&api_link);
	api_wait(0);
	for (unsigned i = 0; i < 3; i++) {
		unsigned n = api_open_calls();
		assert_true(n >= 1);
		for (unsigned k = 0; k < API_CALLS; k++) {
			if (api.call[k].id)
				api_end(k, KCLIENT_REFUSED, 0, "");
		}
		assert_false(up);
		assert_int_equal(opened, 0);
		api_wait(RETRY_CAP_MS + 1);
	}
	api_kinds();
	assert_int_equal(opened, 1);
	assert_int_equal(api.opens, 1);
}

/* What is told while the kinds are asked for is one sentence, not two in turn. */
static void a_status_of_discovery_says_what_it_means(void **state)
{
	static const struct {
		int status;
		const char *text;
	} rows[] = {{503, "the API server is not ready"},
	            {500, "discovery: the API server failed (status 500)"},
	            {200, "discovery: not JSON at byte 0: input length is 0"},
	            {401, "the API server does not accept our certificate"}};
	(void)state;
	link_start(&api_link);
	api_wait(0);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		api_end(api_get("GET", "/apis"), KCLIENT_OK, rows[i].status, "");
		assert_string_equal(text, rows[i].text);
		assert_false(up);
		api_wait(RETRY_CAP_MS + 1);
		assert_string_equal(text, rows[i].text);
	}
}

static void a_server_that_does_not_know_us_is_asked_anew(void **state)
{
	(void)state;
	api_start();
	note(KCLIENT_OK, 401);
	assert_false(up);
	assert_int_equal(closed, 0); /* not from inside a callback of the client */
	api_wait(0);
	assert_int_equal(closed, 1);
	assert_false(api.open);
	api_wait(RETRY_CAP_MS);
	assert_int_equal(api.opens, 2);
	api_kinds();
	assert_int_equal(opened, 2);
	assert_true(up);
}

static void replies_tell_whether_the_server_is_there(void **state)
{
	static const struct {
		enum kclient_fault fault;
		int status;
		bool up;
	} rows[] = {{KCLIENT_REFUSED, 0, false},   {KCLIENT_OK, 200, true},     {KCLIENT_RESET, 0, false},
	            {KCLIENT_OK, 404, true},       {KCLIENT_TIMEOUT, 0, false}, {KCLIENT_OK, 500, true},
	            {KCLIENT_OK, 503, false},      {KCLIENT_CUT, 200, true},    {KCLIENT_BROKEN, 0, false},
	            {KCLIENT_TOO_LARGE, 200, true}};
	(void)state;
	api_start();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		note(rows[i].fault, rows[i].status);
		assert_int_equal(up, rows[i].up);
	}
	assert_int_equal(closed, 0);
}

static void kinds_are_read_again_but_not_all_the_time(void **state)
{
	(void)state;
	api_start();
	link_refresh(&api_link, false);
	api_wait(0);
	assert_int_equal(api_open_calls(), 0);
	api_wait(LINK_SOON_MS);
	api_kinds();
	assert_int_equal(kinds, 1);
	for (unsigned i = 0; i < 8; i++) { /* nothing new: more and more seldom */
		link_refresh(&api_link, false);
		api_wait(LINK_KINDS_MS);
		api_not_changed();
	}
	link_refresh(&api_link, false);
	api_wait(LINK_KINDS_MS - 1);
	assert_int_equal(api_open_calls(), 0);
	api_wait(1);
	api_kinds(); /* something new */
	kinds = 1;
	link_refresh(&api_link, false);
	api_wait(LINK_SOON_MS);
	api_not_changed();
	kinds = 1;
	link_refresh(&api_link, true);
	api_wait(0);
	link_refresh(&api_link, true); /* while one is under way: another one follows */
	api_wait(0);
	api_kinds();
	api_wait(0);
	api_kinds();
	assert_int_equal(kinds, 3);
	assert_int_equal(opened, 1);
}

static void a_refresh_that_fails_is_told_too(void **state)
{
	(void)state;
	api_start();
	link_refresh(&api_link, true);
	api_wait(0);
	for (unsigned k = 0; k < API_CALLS; k++) {
		if (api.call[k].id)
			api_end(k, KCLIENT_OK, 500, "{}");
	}
	assert_int_equal(kinds, 1);
}

static const char *path(const char *group, const char *kind, const char *ns, const char *name)
{
	static char out[256];
	struct buf b;
	const struct object_id id = {group, kind, ns, name};
	buf_init(&b, out, sizeof(out));
	return link_path(&api_link, &id, NULL, &b, &api_err) == 0 ? out : api_err.text;
}

static void paths_are_made(void **state)
{
	(void)state;
	api_start();
	assert_string_equal(path("", "ConfigMap", "ns", "a"), "/api/v1/namespaces/ns/configmaps/a");
	assert_string_equal(path("apps", "Deployment", "ns", "a"), "/apis/apps/v1/namespaces/ns/deployments/a");
	assert_string_equal(path("apps", "Deployment", "", ""), "/apis/apps/v1/deployments");
	assert_string_equal(path("", "Namespace", "", "system:x/y"), "/api/v1/namespaces/system:x%2Fy");
	assert_non_null(strstr(path("", "ConfigMap", "", "a"), "write metadata.namespace"));
	assert_non_null(strstr(path("", "Namespace", "ns", "a"), "leave out metadata.namespace"));
	assert_null(strstr(path("x.dev", "Thing", "", "a"), "/apis"));
	assert_int_equal(api_err.code, ENOENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(waits_for_the_kubeconfig),
		TEST(kinds_are_asked_for_until_they_come),
		TEST(a_status_of_discovery_says_what_it_means),
		TEST(a_server_that_does_not_know_us_is_asked_anew),
		TEST(replies_tell_whether_the_server_is_there),
		TEST(kinds_are_read_again_but_not_all_the_time),
		TEST(a_refresh_that_fails_is_told_too),
		TEST(paths_are_made),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
