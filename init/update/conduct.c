/* Orders, the worker and the steps on the disk, tied together by the table of update/state. Runs in the update role, as
 * root: reads no bytes from outside itself. */
#include "update/conduct.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "loop/chan.h"
#include "update/part.h"
#include "update/spawn.h"

#define ROOM      "update"
#define TELL_STEP 10   /* per cent between two facts */
#define PER_TURN  16   /* messages, then others in the loop get their turn */
#define STICK_MS  5000 /* between two looks for a stick that is missed */

static int begin(struct conduct *c, const struct order *o, int fd, struct err *e);
static void on_worker_exit(pid_t pid, const struct child_exit *how, void *arg);

/* --- what is told ----------------------------------------------------------------------------- */

static void tell(struct conduct *c)
{
	char text[LIMIT_DETAIL * 4];
	struct buf b;
	bool on = c->state != UPDATE_IDLE && c->state != UPDATE_READY && c->state != UPDATE_FAILED;
	buf_init(&b, text, sizeof(text));
	conduct_text(c, &b);
	teller_set(c->teller, "update-running", on ? FACT_ON : FACT_OFF, text);
	if (c->state == UPDATE_READY)
		teller_set(c->teller, "update-ready", FACT_ON, text);
	else if (c->state == UPDATE_LOADING || c->state == UPDATE_IDLE)
		teller_set(c->teller, "update-ready", FACT_OFF, "");
}

static void set_state(struct conduct *c, enum update_state s)
{
	if (s != c->state) {
		log_info(ROOM, "%s -> %s%s%s", update_state_name(c->state), update_state_name(s), c->why[0] ? ": " : "",
		         c->why);
		c->state = s;
		c->since = clock_ms();
	}
	tell(c);
}

/* An event that cannot be now is said and forgotten: the other end of a channel is never quite in step. */
static bool happen(struct conduct *c, enum update_event ev)
{
	struct err e = {0};
	int next = update_next(c->state, ev, &e);
	if (next < 0) {
		log_debug(ROOM, "%s", e.text);
		return false;
	}
	set_state(c, (enum update_state)next);
	return true;
}

static void decide(struct conduct *c, const struct err *e)
{
	if (!c->undecided)
		return;
	c->undecided = false;
	c->hooks.decided(e, c->hooks.arg);
}

/* --- the end of an install -------------------------------------------------------------------- */

static void hang_up(struct conduct *c)
{
	struct err ignored;
	if (c->chan >= 0) {
		loop_del(c->loop, c->chan);
		sys_close(c->chan);
	}
	c->chan = -1;
	c->want.length = 0;
	c->due = false;
	if (c->worker.pid > 0)
		(void)!child_signal(&c->worker, SIGKILL, &ignored);
}

static void forget_job(void)
{
	struct err e = {0};
	if (place_write_job(NULL, &e) < 0)
		log_warnx(ROOM, "%s", e.text);
}

static void keep_last(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void keep_last(const char *fmt, ...)
{
	char text[ERR_TEXT];
	va_list ap;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) > 0)
		place_write_last(text);
	va_end(ap);
}

static void fail(struct conduct *c, const struct err *why)
{
	hang_up(c);
	c->arming = false;
	loop_cancel(c->loop, &c->again);
	if (c->looking) {
		c->looking = false;
		place_drop(&c->place, false);
		decide(c, why);
		return;
	}
	place_drop(&c->place, true);
	forget_job();
	(void)place_armed(&c->place, c->armed);
	memcpy(c->why, why->text, sizeof(c->why));
	log_errx(ROOM, "%s", c->why);
	keep_last("the last update failed: %.*s", ERR_TEXT - 40, c->why);
	(void)happen(c, UPDATE_ON_FAIL);
	decide(c, why);
}

static void fail_text(struct conduct *c, const char *text)
{
	struct err e;
	err_put(&e, EIO, "%s", text);
	fail(c, &e);
}

/* What an earlier install has armed is ready still: the role has ended since, or a later install changed nothing. */
static void find_armed(struct conduct *c)
{
	struct err ignored;
	c->known = place_find(&c->place, &c->options.stand_in, &ignored) == 0 && place_armed(&c->place, c->m.version);
	if (c->known)
		c->state = UPDATE_READY;
}

