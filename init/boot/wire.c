/* The wiring of PID 1; see wire.h. Callbacks of the parts end here, and only here does one part cause another to act.
 * Nothing in it may block: what might (disks) is a service or a helper. */
#include "boot/wire.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "boot/damage.h"
#include "boot/judge.h"
#include "boot/safe.h"
#include "boot/trial.h"
#include "host/release.h"
#include "loop/chan.h"
#include "service/output.h"
#include "service/table.h"

#define LOG_SERVICE     "log"
#define TIME_SERVICE    "time"
#define KUBE_SERVICE    "kube"
#define LOG_AGAIN_MS    100
#define CLOCK_KEEP_MS   600000
#define CLOCK_KEEP_WAIT 10000
#define POWER_LATER_MS  500
#define LOOK_WAIT       30000 /* a folder of the ESP, on a slow stick */

/* ---- problems ---- */

void wire_problem(struct box *box, const char *source, const char *text)
{
	problem_tell(&box->problems, &box->events, source, text);
}

static void on_service_problem(const char *message, void *arg)
{
	struct box *box = arg;
	if (problem_add(&box->problems, "", message))
		say(&box->say, "problem: %s", message);
}

static void on_settings_problem(const char *message, void *arg)
{
	wire_problem(arg, "settings", message);
}

/* ---- log service ---- */

static void close_log(struct box *box)
{
	if (box->log_chan < 0)
		return;
	loop_del(&box->loop, box->log_chan);
	sys_close(box->log_chan);
	box->log_chan = -1;
}

static void on_log_again(struct loop *l, void *arg)
{
	struct box *box = arg;
	struct err e = {0};
	if (box->log_chan < 0)
		return;
	int rc = output_send(&box->services, box->log_chan, &e);
	if (rc == 0 && box->log_reopen) {
		rc = chan_send(box->log_chan, "reopen", strlen("reopen"), -1, &e);
		box->log_reopen = rc < 0;
	}
	if (rc == 0)
		return;
	if (e.code == EPIPE || e.code == ECONNRESET)
		close_log(box);
	else
		loop_after(l, &box->log_again, LOG_AGAIN_MS, on_log_again, box);
}

static void feed_log(struct box *box)
{
	if (box->log_chan >= 0 && !box->log_again.armed)
		loop_after(&box->loop, &box->log_again, 0, on_log_again, box);
}

/* It says nothing; its end is what is waited for. */
static void on_log_chan(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct box *box = arg;
	char ignored[LIMIT_REQUEST];
	struct err e = {0};
	(void)l;
	(void)events;
	ssize_t n = chan_recv(fd, ignored, sizeof(ignored), NULL, &e);
	if (n == 0 || (n < 0 && e.code != EAGAIN && e.code != EINTR && e.code != EMSGSIZE))
		close_log(box);
}

static int log_channel(struct box *box, struct err *e)
{
	int fds[2];
	if (chan_pair(fds, e) < 0)
		return err_prefix(e, "channel of the log service");
	close_log(box);
	if (loop_add(&box->loop, fds[0], EPOLLIN, on_log_chan, box, e) < 0) {
		sys_close(fds[0]);
		sys_close(fds[1]);
		return err_prefix(e, "channel of the log service");
	}
	box->log_chan = fds[0];
	box->log_reopen = false; /* it opens its folder now */
	output_forget(&box->services);
	feed_log(box);
	return fds[1];
}

static int on_channel(const char *name, void *arg, struct err *e)
{
	struct box *box = arg;
	return str_eq(name, LOG_SERVICE) ? log_channel(box, e) : control_channel(&box->control, name, e);
}

/* In place of pipes that nobody would ever empty. */
static int no_log(const char *name, void *arg)
{
	(void)name;
	(void)arg;
	return -1;
}

/* ---- consoles ---- */

static bool console_is_coming(const struct services *ss)
{
	for (unsigned i = 0; i < ss->count; i++) {
		enum service_state s = ss->service[i].state;
		bool coming = s == SERVICE_DOWN || s == SERVICE_WAITING || s == SERVICE_STARTING;
		if (ss->service[i].want_up && coming)
			return true;
	}
	return false;
}

