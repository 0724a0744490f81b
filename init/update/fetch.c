/* Reading over HTTP: which requests fly, what happens when one falls, and for how long. Runs in the update worker, over
 * libcurl's multi interface; one turn of it lasts a second at most. */
#include "update/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/sys.h"
#include "update/flight.h"

#define TURN_MS 1000 /* what may stop us is looked at that often at least */
#define TICK_MS 200  /* and not much more often */

_Static_assert(FETCH_PIECE % 4096 == 0, "pieces are whole blocks");

struct fetch_state {
	CURLM *multi;
	struct flight_plan plan;
	struct fetch_job job;
	bool dry;          /* the iterator has no more */
	unsigned width;    /* requests that may fly at a time: one, until bytes of an answer have shown more */
	uint64_t tick_ms;  /* when `tick` was called last */
	uint64_t begun_ms; /* of this call */
	/* Trouble: at least one flight is lost. */
	struct fetch_wait wait;
	struct flight *probe; /* the one that tries whether it is over */
	unsigned tries;       /* for the back-off */
	bool told;            /* on_wait knows of it */
	struct err why;
	struct flight flight[FETCH_FLIGHTS];
};

static CURLM *new_multi(void)
{
	CURLM *m = curl_multi_init();

	if (m && !curl_multi_setopt(m, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX) &&
	    !curl_multi_setopt(m, CURLMOPT_MAX_HOST_CONNECTIONS, (long)FETCH_CONNECTIONS) &&
	    !curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, (long)FETCH_CONNECTIONS))
		return m;
	if (m)
		(void)curl_multi_cleanup(m);
	return NULL;
}

static void set_default(uint32_t *value, uint32_t to)
{
	if (*value == 0)
		*value = to;
}

int fetch_open(struct fetch *f, const struct fetch_config *c, struct err *e)
{
	*f = (struct fetch){.config = *c};
	set_default(&f->config.stall_ms, FETCH_STALL_MS);
	set_default(&f->config.stall_bytes, FETCH_STALL_BYTES);
	set_default(&f->config.connect_ms, FETCH_CONNECT_MS);
	set_default(&f->config.base_ms, FETCH_BASE_MS);
	set_default(&f->config.cap_ms, FETCH_CAP_MS);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ENOMEM, "fetch: the TLS library does not start");
	struct fetch_state *s = calloc(1, sizeof(*s));
	CURLM *m = s ? new_multi() : NULL;
	if (!m) {
		free(s);
		curl_global_cleanup();
		return err_set(e, ENOMEM, "fetch: out of memory");
	}
	s->multi = m;
	f->priv = s;
	return 0;
}

void fetch_close(struct fetch *f)
{
	struct fetch_state *s = f->priv;

	if (!s)
		return;
	(void)curl_multi_cleanup(s->multi);
	free(s);
	f->priv = NULL;
	curl_global_cleanup();
}

static unsigned count_state(const struct fetch_state *s, enum flight_state state)
{
	unsigned n = 0;

	for (size_t i = 0; i < FETCH_FLIGHTS; i++)
		n += s->flight[i].state == state;
	return n;
}

static struct flight *find_state(struct fetch_state *s, enum flight_state state)
{
	for (size_t i = 0; i < FETCH_FLIGHTS; i++) {
		if (s->flight[i].state == state)
			return &s->flight[i];
	}
	return NULL;
}

/* libcurl lets go of it; what has come stays. */
static void ground(struct fetch_state *s, struct flight *f)
{
	if (f->easy)
		(void)curl_multi_remove_handle(s->multi, f->easy);
	if (s->probe == f)
		s->probe = NULL;
}

static void ground_all(struct fetch_state *s)
{
	for (size_t i = 0; i < FETCH_FLIGHTS; i++) {
		ground(s, &s->flight[i]);
		flight_drop(&s->flight[i]);
	}
}

/* Time that the server has had: what the caller's function takes does not count. */
static uint64_t server_ms(const struct fetch_state *s)
{
	return clock_ms() - s->plan.busy_ms;
}

static int start(struct fetch_state *s, struct flight *f, struct err *e)
{
	if (flight_start(f, server_ms(s), e) < 0)
		return -1;
	if (curl_multi_add_handle(s->multi, f->easy) == CURLM_OK)
		return 0;
	flight_drop(f);
	return err_set(e, ENOMEM, "out of memory");
}

