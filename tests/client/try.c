/* The real client, with the real libraries, against tests/client/server: prints a line per case and what failed. try
 * KUBECONFIG all | http1 | stranger | mute | nobody | memory Cases run one after another in one process, over one
 * client. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "kube/retry.h"

#define MANY 20

static struct loop loop;
static struct kclient client;
static struct credentials credentials;
static struct discovery discovery;
static unsigned failures;
static const char *running;

#define CHECK(holds)                                                                                                   \
	do {                                                                                                           \
		if (!(holds)) {                                                                                        \
			printf("%s:%d: %s: does not hold: %s\n", __FILE__, __LINE__, running, #holds);                 \
			failures++;                                                                                    \
		}                                                                                                      \
	} while (0)

/* What came of a call. */
struct seen {
	unsigned done;
	enum kclient_fault fault;
	int status;
	unsigned after;
	size_t len;
	char body[512];
	char why[KCLIENT_WHY];
	unsigned lines;
	size_t longest;
	uint32_t cancel_at_line; /* cancels itself there */
	uint32_t id;
};

static void on_done(const struct kclient_reply *r, void *arg)
{
	struct seen *s = arg;

	s->done++;
	s->fault = r->fault;
	s->status = r->status;
	s->after = r->retry_after_s;
	s->len = r->len;
	(void)snprintf(s->body, sizeof(s->body), "%s", r->body);
	(void)snprintf(s->why, sizeof(s->why), "%s", r->why);
}

static void on_line(char *line, size_t len, void *arg)
{
	struct seen *s = arg;

	CHECK(line[0] == '{' && line[len - 1] == '}' && memcmp(line + len, "\0\0\0\0", KCLIENT_PAD) == 0);
	s->longest = len > s->longest ? len : s->longest;
	if (++s->lines == s->cancel_at_line)
		kclient_cancel(&client, s->id);
}

static void start(struct seen *s, struct kclient_request q)
{
	struct err e = {0};

	q.method = q.method ? q.method : "GET";
	q.done = on_done;
	q.arg = s;
	s->id = kclient_call(&client, &q, &e);
	if (s->id == 0)
		printf("%s: %s\n", running, e.text);
	CHECK(s->id > 0);
}

static void tick(struct loop *l, void *arg)
{
	unsigned *ticks = arg;

	(void)l;
	(*ticks)++;
}

/* Until `what` calls have ended or `ms` are over. */
static void run_until(const unsigned *counter, unsigned what, uint64_t ms)
{
	struct loop_timer deadline = {0};
	unsigned over = 0;
	struct err e = {0};

	loop_after(&loop, &deadline, ms, tick, &over);
	while (*counter < what && !over) {
		if (loop_step(&loop, &e) < 0) {
			printf("loop: %s\n", e.text);
			exit(1);
		}
	}
	loop_cancel(&loop, &deadline);
}

static void call(struct seen *s, struct kclient_request q)
{
	start(s, q);
	run_until(&s->done, 1, 20000);
	CHECK(s->done == 1);
}

static void get(struct seen *s, const char *path)
{
	*s = (struct seen){0};
	call(s, (struct kclient_request){.path = path});
}

static void wait_ms(uint64_t ms)
{
	unsigned never = 0;

	run_until(&never, 1, ms);
}

static void case_answer(void)
{
	struct seen s = {0};
	char patch[] = "{\"a\":1}";

	call(&s, (struct kclient_request){.method = "PATCH",
	                                  .path = "/echo",
	                                  .type = "application/apply-patch+yaml",
	                                  .body = patch,
	                                  .body_len = sizeof(patch) - 1});
	CHECK(s.fault == KCLIENT_OK && s.status == 200 && s.why[0] == '\0');
	CHECK(str_eq(s.body, "PATCH application/apply-patch+yaml system:admin {\"a\":1}"));
	get(&s, "/stats");
	CHECK(str_eq(s.body, str_eq(running, "http1") ? "HTTP/1.1 1" : "HTTP/2.0 1"));
}

static void case_large_body_is_sent_and_freed(void)
{
	struct seen s = {0};
	size_t n = 1500000;
	char *body = malloc(n);

	memset(body, 'z', n);
	call(&s, (struct kclient_request){.method = "POST",
	                                  .path = "/echo",
	                                  .type = "a/b",
	                                  .body = body,
	                                  .body_len = n,
	                                  .give_body = true,
	                                  .max = n + 100});
	CHECK(s.status == 200 && s.len == n + strlen("POST a/b system:admin "));
}

/* All of them are in flight at the same time, or none is answered; and over the one connection. */
static void case_together(void)
{
	static struct seen many[MANY];
	struct seen s;

	for (size_t i = 0; i < MANY; i++)
		start(&many[i], (struct kclient_request){.path = "/gather?n=20"});
	for (size_t i = 0; i < MANY; i++) {
		run_until(&many[i].done, 1, 10000);
		CHECK(many[i].status == 200 && str_eq(many[i].body, "together"));
	}
	get(&s, "/stats");
	CHECK(str_eq(s.body, "HTTP/2.0 1"));
}

