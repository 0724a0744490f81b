/* service/table with everything below it: loading, wants, order, restarts, shutdown, and what failing calls do. */

#include "unit/service/box.h"

#include "base/paths.h"

#define EXPECT(name, state) box_expect(name, SERVICE_##state)

static void fact_is(const char *name, enum fact_value v)
{
	assert_int_equal(fact_get(&box.facts, name), v);
}

static void start_order(void **state)
{
	(void)state;
	box_add("app", "requires: [base]\nready: notify\n");
	box_add("base", "type: oneshot\n");
	box_add("late", "after: [app]\n");
	box_add("off", "enabled: false\n");
	box_add("user", "requires: [off]\n");
	box_add("world", "when: [network-up]\n");
	box_boot();
	assert_string_equal(box.trace, "base:starting ");
	EXPECT("app", WAITING);
	assert_string_equal(box_get("app")->detail, "needs base (starting: until it ends)");
	assert_string_equal(box_get("late")->detail, "starts after app (waiting)");
	assert_string_equal(box_get("user")->detail, "needs off (disabled: its file says 'enabled: false')");
	assert_string_equal(box_get("world")->detail, "waits for network-up (unknown)");
	fact_set(&box.facts, "network-up", FACT_OFF, "no cable");
	box_run();
	assert_string_equal(box_get("world")->detail, "waits for network-up (off: no cable)");
	fact_is("service-base", FACT_UNKNOWN);
	box_exit("base", CLD_EXITED, 0);
	EXPECT("base", DONE);
	fact_is("service-base", FACT_ON);
	EXPECT("app", STARTING);
	EXPECT("late", WAITING);
	table_event(box_get("app"), EV_IS_READY, "");
	fact_set(&box.facts, "network-up", FACT_ON, "");
	box_run();
	assert_string_equal(box.trace, "base:starting base:done app:starting app:ready late:starting late:ready "
	                               "world:starting world:ready ");
	/* Losing the fact later stops nobody. */
	fact_set(&box.facts, "network-up", FACT_OFF, "");
	box_run();
	EXPECT("world", READY);
	EXPECT("off", DOWN);
}

static void ready_by_fact_and_timeout(void **state)
{
	(void)state;
	box_add("net", "ready: fact:network-up\nstart-timeout: 5s\nstop-timeout: 2s\n");
	box_boot();
	EXPECT("net", STARTING);
	box_wait(4999);
	EXPECT("net", STARTING);
	box_wait(1);
	EXPECT("net", STOPPING);
	assert_string_equal(box_get("net")->detail, "not ready within 5 s");
	assert_string_equal(box.signals, "net:TERM ");
	box_wait(2000);
	EXPECT("net", KILLING);
	box_wait(SERVICE_KILL_TIMEOUT_MS);
	assert_string_equal(box.signals, "net:TERM net:KILL net:KILL ");
	box_exit("net", CLD_KILLED, SIGKILL);
	EXPECT("net", BACKOFF);
	box_wait(100);
	EXPECT("net", STARTING);
	fact_set(&box.facts, "network-up", FACT_ON, "");
	box_run();
	EXPECT("net", READY);
	box_wait(3600000);
	EXPECT("net", READY);
}

