/* The command-line client of PID 1. Runs as the caller, who must be root. Blocking is fine here, for ever is not. */
#include "console/ctl.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/exit.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "console/fields.h"
#include "console/kubeconfig.h"
#include "console/render.h"
#include "console/status.h"
#include "console/tail.h"
#include "console/text.h"
#include "console/words.h"
#include "core/proto.h"
#include "loop/chan.h"

#define TAIL_MS 300
#define PAGE    131072

struct ctl {
	const struct ctl_io *io;
	bool json;
	unsigned width; /* 0: no terminal, no limit */
	int chan;
	unsigned argc;
	const char *const *argv;
	struct buf out;
	char page[PAGE];
	char data[LIMIT_REPLY + 1];
	char status[LIMIT_REPLY + 1];
	struct words_logs logs;
	struct tail tail;
};

static const char usage[] = "usage: hearth ctl [--json] COMMAND [WORD...]\n"
			    "       hearth ctl help      lists the commands\n";

/* --- output ----------------------------------------------------------------------------------- */

static int write_all(int fd, const char *data, size_t n, struct err *e)
{
	while (n) {
		ssize_t done = sys_write(fd, data, n);
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		if (done < 0 && errno == EAGAIN)
			(void)sys_poll(&p, 1, 1000); /* a terminal that somebody else made non-blocking */
		else if (done < 0 && errno != EINTR)
			return err_sys(e, "output");
		if (done > 0) {
			data += done;
			n -= (size_t)done;
		}
	}
	return 0;
}

static int flush(struct ctl *c, struct err *e)
{
	int rc = write_all(c->io->out, c->out.data, c->out.len, e);
	if (!rc && !buf_ok(&c->out))
		rc = err_set(e, EMSGSIZE, "the answer is too long to show; use --json");
	buf_reset(&c->out);
	return rc;
}

static int complain(const struct ctl_io *io, const char *text, int code)
{
	char line[ERR_TEXT + 32];
	struct err e;
	struct buf b;
	buf_init(&b, line, sizeof(line));
	buf_add(&b, "hearth ctl: ");
	text_clean(&b, text, strlen(text));
	buf_add_char(&b, '\n');
	(void)write_all(io->err, line, b.len, &e);
	return code;
}

/* Columns of the terminal, less one; 0 when it is none. */
static unsigned output_width(int fd)
{
	struct winsize size;
	memset(&size, 0, sizeof(size));
	if (sys_ioctl(fd, TIOCGWINSZ, &size) < 0)
		return 0;
	if (!size.ws_col)
		return 79;
	return size.ws_col < 33 ? 32 : size.ws_col - 1u;
}

/* --- talking to PID 1 ------------------------------------------------------------------------- */

static int connect_to(const char *path, struct err *e)
{
	int fd = chan_connect(path, e);
	if (fd >= 0)
		return fd;
	if (e->code == EACCES || e->code == EPERM)
		return err_set(e, e->code, "not allowed: only root may talk to PID 1 (%s)", path);
	return err_prefix(e, "PID 1 cannot be reached");
}

/* 0: *r is PROTO_OK. 1: PID 1 says no. EXIT_SYSTEM: no answer. Errors are said. */
static int call(struct ctl *c, unsigned argc, const char *const *argv, struct proto_reply *r)
{
	struct err e = {0};
	if (proto_call(c->chan, argc, argv, c->data, sizeof(c->data), CTL_ANSWER_MS, r, &e)) {
		if (e.code == ETIMEDOUT)
			err_set(&e, ETIMEDOUT, "%s: PID 1 did not answer within %d s", argv[0], CTL_ANSWER_MS / 1000);
		return complain(c->io, e.text, EXIT_SYSTEM);
	}
	return r->kind == PROTO_OK ? 0 : complain(c->io, r->text, 1);
}

static int print_error(struct ctl *c, const struct err *e)
{
	return complain(c->io, e->text, 1);
}