static int cancel(struct conduct *c, struct err *e)
{
	int next = update_next(c->state, UPDATE_ON_CANCEL, e);
	if (next < 0)
		return -1;
	/* The boot entry goes, and with it the update. */
	if (c->state == UPDATE_READY && place_mark(&c->place, e) < 0)
		return -1;
	hang_up(c);
	loop_cancel(c->loop, &c->again);
	place_drop(&c->place, true);
	forget_job();
	memcpy(c->why, "the last update was cancelled", sizeof("the last update was cancelled"));
	keep_last("%s", c->why);
	set_state(c, (enum update_state)next);
	find_armed(c);
	tell(c);
	if (c->undecided) {
		struct err why;
		err_put(&why, ECANCELED, "cancelled");
		decide(c, &why);
	}
	return 0;
}

void conduct_arm(struct conduct *c, const struct names *healthy)
{
	struct err e = {0};
	if (c->state != UPDATE_ARMING)
		return;
	if (place_arm(&c->place, &c->m, &c->order, healthy, &e) < 0) {
		fail(c, &e);
		return;
	}
	hang_up(c);
	place_drop(&c->place, false);
	c->why[0] = '\0';
	keep_last("the last update put version %s into slot %c", c->m.version, c->place.half.other);
	log_info(ROOM, "version %s is in slot %c: %" PRIu64 " KiB from outside, %" PRIu64 " from the running slot",
	         c->m.version, c->place.half.other, c->done.fetched / 1024, c->done.copied / 1024);
	(void)happen(c, UPDATE_ON_ARMED);
	if (c->order.restart)
		c->hooks.restart(c->m.version, c->hooks.arg);
}

/* --- what the worker says --------------------------------------------------------------------- */

/* A worker that has died is no error here: its channel says so next, and another one is started. */
static int say(struct conduct *c, enum msg_kind kind, int fd, struct err *e)
{
	const struct msg m = {.kind = kind};
	if (c->chan < 0)
		return err_set(e, ENOTCONN, "there is no worker");
	return msg_send(c->chan, &m, fd, e) < 0 && e->code != EPIPE ? -1 : 0;
}

/* For whoever comes after us, if we do not come to the end. */
static int keep_job(const struct conduct *c, struct err *e)
{
	if (c->order.kind != ORDER_PIPE)
		return place_write_job(&c->order, e);
	keep_last("the last update, an upload of version %s, was cut off by a restart; send it again", c->m.version);
	return 0;
}

static int let_go(struct conduct *c, struct err *e)
{
	if (place_check(&c->place, &c->m, &c->order, e) < 0 || keep_job(c, e) < 0)
		return -1;
	return place_mark(&c->place, e) < 0 ? -1 : say(c, MSG_GO, -1, e);
}

/* The signature first, here as everywhere. */
static int read_manifest(struct conduct *c, const struct msg_manifest *m, struct err *e)
{
	static struct yaml y;
	if (c->hooks.signer(m->text, m->text_len, m->sig, m->sig_len, c->hooks.arg, e) < 0)
		return -1;
	if (offer_check(&c->next, m->text, m->text_len, e) < 0)
		return -1;
	c->bundle = m->bundle;
	c->fetch = m->fetch;
	return update_manifest_parse(&c->m, &y, tar_name(TAR_MANIFEST), m->text, m->text_len, e);
}

static int on_check(const void *text, size_t len, const void *sig, size_t sig_len, void *arg, struct err *e)
{
	const struct conduct *c = arg;
	return c->hooks.signer(text, len, sig, sig_len, c->hooks.arg, e);
}

static void on_index(struct conduct *c, const struct msg_index *m)
{
	const struct channel_text t = {c->next.source, m->text, m->text_len, m->sig, m->sig_len};
	struct err e = {0};
	if (!c->looking || c->next.verb != ORDER_CHECK)
		return;
	if (offer_read(&c->offer, &t, c->synced, on_check, c, &e) < 0) {
		e.code = e.code == EAGAIN ? ETIME : e.code; /* nothing goes on meanwhile */
		fail(c, &e);
		return;
	}
	c->looking = false;
	hang_up(c);
	decide(c, NULL);
}

/* Leave is given once, for one bundle: a worker that was taken over may show another one behind it. */
static bool is_asked(const struct conduct *c)
{
	if (c->looking)
		return c->next.verb != ORDER_CHECK;
	return !c->known && (c->state == UPDATE_ASKING || c->state == UPDATE_WAITING);
}

