/* core/command: whatever the message, either a message for a person and no call, or a call with counts and rights as
 * in the row and words inside the message. */
#include <string.h>

#include "base/str.h"
#include "core/command.h"
#include "fuzz/check.h"

static const char *msg_start, *msg_end;
static unsigned calls;

static int answer(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	(void)arg;
	calls++;
	json_open_list(out, NULL);
	for (unsigned i = 0; i < rq->argc; i++) {
		FUZZ_CHECK(rq->argv[i] > msg_start && rq->argv[i] + strlen(rq->argv[i]) < msg_end);
		json_string(out, NULL, rq->argv[i]);
	}
	json_close_list(out);
	return rq->argc > 0 && str_eq(rq->argv[0], "no") ? err_set(e, 1, "refused") : 0;
}

static int answer_local(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	FUZZ_CHECK(rq->peer == PEER_LOCAL);
	return answer(rq, out, arg, e);
}

static int answer_one(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	FUZZ_CHECK(rq->argc == 1);
	return answer_local(rq, out, arg, e);
}

static const struct command rows[] = {
	{"status", "", "show the box", PEER_LOCAL | PEER_WEB, 0, 0, answer, NULL},
	{"restart", "NAME", "restart a service", PEER_LOCAL, 1, 1, answer_one, NULL},
	{"fact", "NAME on|off|unknown [DETAIL]", "set a fact", PEER_LOCAL, 2, 3, answer_local, NULL},
	{"many", "WORD...", "take all", PEER_LOCAL | PEER_WEB, 0, COMMAND_ARGS, answer, NULL},
	{0},
};

static void run(struct commands *cs, enum peer peer, const uint8_t *data, size_t size)
{
	static char text[LIMIT_REPLY];
	struct buf b;
	struct json j;
	struct err e = {0};

	buf_init(&b, text, sizeof(text));
	json_init(&j, &b);
	msg_start = (const char *)data;
	msg_end = msg_start + size;
	calls = 0;
	int rc = command_run(cs, peer, msg_start, size, &j, &e);
	FUZZ_CHECK(calls <= 1);
	if (rc == 0)
		FUZZ_CHECK(json_ok(&j));
	else
		FUZZ_CHECK(e.code != 0 && e.text[0] && (calls == 0 || strstr(e.text, ": refused")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct commands cs;
	struct err e = {0};

	commands_init(&cs);
	FUZZ_CHECK(commands_register(&cs, rows, &e) == 0);
	run(&cs, PEER_LOCAL, data, size);
	run(&cs, PEER_WEB, data, size);
	return 0;
}