static int print_answer(struct ctl *c, const struct proto_reply *r)
{
	struct err e = {0};
	if (c->json)
		buf_addf(&c->out, "%s\n", r->text);
	else if (render_answer(c->argv[0], r->text, c->width, &c->out))
		return complain(c->io, "PID 1 answered something that is no JSON object", EXIT_SYSTEM);
	return flush(c, &e) ? print_error(c, &e) : 0;
}

static int run_plain(struct ctl *c)
{
	struct proto_reply r;
	int rc = call(c, c->argc, c->argv, &r);
	return rc ? rc : print_answer(c, &r);
}

static int run_status(struct ctl *c)
{
	static const char *const services[] = {"services"};
	struct proto_reply r;
	struct err e = {0};
	int rc = call(c, c->argc, c->argv, &r);
	if (rc || c->json || c->argc > 1)
		return rc ? rc : print_answer(c, &r);
	if (str_copy(c->status, sizeof(c->status), r.text))
		return complain(c->io, "PID 1's answer is too long", EXIT_SYSTEM);
	rc = call(c, 1, services, &r);
	if (rc)
		return rc;
	if (status_render_text(c->status, r.text, c->width, &c->out))
		return complain(c->io, "PID 1 answered something that is no JSON object", EXIT_SYSTEM);
	return flush(c, &e) ? print_error(c, &e) : 0;
}

/* --- events -f -------------------------------------------------------------------------------- */

static void add_event(struct ctl *c, const char *json)
{
	if (c->json)
		buf_addf(&c->out, "%s\n", json);
	else
		(void)render_event(json, c->width, &c->out);
}

static uint64_t number(const char *json, const char *key)
{
	yyjson_doc *doc = fields_read(json);
	uint64_t n = field_u64(yyjson_doc_get_root(doc), key);
	yyjson_doc_free(doc);
	return n;
}

static int read_events(struct ctl *c, int follower, uint64_t from)
{
	struct err e = {0};
	struct proto_reply r;
	for (;;) {
		struct pollfd p = {.fd = follower, .events = POLLIN};
		if (sys_poll(&p, 1, -1) < 0 && errno != EINTR)
			return complain(c->io, "waiting for events failed", EXIT_SYSTEM);
		ssize_t n = chan_recv(follower, c->data, sizeof(c->data) - 1, NULL, &e);
		if (n < 0 && (e.code == EAGAIN || e.code == EINTR))
			continue;
		if (n == 0)
			return complain(c->io, "PID 1 closed the connection", EXIT_SYSTEM);
		if (n < 0 || proto_parse(c->data, (size_t)n, &r, &e))
			return complain(c->io, e.text, EXIT_SYSTEM);
		if (r.kind != PROTO_EVENT || number(r.text, "seq") < from)
			continue;
		add_event(c, r.text);
		if (flush(c, &e))
			return print_error(c, &e);
	}
}

/* Two connections: what comes on the following one while the last events are fetched on the other stays queued there,
 * so nothing is missing between the two and nothing is shown twice. */
static int run_events(struct ctl *c)
{
	static const char *const plain[] = {"events"};
	struct err e = {0};
	struct proto_reply r;
	if (!words_follow_events(c->argc, c->argv))
		return run_plain(c);
	int rc = call(c, c->argc, c->argv, &r);
	if (rc)
		return rc;
	int follower = c->chan;
	c->chan = connect_to(c->io->path, &e);
	if (c->chan < 0) {
		c->chan = follower;
		return complain(c->io, e.text, EXIT_SYSTEM);
	}
	rc = call(c, 1, plain, &r);
	if (!rc) {
		uint64_t next = number(r.text, "next");
		rc = print_answer(c, &r);
		if (!rc)
			rc = read_events(c, follower, next);
	}
	sys_close(follower);
	return rc;
}

/* --- logs ------------------------------------------------------------------------------------- */

/* To a pipe or a file as it is; a terminal gets no control characters. A piece is cut anywhere, so its last line may
 * go on in the next: line breaks are copied, not made. */
static void add_log(struct ctl *c, const char *data, size_t n)
{
	if (!c->width) {
		buf_add_n(&c->out, data, n);
		return;
	}
	while (n) {
		const char *end = memchr(data, '\n', n);
		size_t len = end ? (size_t)(end - data) : n;
		text_clean(&c->out, data, len);
		if (end)
			buf_add_char(&c->out, '\n');
		len += end ? 1 : 0;
		data += len;
		n -= len;
	}
}

