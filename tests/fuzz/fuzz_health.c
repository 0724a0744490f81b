/* kube/health and what else reads an object (kube/object, kube/pods, kube/outcome): any JSON document, of any kind,
 * gives an answer and a sentence that is terminated and fits. */
#include <string.h>

#include "base/str.h"
#include "fuzz/check.h"
#include "kube/health.h"
#include "kube/object.h"
#include "kube/outcome.h"
#include "kube/pods.h"

static const char *const kinds[][2] = {{"apps", "Deployment"},
                                       {"apps", "ReplicaSet"},
                                       {"apps", "StatefulSet"},
                                       {"apps", "DaemonSet"},
                                       {"batch", "Job"},
                                       {"", "Pod"},
                                       {"", "PersistentVolumeClaim"},
                                       {"", "PersistentVolume"},
                                       {"", "Service"},
                                       {"", "Namespace"},
                                       {"", "Node"},
                                       {"", "ConfigMap"},
                                       {"apiextensions.k8s.io", "CustomResourceDefinition"},
                                       {"apiregistration.k8s.io", "APIService"},
                                       {"policy", "PodDisruptionBudget"},
                                       {"example.dev", "Thing"}};

static void read_health(yyjson_val *root)
{
	char why[HEALTH_TEXT];
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		memset(why, 'x', sizeof(why));
		enum health h = health_of(kinds[i][0], kinds[i][1], root, why);
		FUZZ_CHECK(h <= HEALTH_TERMINATING && strnlen(why, sizeof(why)) < sizeof(why));
		FUZZ_CHECK(yyjson_is_obj(root) || h == HEALTH_UNKNOWN);
		FUZZ_CHECK(!object_str(root, "/metadata/deletionTimestamp")[0] || h == HEALTH_TERMINATING);
	}
}

static void read_pods(yyjson_val *root)
{
	static char text[20000];
	char path[256];
	struct buf b;
	struct json j;
	struct err e = {0};
	buf_init(&b, text, sizeof(text));
	json_init(&j, &b);
	pods_answer(&j, root, 2000000000, sizeof(text));
	FUZZ_CHECK(json_ok(&j) || !buf_ok(&b));
	buf_init(&b, path, sizeof(path));
	if (pods_log(root, "", &b, &e) == 0)
		FUZZ_CHECK(str_starts(path, PODS_LOGS "/") && !strstr(path, ".."));
}

static void read_answer(yyjson_val *root)
{
	char text[200];
	struct buf b;
	static const int statuses[] = {200, 409, 422, 500};
	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		const struct outcome_answer a = {KCLIENT_OK, statuses[i], 0, "", root};
		buf_init(&b, text, sizeof(text));
		FUZZ_CHECK(outcome_of(&a) < OUTCOMES);
		outcome_text(&a, &b);
		outcome_rival(root, &b);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	yyjson_doc *doc = yyjson_read((const char *)data, size, 0);
	yyjson_val *root = yyjson_doc_get_root(doc);
	read_health(root);
	read_pods(root);
	read_answer(root);
	(void)object_owned(root, "hearth");
	(void)object_last_manager(root, "hearth");
	(void)object_revision(root);
	yyjson_doc_free(doc);
	return 0;
}
