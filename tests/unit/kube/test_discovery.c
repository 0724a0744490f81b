/* kube/discovery */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/curl.h"
#include "fake/sys.h"
#include "kube/discovery.h"

#define LIST(items)                                                                                                    \
	"{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2\",\"items\":[" items "]}"
#define RESOURCE(plural, kind, scope, verbs)                                                                           \
	"{\"resource\":\"" plural "\",\"responseKind\":{\"group\":\"\",\"version\":\"\",\"kind\":\"" kind              \
	"\"},\"scope\":\"" scope "\",\"singularResource\":\"x\",\"verbs\":[" verbs "],\"subresources\":[{"             \
	"\"subresource\":\"status\",\"responseKind\":{\"kind\":\"Status\"},\"verbs\":[\"get\"]}]}"
#define VERSION(name, resources) "{\"version\":\"" name "\",\"resources\":[" resources "],\"freshness\":\"Current\"}"
#define GROUP(name, versions)    "{\"metadata\":{\"name\":\"" name "\"},\"versions\":[" versions "]}"

static const char core[] = LIST("{\"metadata\":{\"creationTimestamp\":null},\"versions\":[" VERSION(
	"v1", RESOURCE("namespaces", "Namespace", "Cluster", "\"get\",\"delete\"") "," RESOURCE(
		      "pods", "Pod", "Namespaced",
		      "\"create\",\"delete\",\"deletecollection\",\"get\",\"list\",\"patch\",\"update\","
		      "\"watch\",\"odd\"")) "]}");
static const char groups[] = LIST(GROUP(
	"apps",
	VERSION("v1",
                RESOURCE("deployments", "Deployment", "Namespaced", "\"patch\"") "," RESOURCE(
			"daemonsets", "DaemonSet", "Namespaced",
			"\"patch\""))) "," GROUP("autoscaling",
                                                 VERSION("v2", RESOURCE("hpas", "Scaler", "Namespaced", "")) "," VERSION(
							 "v1",
							 RESOURCE("hpas", "Scaler", "Namespaced",
                                                                  ""))) "," GROUP("net.io",
                                                                                  VERSION("v1",
                                                                                          RESOURCE(
												  "ingresses",
												  "Ingress",
												  "Namespaced",
												  ""))) ","
                                                                                                        "{\"metadata\":"
                                                                                                        "{\"name\":"
                                                                                                        "\"metrics.k8s."
                                                                                                        "io\"},"
                                                                                                        "\"versions\":["
                                                                                                        "{\"version\":"
                                                                                                        "\"v1beta1\","
                                                                                                        "\"freshness\":"
                                                                                                        "\"Stale\"}]}");

static struct discovery d;
static struct err e;

/* A copy with room behind it, as kclient gives it. */
static int parse(struct discovery_doc *doc, const char *text)
{
	size_t n = strlen(text);
	char *json = calloc(1, n + KCLIENT_PAD);

	memcpy(json, text, n);
	int rc = discovery_parse(doc, json, n, &e);
	memset(json, '#', n); /* nothing may be kept of it */
	free(json);
	return rc;
}

static int setup(void **state)
{
	(void)state;
	d = (struct discovery){0};
	e = (struct err){0};
	return parse(&d.doc[DISCOVERY_CORE], core) < 0 || parse(&d.doc[DISCOVERY_GROUPS], groups) < 0;
}

static void kinds_are_found(void **state)
{
	static const struct {
		const char *group, *version, *kind, *plural, *prefix;
		bool namespaced;
		unsigned verbs;
	} rows[] = {
		{"", "v1", "Pod", "pods", "/api/v1", true, 0xff},
		{"", "v1", "Namespace", "namespaces", "/api/v1", false, DISCOVERY_GET | DISCOVERY_DELETE},
		{"apps", "v1", "DaemonSet", "daemonsets", "/apis/apps/v1", true, DISCOVERY_PATCH},
		{"autoscaling", "v1", "Scaler", "hpas", "/apis/autoscaling/v1", true, 0},
		{"autoscaling", NULL, "Scaler", "hpas", "/apis/autoscaling/v2", true, 0},
	};
	struct discovery_kind k;
	char prefix[64];
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(discovery_find(&d, rows[i].group, rows[i].version, rows[i].kind, &k, &e), 0);
		assert_string_equal(k.group, rows[i].group);
		assert_string_equal(k.kind, rows[i].kind);
		assert_string_equal(k.plural, rows[i].plural);
		assert_int_equal(k.namespaced, rows[i].namespaced);
		assert_int_equal(k.verbs, rows[i].verbs);
		buf_init(&b, prefix, sizeof(prefix));
		discovery_prefix(&k, &b);
		assert_string_equal(prefix, rows[i].prefix);
	}
}

