/* The table of answers. Runs in the kube role. Knows no clock and no source of chance. */
#include "kube/retry.h"

#include "base/backoff.h"
#include "base/str.h"

static const struct retry_rule faults[KCLIENT_FAULTS] = {
	[KCLIENT_OK] = {RETRY_LATER, true, "the API server sent an answer without a status"},
	[KCLIENT_REFUSED] = {RETRY_LATER, false, "the API server is not there"},
	[KCLIENT_RESET] = {RETRY_LATER, false, "the API server closed the connection"},
	[KCLIENT_CUT] = {RETRY_LATER, false, "the API server broke off its answer"},
	[KCLIENT_TIMEOUT] = {RETRY_LATER, false, "the API server did not answer in time"},
	[KCLIENT_TLS] = {RETRY_LOGIN, true, "no secure connection to the API server"},
	[KCLIENT_TOO_LARGE] = {RETRY_GIVE_UP, true, "the answer is too large"},
	[KCLIENT_MEMORY] = {RETRY_LATER, true, "out of memory"},
	[KCLIENT_BROKEN] = {RETRY_LATER, true, "the API server sent something that is no answer"},
};

/* The first row that fits counts. */
static const struct status_row {
	int from;
	int to;
	struct retry_rule rule;
} statuses[] = {
	{200, 299, {RETRY_DONE, false, "done"}},
	{304, 304, {RETRY_DONE, false, "not changed"}},
	{400, 400, {RETRY_GIVE_UP, true, "the API server cannot read the request"}},
	{401, 401, {RETRY_LOGIN, true, "the API server does not accept our certificate"}},
	/* Also while it makes its roles at the first start, and while a namespace
           goes. */
	{403, 403, {RETRY_LATER, true, "not allowed"}},
	{404, 404, {RETRY_MISSING, false, "not there"}},
	{405, 405, {RETRY_GIVE_UP, true, "this kind does not support the request"}},
	{408, 408, {RETRY_LATER, false, "the API server gave up waiting for the request"}},
	{409, 409, {RETRY_CONFLICT, false, "conflict with another change"}},
	{410, 410, {RETRY_RELIST, false, "the version asked for is not kept any more"}},
	{413, 413, {RETRY_GIVE_UP, true, "the object is too large for the API server"}},
	{415, 415, {RETRY_GIVE_UP, true, "the API server does not know this form of request"}},
	{422, 422, {RETRY_GIVE_UP, true, "the object is not valid"}},
	{429, 429, {RETRY_LATER, false, "the API server is busy"}},
	{500, 500, {RETRY_LATER, true, "the API server failed"}},
	{501, 501, {RETRY_GIVE_UP, true, "the API server does not support the request"}},
	{502, 504, {RETRY_LATER, false, "the API server is not ready"}},
	{505, 505, {RETRY_GIVE_UP, true, "the API server does not speak this HTTP"}},
	{506, 599, {RETRY_LATER, true, "the API server failed"}},
	{300, 499, {RETRY_GIVE_UP, true, "the API server refused the request"}},
};

const struct retry_rule *retry_rule(enum kclient_fault fault, int status)
{
	static const struct retry_rule strange = {RETRY_LATER, true, "the API server sent an unknown status"};

	if (fault >= KCLIENT_FAULTS)
		return &faults[KCLIENT_BROKEN];
	if (fault != KCLIENT_OK || status == 0)
		return &faults[fault];
	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		if (status >= statuses[i].from && status <= statuses[i].to)
			return &statuses[i].rule;
	}
	return &strange;
}

uint64_t retry_next_ms(struct retry *r, unsigned retry_after_s, uint32_t random)
{
	static const struct backoff_rule rule = {RETRY_BASE_MS, RETRY_CAP_MS, RETRY_FLOOR_MS, RETRY_AFTER_S};

	return backoff_next_ms(&rule, &r->tries, retry_after_s, random);
}

void retry_reset(struct retry *r)
{
	r->tries = 0;
}