static void case_statuses(void)
{
	struct seen s;

	get(&s, "/status?code=429&after=7");
	CHECK(s.fault == KCLIENT_OK && s.status == 429 && s.after == 7 && str_eq(s.body, "{\"kind\":\"Status\"}"));
	get(&s, "/status?code=410");
	CHECK(s.status == 410 && s.after == 0);
}

static void case_watch(void)
{
	struct seen s = {0};

	call(&s, (struct kclient_request){.path = "/watch?lines=50&size=10", .on_line = on_line});
	CHECK(s.fault == KCLIENT_OK && s.status == 200 && s.lines == 50 && s.len == 0);
	s = (struct seen){0};
	call(&s, (struct kclient_request){.path = "/watch?lines=3&size=2000000", .on_line = on_line});
	CHECK(s.fault == KCLIENT_OK && s.lines == 3 && s.longest > 2000000);
	s = (struct seen){0};
	call(&s, (struct kclient_request){.path = "/watch?lines=3&size=5000", .on_line = on_line, .max = 4999});
	CHECK(s.fault == KCLIENT_TOO_LARGE && s.lines == 0);
	s = (struct seen){0};
	call(&s, (struct kclient_request){.path = "/watch?lines=3&end=break", .on_line = on_line});
	CHECK(s.fault == KCLIENT_CUT && s.lines == 3 && s.status == 200);
	s = (struct seen){0};
	call(&s, (struct kclient_request){.path = "/status?code=410", .on_line = on_line});
	CHECK(s.status == 410 && s.lines == 0 && str_eq(s.body, "{\"kind\":\"Status\"}"));
}

static void case_silence(void)
{
	struct seen s = {0};

	call(&s, (struct kclient_request){.path = "/watch?lines=3&end=silent", .on_line = on_line, .timeout_ms = 300});
	CHECK(s.fault == KCLIENT_TIMEOUT && s.lines == 3);
	s = (struct seen){0};
	call(&s, (struct kclient_request){.path = "/silent", .timeout_ms = 200});
	CHECK(s.fault == KCLIENT_TIMEOUT && s.status == 0);
}

static void case_cancel(void)
{
	struct seen s = {.cancel_at_line = 2}, other = {0}, before, after;

	get(&before, "/stats");
	start(&s, (struct kclient_request){.path = "/watch?lines=9&end=silent", .on_line = on_line});
	start(&other, (struct kclient_request){.path = "/silent"});
	run_until(&s.lines, 2, 10000);
	kclient_cancel(&client, other.id);
	wait_ms(200);
	CHECK(s.lines == 2 && s.done == 0 && other.done == 0);
	CHECK(kclient_free(&client) == KCLIENT_CALLS);
	get(&after, "/stats"); /* with HTTP/1.1 a call that is cancelled takes its connection along */
	CHECK(str_eq(after.body, str_eq(running, "http1") ? after.body : before.body));
}

static void case_bounds(void)
{
	struct seen s = {0};

	call(&s, (struct kclient_request){.path = "/fill?bytes=300000", .max = 300000});
	CHECK(s.fault == KCLIENT_OK && s.len == 300000);
	s = (struct seen){0};
	call(&s, (struct kclient_request){.path = "/fill?bytes=300000", .max = 299999});
	CHECK(s.fault == KCLIENT_TOO_LARGE && s.status == 200);
}

static void case_cut(void)
{
	struct seen s, other = {0};

	get(&s, "/cut");
	CHECK(s.fault == KCLIENT_CUT && s.status == 200 && str_eq(s.body, "half of it"));
	/* An answer that has begun breaks with its connection; one that has not is asked for again by curl. */
	start(&other, (struct kclient_request){.path = "/watch?lines=1&end=silent", .on_line = on_line});
	run_until(&other.lines, 1, 5000);
	get(&s, "/drop");
	CHECK(s.fault == KCLIENT_RESET && s.status == 0);
	if (!str_eq(running, "http1")) {
		run_until(&other.done, 1, 5000);
		CHECK(other.fault == KCLIENT_CUT && other.lines == 1);
	}
	kclient_cancel(&client, other.id);
	get(&s, "/stats"); /* a new connection, by itself */
	CHECK(s.status == 200);
}

static void on_discovery(bool changed, const struct kclient_reply *r, const struct err *e, void *arg)
{
	struct seen *s = arg;

	s->done++;
	s->status = changed;
	CHECK(!r && !e);
	if (e)
		printf("%s\n", e->text);
}

static void case_discovery(void)
{
	struct discovery_kind k;
	struct seen s = {0};
	struct err e = {0};

	for (unsigned i = 0; i < 2; i++) {
		CHECK(discovery_refresh(&discovery, &client, on_discovery, &s, &e) == 0);
		run_until(&s.done, i + 1, 10000);
		CHECK(s.done == i + 1 && s.status == !i); /* the second time nothing has changed */
		CHECK(discovery_find(&discovery, "apps", "v1", "Deployment", &k, &e) == 0);
		CHECK(str_eq(k.plural, "deployments") && k.namespaced);
	}
}