static void on_manifest(struct conduct *c, const struct msg_manifest *m)
{
	struct err e = {0};
	if (!c->looking && !c->known && c->state == UPDATE_PAUSED)
		hang_up(c); /* the pause has crossed it: `resume` starts another one */
	if (!is_asked(c))
		return;
	if (read_manifest(c, m, &e) < 0) {
		fail(c, &e);
		return;
	}
	c->known = true;
	if (c->looking) {
		c->looking = false;
		hang_up(c);
		place_drop(&c->place, false);
		decide(c, NULL);
		return;
	}
	if (let_go(c, &e) < 0) {
		fail(c, &e);
		return;
	}
	memset(&c->progress, 0, sizeof(c->progress));
	(void)happen(c, UPDATE_ON_GO);
	decide(c, NULL);
}

static void on_progress(struct conduct *c, const struct msg_progress *p)
{
	bool step =
		p->phase != c->progress.phase || msg_per_cent(p) / TELL_STEP != msg_per_cent(&c->progress) / TELL_STEP;
	bool was = c->state == UPDATE_WAITING;
	int next;
	struct err ignored;
	c->progress = *p;
	if (c->looking)
		return;
	/* What the manifest's phase says is no proof that the target is being written. */
	next = c->known ? update_next(c->state, UPDATE_ON_MOVED, &ignored) : -1;
	if (next >= 0 && was)
		c->why[0] = '\0';
	if (next >= 0 && (step || was))
		set_state(c, (enum update_state)next);
}

/* "Started, and waiting" is a promise: it outlives the role, and the box. */
static void on_waiting(struct conduct *c, const char *why)
{
	struct err e;
	memcpy(c->looking ? c->look_why : c->why, why, strlen(why) + 1);
	if (c->looking)
		return;
	if (c->undecided && keep_job(c, &e) < 0) {
		fail(c, &e);
		return;
	}
	(void)happen(c, UPDATE_ON_DRY);
	err_put(&e, EAGAIN, "%s", why);
	decide(c, &e);
}

static void on_kernel(struct conduct *c)
{
	struct err e = {0};
	if (c->looking || !c->known)
		return;
	if ((c->place.kernel < 0 && place_kernel(&c->place, &e) < 0) || say(c, MSG_KERNEL, c->place.kernel, &e) < 0)
		fail(c, &e);
}

/* It holds the kernel's file open: what is checked next must be out of its reach. */
static void on_done(struct conduct *c, const struct msg_done *d)
{
	c->done = *d;
	if (c->looking || !happen(c, UPDATE_ON_DONE))
		return;
	c->arming = true;
	hang_up(c);
}

static void on_again(struct loop *l, void *arg);

/* After a restart the stick may come later, or be put in again. */
static bool miss_stick(struct conduct *c, const struct err *e)
{
	if (c->order.kind != ORDER_USB || e->code != ENOMEDIUM)
		return false;
	memcpy(c->why, e->text, sizeof(c->why));
	set_state(c, UPDATE_WAITING);
	loop_after(c->loop, &c->again, STICK_MS, on_again, c);
	return true;
}

static void on_again(struct loop *l, void *arg)
{
	struct conduct *c = arg;
	struct err e = {0};
	(void)l;
	if (begin(c, &c->order, -1, &e) == 0) {
		c->why[0] = '\0';
		set_state(c, UPDATE_ASKING);
	} else if (!miss_stick(c, &e)) {
		fail(c, &e);
	}
}

/* The next worker finds on the target what this one has done. */
static void restart_worker(struct conduct *c, const char *why)
{
	hang_up(c);
	if (c->state == UPDATE_PAUSED) /* `resume` starts another one */
		return;
	if (c->looking || c->order.kind == ORDER_PIPE || ++c->deaths >= CONDUCT_DEATHS) {
		fail_text(c, why);
		return;
	}
	log_warnx(ROOM, "%s; trying again", why);
	loop_after(c->loop, &c->again, CONDUCT_AGAIN_MS, on_again, c);
}

static void on_want(struct conduct *c, const struct msg_want *w)
{
	struct err e;
	if (part_ask(&c->want, w, &c->order, &e) < 0)
		restart_worker(c, e.text);
}

static void on_failed(struct conduct *c, const struct msg_failed *f)
{
	struct err e;
	if (f->again) {
		restart_worker(c, f->why);
		return;
	}
	err_put(&e, EIO, "%s", f->why);
	if (c->place.found[0])
		err_put_prefix(&e, "%s", c->place.found);
	fail(c, &e);
}

