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

unsigned stale_claims(yyjson_val *workload)
{
	int64_t n = object_int(workload, "/status/readyReplicas", object_int(workload, "/status/numberReady", 0));
	return n < 0 ? 0 : n < UINT16_MAX ? (unsigned)n : UINT16_MAX;
}

bool stale_ready(yyjson_val *pod, struct object_id *workload, char name[OBJECT_NAME])
{
	const char *hash = object_key(pod, "/metadata/labels", "pod-template-hash");
	const char *owner = object_str(pod, "/metadata/ownerReferences/0/name");
	size_t all = strlen(owner), tail = strlen(hash);
	*workload = (struct object_id){"apps", object_str(pod, "/metadata/ownerReferences/0/kind"),
	                               object_str(pod, "/metadata/namespace"), name};
	if (!object_is(pod, "Ready", "True") || str_copy(name, OBJECT_NAME, owner) < 0)
		return false;
	if (str_eq(workload->kind, "ReplicaSet") && tail > 0 && all > tail + 1 && str_eq(owner + all - tail, hash)) {
		workload->kind = "Deployment";
		name[all - tail - 1] = '\0';
	}
	return owner[0] != '\0';
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