static int copy_log(struct ctl *c, struct err *e)
{
	char data[4096];
	for (;;) {
		size_t cap = sizeof(data);
		off_t left = c->tail.end - c->tail.at;
		if (!c->logs.follow && left < (off_t)cap)
			cap = left > 0 ? (size_t)left : 0;
		ssize_t n = cap ? tail_read(&c->tail, data, cap, e) : 0;
		if (n < 0 || (n == 0 && !c->logs.follow))
			return (int)n;
		if (n == 0)
			(void)sys_poll(NULL, 0, TAIL_MS);
		add_log(c, data, (size_t)n);
		if (flush(c, e))
			return -1;
	}
}

static int run_logs(struct ctl *c)
{
	struct err e = {0};
	struct proto_reply r;
	if (words_logs(c->argc, c->argv, &c->logs, &e))
		return complain(c->io, e.text, EXIT_USAGE);
	const char *words[3];
	int rc = call(c, words_logs_ask(&c->logs, words), words, &r);
	if (rc || c->json)
		return rc ? rc : print_answer(c, &r);
	yyjson_doc *doc = fields_read(r.text);
	const char *path = field_str(yyjson_doc_get_root(doc), "path");
	rc = words_logs_may_open(&c->logs, path) ? tail_open(&c->tail, path, c->logs.lines, &e)
	                                         : err_set(&e, EINVAL, "'%s' is not the path of a log", path);
	yyjson_doc_free(doc);
	if (!rc)
		rc = copy_log(c, &e);
	tail_close(&c->tail);
	return rc ? print_error(c, &e) : 0;
}

/* --- kubeconfig ------------------------------------------------------------------------------- */

static int run_kubeconfig(struct ctl *c)
{
	struct proto_reply r;
	struct err e = {0};
	int rc = call(c, c->argc, c->argv, &r);
	if (rc || c->json)
		return rc ? rc : print_answer(c, &r);
	return kubeconfig_print(r.text, &c->out, &e) || flush(c, &e) ? print_error(c, &e) : 0;
}

/* --- main ------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(struct ctl *c);
} own[] = {{"events", run_events}, {"kubeconfig", run_kubeconfig}, {"logs", run_logs}, {"status", run_status}};

static int run(struct ctl *c)
{
	for (size_t i = 0; i < COUNT_OF(own); i++)
		if (str_eq(own[i].name, c->argv[0]))
			return own[i].run(c);
	return run_plain(c);
}

int ctl_run(const struct ctl_io *io, int argc, const char *const *argv)
{
	static struct ctl c;
	struct err e = {0};
	memset(&c, 0, sizeof(c));
	c.io = io;
	c.tail.fd = -1;
	c.width = output_width(io->out);
	buf_init(&c.out, c.page, sizeof(c.page));
	if (argc > 1 && str_eq(argv[1], "--json")) {
		c.json = true;
		argc--;
		argv++;
	}
	if (argc < 2 || argv[1][0] == '-') {
		(void)write_all(io->err, usage, sizeof(usage) - 1, &e);
		return EXIT_USAGE;
	}
	c.argc = (unsigned)argc - 1;
	c.argv = argv + 1;
	c.chan = connect_to(io->path, &e);
	int rc = c.chan < 0 ? complain(io, e.text, EXIT_SYSTEM) : run(&c);
	if (c.chan >= 0)
		sys_close(c.chan);
	/* c outlives its caller's words. */
	c.io = NULL;
	c.argv = NULL;
	return rc;
}

int ctl_main(int argc, char **argv)
{
	const struct ctl_io io = {PATH_CONTROL, STDOUT_FILENO, STDERR_FILENO};
	const char *words[32];
	if (argc > (int)COUNT_OF(words))
		return complain(&io, "too many words", EXIT_USAGE);
	for (int i = 0; i < argc; i++)
		words[i] = argv[i];
	return ctl_run(&io, argc, words);
}