/* The next range that the caller wants, in a free place. 0: none. */
static int start_next(struct fetch_state *s, struct err *e)
{
	struct flight *f = find_state(s, FLIGHT_FREE);
	struct fetch_range r = {0};

	s->dry = !s->job.next || !s->job.next(&r, s->job.arg);
	if (s->dry)
		return 0;
	if (r.length == 0 || r.offset > INT64_MAX || r.length > INT64_MAX - r.offset) {
		s->plan.refused = true;
		return err_set(e, EINVAL, "a range of no bytes, or too far out");
	}
	struct answer_want want = {ANSWER_RANGE, r.offset, r.offset + r.length - 1};
	flight_take(f, &s->plan, &want, &r);
	return start(s, f, e) < 0 ? -1 : 1;
}

/* While there is trouble, one of the lost tries whether it is over, and the others wait for it. */
static int start_lost(struct fetch_state *s, struct flight *lost, struct err *e)
{
	lost->again = true;
	if (s->wait.waiting)
		s->probe = lost;
	return start(s, lost, e) < 0 ? -1 : 1;
}

/* The lost ones first. 1: one was started, 0: none can be now. */
static int start_one(struct fetch_state *s, struct err *e)
{
	struct flight *lost = find_state(s, FLIGHT_LOST);
	bool room = count_state(s, FLIGHT_FLYING) < s->width;

	if (s->probe || (s->wait.waiting && clock_ms() < s->wait.next_ms))
		return 0;
	if (lost && (room || s->wait.waiting))
		return start_lost(s, lost, e);
	return room && !s->dry ? start_next(s, e) : 0;
}

static int start_all(struct fetch_state *s, struct err *e)
{
	int more = 1;

	while (more > 0)
		more = start_one(s, e);
	return more;
}

static uint32_t chance(void)
{
	uint32_t bits = 0;

	if (sys_getrandom(&bits, sizeof(bits), 0) < 0)
		bits = (uint32_t)clock_ms();
	return bits;
}

/* A flight is lost. Of those that fall together, or while another one tries, the first counts. */
static void lose(struct fetch *f, struct flight *l, bool probe, const struct err *why)
{
	struct fetch_state *s = f->priv;
	struct backoff_rule rule = {f->config.base_ms, f->config.cap_ms, FETCH_FLOOR_MS, FETCH_AFTER_S};
	uint64_t now = clock_ms();

	if (rule.floor_ms > rule.cap_ms)
		rule.floor_ms = rule.cap_ms;
	l->state = FLIGHT_LOST;
	s->width = 1;
	if (s->wait.waiting && !probe)
		return;
	if (!s->wait.waiting)
		s->wait = (struct fetch_wait){.waiting = true, .since_ms = now};
	s->why = *why;
	s->wait.tries++;
	s->wait.next_ms = now + backoff_next_ms(&rule, &s->tries, l->answer.retry_after_s, chance());
	s->told = false;
}

/* Bytes that are wanted come again, or an answer that is one. */
static void recover(struct fetch *f)
{
	struct fetch_state *s = f->priv;
	bool known = s->wait.tries > 1 || s->told;

	s->probe = NULL;
	s->tries = 0;
	s->wait = (struct fetch_wait){.why = ""};
	s->told = false;
	if (known && f->config.on_wait)
		f->config.on_wait(&s->wait, f->config.arg);
}

/* Only when nothing flies any more is there something to wait for. */
static void tell(struct fetch *f)
{
	struct fetch_state *s = f->priv;

	if (!s->wait.waiting || s->told || count_state(s, FLIGHT_FLYING) > 0)
		return;
	s->told = true;
	s->wait.why = s->why.text;
	if (f->config.on_wait)
		f->config.on_wait(&s->wait, f->config.arg);
}

static unsigned width_of(CURL *easy)
{
	long version = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
	return version >= CURL_HTTP_VERSION_2_0 ? FETCH_FLIGHTS : FETCH_CONNECTIONS;
}

/* Bytes have come: no trouble (any more), and we know how wide the way is. */
static void look(struct fetch *f)
{
	struct fetch_state *s = f->priv;

	for (size_t i = 0; i < FETCH_FLIGHTS; i++) {
		struct flight *l = &s->flight[i];
		if (l->state != FLIGHT_FLYING || !l->got)
			continue;
		s->width = width_of(l->easy);
		if (l == s->probe)
			recover(f);
	}
}

static int prefix(const struct fetch_state *s, struct err *e)
{
	char site[LIMIT_DETAIL];

	if (s->plan.refused)
		return -1;
	url_site(s->plan.url, site, sizeof(site));
	return err_prefix(e, "%s", site);
}