static void back_off(void **state)
{
	static const int delays[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
	(void)state;

	box_add("bad", "");
	box_boot();
	/* Once for nothing: it had become ready, and the back-off was fresh. */
	box_exit("bad", CLD_EXITED, 1);
	EXPECT("bad", READY);
	assert_int_equal(box_get("bad")->restarts, 1);
	for (size_t i = 0; i < COUNT_OF(delays); i++) {
		box_exit("bad", CLD_EXITED, 1);
		EXPECT("bad", BACKOFF);
		fact_is("service-bad", FACT_OFF);
		box_wait(delays[i] - 1);
		EXPECT("bad", BACKOFF);
		box_wait(1);
		EXPECT("bad", READY);
	}
	assert_int_equal(box_get("bad")->restarts, 1 + COUNT_OF(delays));
	box_exit("bad", CLD_KILLED, SIGSEGV);
	assert_string_equal(box_get("bad")->detail, "killed by signal SEGV after 0 ms; next start in 30 s");
	box_wait(30000);
	/* 60 s of quiet: at once again, in the same round in which its end was seen. */
	box_wait(SERVICE_STABLE_MS);
	box_exit("bad", CLD_KILLED, SIGKILL);
	EXPECT("bad", READY);
	box_exit("bad", CLD_EXITED, 7);
	assert_string_equal(box_get("bad")->detail, "exited with status 7 after 0 ms; next start in 100 ms");
}

static void policies(void **state)
{
	(void)state;
	box_add("never", "restart: never\n");
	box_add("failing", "restart: on-failure\n");
	box_add("task", "type: oneshot\n");
	box_add("tasks-user", "requires: [never]\n");
	box_boot();
	box_exit("never", CLD_EXITED, 3);
	EXPECT("never", FAILED);
	EXPECT("tasks-user", STOPPING);
	box_exit("tasks-user", CLD_KILLED, SIGTERM);
	EXPECT("tasks-user", WAITING);
	assert_string_equal(box_get("tasks-user")->detail, "needs never (failed: exited with status 3 after 0 ms)");
	box_exit("failing", CLD_EXITED, 0);
	EXPECT("failing", DONE);
	box_exit("task", CLD_EXITED, 1);
	EXPECT("task", BACKOFF);
	box_wait(100);
	EXPECT("task", STARTING);
	box_exit("task", CLD_EXITED, 0);
	EXPECT("task", DONE);
}

static void lost_requirement(void **state)
{
	(void)state;
	box_add("a", "");
	box_add("b", "requires: [a]\n");
	box_add("c", "requires: [b]\n");
	box_boot();
	box.trace[0] = '\0';
	box_exit("a", CLD_KILLED, SIGKILL);
	/* a is back at once, but is not the one that b knew: c goes, then b, then both come again. */
	EXPECT("a", READY);
	EXPECT("b", READY);
	EXPECT("c", STOPPING);
	assert_true(box_get("b")->leaving);
	box_exit("c", CLD_KILLED, SIGTERM);
	EXPECT("b", STOPPING);
	EXPECT("c", WAITING);
	box_exit("b", CLD_KILLED, SIGTERM);
	box_run();
	EXPECT("c", READY);
	assert_string_equal(box.trace, "a:backoff c:stopping a:starting a:ready b:stopping b:starting b:ready "
	                               "c:starting c:ready ");
}

static void commands(void **state)
{
	struct err e;
	(void)state;

	box_add("a", "");
	box_add("b", "requires: [a]\n");
	box_add("off", "enabled: false\n");
	box_boot();
	assert_int_equal(services_want(&box.services, "of", true, &e), -1);
	assert_string_equal(e.text, "there is no service 'of'; did you mean 'off'?");
	assert_int_equal(services_want(&box.services, "nothing-like-it", false, &e), -1);
	assert_int_equal(services_want(&box.services, "off", true, &e), 0);
	box_run();
	EXPECT("off", READY);

	/* Stopping what is needed stops who needs it first. */
	assert_int_equal(services_want(&box.services, "a", false, &e), 0);
	EXPECT("a", READY); /* settles in the loop */
	box_run();
	EXPECT("a", READY);
	EXPECT("b", STOPPING);
	box_exit("b", CLD_EXITED, 0);
	EXPECT("b", WAITING);
	EXPECT("a", STOPPING);
	assert_string_equal(box_get("a")->detail, "stop asked for");
	/* Wanted again while it stops. */
	assert_int_equal(services_want(&box.services, "a", true, &e), 0);
	box_exit("a", CLD_EXITED, 0);
	box_run();
	EXPECT("a", READY);
	EXPECT("b", READY);

	/* Restart keeps the order, and has no back-off. */
	box.trace[0] = '\0';
	assert_int_equal(services_restart(&box.services, "a", &e), 0);
	box_run();
	box_exit("b", CLD_EXITED, 0);
	box_exit("a", CLD_EXITED, 0);
	box_run();
	assert_string_equal(box.trace, "b:stopping a:stopping a:starting a:ready b:starting b:ready ");

	/* A restart of one that is down starts it; of one in back-off, at once. */
	assert_int_equal(services_want(&box.services, "b", false, &e), 0);
	box_run();
	box_exit("b", CLD_EXITED, 0);
	EXPECT("b", DOWN);
	assert_int_equal(services_restart(&box.services, "b", &e), 0);
	box_run();
	EXPECT("b", READY);
	box_exit("off", CLD_EXITED, 1);
	box_exit("off", CLD_EXITED, 1);
	EXPECT("off", BACKOFF);
	assert_int_equal(services_restart(&box.services, "off", &e), 0);
	box_run();
	EXPECT("off", READY);
}

static void shutdown_order(void **state)
{
	struct err e;
	(void)state;

	box_add("a", "");
	box_add("b", "requires: [a]\n");
	box_add("c", "after: [b]\n");
	box_add("console", "keep: true\nrequires: [log]\nafter: [a]\n");
	box_add("log", "");
	box_add("sick", "");
	box_boot();
	box_exit("sick", CLD_EXITED, 1);
	box_exit("sick", CLD_EXITED, 1);
	EXPECT("sick", BACKOFF);
	assert_true(box_get("log")->keep);
	services_stop_all(&box.services);
	box_run();
	assert_string_equal(box.signals, "c:TERM ");
	EXPECT("sick", DOWN);
	assert_int_equal(services_want(&box.services, "sick", true, &e), -1);
	assert_int_equal(services_restart(&box.services, "a", &e), -1);
	box_exit("c", CLD_EXITED, 0);
	box_exit("b", CLD_EXITED, 0);
	assert_string_equal(box.signals, "c:TERM b:TERM a:TERM ");
	assert_false(services_all_down(&box.services));
	box_exit("a", CLD_EXITED, 1);
	assert_string_equal(box.signals, "c:TERM b:TERM a:TERM console:TERM ");
	box_wait(10000);
	EXPECT("console", KILLING);
	box_exit("console", CLD_KILLED, SIGKILL);
	EXPECT("log", STOPPING);
	services_kill_all(&box.services);
	assert_non_null(strstr(box.signals, "console:KILL log:TERM log:KILL "));
	box_exit("log", CLD_KILLED, SIGKILL);
	assert_true(services_all_down(&box.services));
	box_wait(100000);
	assert_true(services_all_down(&box.services));
}

/* Paths of the system that stand for folders of the test. */
static const char *moved(const char *path, char buf[256])
{
	static const char *const from[] = {PATH_CGROUP, PATH_RUN "/services"}, *const to[] = {"cgroup", "copies"};

	for (size_t i = 0; i < COUNT_OF(from); i++) {
		if (!str_starts(path, from[i]))
			continue;
		snprintf(buf, 256, "%s/%s%s", box.dir, to[i], path + strlen(from[i]));
		return buf;
	}
	return path;
}

static int moved_open(const char *path, int flags, mode_t mode)
{
	char buf[256];
	return open(moved(path, buf), flags, mode);
}

static int moved_mkdir(const char *path, mode_t mode)
{
	char buf[256];
	return mkdir(moved(path, buf), mode);
}

static void make_folder(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", box.dir, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void loading(void **state)
{
	char name[32];
	(void)state;

	box_file("b.yaml", "name: b\ncomand: [/b]\n");
	box_file("c.yml", "name: c\ncommand: [/c]\n");
	box_file("README", "no service");
	box_file(".hidden.yaml", "no service");
	box_add("z", "");
	box_add("a", "");
	assert_int_equal(box_load(), 2);
	assert_int_equal(box.services.count, 2);
	assert_string_equal(box.services.service[0].def.name, "a");
	assert_non_null(strstr(box.problems, "/b.yaml:2: unknown key 'comand'; did you mean 'command'?\n"));
	assert_non_null(strstr(box.problems, "/c.yml:1: a service file is called NAME.yaml; rename it\n"));
	assert_int_equal(services_load(&box.services, "/no/such/folder", box_on_problem, NULL), 0);
	services_start_all(&box.services);
	box_run();

	/* A second folder: replaces what was not started, adds, leaves what runs. */
	box.problems[0] = '\0';
	box_teardown(NULL);
	box_setup(NULL);
	box_add("a", "");
	box_add("held", "when: [never-on]\n");
	box_boot();
	char first[64];
	memcpy(first, box.dir, sizeof(first));
	strcpy(box.dir, "/tmp/hearth-services-XXXXXX");
	assert_non_null(mkdtemp(box.dir));
	box_add("a", "");
	box_add("held", "description: of the box\n");
	box_add("own", "requires: [held]\n");
	assert_int_equal(box_load(), 1);
	assert_non_null(strstr(box.problems, "/a.yaml:1: 'a' of /tmp/"));
	services_start_all(&box.services);
	box_run();
	EXPECT("held", READY);
	EXPECT("own", READY);
	assert_string_equal(box_get("held")->def.description, "of the box");
	assert_string_equal(box_get("held")->def.argv[0], "/bin/held");
	box.problems[0] = '\0';
	assert_int_equal(box_load(), 0 + 1); /* once more: only the one that stayed out is named */
	snprintf(name, sizeof(name), "rm -rf %.20s*", "/tmp/hearth-services");
	box_add("x", "");
	char command[96];
	snprintf(command, sizeof(command), "rm -rf %s", first);
	assert_int_equal(system(command), 0);
}

#define TTY "tty: /dev/tty1\n"

static void consoles_do_not_wait_until_the_rest_is_read(void **state)
{
	(void)state;
	box_add("console-a", TTY "keep: true\n");
	box_add("console-after", TTY "after: [z]\n");
	box_add("console-bad", TTY "comand: [/b]\n");
	box_add("console-needs", TTY "requires: [z]\n");
	box_add("console-off", TTY "enabled: false\n");
	box_add("console-piped", "");
	box_add("tty", TTY);
	box_add("z", "");
	services_start_early(&box.services, "/no/such/folder");
	assert_int_equal(box.services.count, 0);
	services_start_early(&box.services, box.dir);
	box_run();
	assert_int_equal(box.services.count, 2);
	EXPECT("console-a", READY);
	EXPECT("console-off", DOWN);
	assert_true(box_get("console-a")->keep);
	assert_int_equal(box.events.next, 1 + 2); /* it starts, it is ready; no problem is told yet */

	/* All of the folder: what runs goes on and is not read again, what is wrong is told once, the others start. */
	pid_t pid = box_get("console-a")->child.pid;
	box_file("console-a.yaml", "garbage");
	assert_int_equal(box_load(), 1);
	assert_non_null(strstr(box.problems, "/console-bad.yaml:4: unknown key 'comand'"));
	assert_ptr_equal(strchr(box.problems, '\n') + 1, box.problems + strlen(box.problems));
	services_start_all(&box.services);
	box_run();
	assert_int_equal(box.services.count, 7);
	EXPECT("console-a", READY);
	assert_int_equal(box_get("console-a")->child.pid, pid);
	EXPECT("console-after", READY);
	EXPECT("console-needs", READY);
	EXPECT("console-off", DOWN);
	EXPECT("console-piped", READY);
	EXPECT("tty", READY);
	EXPECT("z", READY);
}

/* What the state partition says of a console comes too late; of one that could not be started it does not. */
static void early_consoles_and_a_later_folder(void **state)
{
	(void)state;
	fake_open = moved_open;
	make_folder("copies");
	box_file("copies/console-a.yaml", "name: console-a\ncommand: [/own]\n" TTY);
	box_file("copies/console-held.yaml", "name: console-held\ncommand: [/own]\n" TTY);
	box_add("console-a", TTY);
	box_add("console-held", TTY "when: [never-on]\n");
	services_start_early(&box.services, box.dir);
	box_run();
	assert_int_equal(box_load(), 0);
	services_start_all(&box.services);
	box_run();
	EXPECT("console-held", WAITING);
	assert_int_equal(services_load(&box.services, PATH_RUN "/services", box_on_problem, NULL), 1);
	assert_non_null(strstr(box.problems, "/state/services/console-a.yaml:1: 'console-a' of /tmp/"));
	assert_int_equal(services_link(&box.services, box_on_problem, NULL), 0);
	services_start_all(&box.services);
	box_run();
	assert_string_equal(box_get("console-a")->def.argv[0], "/bin/console-a");
	assert_string_equal(box_get("console-held")->def.argv[0], "/own");
	EXPECT("console-held", READY);
}

static void too_many(void **state)
{
	char name[16];
	(void)state;

	for (int i = 0; i < LIMIT_SERVICES + 2; i++) {
		snprintf(name, sizeof(name), "s%03d", i);
		box_add(name, "");
	}
	assert_int_equal(box_load(), 2);
	assert_int_equal(box.services.count, LIMIT_SERVICES);
	assert_non_null(strstr(box.problems, ": 2 files more than the 64 that can be loaded"));
	services_start_all(&box.services);
	box_run();
	for (unsigned i = 0; i < box.services.count; i++)
		assert_int_equal(box.services.service[i].state, SERVICE_READY);
}

static void impossible_requirements(void **state)
{
	struct err e;
	(void)state;

	box_add("a", "requires: [b]\n");
	box_add("b", "after: [c]\n");
	box_add("c", "requires: [a]\n");
	box_add("good", "");
	box_add("lost", "requires: [god]\n");
	box_add("user", "requires: [a]\n");
	assert_int_equal(box_load(), 4);
	assert_non_null(
		strstr(box.problems, "/lost.yaml:3: requires: there is no service 'god'; did you mean 'good'?\n"));
	assert_non_null(strstr(box.problems, "/c.yaml:3: these need each other: a -> b -> c -> a; remove one"));
	services_start_all(&box.services);
	box_run();
	assert_string_equal(box.trace, "good:starting good:ready ");
	EXPECT("a", DOWN);
	EXPECT("user", WAITING);
	assert_non_null(strstr(box_get("user")->detail, "needs a (refused: refused: "));
	assert_int_equal(services_want(&box.services, "a", true, &e), -1);
	assert_non_null(strstr(e.text, "these need each other"));
}

static void spawn_fails(void **state)
{
	(void)state;
	box_add("a", "restart: never\n");
	box.spawn_errno = ENOMEM;
	box_boot();
	EXPECT("a", BACKOFF);
	assert_string_equal(box_get("a")->detail, "clone: Cannot allocate memory; next start in 100 ms");
	box_wait(100);
	EXPECT("a", BACKOFF);
	box.spawn_errno = 0;
	box_wait(200);
	EXPECT("a", READY);
	assert_int_equal(box_get("a")->restarts, 0);
}

static void copies_are_named_by_their_origin(void **state)
{
	(void)state;
	fake_open = moved_open;
	make_folder("copies");
	box_file("copies/x.yaml", "name: x\n");
	assert_int_equal(services_load(&box.services, PATH_RUN "/services", box_on_problem, NULL), 1);
	assert_string_equal(box.problems, "/state/services/x.yaml:1: key 'command' is missing; add it\n");
}

static void a_cgroup_that_is_not_empty_delays_the_start(void **state)
{
	(void)state;
	fake_open = moved_open;
	fake_mkdir = moved_mkdir;
	make_folder("cgroup");
	make_folder("cgroup/hearth");
	make_folder("cgroup/hearth/a");
	box_file("cgroup/hearth/a/cgroup.procs", "");
	box_file("cgroup/hearth/a/cgroup.kill", "");
	box_file("cgroup/hearth/a/memory.max", "");
	box_file("cgroup/hearth/a/cgroup.events", "populated 1\n");
	box.services.cgroups = true;
	box_add("a", "memory-max: 1M\n");
	box_boot();
	box_expect("a", SERVICE_READY); /* at the first start nobody of ours can be in it */
	assert_true(box_get("a")->cgroup_fd >= 0);
	box_exit("a", CLD_EXITED, 1);
	box_expect("a", SERVICE_BACKOFF);
	assert_string_equal(box_get("a")->detail, "processes of its last run are still ending; next start in 100 ms");
	box_file("cgroup/hearth/a/cgroup.events", "populated 0\n");
	box_wait(100);
	box_expect("a", SERVICE_READY);
	assert_int_equal(box_get("a")->restarts, 1);
}

/* Whatever call fails while services start and one of them ends: nobody is lost, nothing leaks. */
static void torture(void **state)
{
	unsigned n = 0;
	(void)state;

	do {
		n++;
		box_teardown(NULL);
		unsigned before = fake_open_fds();
		box_setup(NULL);
		box_add("a", "ready: notify\n");
		box_add("b", "");
		assert_int_equal(box_load(), 0);
		fake_fail_at(n, EIO);
		services_start_all(&box.services);
		struct err e;
		for (int i = 0; i < 10; i++)
			(void)!loop_step(&box.loop, &e);
		if (box_get("b")->child.pid > 0) {
			box.ended[0].pid = box_get("b")->child.pid;
			box.ended[0].code = CLD_KILLED;
			box.ended[0].status = SIGKILL;
			box.ends = 1;
			for (int i = 0; i < 3; i++)
				child_reap();
		}
		for (int i = 0; i < 10; i++)
			(void)!loop_step(&box.loop, &e);
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		box_wait(1000);
		if (box_get("a")->state == SERVICE_STARTING)
			table_event(box_get("a"), EV_IS_READY, "");
		box_run();
		EXPECT("a", READY);
		EXPECT("b", READY);
		box_teardown(NULL);
		assert_int_equal(fake_open_fds(), before);
		box_setup(NULL);
		if (!fired)
			break;
	} while (n < 500);
	assert_in_range(n, 10, 499);
}

#define BOXED(test) cmocka_unit_test_setup_teardown(test, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOXED(start_order),
		BOXED(ready_by_fact_and_timeout),
		BOXED(back_off),
		BOXED(policies),
		BOXED(lost_requirement),
		BOXED(commands),
		BOXED(shutdown_order),
		BOXED(loading),
		BOXED(consoles_do_not_wait_until_the_rest_is_read),
		BOXED(early_consoles_and_a_later_folder),
		BOXED(too_many),
		BOXED(impossible_requirements),
		BOXED(spawn_fails),
		BOXED(copies_are_named_by_their_origin),
		BOXED(a_cgroup_that_is_not_empty_delays_the_start),
		BOXED(torture),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
