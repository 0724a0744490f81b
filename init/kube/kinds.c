/* The table of kinds; see kinds.h. Runs in the kube role.
 * Never says anything of what a kind is; only when its turn comes. */
#include "kube/kinds.h"

#include "base/str.h"

static const char *const order[] = {
	"Namespace",
	"CustomResourceDefinition",
	"PriorityClass",
	"RuntimeClass",
	"NetworkPolicy",
	"ResourceQuota",
	"LimitRange",
	"PodDisruptionBudget",
	"ServiceAccount",
	"Secret",
	"ConfigMap",
	"StorageClass",
	"PersistentVolume",
	"PersistentVolumeClaim",
	"ClusterRole",
	"ClusterRoleBinding",
	"Role",
	"RoleBinding",
	"Service",
	"DaemonSet",
	"Pod",
	"ReplicaSet",
	"Deployment",
	"HorizontalPodAutoscaler",
	"StatefulSet",
	"Job",
	"CronJob",
	"IngressClass",
	"Ingress",
	"APIService",
};

unsigned kinds_rank(const char *kind)
{
	unsigned i = 0;

	while (i < COUNT_OF(order) && !str_eq(order[i], kind))
		i++;
	return i;
}