static void what_is_not_there_is_told_with_what_is(void **state)
{
	static const struct {
		const char *group, *version, *kind, *want;
	} rows[] = {
		{"apps", "v1beta1", "Deployment", "no apps/v1beta1 Deployment; did you mean apps/v1?"},
		{"autoscaling", "v9", "Scaler", "no autoscaling/v9 Scaler; did you mean autoscaling/v2?"},
		{"extensions", "v1", "Ingress", "no extensions/v1 Ingress; did you mean net.io/v1?"},
		{"", "v1", "Deployment", "no v1 Deployment; did you mean apps/v1?"},
		{"apps", "v1", "Pod", "no apps/v1 Pod; did you mean v1?"},
		{"apps", "v1", "Deploymnt", "no apps/v1 Deploymnt; did you mean kind 'Deployment'?"},
		{"apps", "v1", "Deplomnt", "no apps/v1 Deplomnt; did you mean kind 'Deployment'?"},
		{"apps", NULL, "DaemonSets", "no apps DaemonSets; did you mean kind 'DaemonSet'?"},
		{"apps", "v1", "Gateway", "no apps/v1 Gateway: the API server knows no such kind there"},
		{"traefik.io", "v1", "Route",
	         "no traefik.io/v1 Route: the API server knows no such group and version; is its CRD applied?"},
		{"metrics.k8s.io", "v1beta1", "NodeMetrics",
	         "no metrics.k8s.io/v1beta1 NodeMetrics: the server of metrics.k8s.io/v1beta1 does not answer"},
		{"metrics.k8s.io", NULL, "Pod",
	         "no metrics.k8s.io Pod: the server of metrics.k8s.io/v1beta1 does not answer"},
		{"metrics.k8s.io", "v1beta1", "",
	         "no metrics.k8s.io/v1beta1 : the server of metrics.k8s.io/v1beta1 "
	         "does not answer"},
	};
	struct discovery_kind k;
	char large[400];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(discovery_find(&d, rows[i].group, rows[i].version, rows[i].kind, &k, &e), -1);
		assert_int_equal(e.code, ENOENT);
		assert_string_equal(e.text, rows[i].want);
	}
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	assert_int_equal(discovery_find(&d, "apps", "v1", large, &k, &e), -1);
	assert_string_equal(e.text, "no such kind: its name is too long");
	d = (struct discovery){0};
	assert_false(discovery_ready(&d));
	assert_int_equal(discovery_find(&d, "", "v1", "Pod", &k, &e), -1);
	assert_string_equal(e.text, "the API server has not told its kinds yet");
}

static void all_kinds_are_walked(void **state)
{
	static const char *const want[] = {"Namespace", "Pod",    "Deployment", "DaemonSet",
	                                   "Scaler",    "Scaler", "Ingress"};
	struct discovery_kind k;
	size_t i;

	(void)state;
	for (i = 0; discovery_at(&d, i, &k) == 0; i++)
		assert_string_equal(k.kind, want[i]);
	assert_int_equal(i, COUNT_OF(want));
}

static void broken_documents_leave_nothing(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"", "discovery: not JSON at byte 0: input length is 0"},
		{"{\"kind\":", NULL},
		{"[]", "discovery: not an APIGroupDiscoveryList of version v2"},
		{"{\"kind\":\"APIVersions\",\"versions\":[\"v1\"]}",
	         "discovery: not an APIGroupDiscoveryList of version v2"},
		{"{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2beta1\",\"items\":[]}",
	         "discovery: not an APIGroupDiscoveryList of version v2"},
		{"{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2\",\"items\":{}}",
	         "discovery: not an APIGroupDiscoveryList of version v2"},
	};
	static struct discovery_doc doc;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(parse(&doc, core), 0);
		assert_int_equal(parse(&doc, rows[i].text), -1);
		assert_int_equal(e.code, EPROTO);
		assert_int_equal(doc.rows, 0);
		if (rows[i].want)
			assert_string_equal(e.text, rows[i].want);
	}
}