static void on_consoles(struct loop *l, void *arg)
{
	struct box *box = arg;
	(void)l;
	fact_set(&box->facts, WIRE_CONSOLES, FACT_ON, "");
}

/* From the loop: what the fact sets off must not run within the change of a service. */
static void look_at_consoles(struct box *box)
{
	if (box->consoles.armed && !console_is_coming(&box->services))
		loop_after(&box->loop, &box->consoles, 0, on_consoles, box);
}

void wire_consoles(struct box *box)
{
	services_start_early(&box->services, PATH_SERVICES);
	loop_after(&box->loop, &box->consoles, WIRE_CONSOLES_MS, on_consoles, box);
	look_at_consoles(box);
}

/* ---- services ---- */

/* Once, now: later the disk may be dying, and a command must not wait for it. */
static void read_kube(struct box *box)
{
	struct err none;
	struct buf b;
	buf_init(&b, box->kube, sizeof(box->kube));
	if (file_read(PATH_KUBE_INSIDE, &b, &none) < 0)
		buf_reset(&b);
	box->kube[strcspn(box->kube, "\n")] = '\0';
}

static void decide_kubernetes(struct box *box)
{
	if (!safe_look(box) && !box->cmdline.no_kubernetes) {
		fact_set(&box->facts, "kubernetes", FACT_ON, "");
		return;
	}
	if (!safe_look(box))
		fact_set(&box->facts, "kubernetes", FACT_OFF, "left out by the kernel command line");
	stages_cut(&box->stages, WIRE_KUBERNETES);
}

int wire_services(struct box *box, struct err *e)
{
	(void)identify_settings(&box->identify, on_settings_problem, box);
	trial_settings(box);
	guard_settings(&box->guard, box->identify.settings.watchdog);
	if (identify_apply(&box->identify, e) < 0)
		log_warnx("identity", "%s", e->text);
	decide_kubernetes(box);
	read_kube(box);
	box->services.log = NULL;
	(void)services_load(&box->services, PATH_SERVICES, on_service_problem, box);
	(void)services_link(&box->services, on_service_problem, box);
	if (box->services.count == 0)
		return err_set(e, ENOENT, "no usable service file in " PATH_SERVICES);
	if (services_find(&box->services, LOG_SERVICE) == NULL)
		box->services.log = no_log;
	if (services_find(&box->services, KUBE_SERVICE) == NULL) /* nobody would ever say how it is */
		stages_cut(&box->stages, WIRE_KUBERNETES);
	services_start_all(&box->services);
	return 0;
}

static bool same_servers(const struct settings *a, const struct settings *b)
{
	if (a->time_servers != b->time_servers)
		return false;
	for (unsigned i = 0; i < a->time_servers; i++) {
		if (!str_eq(a->time_server[i], b->time_server[i]))
			return false;
	}
	return true;
}

/* It reads its servers once, when it starts. */
static void restart_time(struct box *box)
{
	struct service *s = services_find(&box->services, TIME_SERVICE);
	struct err e;
	if (s != NULL && service_runs(s) && services_restart(&box->services, TIME_SERVICE, &e) < 0)
		log_warnx("settings", "%s", e.text);
}

static void learn_past(struct box *box)
{
	history_load(&box->history, (const char[]){box->slot, '\0'});
	const struct end *last = history_last(&box->history);
	/* Once: the next run has to tell what happened. */
	if (box->cmdline.hang && (last == NULL || last->kind != END_WATCHDOG))
		guard_hang(&box->guard);
}