/* A request has ended, one way or the other. */
static int land(struct fetch *f, struct flight *l, CURLcode code, struct err *e)
{
	struct fetch_state *s = f->priv;
	bool probe = s->probe == l;
	struct err why = {0};

	ground(s, l);
	switch (flight_ended(l, code, &why)) {
	case FLIGHT_DONE:
		if (probe)
			recover(f);
		return 0;
	case FLIGHT_MOVED:
		if (probe)
			s->probe = l;
		return start(s, l, e);
	case FLIGHT_AGAIN:
		(void)prefix(s, &why);
		lose(f, l, probe, &why);
		return 0;
	case FLIGHT_FAILED:
	default:
		*e = why;
		return -1;
	}
}

static int reap(struct fetch *f, struct err *e)
{
	struct fetch_state *s = f->priv;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(s->multi, &left))) {
		char *arg = NULL;
		if (m->msg != CURLMSG_DONE)
			continue;
		CURLcode code = m->data.result; /* m does not outlive the handle */
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &arg);
		if (land(f, (struct flight *)(void *)arg, code, e) < 0)
			return -1;
	}
	return 0;
}

/* libcurl would send the next request over the same connections, so all of them go. */
static int renew(struct fetch *f, const struct err *why, struct err *e)
{
	struct fetch_state *s = f->priv;

	for (size_t i = 0; i < FETCH_FLIGHTS; i++) {
		struct flight *l = &s->flight[i];
		bool probe = s->probe == l;
		if (l->state != FLIGHT_FLYING)
			continue;
		ground(s, l);
		flight_drop(l);
		lose(f, l, probe, why);
	}
	CURLM *fresh = new_multi();
	if (!fresh)
		return err_set(e, ENOMEM, "out of memory");
	(void)curl_multi_cleanup(s->multi);
	s->multi = fresh;
	return 0;
}

/* The one flight that has brought too little for too long. */
static int give_up(struct fetch *f, struct flight *l, struct err *e)
{
	struct fetch_state *s = f->priv;
	bool silent = s->plan.heard_ms <= l->from_ms;
	bool probe = s->probe == l;
	struct err why = {0};

	err_put(&why, ETIMEDOUT,
	        l->judged ? "the answer has stopped coming, or comes too slowly" : "no answer in time");
	(void)prefix(s, &why);
	if (silent)
		return renew(f, &why, e);
	ground(s, l);
	flight_drop(l);
	lose(f, l, probe, &why);
	return 0;
}

static int watch(struct fetch *f, struct err *e)
{
	struct fetch_state *s = f->priv;
	uint64_t now = server_ms(s);

	for (size_t i = 0; i < FETCH_FLIGHTS; i++) {
		struct flight *l = &s->flight[i];
		if (l->state != FLIGHT_FLYING || now - l->from_ms < f->config.stall_ms)
			continue;
		if (l->bytes - l->from_bytes < f->config.stall_bytes) {
			if (give_up(f, l, e) < 0)
				return -1;
			continue;
		}
		l->from_ms = now;
		l->from_bytes = l->bytes;
	}
	return 0;
}

static bool is_stopped(struct fetch *f)
{
	struct fetch_state *s = f->priv;
	struct pollfd stop = {.fd = f->config.stop_fd, .events = POLLIN};
	uint64_t now = clock_ms();

	if (f->config.stop_fd >= 0 && sys_poll(&stop, 1, 0) > 0)
		return true;
	if (!f->config.tick || now - s->tick_ms < TICK_MS)
		return false;
	s->tick_ms = now;
	return !f->config.tick(f->config.arg);
}

static int check_patience(struct fetch *f, struct err *e)
{
	struct fetch_state *s = f->priv;
	uint64_t last = s->plan.wanted_ms > s->begun_ms ? s->plan.wanted_ms : s->begun_ms;

	if (f->config.give_up_ms == 0 || server_ms(s) - last < f->config.give_up_ms)
		return 0;
	err_put(e, ETIMEDOUT, "no answer in time");
	if (!s->wait.waiting)
		return -1;
	s->plan.refused = true; /* the site stands there already */
	return err_set(e, ETIMEDOUT, "%s", s->why.text);
}