static void take(struct conduct *c, const struct msg *m)
{
	switch (m->kind) {
	case MSG_MANIFEST:
		on_manifest(c, &m->manifest);
		break;
	case MSG_INDEX:
		on_index(c, &m->index);
		break;
	case MSG_PROGRESS:
		on_progress(c, &m->progress);
		break;
	case MSG_WAITING:
		on_waiting(c, m->waiting.why);
		break;
	case MSG_WANT:
		on_want(c, &m->want);
		break;
	case MSG_KERNEL:
		on_kernel(c);
		break;
	case MSG_DONE:
		on_done(c, &m->done);
		break;
	case MSG_FAILED:
		on_failed(c, &m->failed);
		break;
	default:
		restart_worker(c, "the worker talks nonsense");
		break;
	}
}

static void on_channel(struct loop *l, int fd, uint32_t events, void *arg)
{
	static struct msg m;
	struct conduct *c = arg;
	(void)l;
	(void)events;
	for (int i = 0; i < PER_TURN && c->chan == fd; i++) {
		struct err e = {0};
		int rc = msg_recv(fd, &m, NULL, &e);
		if (rc < 0 && e.code == EAGAIN)
			return;
		if (rc > 0)
			take(c, &m);
		else
			restart_worker(c,
			               rc < 0 && e.code != ECONNRESET ? e.text : "the worker ended before it was done");
	}
}

/* --- the worker ------------------------------------------------------------------------------- */

static int start_child(struct conduct *c, const struct order *o, int theirs, struct err *e)
{
	const struct spawn_plan plan = {.self = c->options.self,
	                                .keys = c->options.keys,
	                                .ca = c->options.ca,
	                                .user = c->options.user,
	                                .order = o,
	                                .place = &c->place,
	                                .channel = theirs};
	return spawn_worker(&c->worker, &plan, on_worker_exit, c, e);
}

static int start_worker(struct conduct *c, const struct order *o, struct err *e)
{
	int fds[2];
	c->known = false;
	c->due = c->worker.pid > 0;
	c->next = *o;
	if (c->due)
		return 0;
	if (chan_pair(fds, e) < 0)
		return -1;
	int rc = start_child(c, o, fds[1], e);
	sys_close(fds[1]);
	if (rc == 0)
		rc = loop_add(c->loop, fds[0], EPOLLIN, on_channel, c, e);
	c->chan = rc == 0 ? fds[0] : -1;
	if (rc < 0)
		sys_close(fds[0]);
	return rc;
}

static void on_worker_exit(pid_t pid, const struct child_exit *how, void *arg)
{
	struct conduct *c = arg;
	struct err e = {0};
	(void)pid;
	(void)how;
	if (c->due && start_worker(c, &c->next, &e) < 0)
		fail(c, &e);
	if (!c->arming)
		return;
	c->arming = false;
	c->hooks.arming(c->hooks.arg);
}

/* fd: the pipe of an upload, -1 else. */
static int begin(struct conduct *c, const struct order *o, int fd, struct err *e)
{
	const struct place_stand_in *t = &c->options.stand_in;
	place_drop(&c->place, false); /* of an earlier try */
	place_init(&c->place);
	if (o->verb == ORDER_CHECK) /* touches no disk */
		return start_worker(c, o, e);
	if (place_find(&c->place, t, e) < 0 || (o->kind == ORDER_PIPE && place_pipe(&c->place, fd, e) < 0) ||
	    place_open(&c->place, t, o, o->verb != ORDER_SHOW, e) < 0 || start_worker(c, o, e) < 0) {
		place_drop(&c->place, false);
		return -1;
	}
	return 0;
}

/* --- orders ----------------------------------------------------------------------------------- */

static int look(struct conduct *c, const struct order *o, struct err *e)
{
	struct err busy;
	if (c->looking || update_next(c->state, UPDATE_ON_INSTALL, &busy) < 0)
		return err_set(e, EBUSY, "an update is under way, or a look at one; ask again when it is done");
	/* What the last install found must stay true. */
	if (c->state == UPDATE_READY)
		return err_set(e, EBUSY, "version %s waits for a restart", c->m.version);
	if (begin(c, o, -1, e) < 0)
		return -1;
	c->looking = c->undecided = true;
	c->look_why[0] = '\0';
	return 0;
}

