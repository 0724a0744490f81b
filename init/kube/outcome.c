/* Answers of the API server sorted into what we do about them. Pure; runs in the kube role. */
#include "kube/outcome.h"

#include <string.h>

#include "base/str.h"
#include "kube/object.h"

#define CONFLICT "FieldManagerConflict"

/* Some cause of the Status has that reason. */
static bool has_cause(yyjson_val *status, const char *reason)
{
	yyjson_arr_iter it;
	yyjson_val *c;
	yyjson_arr_iter_init(yyjson_ptr_get(status, "/details/causes"), &it);
	while ((c = yyjson_arr_iter_next(&it)) != NULL) {
		if (str_eq(object_str(c, "/reason"), reason))
			return true;
	}
	return false;
}

/* Validation says it in words only, and not always in the same ones. */
static bool is_fixed(yyjson_val *status)
{
	static const char *const words[] = {"field is immutable", "may not change once set",
	                                    "updates to statefulset spec", "is immutable after creation"};
	const char *text = object_str(status, "/message");
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strstr(text, words[i]))
			return true;
	}
	return false;
}

static bool is_everywhere(const struct outcome_answer *a)
{
	/* Too large, cut: of this object only. */
	if (a->fault != KCLIENT_OK)
		return a->fault == KCLIENT_REFUSED || a->fault == KCLIENT_RESET || a->fault == KCLIENT_TLS ||
		       a->fault == KCLIENT_TIMEOUT || a->fault == KCLIENT_BROKEN;
	return a->status == 401 || a->status == 429 || a->status == 503;
}

enum outcome outcome_of(const struct outcome_answer *a)
{
	switch (retry_rule(a->fault, a->status)->what) {
	case RETRY_DONE:
		return yyjson_is_obj(a->body) ? OUTCOME_OK : OUTCOME_LATER;
	case RETRY_CONFLICT:
		return has_cause(a->body, CONFLICT) ? OUTCOME_TAKEN : OUTCOME_LATER;
	case RETRY_MISSING:
		return OUTCOME_MISSING;
	case RETRY_GIVE_UP:
		return a->status == 422 && is_fixed(a->body) ? OUTCOME_FIXED : OUTCOME_REFUSED;
	case RETRY_LATER:
	case RETRY_LOGIN:
	case RETRY_RELIST:
		break;
	}
	return is_everywhere(a) ? OUTCOME_HOLD : OUTCOME_LATER;
}

void outcome_text(const struct outcome_answer *a, struct buf *b)
{
	const char *said = object_str(a->body, "/message");
	const struct retry_rule *rule = retry_rule(a->fault, a->status);
	if (a->fault != KCLIENT_OK && a->why && a->why[0])
		buf_add(b, a->why);
	else if (said[0])
		buf_add(b, said);
	else if (rule->what == RETRY_DONE && !yyjson_is_obj(a->body))
		buf_addf(b, "the API server sent an answer that is %s (status %d)",
		         a->body ? "no JSON object" : "not JSON", a->status);
	else
		buf_addf(b, "%s (status %d)", rule->text, a->status);
}

void outcome_rival(yyjson_val *status, struct buf *b)
{
	yyjson_arr_iter it;
	yyjson_val *c;
	unsigned n = 0;
	yyjson_arr_iter_init(yyjson_ptr_get(status, "/details/causes"), &it);
	while ((c = yyjson_arr_iter_next(&it)) != NULL) {
		if (!str_eq(object_str(c, "/reason"), CONFLICT) || n++ > 0)
			continue;
		/* conflict with "kubectl-edit" using apps/v1 */
		const char *name = strchr(object_str(c, "/message"), '"');
		size_t len = name ? strcspn(name + 1, "\"") : 0;
		buf_addf(b, "%.*s on %s", len > 0 ? (int)(len < 64 ? len : 64) : 7, len > 0 ? name + 1 : "another",
		         object_str(c, "/field"));
	}
	if (n > 1)
		buf_addf(b, " and %u more", n - 1);
}
