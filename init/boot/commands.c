/* The commands of PID 1; see commands.h. Each row checks its words, acts through the part that owns the thing, and
 * answers; none of them waits. */
#include "boot/commands.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/paths.h"
#include "base/str.h"
#include "boot/slots.h"
#include "boot/status.h"
#include "boot/wire.h"
#include "host/bootenv.h"
#include "service/table.h"

#define ALL    (PEER_LOCAL | PEER_WEB)
#define KUBE   "kube" /* the service that answers for Kubernetes */
#define OWNER  "owner"
#define UPDATE "update"

static int answer(struct json *out, const char *fmt, ...) PRINTF_LIKE(2, 3);
static int answer(struct json *out, const char *fmt, ...)
{
	char text[ERR_TEXT];
	va_list ap;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	json_open_object(out, NULL);
	json_string(out, "message", text);
	json_close_object(out);
	return 0;
}

static int do_status(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	(void)e;
	status_box(arg, rq->peer, out);
	return 0;
}

static int do_services(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	(void)rq;
	(void)e;
	status_services(arg, out);
	return 0;
}

static int do_facts(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	(void)rq;
	(void)e;
	status_facts(arg, out);
	return 0;
}

static int do_boots(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	const struct box *box = arg;
	(void)rq;
	(void)e;
	history_json(&box->history, out);
	return 0;
}

static int do_start(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	struct box *box = arg;
	if (services_want(&box->services, rq->argv[0], true, e) < 0)
		return -1;
	return answer(out, "%s: start asked for", rq->argv[0]);
}

static int do_stop(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	struct box *box = arg;
	if (services_want(&box->services, rq->argv[0], false, e) < 0)
		return -1;
	return answer(out, "%s: stop asked for", rq->argv[0]);
}

static int do_restart(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	struct box *box = arg;
	if (services_restart(&box->services, rq->argv[0], e) < 0)
		return -1;
	return answer(out, "%s: restart asked for", rq->argv[0]);
}

/* What a role tells is its own. */
static int check_fact(const struct request *rq, struct err *e)
{
	static const struct {
		enum peer peer;
		const char *prefix;
	} own[] = {{PEER_KUBE, "app-"}, {PEER_KUBE, "kube-"}, {PEER_KUBE, "node-"}, {PEER_UPDATE, "update-"}};
	for (size_t i = 0; i < COUNT_OF(own); i++) {
		if (rq->peer == own[i].peer && str_starts(rq->argv[0], own[i].prefix))
			return 0;
	}
	return rq->peer == PEER_LOCAL ? 0 : err_set(e, EPERM, "%s: not a fact of this role", rq->argv[0]);
}

static int do_fact(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	static const enum fact_value values[] = {FACT_UNKNOWN, FACT_OFF, FACT_ON};
	struct box *box = arg;
	const char *detail = rq->argc > 2 ? rq->argv[2] : "";
	if (!str_is_name(rq->argv[0]))
		return err_set(e, EINVAL, "fact: '%s' is no name; small letters, digits and '-'", rq->argv[0]);
	if (check_fact(rq, e) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		if (!str_eq(rq->argv[1], fact_value_name(values[i])))
			continue;
		fact_set(&box->facts, rq->argv[0], values[i], detail);
		return answer(out, "%s: %s", rq->argv[0], rq->argv[1]);
	}
	return err_set(e, EINVAL, "fact %s: on, off or unknown, not '%s'", rq->argv[0], rq->argv[1]);
}

static int follow_events(struct box *box, struct json *out, struct err *e)
{
	if (control_follow(&box->control, box->events.next, e) < 0)
		return err_prefix(e, "events -f");
	json_open_object(out, NULL);
	json_int(out, "next", (int64_t)box->events.next);
	json_close_object(out);
	return 0;
}

static int do_events(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	uint64_t from = 0;
	if (rq->argc > 0 && str_eq(rq->argv[0], "-f"))
		return follow_events(arg, out, e);
	if (rq->argc > 0 && str_u64(rq->argv[0], INT64_MAX, &from) < 0)
		return err_set(e, EINVAL, "events: '%s' is neither a number of an event nor -f", rq->argv[0]);
	/* 0 would mean "the last ones": whoever counts from 0 gets all. */
	status_events(arg, rq->argc > 0 && from == 0 ? 1 : from, out);
	return 0;
}