static int install(struct conduct *c, const struct order *o, int fd, struct err *e)
{
	int next = update_next(c->state, UPDATE_ON_INSTALL, e);
	if (next < 0)
		return -1;
	if (c->looking)
		return err_set(e, EBUSY, "a look at a bundle is under way; ask again when it is done");
	if (begin(c, o, fd, e) < 0)
		return -1;
	c->order = *o;
	c->undecided = o->verb == ORDER_INSTALL && o->kind != ORDER_PARTS;
	c->deaths = 0;
	c->why[0] = '\0';
	set_state(c, (enum update_state)next);
	return 0;
}

/* A pause outlives the role, and the box: it is in the record. */
static int pause_it(struct conduct *c, bool paused, struct err *e)
{
	struct order o = c->order;
	int next = update_next(c->state, paused ? UPDATE_ON_PAUSE : UPDATE_ON_RESUME, e);
	o.paused = paused;
	if (next >= 0 && o.kind == ORDER_PIPE)
		return err_set(e, EINVAL, "an upload cannot be paused; update cancel ends it");
	if (next < 0 || place_write_job(&o, e) < 0)
		return -1;
	c->order = o;
	if (c->chan >= 0)
		(void)!say(c, paused ? MSG_PAUSE : MSG_RESUME, -1, e);
	else if (!paused && begin(c, &o, -1, e) < 0)
		return miss_stick(c, e) ? 0 : -1;
	c->due = c->due && !paused;
	loop_cancel(c->loop, &c->again);
	/* A worker that is only now started has the manifest to read again. */
	set_state(c, !paused && !c->known ? UPDATE_ASKING : (enum update_state)next);
	return 0;
}

static int give_part(struct conduct *c, const struct order *o, int fd, struct err *e)
{
	if (c->state == UPDATE_PAUSED)
		return err_set(e, EBUSY, "the update is paused");
	if (part_fits(&c->want, o, e) < 0 || place_is_pipe(fd, e) < 0 || say(c, MSG_PART, fd, e) < 0)
		return -1;
	c->want.length = 0;
	return 0;
}

int conduct_order(struct conduct *c, const struct order *o, int fd, struct err *e)
{
	struct order named = *o;
	offer_name(&c->offer, &named);
	switch (o->verb) {
	case ORDER_SHOW:
	case ORDER_CHECK:
		return look(c, &named, e);
	case ORDER_INSTALL:
	case ORDER_UPLOAD:
		return install(c, &named, fd, e);
	case ORDER_PART:
		return give_part(c, o, fd, e);
	case ORDER_PAUSE:
	case ORDER_RESUME:
		return pause_it(c, o->verb == ORDER_PAUSE, e);
	case ORDER_CANCEL:
		return cancel(c, e);
	default:
		return 0;
	}
}

void conduct_stop_look(struct conduct *c)
{
	struct err e;
	if (!c->looking)
		return;
	err_put(&e, ETIMEDOUT, "the source does not answer%s%s", c->look_why[0] ? ": " : "", c->look_why);
	fail(c, &e);
}

void conduct_init(struct conduct *c, struct loop *l, struct teller *t, const struct conduct_options *o,
                  const struct conduct_hooks *h)
{
	memset(c, 0, sizeof(*c));
	c->loop = l;
	c->teller = t;
	c->options = *o;
	c->hooks = *h;
	c->chan = -1;
	c->worker.pidfd = -1;
	place_init(&c->place);
}

void conduct_begin(struct conduct *c)
{
	struct err e = {0};
	struct order o;
	int rc = place_read_job(&o, &e);
	if (rc == 0) {
		place_read_last(c->why, sizeof(c->why));
		find_armed(c);
	}
	if (rc > 0 && o.paused) {
		struct err later;
		c->order = o;
		c->state = UPDATE_PAUSED;
		(void)!place_find(&c->place, &c->options.stand_in, &later);
	} else if (rc > 0) {
		log_info(ROOM, "going on with the install of %s", o.source);
		rc = install(c, &o, -1, &e);
		c->undecided = false;
		c->order = o;
		rc = rc < 0 && miss_stick(c, &e) ? 0 : rc;
	}
	if (rc < 0) {
		memcpy(c->why, e.text, sizeof(c->why));
		c->state = UPDATE_FAILED;
		log_errx(ROOM, "%s", e.text);
	}
	tell(c);
}

void conduct_fini(struct conduct *c)
{
	if (c->loop)
		loop_cancel(c->loop, &c->again);
	hang_up(c);
	place_drop(&c->place, false);
}
