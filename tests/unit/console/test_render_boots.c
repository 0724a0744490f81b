/* console/render_boots: how runs ended, through console/render. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "rendered.h"

static void boots(void **state)
{
	static const char json[] =
		"{\"boots\":[{\"time\":\"2025-11-24T16:00:00Z\",\"slot\":\"b\",\"version\":\"0.2.0\",\"kind\":"
		"\"health-gate\",\"reason\":\"slot b did not get well within 15 min: no node-ready, app-coredns\","
		"\"uptime\":900,\"well\":false},"
		"{\"time\":\"\",\"slot\":\"\",\"version\":\"\",\"kind\":\"asked\",\"reason\":\"reboot\\u001b[2J\","
		"\"uptime\":0,\"well\":true}]}";

	(void)state;
	assert_string_equal(render("boots", json, 60), "ENDED                 RAN  SLOT  VERSION  KIND         WELL\n"
	                                               "2025-11-24 16:00   15 min  b     0.2.0    health-gate  no\n"
	                                               "    slot b did not get well within 15 min: no node-ready,\n"
	                                               "    app-coredns\n"
	                                               "-                    0 ms  -     -        asked        yes\n"
	                                               "    reboot?[2J\n");
	assert_string_equal(render("boots", "{\"boots\":[]}", 60),
	                    "ENDED                 RAN  SLOT  VERSION  KIND  WELL\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boots),
	};

	return cmocka_run_group_tests_name("render_boots", tests, NULL, NULL);
}