/* To the service that answers it. */
static int relay(struct box *box, const char *service, struct err *e)
{
	const struct service *s = services_find(&box->services, service);
	if (s == NULL)
		return err_set(e, ENOENT, "%s: not in this image", service);
	if (s->state != SERVICE_READY)
		return err_set(e, ENOTCONN, "%s: not running (%s%s%s)", service, service_state_name(s->state),
		               s->detail[0] != '\0' ? ": " : "", s->detail);
	return control_relay(&box->control, service, e);
}

/* What may stand before the name of an app, and who may say it. */
static const struct {
	const char *word;
	unsigned peers;
} app_words[] = {
	{"diff", ALL},
	{"pause", PEER_LOCAL},
	{"resume", PEER_LOCAL},
};

static int do_apps(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	size_t i = 0;
	(void)out;
	while (rq->argc == 2 && i < COUNT_OF(app_words) && !str_eq(app_words[i].word, rq->argv[0]))
		i++;
	if (i == COUNT_OF(app_words))
		return err_set(e, EINVAL, "'%s' is none of diff, pause and resume", rq->argv[0]);
	if (rq->argc == 2 && !(app_words[i].peers & rq->peer))
		return err_set(e, EPERM, "%s: not allowed from here", rq->argv[0]);
	return relay(arg, KUBE, e);
}

static int do_pods(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	(void)rq;
	(void)out;
	return relay(arg, KUBE, e);
}

static int do_kube(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	const struct box *box = arg;
	(void)rq;
	(void)e;
	return answer(out, "%s", box->kube[0] != '\0' ? box->kube : "no Kubernetes in this image");
}

/* The file is on the data disk, which PID 1 does not read: who asks does. */
static int do_kubeconfig(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	char address[LIMIT_DETAIL];
	(void)rq;
	(void)e;
	status_address(arg, address, sizeof(address));
	json_open_object(out, NULL);
	json_string(out, "path", PATH_KUBECONFIG);
	json_string(out, "address", address);
	json_close_object(out);
	return 0;
}

static int do_logs(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	struct box *box = arg;
	char path[LIMIT_PATH];
	if (str_starts(rq->argv[0], "pod/"))
		return relay(box, KUBE, e);
	if (rq->argc > 1)
		return err_set(e, EINVAL, "only a pod has containers: logs pod/NAME CONTAINER");
	if (services_find(&box->services, rq->argv[0]) == NULL)
		return err_set(e, ENOENT, "logs: no service '%s'", rq->argv[0]);
	if (str_format(path, sizeof(path), PATH_LOGS "/%s.log", rq->argv[0]) < 0)
		return err_set(e, ENAMETOOLONG, "logs: %s: path too long", rq->argv[0]);
	json_open_object(out, NULL);
	json_string(out, "name", rq->argv[0]);
	json_string(out, "path", path);
	json_close_object(out);
	return 0;
}

/* The web role asks for somebody: who that is, and what follows from it, is the owner role's to say. */
static int do_session(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	(void)rq;
	(void)out;
	return relay(arg, OWNER, e);
}

static int do_owner(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	struct box *box = arg;
	char url[STATUS_URL], text[ERR_TEXT];
	struct buf b;
	if (rq->peer == PEER_OWNER)
		return owner_hear(&box->owner, &box->events, rq, e) < 0 ? -1 : answer(out, "heard");
	if (rq->argc == 1 && str_eq(rq->argv[0], "reset"))
		return relay(box, OWNER, e);
	if (rq->argc > 0)
		return err_set(e, EINVAL, "'%s' is not reset", rq->argv[0]);
	status_url(box, url, sizeof(url));
	buf_init(&b, text, sizeof(text));
	owner_text(&box->owner, url, &b);
	return answer(out, "%s", text);
}

/* What the update role answers. Anybody may see how it stands; the words that do something are for the owner. */
static int do_update(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	(void)out;
	if (rq->argc > 0 && !(rq->peer & (PEER_LOCAL | PEER_OWNER)))
		return err_set(e, EPERM, "%s: not allowed from here", rq->argv[0]);
	return relay(arg, UPDATE, e);
}

static int end_with(struct box *box, struct json *out, enum shutdown_how how)
{
	wire_shutdown(box, how, "a command");
	return answer(out, "%s: services are being stopped", shutdown_how_name(how));
}