int wire_state(struct box *box, struct err *e)
{
	struct err why = {0};
	if (identify_load(&box->identify, e) < 0)
		return -1;
	learn_past(box);
	struct settings before = box->identify.settings;
	if (fact_get(&box->facts, "time-synced") != FACT_ON && identify_clock(&box->identify, &why) < 0)
		log_warnx("clock", "%s", why.text);
	if (identify_settings(&box->identify, on_settings_problem, box) == 0)
		problem_clear(&box->problems, "settings");
	trial_settings(box);
	guard_settings(&box->guard, box->identify.settings.watchdog);
	if (identify_apply(&box->identify, &why) < 0)
		log_warnx("identity", "%s", why.text);
	if (!same_servers(&before, &box->identify.settings))
		restart_time(box);
	if (safe_look(box))
		stages_cut(&box->stages, WIRE_KUBERNETES);
	else
		(void)services_load(&box->services, PATH_RUN_SERVICES, on_service_problem, box);
	(void)services_link(&box->services, on_service_problem, box);
	services_start_all(&box->services);
	log_info("identity", "%s, boot %llu, last shutdown: %s", identify_hostname(&box->identify),
	         (unsigned long long)box->identify.id.boots, box->identify.id.last_shutdown);
	return 0;
}

/* ---- the time ---- */

static void on_keep_clock(struct loop *l, void *arg)
{
	struct box *box = arg;
	struct err e;
	char seconds[24];
	const char *const words[] = {"keep", "clock", seconds, NULL};
	loop_after(l, &box->keep_clock, CLOCK_KEEP_MS, on_keep_clock, box);
	/* Only a time that came from the network is worth to be a floor. */
	if (fact_get(&box->facts, "time-synced") != FACT_ON || fact_get(&box->facts, "state-mounted") != FACT_ON)
		return;
	if (str_format(seconds, sizeof(seconds), "%lld", (long long)clock_wall()) < 0)
		return;
	box->keep.loop = l;
	if (helper_run(&box->keep, words, CLOCK_KEEP_WAIT, &e) < 0 && e.code != EBUSY)
		log_warnx("clock", "%s", e.text);
}

/* ---- stages and the end ---- */

void wire_stage(const struct stage *s, void *arg)
{
	(void)s;
	judge_later(arg);
}

static void on_shutdown_begun(void *arg)
{
	struct box *box = arg;
	struct loop *l = &box->loop;
	stages_stop(&box->stages);
	history_stop(&box->history);
	trial_stop(box, "the box is going down");
	judge_system(box, SYSTEM_EV_STOP, box->shutdown.why);
	on_keep_clock(l, box);
	loop_cancel(l, &box->keep_clock);
}

static void on_leaving(enum shutdown_how how, void *arg)
{
	guard_leave(&((struct box *)arg)->guard, how);
}

void wire_shutdown(struct box *box, enum shutdown_how how, const char *by)
{
	shutdown_ask(&box->shutdown, how, by);
}

void wire_restart(struct box *box, enum end_kind kind, const char *why)
{
	shutdown_restart(&box->shutdown, kind, why);
}

/* ---- facts ---- */

static void fact_data(const struct fact *f, struct box *box)
{
	if (f->value != FACT_ON)
		return;
	box->log_reopen = true;
	feed_log(box);
}

static void fact_time(const struct fact *f, struct box *box)
{
	if (f->value == FACT_ON)
		loop_after(&box->loop, &box->keep_clock, 0, on_keep_clock, box);
}

/* Console services show more than plain lines could. */
static void fact_console(struct box *box)
{
	box->say.quiet = false;
	for (unsigned i = 0; i < box->facts.count; i++) {
		const struct fact *f = &box->facts.fact[i];
		if (str_starts(f->name, "service-console") && f->value == FACT_ON)
			box->say.quiet = true;
	}
}

static const struct {
	const char *fact;
	void (*fn)(const struct fact *f, struct box *box);
} fact_rows[] = {
	{"data-mounted", fact_data},
	{"time-synced", fact_time},
};

/* The update role writes and removes boot entries: behind the end of an install, or when one is taken back, what is
 * told of the slots is old. Two facts may say so at a time; the entries are as they shall be then. */
static void look_at_slots(const struct fact *f, enum fact_value before, struct box *box)
{
	static const char *const words[] = {"slot", "tell", NULL};
	struct err e;
	bool ended = str_eq(f->name, "update-running") && before == FACT_ON;
	bool armed = str_eq(f->name, "update-ready") && (before == FACT_ON || f->value == FACT_ON);
	if (f->value == before || !(ended || armed) || shutdown_running(&box->shutdown))
		return;
	box->look.loop = &box->loop;
	if (helper_run(&box->look, words, LOOK_WAIT, &e) < 0 && e.code != EBUSY)
		log_warnx("slots", "%s", e.text);
}