/* What has strange names would become part of a path: it is left out, and the rest is there. */
static void strange_entries_are_left_out(void **state)
{
	static const char text[] = LIST("7," GROUP("../x", VERSION("v1", RESOURCE("as", "A", "Cluster", ""))) "," GROUP(
		"good.io",
		VERSION("v1/..", RESOURCE("bs", "B", "Cluster", "")) "," VERSION(
			"v1", "null,{},{\"resource\":\"cs\",\"responseKind\":null},"
			      "{\"resource\":7,\"responseKind\":{\"kind\":\"D\"}}," RESOURCE(
				      "e/s", "E", "Cluster",
				      "") "," RESOURCE("fs", "F?", "Cluster",
	                                               "") "," RESOURCE("gs", "G\\u0000x", "Cluster",
	                                                                "") "," RESOURCE("hs", "H", "Cluster", ""))));
	struct discovery_kind k;

	(void)state;
	d = (struct discovery){0};
	assert_int_equal(parse(&d.doc[DISCOVERY_GROUPS], text), 0);
	assert_int_equal(discovery_at(&d, 0, &k), 0);
	assert_string_equal(k.kind, "H");
	assert_string_equal(k.group, "good.io");
	assert_int_equal(discovery_at(&d, 1, &k), -1);
}

static void nothing_has_an_empty_name(void **state)
{
	static const char text[] = LIST(
		GROUP("a.io", VERSION("", RESOURCE("as", "A", "Cluster", "")) "," VERSION(
				      "v1", RESOURCE("", "B", "Cluster", "") "," RESOURCE("cs", "", "Cluster", ""))));
	struct discovery_kind k;

	(void)state;
	d = (struct discovery){0};
	assert_int_equal(parse(&d.doc[DISCOVERY_GROUPS], text), 0);
	assert_int_equal(discovery_at(&d, 0, &k), -1);
}

/* What a server said when it last answered is better than nothing. */
static void stale_kinds_are_kept(void **state)
{
	static const char text[] =
		LIST("{\"metadata\":{\"name\":\"a.io\"},\"versions\":[{\"version\":\"v1\","
	             "\"freshness\":\"Stale\",\"resources\":[" RESOURCE("as", "A", "Cluster", "") "]}]}");
	struct discovery_kind k;

	(void)state;
	assert_int_equal(parse(&d.doc[DISCOVERY_GROUPS], text), 0);
	assert_int_equal(discovery_find(&d, "a.io", "v1", "A", &k, &e), 0);
	assert_int_equal(d.doc[DISCOVERY_GROUPS].rows, 1);
}

static void names_fill_their_room_to_the_last_byte(void **state)
{
	static char text[400000], name[DISCOVERY_TEXT + 2];
	static struct discovery_doc doc;
	const size_t rest = DISCOVERY_TEXT - sizeof("") - sizeof("g") - sizeof("v") - sizeof("K") - 1;

	(void)state;
	for (size_t n = rest; n <= rest + 1; n++) {
		memset(name, 'a', n);
		name[n] = '\0';
		assert_int_equal(str_format(text, sizeof(text),
		                            LIST(GROUP("g", VERSION("v", RESOURCE("%s", "K", "Cluster", "")))), name),
		                 0);
		assert_int_equal(parse(&doc, text), n == rest ? 0 : -1);
	}
	memset(name, 'a', DISCOVERY_TEXT);
	name[DISCOVERY_TEXT] = '\0';
	assert_int_equal(str_format(text, sizeof(text), LIST(GROUP("%s", "")), name), 0);
	assert_int_equal(parse(&doc, text), -1);
}

