/* init/kube/serve.c: asks of PID 1 over a real channel, the API answered by the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kube/serve.h"
#include "loop/chan.h"
#include "unit/kube/box.h"

static struct keeper k;
static struct serve s;
static int fds[2]; /* ours is 0, PID 1's is 1 */
static char got[LIMIT_REPLY + 1];
static uint32_t got_id;

static int setup(void **state)
{
	(void)state;
	memset(&k, 0, sizeof(k));
	if (box_setup(&api_quiet,
	              BOX_MAP("a") BOX_APP("web") "---\n" BOX_MAP("b") BOX_APP(
			      "db") "---\n"
	                            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: c\n  namespace: ns\n" BOX_APP(
					    "web")) < 0 ||
	    keeper_init(&k, &api_link, &box_a, &api_err) < 0 || chan_pair(fds, &api_err) < 0)
		return -1;
	k.claimed = api_no_news;
	k.changed = api_no_news;
	if (serve_init(&s, &api_loop, fds[0], &api_link, &api_err) < 0)
		return -1;
	s.trouble = "all is well";
	s.apply = &box_a;
	s.keeper = &k;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	serve_fini(&s);
	keeper_fini(&k);
	close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
	return box_teardown();
}

/* words: separated by blanks */
static void ask(uint32_t id, const char *words)
{
	char text[LIMIT_REQUEST], msg[LIMIT_REQUEST + 8];
	size_t n = strlen(words) + 1;
	memcpy(text, words, n);
	for (char *p = text; *p; p++) {
		if (*p == ' ')
			*p = '\0';
	}
	int len = proto_ask(msg, sizeof(msg), id, text, n, &api_err);
	assert_true(len > 0);
	assert_int_equal(chan_send(fds[1], msg, (size_t)len, -1, &api_err), 0);
	api_wait(0);
}

/* The next answer; false: there is none. */
static bool answered(enum proto_kind kind)
{
	struct proto_reply r;
	ssize_t n = chan_recv(fds[1], got, sizeof(got) - 1, NULL, &api_err);
	if (n < 0)
		return false;
	assert_int_equal(proto_parse(got, (size_t)n, &r, &api_err), 0);
	if (r.kind != kind)
		fail_msg("kind %d: %s", (int)r.kind, r.text);
	got_id = r.id;
	memmove(got, r.text, r.len + 1);
	return true;
}

static void expect(const char *words, enum proto_kind kind, const char *part)
{
	static uint32_t id = 70;
	ask(++id, words);
	assert_true(answered(kind));
	assert_int_equal(got_id, id);
	if (!strstr(got, part))
		fail_msg("%s: %s", words, got);
}

static void apps_are_listed_without_a_server(void **state)
{
	(void)state;
	expect("apps", PROTO_OK,
	       "{\"apps\":[{\"name\":\"web\",\"status\":\"progressing\",\"message\":\"0/2; Secret ns/c: its wave has "
	       "not come yet\","
	       "\"objects\":2,\"ready\":0},");
	expect("apps", PROTO_OK, "\"wave\":0,\"state\":\"all is well\"}");
	box_a.t.item[1] =
		(struct item){.state = ITEM_DONE, .revision = 5, .seen = 5, .health = HEALTH_CURRENT, .app = 0};
	expect("apps web", PROTO_OK,
	       "\"objects\":[{\"kind\":\"Secret\",\"namespace\":\"ns\",\"name\":\"c\",\"status\":\"missing\","
	       "\"message\":\"\"},"
	       "{\"kind\":\"ConfigMap\",\"namespace\":\"ns\",\"name\":\"a\",\"status\":\"current\",\"message\":\"\"}]");
	expect("apps none", PROTO_ERROR, "no app 'none'; apps lists them");
	expect("pods", PROTO_ERROR, "no connection to the API server");
	expect("apps diff web", PROTO_ERROR, "no connection");
	expect("apps pause web", PROTO_ERROR, "no connection");
}

static void history_is_newest_first(void **state)
{
	(void)state;
	k.history.count = 2;
	k.history.entry[0] = (struct history_entry){"2026-01-01T00:00:00Z", "aaaa", 1};
	k.history.entry[1] = (struct history_entry){"2026-01-02T00:00:00Z", "bbbb", 1};
	expect("apps db", PROTO_OK,
	       "\"history\":[{\"revision\":\"bbbb\",\"time\":\"2026-01-02T00:00:00Z\"},{\"revision\":\"aaaa\"");
}

static void without_manifests_it_says_why(void **state)
{
	(void)state;
	s.apply = NULL;
	s.keeper = NULL;
	s.trouble = "manifests: a.yaml:7: broken";
	expect("apps", PROTO_OK, "{\"apps\":[],\"revision\":\"\",\"state\":\"manifests: a.yaml:7: broken\"}");
	expect("apps web", PROTO_ERROR, "a.yaml:7");
	expect("apps pause web", PROTO_ERROR, "a.yaml:7");
	expect("apps diff web", PROTO_ERROR, "a.yaml:7");
}

