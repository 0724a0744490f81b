/* Feeds the watchdog; see guard.h. Never waits, but for the one function that is there to stand still. */
#include "boot/guard.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"

#define FACT    "watchdog"
#define HANG_MS 60000

void guard_init(struct guard *g)
{
	watchdog_init(&g->dog);
}

static bool is_stage_late(const struct guard *g)
{
	for (unsigned i = 0; i < g->stages->count; i++) {
		const struct stage *s = &g->stages->stage[i];
		if (s->state == STAGE_RUNNING && clock_ms() - s->since > s->row->deadline_ms + GUARD_GRACE_MS)
			return true;
	}
	return false;
}

static bool is_control_waiting(const struct guard *g)
{
	struct pollfd p = {.fd = g->control->listen_fd, .events = POLLIN};
	return p.fd >= 0 && sys_poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0;
}

const char *guard_stuck(struct guard *g)
{
	bool before = g->pending;
	g->pending = is_control_waiting(g);
	if (shutdown_running(g->shutdown))
		return shutdown_is_late(g->shutdown, GUARD_GRACE_MS) ? "the shutdown does not go on" : NULL;
	if (is_stage_late(g))
		return "a boot stage does not go on";
	return before && g->pending ? "nobody answers on the control socket" : NULL;
}

static void feed(struct guard *g)
{
	struct err e;
	const char *stuck = guard_stuck(g);
	if (stuck != NULL && !g->hungry)
		log_errx("watchdog", "not fed: %s", stuck);
	g->hungry = stuck != NULL;
	if (stuck == NULL && watchdog_feed(&g->dog, &e) < 0)
		log_warnx("watchdog", "%s", e.text);
}

/* Twice within its time at the least. */
static uint64_t beat_ms(const struct guard *g)
{
	uint64_t most = g->dog.seconds * UINT64_C(1000) / 3;
	return most > 0 && most < GUARD_BEAT_MS ? most : GUARD_BEAT_MS;
}

static void on_beat(struct loop *l, void *arg)
{
	struct guard *g = arg;
	loop_after(l, &g->beat, beat_ms(g), on_beat, g);
	feed(g);
}

static void tell(struct guard *g)
{
	char detail[LIMIT_DETAIL];
	struct err e;
	if (str_format(detail, sizeof(detail), "%s, %u s", g->dog.name, g->dog.seconds) < 0)
		detail[0] = '\0';
	fact_set(g->facts, FACT, FACT_ON, detail);
	if (!g->dog.bitten)
		return;
	log_warnx("watchdog", "it restarted the machine");
	if (file_replace(PATH_RUN_WATCHDOG, "", 0, 0644, &e) < 0)
		log_warnx("watchdog", "%s", e.text);
}

void guard_take(struct guard *g, int fd)
{
	struct err e;
	if (watchdog_take(&g->dog, fd, GUARD_SECONDS, &e) < 0)
		log_warnx("watchdog", "%s", e.text);
}

int guard_start(struct guard *g, struct err *e)
{
	if (g->off || g->beat.armed)
		return 0;
	if (watchdog_open(&g->dog, GUARD_SECONDS, e) < 0) {
		fact_set(g->facts, FACT, FACT_OFF, e->code == ENOENT ? "this machine has none" : e->text);
		return e->code == ENOENT ? 0 : -1;
	}
	tell(g);
	loop_after(g->loop, &g->beat, 0, on_beat, g);
	return 0;
}

static void stop(struct guard *g)
{
	loop_cancel(g->loop, &g->beat);
	watchdog_stop(&g->dog);
}

void guard_settings(struct guard *g, bool on)
{
	bool was_off = g->off;
	struct err e;
	g->off = !on;
	if (g->off) {
		stop(g);
		fact_set(g->facts, FACT, FACT_OFF, "switched off in the settings");
	} else if (was_off && guard_start(g, &e) < 0) {
		log_warnx("watchdog", "%s", e.text);
	}
}

void guard_leave(struct guard *g, enum shutdown_how how)
{
	if (g->dog.fd < 0)
		return;
	if (how != SHUTDOWN_REBOOT) {
		stop(g);
		return;
	}
	/* A last time: a kernel that does not restart the machine by then has failed. */
	if (g->beat.armed)
		feed(g);
	loop_cancel(g->loop, &g->beat);
}

static void on_hang(struct loop *l, void *arg)
{
	(void)l;
	(void)arg;
	log_warnx("watchdog", "hearth.test=hang: PID 1 stands still");
	for (;;)
		(void)sys_poll(NULL, 0, -1);
}

void guard_hang(struct guard *g)
{
	loop_after(g->loop, &g->hang, HANG_MS, on_hang, g);
}