static void case_close(void)
{
	struct seen s = {0};
	struct err e = {0};

	start(&s, (struct kclient_request){.path = "/silent"});
	wait_ms(50);
	kclient_close(&client);
	wait_ms(50);
	CHECK(s.done == 0);
	CHECK(kclient_open(&client, &loop, &credentials, &e) == 0);
	get(&s, "/stats");
	CHECK(s.status == 200);
}

static void case_stranger(void)
{
	struct seen s;

	get(&s, "/stats");
	printf("  fault %d: %s\n", s.fault, s.why);
	CHECK(s.fault == KCLIENT_TLS || s.fault == KCLIENT_RESET);
	credentials.ca = credentials.cert; /* now nor do we know the server */
	kclient_close(&client);
	CHECK(kclient_open(&client, &loop, &credentials, &(struct err){0}) == 0);
	get(&s, "/stats");
	printf("  fault %d: %s\n", s.fault, s.why);
	CHECK(s.fault == KCLIENT_TLS);
}

static void case_nobody(void)
{
	struct seen s;

	get(&s, "/stats");
	printf("  fault %d: %s\n", s.fault, s.why);
	CHECK(s.fault == KCLIENT_REFUSED && retry_rule(s.fault, s.status)->what == RETRY_LATER);
}

/* A connection that is never answered must not hold what comes after it. */
static void case_mute(void)
{
	struct seen s = {0}, behind = {0};

	start(&s, (struct kclient_request){.path = "/stats", .timeout_ms = 300});
	start(&behind, (struct kclient_request){.path = "/stats", .timeout_ms = 5000});
	run_until(&behind.done, 1, 6000);
	CHECK(s.fault == KCLIENT_TIMEOUT && behind.fault == KCLIENT_RESET);
	s = (struct seen){0};
	call(&s, (struct kclient_request){.path = "/stats", .timeout_ms = 5000});
	CHECK(s.fault == KCLIENT_OK && s.status == 200);
}

/* Kilobytes of this process in memory. */
static unsigned long resident(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f && fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	if (f)
		(void)fclose(f);
	return pages * 4;
}

static void case_memory(void)
{
	static struct seen watches[12];
	struct seen s;

	for (size_t i = 0; i < COUNT_OF(watches); i++)
		start(&watches[i],
		      (struct kclient_request){.path = "/watch?lines=80&size=4000&end=silent", .on_line = on_line});
	for (size_t i = 0; i < COUNT_OF(watches); i++)
		run_until(&watches[i].lines, 80, 10000);
	printf("  12 watches at rest, 960 objects seen: %lu KiB resident\n", resident());
	for (unsigned i = 0; i < 2000; i++)
		get(&s, "/fill?bytes=100000");
	CHECK(s.status == 200 && s.len == 100000);
	printf("  2000 calls of 100 KB later: %lu KiB resident\n", resident());
	CHECK(resident() < 4096);
}

static const struct test {
	const char *group;
	const char *name;
	void (*run)(void);
} tests[] = {
	{"all", "answer", case_answer},
	{"all", "large body", case_large_body_is_sent_and_freed},
	{"all", "together", case_together},
	{"all", "statuses", case_statuses},
	{"all", "watch", case_watch},
	{"all", "silence", case_silence},
	{"all", "cancel", case_cancel},
	{"all", "bounds", case_bounds},
	{"all", "discovery", case_discovery},
	{"all", "cut", case_cut},
	{"all", "close", case_close},
	{"http1", "answer", case_answer},
	{"http1", "watch", case_watch},
	{"http1", "silence", case_silence},
	{"http1", "cancel", case_cancel},
	{"http1", "bounds", case_bounds},
	{"http1", "cut", case_cut},
	{"http1", "close", case_close},
	{"stranger", "stranger", case_stranger},
	{"nobody", "nobody", case_nobody},
	{"mute", "mute", case_mute},
	{"memory", "memory", case_memory},
};

int main(int argc, char **argv)
{
	struct err e = {0};

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 3 || credentials_read(&credentials, argv[1], &e) < 0 || loop_init(&loop, &e) < 0 ||
	    kclient_open(&client, &loop, &credentials, &e) < 0) {
		printf("try: %s\n", e.text);
		return 2;
	}
	for (size_t i = 0; i < COUNT_OF(tests); i++) {
		unsigned before = failures;
		if (!str_eq(tests[i].group, argv[2]))
			continue;
		running = argv[2];
		tests[i].run();
		printf("%s\t%s: %s\n", failures == before ? "pass" : "fail", argv[2], tests[i].name);
	}
	kclient_close(&client);
	loop_fini(&loop);
	return failures > 0;
}
