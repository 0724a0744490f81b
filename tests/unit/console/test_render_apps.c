/* console/render_apps: what the kube role answers, through console/render, at several widths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "rendered.h"

static void apps(void **state)
{
	static const char json[] =
		"{\"apps\":[{\"name\":\"platform\",\"status\":\"progressing\",\"objects\":12,\"ready\":9,\"message\":"
		"\"Deployment kube-system/coredns: 0 of 1 replicas are available\"},"
		"{\"name\":\"transmission\",\"status\":\"healthy\",\"objects\":5,\"ready\":5,\"message\":\"\"}],"
		"\"revision\":\"0123456789abcdef0123456789abcdef\",\"wave\":-3,\"state\":\"waiting for wave "
		"-3\",\"more\":2}";

	(void)state;
	assert_string_equal(render("apps", json, 79),
	                    "NAME          STATUS         READY\n"
	                    "platform      progressing     9/12  Deployment kube-system/coredns: 0 of 1\n"
	                    "                                    replicas are available\n"
	                    "transmission  healthy          5/5\n"
	                    "... and 2 more\n"
	                    "revision 0123456789ab, wave -3\n"
	                    "waiting for wave -3\n");
	assert_string_equal(render("apps", "{\"apps\":[],\"revision\":\"\"}", 79),
	                    "NAME  STATUS    READY\nrevision \n");
	assert_non_null(strstr(render("apps", "{\"apps\":[],\"revision\":\"a\\u001b[31m\",\"wave\":0}", 0),
	                       "revision a?[31m, wave 0\n"));
}

static void one_app(void **state)
{
	static const char json[] =
		"{\"name\":\"transmission\",\"status\":\"degraded\",\"message\":\"1 of 3 objects is not "
		"ready\",\"objects\":["
		"{\"kind\":\"Namespace\",\"namespace\":\"\",\"name\":\"htpc\",\"status\":\"current\",\"message\":\"\"},"
		"{\"kind\":\"PersistentVolumeClaim\",\"namespace\":\"htpc\",\"name\":\"transmission-downloads-and-"
		"more\","
		"\"status\":\"progressing\",\"message\":\"waiting for a first consumer to be created before it is "
		"bound\"},"
		"{\"kind\":\"Deployment\",\"namespace\":\"htpc\",\"name\":\"transmission\",\"status\":\"failed\","
		"\"message\":\"\"}],\"history\":[{\"revision\":\"00112233445566778899aabbccddeeff\",\"time\":"
		"\"2026-01-31T12:00:00Z\"}]}";

	(void)state;
	assert_string_equal(render("apps", json, 60), "transmission: degraded\n"
	                                              "  1 of 3 objects is not ready\n"
	                                              "  current      Namespace              htpc\n"
	                                              "  progressing  PersistentVolumeClaim  htpc/transmission-down\n"
	                                              "                                      loads-and-more\n"
	                                              "               waiting for a first consumer to be created\n"
	                                              "               before it is bound\n"
	                                              "  failed       Deployment             htpc/transmission\n"
	                                              "applied\n"
	                                              "  2026-01-31 12:00:00 UTC  revision 001122334455\n");
	assert_string_equal(render("apps", "{\"name\":\"x\",\"status\":\"paused\",\"objects\":[]}", 60), "x: paused\n");
}

static void differences(void **state)
{
	static const char json[] =
		"{\"name\":\"x\",\"diff\":["
		"{\"object\":\"Deployment htpc/x\",\"field\":\".spec.replicas\",\"want\":\"1\",\"is\":\"3\"},"
		"{\"object\":\"Deployment htpc/x\",\"field\":\".metadata.labels\",\"want\":\"a long text that does not "
		"fit\","
		"\"is\":\"\"},"
		"{\"object\":\"Service htpc/x\",\"field\":\"\",\"want\":\"it\",\"is\":\"\"}]}";

	(void)state;
	assert_string_equal(render("apps", json, 30), "Deployment htpc/x\n"
	                                              "  .spec.replicas\n"
	                                              "    want 1\n"
	                                              "    is   3\n"
	                                              "  .metadata.labels\n"
	                                              "    want a long text that does\n"
	                                              "         not fit\n"
	                                              "    is   (nothing)\n"
	                                              "Service htpc/x\n"
	                                              "  \n"
	                                              "    want it\n"
	                                              "    is   (nothing)\n");
	assert_string_equal(render("apps", "{\"name\":\"x\",\"diff\":[]}", 30), "x: as it should be\n");
}

#define POD(namespace, name, status, ip)                                                                               \
	"{\"namespace\":\"" namespace "\",\"name\":\"" name "\",\"status\":\"" status                                  \
				      "\",\"ready\":\"1/1\",\"restarts\":2,\"age\":7300,\"ip\":\"" ip "\"}"

static void pods(void **state)
{
	static const char some[] =
		"{\"pods\":[" POD("htpc", "transmission-5d8f6b7c9-abcde", "Running", "10.42.0.7") "," POD(
			"infra", "prometheus-0", "Pending", "") "," POD("infra", "node-exporter-xyz12", "Running",
	                                                                "10.42.0.10") "]}";
	static const char wide[] =
		"{\"pods\":[" POD("htpc", "an-app-with-a-name-of-some-length-7d9f8c6b5-x2x9z", "ContainerCreating",
	                          "10.42.0.7") "," POD("htpc", "b", "Running", "") "]}";

	(void)state;
	assert_string_equal(render("pods", some, 79),
	                    "  NAME                          READY  STATUS   RESTARTS      AGE  IP\n"
	                    "htpc\n"
	                    "  transmission-5d8f6b7c9-abcde    1/1  Running         2      2 h  10.42.0.7\n"
	                    "infra\n"
	                    "  prometheus-0                    1/1  Pending         2      2 h\n"
	                    "  node-exporter-xyz12             1/1  Running         2      2 h  10.42.0.10\n");
	/* No room for the address; then the name stands on a line of its own. */
	assert_string_equal(render("pods", wide, 79),
	                    "  NAME                              READY  STATUS             RESTARTS      AGE\n"
	                    "htpc\n"
	                    "  an-app-with-a-name-of-some-length-7d9f8c6b5-x2x9z\n"
	                    "                                      1/1  ContainerCreating         2      2 h\n"
	                    "  b                                   1/1  Running                   2      2 h\n");
	assert_string_equal(render("pods", "{\"pods\":[],\"more\":0}", 79), "no pods\n");
}

static void odd_answers(void **state)
{
	static const char *const odd[] = {"{\"apps\":7}",
	                                  "{\"apps\":[7,null,[]]}",
	                                  "{\"apps\":[{\"name\":7,\"ready\":-1}]}",
	                                  "{\"objects\":[{}],\"history\":[{}]}",
	                                  "{\"diff\":[{}]}",
	                                  "{\"objects\":{\"a\":1}}"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(odd); i++)
		assert_true(strlen(render("apps", odd[i], 79)) > 0);
	assert_true(strlen(render("pods", "{\"pods\":[7,{}]}", 79)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(apps), cmocka_unit_test(one_app),     cmocka_unit_test(differences),
		cmocka_unit_test(pods), cmocka_unit_test(odd_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