/* Until something comes, but not past the next moment at which there is something to do. */
static int wait_turn(struct fetch *f, struct err *e)
{
	struct fetch_state *s = f->priv;
	struct curl_waitfd stop = {.fd = f->config.stop_fd, .events = CURL_WAIT_POLLIN};
	uint64_t now = clock_ms(), until = now + TURN_MS;

	if (find_state(s, FLIGHT_LOST) && !s->probe && s->wait.next_ms < until)
		until = s->wait.next_ms;
	for (size_t i = 0; i < FETCH_FLIGHTS; i++) {
		uint64_t due = s->flight[i].from_ms + s->plan.busy_ms + f->config.stall_ms;
		if (s->flight[i].state == FLIGHT_FLYING && due < until)
			until = due;
	}
	if (curl_multi_poll(s->multi, &stop, f->config.stop_fd >= 0, until > now ? (int)(until - now) : 0, NULL))
		return err_set(e, ENOMEM, "out of memory");
	return 0;
}

/* 1: all is done. */
static int turn(struct fetch *f, struct err *e)
{
	struct fetch_state *s = f->priv;
	int running;

	if (is_stopped(f)) {
		s->plan.refused = true;
		return err_set(e, ECANCELED, "stopped");
	}
	if (start_all(s, e) < 0)
		return -1;
	if (count_state(s, FLIGHT_FREE) == FETCH_FLIGHTS)
		return 1;
	tell(f);
	if (check_patience(f, e) < 0 || wait_turn(f, e) < 0)
		return -1;
	if (curl_multi_perform(s->multi, &running) != CURLM_OK)
		return err_set(e, ENOMEM, "out of memory");
	look(f);
	return reap(f, e) < 0 ? -1 : watch(f, e);
}

static int run(struct fetch *f, struct err *e)
{
	struct fetch_state *s = f->priv;
	int rc = 0;

	while (rc == 0)
		rc = turn(f, e);
	ground_all(s);
	return rc > 0 ? 0 : prefix(s, e);
}

static int begin(struct fetch *f, const struct fetch_job *j, struct buf *document, struct err *e)
{
	struct fetch_state *s = f->priv;

	if (!s)
		return err_set(e, EINVAL, "fetch: not open");
	if (url_check(j->file->url, e) < 0)
		return -1;
	s->job = *j;
	s->plan = (struct flight_plan){
		.config = &f->config,
		.count = &f->count,
		.file = j->file,
		.data = j->data,
		.arg = j->arg,
		.document = document,
	};
	memcpy(s->plan.url, j->file->url, sizeof(s->plan.url));
	s->width = 1;
	s->tries = 0;
	s->dry = j->next == NULL;
	s->wait = (struct fetch_wait){0};
	s->probe = NULL;
	s->told = false;
	s->begun_ms = clock_ms();
	return 0;
}

/* One request, and nothing behind it. */
static int run_one(struct fetch *f, const struct answer_want *want, const struct fetch_range *r, struct err *e)
{
	struct fetch_state *s = f->priv;

	flight_take(&s->flight[0], &s->plan, want, r);
	if (start(s, &s->flight[0], e) < 0)
		return prefix(s, e);
	return run(f, e);
}

int fetch_get(struct fetch *f, const char *url, struct buf *b, struct err *e)
{
	struct fetch_file file = {0};
	struct fetch_job j = {.file = &file};
	struct fetch_range none = {0};

	if (!buf_ok(b) || b->cap == 0)
		return err_set(e, EFBIG, "no room for a document");
	if (url_check(url, e) < 0 || str_copy(file.url, sizeof(file.url), url) < 0 || begin(f, &j, b, e) < 0)
		return -1;
	size_t used = b->len;
	struct answer_want want = {.what = ANSWER_DOCUMENT, .last = b->cap - b->len - 1};
	if (run_one(f, &want, &none, e) == 0)
		return 0;
	b->len = used; /* nothing of half a document */
	b->data[used] = '\0';
	return -1;
}

int fetch_ranges(struct fetch *f, const struct fetch_job *j, struct err *e)
{
	return begin(f, j, NULL, e) < 0 ? -1 : run(f, e);
}

int fetch_whole(struct fetch *f, const struct fetch_job *j, uint64_t offset, struct err *e)
{
	struct answer_want want = {.what = ANSWER_REST, .first = offset};
	struct fetch_range r = {.offset = offset};
	struct fetch_job one = *j;

	one.next = NULL;
	if (begin(f, &one, NULL, e) < 0)
		return -1;
	if (j->file->size && offset >= j->file->size)
		return 0;
	r.length = j->file->size ? j->file->size - offset : 0;
	return run_one(f, &want, &r, e);
}
