/* What a trial still lacks, criterion by criterion. */
#include "boot/criteria.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "core/settings_update.h"
#include "update/answers.h"

static struct facts facts;
static struct services services;
static struct names before;
static struct criteria c;
static struct err e;

static int setup(void **state)
{
	(void)state;
	facts_init(&facts);
	memset(&services, 0, sizeof(services));
	memset(&before, 0, sizeof(before));
	c = (struct criteria){.health = HEALTH_SERVICES | HEALTH_NODE | HEALTH_APPS,
	                      .healthy = true,
	                      .facts = &facts,
	                      .services = &services,
	                      .before = &before};
	return 0;
}

static struct service *add(const char *name, enum service_state state)
{
	struct service *s = &services.service[services.count++];
	assert_int_equal(str_copy(s->def.name, sizeof(s->def.name), name), 0);
	s->def.enabled = true;
	s->state = state;
	return s;
}

static void with_kubernetes(void)
{
	add("kube", SERVICE_READY);
	fact_set(&facts, "kubernetes", FACT_ON, "");
}

static void assert_missing(const char *want)
{
	char text[CRITERIA_TEXT + 1];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	criteria_missing(&c, &b);
	assert_true(buf_ok(&b));
	assert_string_equal(text, want);
}

static void nothing_to_ask(void **state)
{
	(void)state;
	assert_missing("");
	fact_set(&facts, "kubernetes", FACT_ON, ""); /* but no kube role in this image */
	assert_missing("");
	c.health = 0;
	c.healthy = false;
	assert_missing("a running system");
}

static void services_that_matter(void **state)
{
	(void)state;
	add("web", SERVICE_READY);
	add("scrub", SERVICE_DONE);
	add("confirm", SERVICE_WAITING);
	add("log", SERVICE_BACKOFF);
	add("klog", SERVICE_FAILED);
	add("cert", SERVICE_STARTING);
	add("time", SERVICE_STARTING)->def.ready = READY_FACT;
	add("scrub-again", SERVICE_STARTING)->def.type = SERVICE_ONESHOT; /* at its work, for hours maybe */
	add("mine", SERVICE_FAILED)->def.enabled = false;
	assert_missing("service log, service klog, service cert");
	c.health = HEALTH_NODE | HEALTH_APPS;
	assert_missing("");
}

static void the_node(void **state)
{
	(void)state;
	with_kubernetes();
	assert_missing("node-ready");
	fact_set(&facts, "node-ready", FACT_OFF, "");
	assert_missing("node-ready");
	fact_set(&facts, "node-ready", FACT_ON, "");
	assert_missing("");
	fact_set(&facts, "node-ready", FACT_OFF, "");
	fact_set(&facts, "kubernetes", FACT_OFF, "left out");
	assert_missing("");
	fact_set(&facts, "kubernetes", FACT_ON, "");
	c.health = HEALTH_SERVICES;
	assert_missing("");
}

static void what_was_there_before(void **state)
{
	(void)state;
	with_kubernetes();
	fact_set(&facts, "node-ready", FACT_ON, "");
	assert_int_equal(names_add(&before, "app-coredns", &e), 0);
	assert_int_equal(names_add(&before, "app-torrents", &e), 0);
	assert_int_equal(names_add(&before, NAMES_NETWORK, &e), 0);
	fact_set(&facts, "app-torrents", FACT_ON, "");
	fact_set(&facts, "app-other", FACT_OFF, ""); /* was not healthy before either */
	assert_missing("app-coredns, network-up");
	c.health = HEALTH_APPS;
	assert_missing("app-coredns");
	c.health = HEALTH_SERVICES;
	assert_missing("network-up");
	c.health = HEALTH_APPS;
	fact_set(&facts, "kubernetes", FACT_OFF, "");
	assert_missing("");
}

/* Nobody ever tells of an app that the new version has left out. */
static void what_is_not_in_this_version(void **state)
{
	(void)state;
	with_kubernetes();
	fact_set(&facts, "node-ready", FACT_ON, "");
	assert_int_equal(names_add(&before, "app-coredns", &e), 0);
	assert_int_equal(names_add(&before, "app-gone", &e), 0);
	fact_set(&facts, "app-coredns", FACT_OFF, "");
	fact_set(&facts, "kube-applied", FACT_OFF, "1 of 9 objects");
	assert_missing("app-coredns, app-gone");
	fact_set(&facts, "kube-applied", FACT_ON, "9 objects");
	assert_missing("app-coredns");
	fact_set(&facts, "app-gone", FACT_UNKNOWN, ""); /* it is there, then */
	assert_missing("app-coredns, app-gone");
}

/* What the update role takes down is what is looked for here. */
static void what_the_update_role_writes(void **state)
{
	static const char before_it[] =
		"{\"facts\":[{\"name\":\"app-coredns\",\"value\":\"on\"},"
		"{\"name\":\"network-up\",\"value\":\"on\"},{\"name\":\"app-late\",\"value\":\"off\"}]}";

	(void)state;
	with_kubernetes();
	fact_set(&facts, "node-ready", FACT_ON, "");
	assert_int_equal(answers_healthy(&before, before_it, strlen(before_it), &e), 0);
	assert_missing("app-coredns, network-up");
	fact_set(&facts, "app-coredns", FACT_ON, "");
	fact_set(&facts, "network-up", FACT_ON, "");
	assert_missing("");
}

static void a_long_list_is_counted(void **state)
{
	char text[CRITERIA_TEXT + 1], name[LIMIT_NAME];
	struct buf b;
	(void)state;
	with_kubernetes();
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "app-abcdefghijklmnopqrstuv-%u", i);
		assert_int_equal(names_add(&before, name, &e), 0);
	}
	buf_init(&b, text, sizeof(text));
	criteria_missing(&c, &b);
	assert_true(buf_ok(&b));
	assert_string_equal(text, "node-ready, app-abcdefghijklmnopqrstuv-0, app-abcdefghijklmnopqrstuv-1 and 94 more");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_to_ask, setup),
		cmocka_unit_test_setup(services_that_matter, setup),
		cmocka_unit_test_setup(the_node, setup),
		cmocka_unit_test_setup(what_was_there_before, setup),
		cmocka_unit_test_setup(what_is_not_in_this_version, setup),
		cmocka_unit_test_setup(what_the_update_role_writes, setup),
		cmocka_unit_test_setup(a_long_list_is_counted, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