static void what_it_does_not_know_is_said(void **state)
{
	(void)state;
	expect("app", PROTO_ERROR, "knows: apps");
	expect("apps a b", PROTO_ERROR, "knows: apps");
	expect("apps diff", PROTO_ERROR, "no app 'diff'");
	expect("apps diff a b", PROTO_ERROR, "knows: apps");
	expect("logs", PROTO_ERROR, "knows: apps");
	expect("logs web", PROTO_ERROR, "write logs pod/NAME");
	expect("logs pod/../x", PROTO_ERROR, "no pod can be called");
	expect("a b c d e f g h i", PROTO_ERROR, "knows: apps");
}

static void open_books(void)
{
	api_start();
	keeper_open(&k);
	api_answer("GET", "/api/v1/namespaces/kube-system", 404, "{}");
	api_answer("PATCH", "/api/v1/namespaces/kube-system", 200, "{'metadata':{}}");
}

static void apps_are_paused_and_resumed(void **state)
{
	(void)state;
	open_books();
	ask(1, "apps pause web");
	assert_false(answered(PROTO_OK)); /* only when it is written down */
	api_answer("PATCH", "/api/v1/namespaces/kube-system", 200, "{'metadata':{}}");
	assert_true(answered(PROTO_OK));
	assert_string_equal(got, "{\"message\":\"web: paused\"}");
	expect("apps", PROTO_OK, "\"status\":\"paused\"");
	ask(2, "apps resume web");
	api_answer("PATCH", "/api/v1/namespaces/kube-system", 503, "{}");
	assert_true(answered(PROTO_ERROR));
	assert_int_equal(got_id, 2);
	expect("apps pause none", PROTO_ERROR, "no app 'none'");
}

#define MAP_A  "/api/v1/namespaces/ns/configmaps/a"
#define SECRET "/api/v1/namespaces/ns/secrets/c"

static void a_diff_compares_each_object(void **state)
{
	(void)state;
	open_books();
	ask(1, "apps diff web");
	ask(2, "apps diff db");
	assert_true(answered(PROTO_ERROR)); /* one at a time */
	assert_int_equal(got_id, 2);
	api_answer("GET", SECRET, 200, "{'data':{'key':'b2xk'}}");
	api_answer("PATCH", SECRET, 200, "{'data':{'key':'bmV3'}}");
	api_answer("GET", MAP_A, 200, "{'data':{'x':'2','same':'s'}}");
	unsigned i = api_get("PATCH", MAP_A "?dryRun=All&force=true&fieldManager=hearth");
	assert_non_null(strstr(api.call[i].body, "\"name\":\"a\""));
	api_answer("PATCH", MAP_A, 200, "{'data':{'x':'1','same':'s'}}");
	assert_true(answered(PROTO_OK));
	assert_int_equal(got_id, 1);
	assert_string_equal(
		got,
		"{\"name\":\"web\",\"diff\":[{\"object\":\"Secret ns/c\",\"field\":\".data.key\",\"want\":\"(secret)\","
		"\"is\":\"(secret)\"},{\"object\":\"ConfigMap ns/a\",\"field\":\".data.x\",\"want\":\"1\",\"is\":"
		"\"2\"}]}");
	ask(3, "apps diff db");
	api_answer("GET", "/api/v1/namespaces/ns/configmaps/b", 404, "{}");
	assert_true(answered(PROTO_OK));
	assert_string_equal(
		got,
		"{\"name\":\"db\",\"diff\":[{\"object\":\"ConfigMap ns/b\",\"field\":\"\",\"want\":\"there\",\"is\":"
		"\"not there\"}]}");
}

static void a_diff_that_fails_says_of_which_object(void **state)
{
	(void)state;
	open_books();
	ask(1, "apps diff web");
	api_answer("GET", SECRET, 200, "{}");
	api_answer("PATCH", SECRET, 422, "{'message':'no good'}");
	assert_true(answered(PROTO_ERROR));
	assert_string_equal(got, "Secret ns/c: no good");
	ask(2, "apps diff web"); /* the place is free again */
	api_end(api_get("GET", SECRET), KCLIENT_TIMEOUT, 0, "");
	assert_true(answered(PROTO_ERROR));
}