static void the_table_is_bounded(void **state)
{
	static char text[400000], name[20000];
	static struct discovery_doc doc;
	struct buf b;

	(void)state;
	for (unsigned n = DISCOVERY_KINDS; n <= DISCOVERY_KINDS + 1; n++) {
		buf_init(&b, text, sizeof(text));
		buf_add(&b, "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2\",\"items\":["
		            "{\"versions\":[{\"version\":\"v1\",\"resources\":[{}");
		for (unsigned i = 0; i < n; i++)
			buf_addf(&b, ",{\"resource\":\"r%u\",\"responseKind\":{\"kind\":\"R%u\"}}", i, i);
		buf_add(&b, "]}]}]}");
		assert_true(buf_ok(&b));
		assert_int_equal(parse(&doc, text), n > DISCOVERY_KINDS ? -1 : 0);
		assert_int_equal(doc.rows, n > DISCOVERY_KINDS ? 0 : DISCOVERY_KINDS);
	}
	assert_int_equal(e.code, ENOSPC);
	memset(name, 'a', sizeof(name) - 1);
	for (unsigned long_ones = 1; long_ones < 16; long_ones++) { /* one fits, two do not, whichever they are */
		assert_int_equal(str_format(text, sizeof(text),
		                            LIST(GROUP("%s", VERSION("%s", RESOURCE("%s", "%s", "Cluster", "")))),
		                            long_ones & 1 ? name : "g", long_ones & 2 ? name : "v",
		                            long_ones & 4 ? name : "r", long_ones & 8 ? name : "K"),
		                 0);
		bool one = (long_ones & (long_ones - 1)) == 0;
		assert_int_equal(parse(&doc, text), one ? 0 : -1);
		assert_int_equal(doc.rows, one);
	}
}

static void api_versions_are_split(void **state)
{
	static const struct {
		const char *text, *group, *version;
	} rows[] = {
		{"v1", "", "v1"},
		{"apps/v1", "apps", "v1"},
		{"", NULL, NULL},
		{"/v1", NULL, NULL},
		{"a/", NULL, NULL},
		{"a/b/c", NULL, NULL},
		{"12345678/v1", NULL, NULL},
		{"a/12345678", NULL, NULL},
		{"1234567/7654321", "1234567", "7654321"},
	};
	char group[8], version[8];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int rc = discovery_split(rows[i].text, group, sizeof(group), version, sizeof(version));
		assert_int_equal(rc, rows[i].group ? 0 : -1);
		if (!rows[i].group)
			continue;
		assert_string_equal(group, rows[i].group);
		assert_string_equal(version, rows[i].version);
	}
}

/* Fetching, over the faked libcurl. */
static struct loop loop;
static struct kclient client;
static struct credentials credentials;
static struct {
	unsigned done;
	bool changed;
	int status;
	char why[ERR_TEXT];
} seen;

static void on_done(bool changed, const struct kclient_reply *r, const struct err *why, void *arg)
{
	assert_ptr_equal(arg, &seen);
	assert_true(!r || why);
	seen.done++;
	seen.changed = changed;
	seen.status = r ? r->status : 0;
	(void)snprintf(seen.why, sizeof(seen.why), "%s", why ? why->text : "");
}

static int setup_fetch(void **state)
{
	(void)state;
	fake_clock_ms = 1000;
	memset(&seen, 0, sizeof(seen));
	d = (struct discovery){0};
	credentials = (struct credentials){.server = "https://h"};
	return loop_init(&loop, &e) < 0 || kclient_open(&client, &loop, &credentials, &e) < 0;
}

static int teardown_fetch(void **state)
{
	(void)state;
	kclient_close(&client);
	loop_fini(&loop);
	return (int)fake_curl_handles;
}

static void nothing(struct loop *l, void *arg)
{
	(void)l, (void)arg;
}

static void settle(void)
{
	for (unsigned i = 0; i < 6; i++) {
		struct loop_timer t = {0};
		loop_after(&loop, &t, 0, nothing, NULL);
		assert_int_equal(loop_step(&loop, &e), 0);
		loop_cancel(&loop, &t);
	}
}

static void refresh(void)
{
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(discovery_refresh(&d, &client, on_done, &seen, &e), 0);
	settle();
}

static void answer(const char *path, int status, const char *etag, const char *body)
{
	struct fake_curl *f = fake_curl_find(path);

	assert_non_null(f);
	fake_curl_status(f, status, etag, NULL);
	fake_curl_body(f, body, strlen(body));
	fake_curl_end(f, CURLE_OK, NULL);
	settle();
}

