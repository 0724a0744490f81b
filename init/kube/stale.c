/* Is it of this boot? Pure; runs in the kube role. */
#include "kube/stale.h"

#include <string.h>
#include <time.h>

#include "base/str.h"
#include "kube/object.h"

int64_t stale_time(const char *text)
{
	struct tm t = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &t);
	if (end && *end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	return end && str_eq(end, "Z") ? (int64_t)timegm(&t) : INT64_MAX;
}

bool stale_pod(yyjson_val *pod, int64_t began)
{
	yyjson_arr_iter it;
	yyjson_val *c;
	if (!str_eq(object_str(pod, "/status/phase"), "Running") ||
	    object_str(pod, "/metadata/deletionTimestamp")[0] != '\0')
		return false;
	yyjson_arr_iter_init(yyjson_ptr_get(pod, "/status/containerStatuses"), &it);
	while ((c = yyjson_arr_iter_next(&it)) != NULL) {
		if (stale_time(object_str(c, "/state/running/startedAt")) < began)
			return true;
	}
	return false;
}

bool stale_node(yyjson_val *node, int64_t began)
{
	return stale_time(object_str(object_condition(node, "Ready"), "/lastHeartbeatTime")) < began;
}

int64_t stale_began(int64_t known, int64_t wall_ms, uint64_t up_ms)
{
	int64_t ms = wall_ms - (int64_t)up_ms;
	int64_t now = ms / 1000 - (ms % 1000 < 0); /* as startedAt: without the fraction */
	return now < known ? now : known;
}
