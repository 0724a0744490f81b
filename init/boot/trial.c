/* The trial of a new slot in PID 1; see trial.h. Reads a small file of a tmpfs; what touches a disk is a helper. */
#include "boot/trial.h"

#include <errno.h>

#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "boot/criteria.h"
#include "boot/judge.h"
#include "boot/leave.h"

#define FACT_TRIAL "trial-boot"
#define FACT_OTHER "slot-other"

static void missing(struct buf *out, void *arg)
{
	const struct box *box = arg;
	const struct criteria c = {
		.health = box->identify.settings.update.health,
		.healthy = judge_healthy(box),
		.facts = &box->facts,
		.services = &box->services,
		.before = &box->trial.before,
	};
	criteria_missing(&c, out);
}

static void give_up(struct box *box)
{
	char why[LIMIT_DETAIL];
	if (str_format(why, sizeof(why), "slot %c: %s", box->slot != '\0' ? box->slot : '?', box->trial.gate.why) < 0)
		(void)!str_copy(why, sizeof(why), box->trial.gate.why);
	leave_slot(box, LEAVE_ANYWAY, END_HEALTH_GATE, why);
}

static void changed(enum healthgate_state s, const char *why, void *arg)
{
	struct box *box = arg;
	judge_later(box);
	if (s == HEALTHGATE_FAILED)
		give_up(box);
	if (s == HEALTHGATE_ALONE)
		problem_tell(&box->problems, &box->events, "health", why);
	else
		problem_clear(&box->problems, "health");
}

void trial_init(struct box *box)
{
	struct healthgate *g = &box->trial.gate;
	g->loop = &box->loop;
	g->facts = &box->facts;
	g->events = &box->events;
	g->missing = missing;
	g->changed = changed;
	g->arg = box;
	g->begun = box->init_ms;
	g->deadline_ms = settings_update_default.health_deadline_ms;
}

void trial_settings(struct box *box)
{
	static char text[NAMES_TEXT];
	struct err e;
	struct buf b;
	buf_init(&b, text, sizeof(text));
	box->trial.gate.deadline_ms = box->identify.settings.update.health_deadline_ms;
	if (file_read(PATH_RUN_APPS, &b, &e) < 0) {
		if (e.code != ENOENT)
			log_warnx("health", "%s", e.text);
		return;
	}
	if (names_parse(&box->trial.before, b.data, b.len, &e) == 0)
		return;
	box->trial.before.count = 0;
	log_warnx("health", PATH_STATE_APPS ": %s; apps are not asked for", e.text);
}

void trial_fact(struct box *box, const struct fact *f)
{
	if (box->safe[0] != '\0' || shutdown_running(&box->shutdown))
		return;
	if (!str_eq(f->name, FACT_TRIAL))
		return;
	/* Told after slot-other. With nothing to go back to, as after flashing, there is nothing to try. */
	if (f->value == FACT_ON && fact_get(&box->facts, FACT_OTHER) == FACT_ON)
		healthgate_trial(&box->trial.gate);
	else if (box->trial.early)
		healthgate_none(&box->trial.gate);
	box->trial.early = false;
}

void trial_early(struct box *box, unsigned left)
{
	char detail[LIMIT_DETAIL];
	if (fact_find(&box->facts, FACT_TRIAL) != NULL)
		return;
	if (str_format(detail, sizeof(detail), "slot %c, %u %s left, says the boot loader", box->slot, left,
	               left == 1 ? "try" : "tries") < 0)
		detail[0] = '\0';
	fact_set(&box->facts, FACT_OTHER, FACT_ON, "in the boot loader's list");
	fact_set(&box->facts, FACT_TRIAL, FACT_ON, detail);
	box->trial.early = true;
}

void trial_stop(struct box *box, const char *why)
{
	healthgate_stop(&box->trial.gate, why);
}