static void a_diff_that_is_long_is_cut(void **state)
{
	static char json[200000];
	struct buf b;
	(void)state;
	open_books();
	ask(1, "apps diff db");
	buf_init(&b, json, sizeof(json));
	buf_add(&b, "{'data':{");
	for (unsigned i = 0; i < 1000; i++)
		buf_addf(&b, "%s'key%u':'%080u'", i ? "," : "", i, i);
	buf_add(&b, "}}");
	api_answer("GET", "/api/v1/namespaces/ns/configmaps/b", 200, "{'data':{}}");
	api_answer("PATCH", "/api/v1/namespaces/ns/configmaps/b", 200, json);
	assert_true(answered(PROTO_OK));
	assert_non_null(strstr(got, "],\"more\":"));
	yyjson_doc *doc = yyjson_read(got, strlen(got), 0);
	assert_non_null(doc);
	yyjson_doc_free(doc);
}

static void pods_and_logs_are_asked_of_the_server(void **state)
{
	(void)state;
	open_books();
	ask(1, "pods");
	unsigned i = api_get("GET", "/api/v1/pods?");
	assert_string_equal(api.call[i].accept, "application/json;as=Table;g=meta.k8s.io;v=v1");
	api_answer("GET", "/api/v1/pods?", 200, "{'columnDefinitions':[{'name':'Name'}],'rows':[{'cells':['web-1']}]}");
	assert_true(answered(PROTO_OK));
	assert_non_null(strstr(got, "\"name\":\"web-1\""));
	ask(2, "logs pod/ns/web-1 main");
	api_answer("GET", "/api/v1/namespaces/ns/pods?fieldSelector=metadata.name%3Dweb-1", 200,
	           "{'items':[{'metadata':{'name':'web-1','namespace':'ns','uid':'u'},'spec':{'containers':[{'name':'"
	           "main'}]}}]}");
	assert_true(answered(PROTO_OK));
	assert_string_equal(got, "{\"name\":\"pod/ns/web-1\",\"path\":\"/var/log/pods/ns_web-1_u/main/0.log\"}");
	ask(3, "logs pod/web-1");
	api_answer("GET", "/api/v1/pods?fieldSelector=metadata.name%3Dweb-1", 200, "{'items':[]}");
	assert_true(answered(PROTO_ERROR));
	ask(4, "pods");
	api_answer("GET", "/api/v1/pods?", 403, "{'message':'pods is forbidden'}");
	assert_true(answered(PROTO_ERROR));
	assert_string_equal(got, "pods is forbidden");
}

static void a_lost_connection_answers_all(void **state)
{
	(void)state;
	open_books();
	ask(1, "pods");
	ask(2, "apps diff web");
	serve_close(&s);
	assert_true(answered(PROTO_ERROR));
	assert_true(answered(PROTO_ERROR));
	assert_false(answered(PROTO_ERROR));
	assert_int_equal(api_open_calls(), 0);
	expect("apps", PROTO_OK, "apps");
}

static void asks_are_bounded(void **state)
{
	(void)state;
	open_books();
	for (uint32_t i = 0; i < SERVE_ASKS; i++)
		ask(i + 1, "pods");
	expect("pods", PROTO_ERROR, "too much is asked at a time");
	assert_int_equal(api_open_calls(), SERVE_ASKS);
	for (uint32_t i = 0; i < SERVE_ASKS; i++)
		api_answer("GET", "/api/v1/pods?", 200, "{}");
	for (uint32_t i = 0; i < SERVE_ASKS; i++)
		assert_true(answered(PROTO_OK));
	ask(99, "pods");
	api_answer("GET", "/api/v1/pods?", 200, "{}");
	assert_true(answered(PROTO_OK));
	assert_int_equal(got_id, 99);
}

static void answers_to_its_own_facts_are_taken(void **state)
{
	static const char frames[][8] = {
		{1, 0, 0, 0, PROTO_OK, 'o'}, {1, 0, 0, 0, PROTO_ERROR, 'n'}, {1, 0, 0, 0, 99, 'x'}, {1}};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(frames); i++)
		assert_int_equal(chan_send(fds[1], frames[i], i < 3 ? 6 : 1, -1, &api_err), 0);
	api_wait(0);
	assert_false(answered(PROTO_OK));
	assert_false(api_loop.quit);
}

static void a_channel_that_ends_ends_the_role(void **state)
{
	(void)state;
	close(fds[1]);
	fds[1] = -1;
	api_wait(0);
	assert_true(api_loop.quit);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(apps_are_listed_without_a_server),
		TEST(history_is_newest_first),
		TEST(without_manifests_it_says_why),
		TEST(what_it_does_not_know_is_said),
		TEST(apps_are_paused_and_resumed),
		TEST(a_diff_compares_each_object),
		TEST(a_diff_that_fails_says_of_which_object),
		TEST(a_diff_that_is_long_is_cut),
		TEST(pods_and_logs_are_asked_of_the_server),
		TEST(a_lost_connection_answers_all),
		TEST(asks_are_bounded),
		TEST(answers_to_its_own_facts_are_taken),
		TEST(a_channel_that_ends_ends_the_role),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