/* With a reason from the update role alone: into the slot that it has filled. */
static int do_reboot(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	if (rq->argc > 0 && rq->peer != PEER_UPDATE)
		return err_set(e, EINVAL, "no argument is expected");
	if (rq->argc > 0) {
		wire_restart(arg, END_UPDATE, rq->argv[0]);
		return answer(out, "restarting for %s", rq->argv[0]);
	}
	return end_with(arg, out, SHUTDOWN_REBOOT);
}

static int do_poweroff(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	(void)rq;
	(void)e;
	return end_with(arg, out, SHUTDOWN_POWEROFF);
}

static int do_halt(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	(void)rq;
	(void)e;
	return end_with(arg, out, SHUTDOWN_HALT);
}

static int do_slots(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	(void)rq;
	return slots_list(arg, out, e);
}

static int do_rollback(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	struct box *box = arg;
	(void)rq;
	if (slots_rollback(box, "a command", e) < 0)
		return -1;
	return answer(out, "slot %c is made the next one, then the box restarts", bootenv_other(box->slot));
}

/* name, arguments, help, who may, fewest and most arguments, function, filled below */
static struct command rows[] = {
	{"status", "", "state of the box", ALL, 0, 0, do_status, NULL},
	{"services", "", "all services and their states", ALL, 0, 0, do_services, NULL},
	{"start", "NAME", "start a service", PEER_LOCAL, 1, 1, do_start, NULL},
	{"stop", "NAME", "stop a service, until the next boot", PEER_LOCAL, 1, 1, do_stop, NULL},
	{"restart", "NAME", "stop a service and start it again", PEER_LOCAL, 1, 1, do_restart, NULL},
	{"facts", "", "what is known about the box", ALL | PEER_UPDATE, 0, 0, do_facts, NULL},
	{"fact", "NAME on|off|unknown [DETAIL]", "set a fact", PEER_LOCAL | PEER_KUBE | PEER_UPDATE, 2, 3, do_fact,
         NULL},
	{"boots", "", "how the last runs ended, and why", ALL, 0, 0, do_boots, NULL},
	{"events", "[FROM | -f]", "what happened; -f: go on showing it", ALL, 0, 1, do_events, NULL},
	{"logs", "NAME | pod/NAME [CONTAINER]", "the log of a service or a pod", PEER_LOCAL, 1, 2, do_logs, NULL},
	{"apps", "[[diff | pause | resume] NAME]", "the apps of the platform", ALL, 0, 2, do_apps, NULL},
	{"pods", "", "all pods", ALL, 0, 0, do_pods, NULL},
	{"kube", "", "which Kubernetes is inside", ALL, 0, 0, do_kube, NULL},
	{"kubeconfig", "", "the administrator's kubeconfig, to copy", PEER_LOCAL, 0, 0, do_kubeconfig, NULL},
	{"owner", "[reset]", "the owner's login; reset: a code for a new password", PEER_LOCAL | PEER_OWNER, 0, 2,
         do_owner, NULL},
	{"session", "WORD...", "what a browser asks of the owner role", PEER_WEB, 1, COMMAND_ARGS, do_session, NULL},
	{"update",
         "[check | show SOURCE | install [SOURCE] [--again] [--older] [--restart] [--snapshot] | upload SIZE [FROM] | "
         "pause | resume | cancel]",
         "updates: how it stands, or what to do", ALL | PEER_OWNER, 0, 6, do_update, NULL},
	{"snapshots", "[take | restore NAME | remove NAME | cancel]", "copies of the apps' volumes", ALL | PEER_OWNER,
         0, 2, do_update, NULL},
	{"slots", "", "the two slots of the system", ALL, 0, 0, do_slots, NULL},
	{"rollback", "", "restart with the other slot", PEER_LOCAL | PEER_OWNER, 0, 0, do_rollback, NULL},
	{"reboot", "", "stop everything and start again", PEER_LOCAL | PEER_OWNER | PEER_UPDATE, 0, 1, do_reboot, NULL},
	{"poweroff", "", "stop everything and switch off", PEER_LOCAL, 0, 0, do_poweroff, NULL},
	{"halt", "", "stop everything and stand still", PEER_LOCAL, 0, 0, do_halt, NULL},
	{NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};

int commands_install(struct box *box, struct err *e)
{
	for (struct command *c = rows; c->name != NULL; c++)
		c->arg = box;
	commands_init(&box->commands);
	return commands_register(&box->commands, rows, e);
}
