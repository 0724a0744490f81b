/* Tells PID 1 one fact over the control socket. Used by the one-shot roles; blocks for TELL_TRIES * TELL_WAIT_MS at
 * most. */
#include "node/tell.h"

#include <errno.h>
#include <string.h>

#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "core/proto.h"
#include "loop/chan.h"

#define REPLY_BYTES 1024 /* answers to `fact` are one sentence */
#define RETRY_MS    500

static int try_once(unsigned argc, const char *const *argv, struct err *e)
{
	char data[REPLY_BYTES];
	struct proto_reply reply;
	int chan = chan_connect(PATH_CONTROL, e);

	if (chan < 0)
		return -1;
	int rc = proto_call(chan, argc, argv, data, sizeof(data), TELL_WAIT_MS, &reply, e);
	sys_close(chan);
	if (rc == 0 && reply.kind == PROTO_ERROR)
		return err_set(e, EINVAL, "%s", reply.text);
	return rc;
}

int tell_fact(const char *name, enum fact_value v, const char *detail, struct err *e)
{
	char cut[LIMIT_DETAIL];
	size_t n = strnlen(detail, sizeof(cut) - 1);
	const char *argv[] = {"fact", name, fact_value_name(v), cut};
	unsigned argc = n > 0 ? 4 : 3;

	memcpy(cut, detail, n);
	cut[n] = '\0';
	for (unsigned i = 0; i < TELL_TRIES; i++) {
		if (i > 0)
			(void)sys_poll(NULL, 0, RETRY_MS);
		if (try_once(argc, argv, e) == 0)
			return 0;
	}
	return err_prefix(e, "fact %s", name);
}