static void both_documents_are_fetched_and_refreshed(void **state)
{
	struct discovery_kind k;

	(void)state;
	refresh();
	assert_non_null(strstr(fake_curl_find("/apis")->headers,
	                       "Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList\n"));
	assert_null(strstr(fake_curl_find("/api")->headers, "If-None-Match"));
	answer("/apis", 200, "etag: \"g1\"\r\n", groups);
	assert_int_equal(seen.done, 0);
	assert_int_equal(discovery_refresh(&d, &client, on_done, &seen, &e), -1);
	assert_int_equal(e.code, EBUSY);
	answer("/api", 200, "etag: \"c1\"\r\n", core);
	assert_int_equal(seen.done, 1);
	assert_true(seen.changed);
	assert_string_equal(seen.why, "");
	assert_int_equal(discovery_find(&d, "", "v1", "Pod", &k, &e), 0);
	assert_int_equal(discovery_find(&d, "apps", "v1", "Deployment", &k, &e), 0);

	refresh();
	assert_non_null(strstr(fake_curl_find("/api")->headers, "If-None-Match: \"c1\"\n"));
	assert_non_null(strstr(fake_curl_find("/apis")->headers, "If-None-Match: \"g1\"\n"));
	answer("/api", 304, NULL, "");
	answer("/apis", 304, NULL, "");
	assert_int_equal(seen.done, 1);
	assert_false(seen.changed);
	assert_int_equal(discovery_find(&d, "", "v1", "Pod", &k, &e), 0);

	refresh();
	answer("/api", 304, NULL, "");
	answer("/apis", 200, "etag: \"g2\"\r\n", LIST(""));
	assert_true(seen.changed);
	assert_int_equal(discovery_find(&d, "", "v1", "Pod", &k, &e), 0);
	assert_int_equal(discovery_find(&d, "apps", "v1", "Deployment", &k, &e), -1);
	assert_string_equal(d.doc[DISCOVERY_GROUPS].etag, "\"g2\"");
}

static void a_failure_keeps_what_there_was(void **state)
{
	static const struct {
		int status;
		const char *body, *want;
	} rows[] = {
		{503, "", "discovery: the API server is not ready (status 503)"},
		{204, "", "discovery: status 204"},
		{304, "", "discovery: status 304"}, /* to a request without an ETag */
		{200, "{}", "discovery: not an APIGroupDiscoveryList of version v2"},
	};
	struct discovery_kind k;

	(void)state;
	refresh();
	answer("/apis", 200, NULL, groups);
	answer("/api", 200, NULL, core);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		refresh();
		answer("/apis", rows[i].status, NULL, rows[i].body);
		assert_int_equal(seen.done, 1);
		assert_int_equal(seen.status, rows[i].status);
		assert_string_equal(seen.why, rows[i].want);
		assert_int_equal(fake_curl_handles, 0); /* the other one is not waited for */
		assert_int_equal(discovery_find(&d, "apps", "v1", "Deployment", &k, &e), 0);
	}
	refresh();
	fake_curl_end(fake_curl_find("/api"), CURLE_COULDNT_CONNECT, "refused");
	settle();
	assert_string_equal(seen.why, "discovery: refused");
	refresh();
	answer("/api", 200, NULL, core);
	answer("/apis", 200, NULL, groups);
	assert_string_equal(seen.why, "");
}

static void cancelled_is_silent(void **state)
{
	(void)state;
	discovery_cancel(&d); /* nothing under way */
	refresh();
	answer("/api", 200, NULL, core);
	discovery_cancel(&d);
	settle();
	assert_int_equal(seen.done, 0);
	assert_int_equal(fake_curl_handles, 0);
	kclient_close(&client);
	assert_int_equal(discovery_refresh(&d, &client, on_done, &seen, &e), -1);
	assert_string_equal(e.text, "discovery: API call: the client is closed");
	assert_int_equal(kclient_open(&client, &loop, &credentials, &e), 0);
	refresh();
	discovery_cancel(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(kinds_are_found, setup),
		cmocka_unit_test_setup(what_is_not_there_is_told_with_what_is, setup),
		cmocka_unit_test_setup(all_kinds_are_walked, setup),
		cmocka_unit_test_setup(broken_documents_leave_nothing, setup),
		cmocka_unit_test_setup(strange_entries_are_left_out, setup),
		cmocka_unit_test_setup(nothing_has_an_empty_name, setup),
		cmocka_unit_test_setup(stale_kinds_are_kept, setup),
		cmocka_unit_test_setup(names_fill_their_room_to_the_last_byte, setup),
		cmocka_unit_test_setup(the_table_is_bounded, setup),
		cmocka_unit_test_setup(api_versions_are_split, setup),
		cmocka_unit_test_setup_teardown(both_documents_are_fetched_and_refreshed, setup_fetch, teardown_fetch),
		cmocka_unit_test_setup_teardown(a_failure_keeps_what_there_was, setup_fetch, teardown_fetch),
		cmocka_unit_test_setup_teardown(cancelled_is_silent, setup_fetch, teardown_fetch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
