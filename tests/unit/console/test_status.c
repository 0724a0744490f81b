/* console/status: the status screen of a healthy box, of one in trouble, and of one just starting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "console/status.h"

static char data[16384];
static struct buf b;

static const char *screen(const char *status, const char *services, unsigned width)
{
	buf_init(&b, data, sizeof(data));
	assert_return_code(status_render_text(status, services, width, &b), 0);
	assert_true(buf_ok(&b));
	return data;
}

#define HEAD                                                                                                           \
	"\"name\":\"attic\",\"version\":\"0.1.0\",\"kernel\":\"6.12.43\",\"slot\":\"a\",\"cpus\":2,\"load\":\"0.10\"," \
	"\"time\":\"2026-01-31T12:00:00Z\",\"memory\":{\"total\":2147483648,\"available\":1288490188}"

static const char healthy[] =
	"{" HEAD ",\"system\":\"running\",\"detail\":\"\",\"boots\":7,\"uptime_ms\":192000,\"time_synced\":true,"
	"\"url\":\"https://10.0.2.15/\",\"last_shutdown\":\"reboot asked for\","
	"\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"52:54:00:12:34:56\",\"up\":true,\"addresses\":[\"10.0.2.15/"
	"24\"]},"
	"{\"name\":\"enp3s0\",\"mac\":\"52:54:00:12:34:57\",\"up\":false,\"addresses\":[]}],"
	"\"disks\":[{\"name\":\"data\",\"path\":\"/data\",\"total\":7516192768,\"free\":5476083302},"
	"{\"name\":\"state\",\"path\":\"/state\",\"total\":260046848,\"free\":241172480}],"
	"\"services\":{\"total\":2,\"ready\":2,\"failed\":0},\"stages\":[{\"name\":\"time\",\"state\":\"done\"}],"
	"\"kubernetes\":{\"inside\":\"k3s v1.36.4+k3s1, the official release\",\"state\":\"the node is ready; 8 of 8 "
	"apps "
	"healthy\"},\"waiting\":\"\","
	"\"problems\":[]}";

static const char two_services[] = "{\"services\":[{\"name\":\"web\",\"state\":\"ready\",\"detail\":\"\"},"
				   "{\"name\":\"cert\",\"state\":\"done\",\"detail\":\"\"}]}";

static void a_healthy_box(void **state)
{
	(void)state;
	assert_string_equal(screen(healthy, two_services, 79),
	                    "attic: Hearth 0.1.0, slot a, running\n"
	                    "up        3 min 12 s, boot number 7, last run ended: reboot asked for\n"
	                    "time      2026-01-31 12:00:00 UTC (synchronised)\n"
	                    "kernel    6.12.43\n"
	                    "network   eth0      52:54:00:12:34:56  10.0.2.15/24\n"
	                    "          enp3s0    52:54:00:12:34:57  no link\n"
	                    "web       https://10.0.2.15/\n"
	                    "memory    1.1 GiB free of 2.0 GiB; load 0.10 on 2 CPUs\n"
	                    "disks     data      /data     5.0 GiB free of 7.0 GiB\n"
	                    "          state     /state    230 MiB free of 248 MiB\n"
	                    "services  2 of 2 ready\n"
	                    "kube      k3s v1.36.4+k3s1, the official release\n"
	                    "          the node is ready; 8 of 8 apps healthy\n");
}

static void before_the_first_login(void **state)
{
	static const char set_up[] = "{" HEAD ",\"system\":\"running\",\"url\":\"https://10.0.2.15/\","
				     "\"owner\":\"first\",\"first_login\":\"K7Q2-0XD1\"}";
	(void)state;
	assert_non_null(strstr(screen(set_up, two_services, 79), ", running\n"
	                                                         "first login: code K7Q2-0XD1 at https://10.0.2.15/\n"
	                                                         "up "));
	assert_null(strstr(screen(healthy, two_services, 79), "first login"));
}

static const char trouble[] =
	"{" HEAD
	",\"system\":\"degraded\",\"detail\":\"network failed\",\"boots\":0,\"uptime_ms\":61000,\"time_synced\":false,"
	"\"url\":\"\",\"last_shutdown\":\"\","
	"\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"52:54:00:12:34:56\",\"up\":true,\"addresses\":[]}],\"disks\":[],"
	"\"services\":{\"total\":3,\"ready\":1,\"failed\":1},"
	"\"kubernetes\":{\"inside\":\"k3s v1.36.4\",\"state\":\"starting: the API server does not answer (connection "
	"refused, again and again)\"},"
	"\"stages\":[{\"name\":\"network\",\"state\":\"failed\",\"detail\":\"no network-up within 30 s; still waiting "
	"for it\"}],"
	"\"waiting\":\"network: waiting for an address (eth0: no answer from a DHCP server yet)\","
	"\"problems\":[\"/state/services/x.yaml:3: unknown key 'comand'; did you mean 'command'?\",\"root: block 7 is "
	"bad\"]}";

static void a_box_in_trouble(void **state)
{
	static const char services[] = "{\"services\":[{\"name\":\"web\",\"state\":\"ready\",\"detail\":\"\"},"
				       "{\"name\":\"network\",\"state\":\"backoff\",\"detail\":\"exited with status 1 "
				       "after 3 s; starts again in 4 s\"},"
				       "{\"name\":\"console-screen\",\"state\":\"failed\",\"detail\":\"start: "
				       "/dev/tty1: No such file or directory\"},"
				       "{\"name\":\"time\",\"state\":\"waiting\",\"detail\":\"\"}]}";
	(void)state;
	assert_string_equal(screen(trouble, services, 79),
	                    "attic: Hearth 0.1.0, slot a, degraded (network failed)\n"
	                    "up        1 min 1 s\n"
	                    "time      2026-01-31 12:00:00 UTC (not synchronised yet)\n"
	                    "kernel    6.12.43\n"
	                    "network   eth0      52:54:00:12:34:56  no address yet\n"
	                    "web       no address yet\n"
	                    "memory    1.1 GiB free of 2.0 GiB; load 0.10 on 2 CPUs\n"
	                    "disks     none mounted\n"
	                    "services  1 of 3 ready, 1 failed\n"
	                    "          network         backoff   exited with status 1 after 3 s; starts\n"
	                    "                                    again in 4 s\n"
	                    "          console-screen  failed    start: /dev/tty1: No such file or directory\n"
	                    "          time            waiting\n"
	                    "kube      k3s v1.36.4\n"
	                    "          starting: the API server does not answer (connection refused, again\n"
	                    "          and again)\n"
	                    "waiting   network: waiting for an address (eth0: no answer from a DHCP server\n"
	                    "          yet)\n"
	                    "failed    network: no network-up within 30 s; still waiting for it\n"
	                    "problems  /state/services/x.yaml:3: unknown key 'comand'; did you mean\n"
	                    "          'command'?\n"
	                    "          root: block 7 is bad\n");
}

static void without_services(void **state)
{
	char with[4096];
	(void)state;
	strncat(memset(with, 0, sizeof(with)), screen(healthy, NULL, 79), sizeof(with) - 1);
	assert_string_equal(with, screen(healthy, two_services, 79));
	assert_string_equal(with, screen(healthy, "no json", 79));
	assert_int_equal(status_render_text("no json", NULL, 79, &b), -1);
}

static void without_kubernetes(void **state)
{
	(void)state;
	const char *text = screen("{\"kubernetes\":{\"inside\":\"\",\"state\":\"not in this image\"}}", NULL, 79);
	assert_non_null(strstr(text, "\nkube      not in this image\n"));
	assert_null(strstr(screen("{}", NULL, 79), "kube"));
}

static void nothing_known(void **state)
{
	(void)state;
	assert_non_null(strstr(screen("{}", NULL, 79), "no interface found"));
}

static void fits_a_screen(void **state)
{
	(void)state;
	static const unsigned widths[] = {32, 40, 79, 120};
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		unsigned column = 0, rows = 0;
		for (const char *p = screen(trouble, NULL, widths[i]); *p; p++) {
			column = *p == '\n' ? 0 : column + 1;
			rows += *p == '\n';
			/* Columns of disks and interfaces are not cut. */
			assert_true(column <= widths[i] || widths[i] < 79);
		}
		assert_true(rows <= 22 || widths[i] < 79);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_healthy_box),          cmocka_unit_test(a_box_in_trouble),
		cmocka_unit_test(without_services),       cmocka_unit_test(without_kubernetes),
		cmocka_unit_test(before_the_first_login), cmocka_unit_test(nothing_known),
		cmocka_unit_test(fits_a_screen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