static void on_fact(const struct fact *f, enum fact_value before, void *arg)
{
	struct box *box = arg;
	/* Of a service's state its own event tells more, and the time left is news once a second. */
	if (!str_starts(f->name, "service-") && !(str_eq(f->name, "health") && f->value == before))
		event_add(&box->events, EVENT_FACT, f->name, "%s%s%s", fact_value_name(f->value),
		          f->detail[0] != '\0' ? ": " : "", f->detail);
	else if (str_starts(f->name, "service-console"))
		fact_console(box);
	stages_fact(&box->stages, f);
	trial_fact(box, f);
	damage_fact(box, f);
	look_at_slots(f, before, box);
	for (size_t i = 0; i < COUNT_OF(fact_rows); i++) {
		if (str_eq(fact_rows[i].fact, f->name))
			fact_rows[i].fn(f, box);
	}
}

/* ---- events ---- */

/* Services log their own changes; see table_set_state. */
static void on_event(const struct event *ev, void *arg)
{
	struct box *box = arg;
	const char *kind = event_kind_name(ev->kind);
	if (ev->kind == EVENT_PROBLEM)
		log_warnx(kind, "%s", ev->text);
	else if (ev->kind != EVENT_SERVICE)
		log_info(kind, "%s: %s", ev->name, ev->text);
	if (ev->kind == EVENT_STAGE || ev->kind == EVENT_SYSTEM)
		say(&box->say, "%s: %s", ev->name, ev->text);
	if (ev->kind == EVENT_SERVICE) {
		feed_log(box);
		look_at_consoles(box);
		judge_later(box);
	}
	control_event(&box->control);
}

static void on_power_key(void *arg)
{
	wire_shutdown(arg, SHUTDOWN_POWEROFF, "the power button");
}

/* Opening an input device makes its driver talk to the hardware, which takes a mouse tens of milliseconds: not on the
 * way to the first prompt. */
static void on_power_later(struct loop *l, void *arg)
{
	struct box *box = arg;
	struct err e;
	if (power_init(&box->power, l, on_power_key, box, &e) < 0)
		log_warnx("power", "%s", e.text);
}

static void init_services(struct box *box)
{
	services_init(&box->services, &box->loop, &box->facts, &box->events);
	box->services.open_channel = on_channel;
	box->services.arg = box;
}

static void init_shutdown(struct box *box)
{
	struct shutdown *s = &box->shutdown;
	s->loop = &box->loop;
	s->services = &box->services;
	s->facts = &box->facts;
	s->events = &box->events;
	s->say = &box->say;
	s->history = &box->history;
	s->begun = on_shutdown_begun;
	s->leaving = on_leaving;
	s->arg = box;
}

static void init_guard(struct box *box)
{
	struct guard *g = &box->guard;
	g->loop = &box->loop;
	g->facts = &box->facts;
	g->stages = &box->stages;
	g->shutdown = &box->shutdown;
	g->control = &box->control;
	guard_init(g);
}

int wire_init(struct box *box, struct err *e)
{
	box->log_chan = -1;
	facts_init(&box->facts);
	events_init(&box->events);
	events_listen(&box->events, on_event, box);
	init_services(box);
	init_shutdown(box);
	release_version(box->version);
	history_init(&box->history, &box->loop, &box->facts, box->version);
	trial_init(box);
	init_guard(box);
	box->stages.loop = &box->loop;
	box->stages.facts = &box->facts;
	box->stages.events = &box->events;
	control_init(&box->control, &box->loop, &box->commands, &box->events);
	loop_after(&box->loop, &box->keep_clock, CLOCK_KEEP_MS, on_keep_clock, box);
	loop_after(&box->loop, &box->power_later, POWER_LATER_MS, on_power_later, box);
	return facts_subscribe(&box->facts, on_fact, box, e);
}
