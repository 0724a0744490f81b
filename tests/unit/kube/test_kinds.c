/* init/kube/kinds.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "kube/kinds.h"

static void what_others_stand_on_comes_first(void **state)
{
	static const char *const chain[] = {
		"Namespace",     "CustomResourceDefinition",
		"ResourceQuota", "ServiceAccount",
		"Secret",        "ConfigMap",
		"StorageClass",  "PersistentVolumeClaim",
		"ClusterRole",   "ClusterRoleBinding",
		"Role",          "RoleBinding",
		"Service",       "DaemonSet",
		"Deployment",    "StatefulSet",
		"Job",           "CronJob",
		"Ingress",       "APIService",
	};

	(void)state;
	for (size_t i = 1; i < COUNT_OF(chain); i++)
		assert_true(kinds_rank(chain[i - 1]) < kinds_rank(chain[i]));
	assert_true(kinds_rank("APIService") < kinds_rank("Certificate"));
	assert_int_equal(kinds_rank("Certificate"), kinds_rank("namespace"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_others_stand_on_comes_first)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
