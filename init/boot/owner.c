/* The owner's login as PID 1 sees it; see owner.h. Checks nothing: that is the owner role's. */
#include "boot/owner.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

static int hear_code(struct owner *o, const char *code, struct err *e)
{
	char kept[sizeof(o->code)];
	if (str_copy(kept, sizeof(kept), code) < 0)
		return err_set(e, EINVAL, "no code is so long");
	memcpy(o->code, kept, sizeof(kept));
	o->login = code[0] != '\0' ? OWNER_FIRST : OWNER_SET;
	return 0;
}

int owner_hear(struct owner *o, struct events *evs, const struct request *rq, struct err *e)
{
	if (rq->argc >= 1 && str_eq(rq->argv[0], "code"))
		return hear_code(o, rq->argc > 1 ? rq->argv[1] : "", e);
	if (rq->argc != 2 || !str_eq(rq->argv[0], "event"))
		return err_set(e, EINVAL, "code [CODE] or event TEXT");
	event_add(evs, EVENT_OWNER, "owner", "%s", rq->argv[1]);
	return 0;
}

void owner_text(const struct owner *o, const char *url, struct buf *b)
{
	if (o->login == OWNER_FIRST)
		buf_addf(b, "first login: code %s at %s", o->code,
		         url[0] != '\0' ? url : "its page, once it has an address");
	else if (o->login == OWNER_SET)
		buf_add(b, "a password is set; 'owner reset' forgets it and makes a code for a new one");
	else
		buf_add(b, "not known yet: the owner service has not said anything");
}

void owner_json(const struct owner *o, enum peer peer, struct json *out)
{
	static const char *const names[] = {[OWNER_UNKNOWN] = "", [OWNER_FIRST] = "first", [OWNER_SET] = "set"};
	json_string(out, "owner", names[o->login]);
	if (peer == PEER_LOCAL && o->login == OWNER_FIRST)
		json_string(out, "first_login", o->code);
}
