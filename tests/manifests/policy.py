"""What every object of the platform must be like: one table of rules. A rule is a generator over a Platform that yields
(object, what is wrong); the text behind @rule says what to do about it.

An object is exempt from a rule by the annotation  hearth.dev/policy-exempt: "RULE: reason"  on itself or its pod
template; several are parted by ";" or lines. An exemption without a reason, of an unknown rule, or of one that has
nothing to say about the object is a finding too."""
import collections
import re

import yaml

from objects import APP, WAVE, matches

EXEMPT = "hearth.dev/policy-exempt"
PSS = "pod-security.kubernetes.io/enforce"
JOBS = ("Job", "CronJob")
HOST = ("hostNetwork", "hostPID", "hostIPC")
# Pod Security Standards, restricted: volume types that are no way to the host.
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
# The same, baseline: capabilities that a container has anyway.
CAPABILITIES = {"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
                "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"}
# Fields whose text is for somebody else: scripts, configurations, dashboards, schemas.
FOREIGN_TEXT = {"data", "binaryData", "stringData", "command", "args", "annotations", "openAPIV3Schema", "description"}
LABEL = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
SUBDOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
BUILT_IN_ROLES = ("cluster-admin", "admin", "edit", "view", "extension-apiserver-authentication-reader")
SUFFIXES = {"": 1, "n": 1e-9, "u": 1e-6, "m": 1e-3, **{s: 1000 ** i for i, s in enumerate("kMGTPE", 1)},
            **{s + "i": 1024 ** i for i, s in enumerate("KMGTPE", 1)}}
RULES = {}


def rule(todo):
    def add(function):
        RULES[function.__name__.replace("_", "-")] = (function, todo)
        return function
    return add


def quantity(text):
    """"100m", "2Gi", 3 as a number; 0 for what kubeconform refuses."""
    m = re.fullmatch(r"([0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)", str(text))
    return float(m[1]) * SUFFIXES.get(m[2], 0) if m else 0


def shown(key, value):
    if "memory" in key or "storage" in key and "claims" not in key:
        return f"{value / 2 ** 20:.0f}Mi"
    return f"{value:g}"


def security(container, pod, field):
    """A setting of the container, else of its pod."""
    own = container.get("securityContext") or {}
    return own[field] if field in own else (pod.get("securityContext") or {}).get(field)


def each_container(p, first=True):
    for o in p.workloads():
        for c in o.containers(first):
            yield o, c, c.get("name", "?")


# --- containers ---

@rule("give it one that fails when a restart would help (liveness) or when it cannot serve (readiness)")
def probes(p):
    for o, c, name in each_container(p, first=False):
        if o.kind in JOBS:
            continue
        for probe in ("livenessProbe", "readinessProbe"):
            if not c.get(probe):
                yield o, f"container {name} has no {probe}"


@rule("state both requests and limits of cpu and memory")
def resources(p):
    for o, c, name in each_container(p):
        for part in ("requests", "limits"):
            for what in ("cpu", "memory"):
                if what not in ((c.get("resources") or {}).get(part) or {}):
                    yield o, f"container {name} has no resources.{part}.{what}"


@rule("set runAsNonRoot: true and a runAsUser that the image works with")
def non_root(p):
    for o, c, name in each_container(p):
        if security(c, o.pod, "runAsNonRoot") is not True:
            yield o, f"container {name} may run as root"
        elif security(c, o.pod, "runAsUser") == 0:
            yield o, f"container {name} has runAsUser 0 beside runAsNonRoot, so it never starts"


@rule("set securityContext.allowPrivilegeEscalation: false")
def escalation(p):
    for o, c, name in each_container(p):
        if (c.get("securityContext") or {}).get("allowPrivilegeEscalation") is not False:
            yield o, f"container {name} may gain privileges"


@rule("set securityContext.capabilities.drop: [ALL], and add none but NET_BIND_SERVICE")
def capabilities(p):
    for o, c, name in each_container(p):
        caps = (c.get("securityContext") or {}).get("capabilities") or {}
        if "ALL" not in (caps.get("drop") or []):
            yield o, f"container {name} keeps capabilities"
        for extra in sorted(set(caps.get("add") or []) - {"NET_BIND_SERVICE"}):
            yield o, f"container {name} adds the capability {extra}"


@rule("set seccompProfile.type: RuntimeDefault")
def seccomp(p):
    for o, c, name in each_container(p):
        if (security(c, o.pod, "seccompProfile") or {}).get("type") != "RuntimeDefault":
            yield o, f"container {name} has no system call filter"


@rule("set securityContext.readOnlyRootFilesystem: true and mount an emptyDir where it writes")
def read_only_root(p):
    for o, c, name in each_container(p):
        if (c.get("securityContext") or {}).get("readOnlyRootFilesystem") is not True:
            yield o, f"container {name} can write to its root file system"


@rule("do without it, or say in an exemption why not")
def host_access(p):
    for o in p.workloads():
        for field in HOST:
            if o.pod.get(field):
                yield o, f"its pods have {field}"
        for v in o.pod.get("volumes") or []:
            if "hostPath" in v:
                yield o, f"its volume {v.get('name')} is the host's {v['hostPath'].get('path')}"
        for c in o.containers():
            if (c.get("securityContext") or {}).get("privileged"):
                yield o, f"container {c.get('name')} is privileged"


def has_version(image):
    return "@sha256:" in image or image.rsplit("/", 1)[-1].partition(":")[2] not in ("", "latest")


@rule("name the version, as in hearth.local/NAME:VERSION")
def image_tag(p):
    for o, c, name in each_container(p):
        if not has_version(c.get("image", "")):
            yield o, f"container {name} has the image '{c.get('image')}', which is not one version"


@rule("name one that board/images has, in its version: nobody else has it")
def image_known(p):
    for o, c, name in each_container(p):
        image = c.get("image", "")
        if image.startswith("hearth.local/") and has_version(image) and image not in p.images:
            yield o, f"container {name} has the image '{image}', which the box does not carry"


@rule("leave it out, or set IfNotPresent: the images are in the box, which may be offline")
def image_pull(p):
    for o, c, name in each_container(p):
        if c.get("imagePullPolicy") == "Always":
            yield o, f"container {name} has imagePullPolicy Always"


# --- how objects fit together ---

@rule("set strategy.type: Recreate: the new pod would open files that the old one still writes")
def recreate(p):
    for o in p.of("Deployment"):
        for claim in o.claims():
            pvc = p.find("PersistentVolumeClaim", o.namespace, claim)
            modes = pvc.spec.get("accessModes") or [] if pvc else []
            if (o.spec.get("strategy") or {}).get("type") != "Recreate" and "ReadWriteMany" not in modes:
                yield o, f"replaces its pods while the old ones run, and PVC {claim} is for one of them at a time"


@rule("add a NetworkPolicy with podSelector {}, policyTypes [Ingress, Egress] and no rules")
def default_deny(p):
    for ns in p.of("Namespace"):
        missing = {"Ingress", "Egress"}
        for policy in p.of("NetworkPolicy", ns.name):
            if policy.spec.get("podSelector") in ({}, None):
                missing -= {t for t in policy.spec.get("policyTypes") or [] if not policy.spec.get(t.lower())}
        for direction in sorted(missing):
            yield ns, f"nothing denies {direction.lower()} by default"


@rule(f"label it {PSS}: restricted, baseline or privileged")
def pod_security_label(p):
    for ns in p.of("Namespace"):
        if ns.labels.get(PSS) not in ("restricted", "baseline", "privileged"):
            yield ns, "does not say which pods it takes"


def pss_baseline(o):
    for field in HOST:
        if o.pod.get(field):
            yield field
    for v in o.pod.get("volumes") or []:
        if "hostPath" in v:
            yield f"hostPath volume {v.get('name')}"
    for c in o.containers():
        context = c.get("securityContext") or {}
        if context.get("privileged"):
            yield f"privileged container {c.get('name')}"
        for extra in sorted(set((context.get("capabilities") or {}).get("add") or []) - CAPABILITIES):
            yield f"capability {extra} of container {c.get('name')}"
        for port in c.get("ports") or []:
            if port.get("hostPort") and not o.pod.get("hostNetwork"):
                yield f"hostPort {port['hostPort']} of container {c.get('name')}"


def pss_restricted(o):
    yield from pss_baseline(o)
    for v in o.pod.get("volumes") or []:
        for kind in v.keys() - {"name", "hostPath"} - VOLUMES:
            yield f"{kind} volume {v.get('name')}"
    for c in o.containers():
        context, name = c.get("securityContext") or {}, c.get("name")
        caps = context.get("capabilities") or {}
        if security(c, o.pod, "runAsNonRoot") is not True:
            yield f"container {name} without runAsNonRoot"
        if context.get("allowPrivilegeEscalation") is not False:
            yield f"container {name} without allowPrivilegeEscalation false"
        if "ALL" not in (caps.get("drop") or []) or set(caps.get("add") or []) - {"NET_BIND_SERVICE"}:
            yield f"capabilities of container {name}"
        if (security(c, o.pod, "seccompProfile") or {}).get("type") not in ("RuntimeDefault", "Localhost"):
            yield f"container {name} without seccompProfile"


@rule("change the pod, or the namespace's label: as it stands the API server refuses the pod")
def pod_security(p):
    levels = {ns.name: ns.labels.get(PSS) for ns in p.of("Namespace")}
    checks = {"baseline": pss_baseline, "restricted": pss_restricted}
    for o in p.workloads():
        level = levels.get(o.namespace)
        for what in checks[level](o) if level in checks else ():
            yield o, f"its namespace is {level}, and that forbids: {what}"


@rule("add a ResourceQuota")
def quota(p):
    for ns in p.of("Namespace"):
        if not any(q.spec.get("hard") for q in p.of("ResourceQuota", ns.name)):
            yield ns, "nothing bounds what it may take in all"


@rule("add a LimitRange with default and defaultRequest of type Container")
def limit_range(p):
    for ns in p.of("Namespace"):
        if not any(r.get("type") == "Container" and r.get("default") and r.get("defaultRequest")
                   for o in p.of("LimitRange", ns.name) for r in o.spec.get("limits") or []):
            yield ns, "nothing gives its containers limits of their own"


@rule("make selector and pod labels agree; a Service without selector needs EndpointSlices of its name")
def service_selector(p):
    for o in p.of("Service"):
        if o.spec.get("type") == "ExternalName":
            continue
        if not o.spec.get("selector"):
            if not any(s.labels.get("kubernetes.io/service-name") == o.name
                       for s in p.of("EndpointSlice", o.namespace)):
                yield o, "has neither selector nor EndpointSlices"
        elif not p.pods(o.namespace, {"matchLabels": o.spec["selector"]}):
            yield o, f"its selector {o.spec['selector']} finds no pod"


@rule("name a port that the container declares")
def service_port(p):
    for o in p.of("Service"):
        pods = p.pods(o.namespace, {"matchLabels": o.spec["selector"]}) if o.spec.get("selector") else []
        for port in o.spec.get("ports") or []:
            target, protocol = port.get("targetPort", port.get("port")), port.get("protocol", "TCP")
            for pod in pods:
                if (target, protocol) not in pod.ports():
                    yield o, f"its target port {target}/{protocol} is no port of {pod}"


@rule("make its matchLabels a part of the pod template's labels; the API server refuses it otherwise")
def workload_selector(p):
    for o in p.workloads():
        if o.group == "apps" and not (o.spec.get("selector") and matches(o.spec["selector"], o.pod_labels)):
            yield o, "its selector does not find its own pods"


def all_claims(p):
    """(object, spec) of every PVC and every template of one."""
    for o in p.of("PersistentVolumeClaim"):
        yield o, o.spec
    for o in p.of("StatefulSet"):
        for claim in o.spec.get("volumeClaimTemplates") or []:
            yield o, claim.get("spec") or {}


@rule("use the class of the object's own namespace: local-path-NAMESPACE")
def storage_class(p):
    for o, spec in all_claims(p):
        name = spec.get("storageClassName")
        if not name:
            yield o, "names no storage class"
        elif not p.find("StorageClass", "", name):
            yield o, f"its storage class {name} does not exist"
        elif not name.endswith("-" + o.namespace):
            yield o, f"its storage class {name} belongs to another namespace"


def references(o):
    """(kind, name) of what its pods cannot start without. Secrets may be made later, by others."""
    for claim in o.claims():
        if claim:
            yield "PersistentVolumeClaim", claim
    if o.pod.get("serviceAccountName", "default") != "default":
        yield "ServiceAccount", o.pod["serviceAccountName"]
    for v in o.pod.get("volumes") or []:
        for source in [v] + [s for s in (v.get("projected") or {}).get("sources") or []]:
            config = source.get("configMap") or {}
            if config.get("name") and not config.get("optional"):
                yield "ConfigMap", config["name"]
    for c in o.containers():
        for source in c.get("envFrom") or []:
            if source.get("configMapRef") and not source["configMapRef"].get("optional"):
                yield "ConfigMap", source["configMapRef"].get("name")
        for env in c.get("env") or []:
            key = (env.get("valueFrom") or {}).get("configMapKeyRef") or {}
            if key and not key.get("optional"):
                yield "ConfigMap", key.get("name")


@rule("add it, or correct the name")
def reference(p):
    for o in p.workloads():
        for kind, name in sorted(set(references(o))):
            if name != "kube-root-ca.crt" and not p.find(kind, o.namespace, name):
                yield o, f"needs the {kind} {name}, which does not exist"


def peers(policy, field, side):
    for entry in policy.spec.get(field) or []:
        for peer in entry.get(side) or []:
            yield entry, peer


def peer_pods(p, policy, peer):
    """The pods that a peer means, and whether it means any namespace at all."""
    names = [policy.namespace]
    if "namespaceSelector" in peer:
        names = [n for n, labels in p.namespaces().items() if matches(peer["namespaceSelector"], labels)]
    return names, [o for n in names for o in p.pods(n, peer.get("podSelector"))]


@rule("correct the labels, or delete what lets nobody through")
def policy_selector(p):
    for o in p.of("NetworkPolicy"):
        own = o.spec.get("podSelector")
        if own and not p.pods(o.namespace, own):
            yield o, f"its podSelector {own} finds no pod"
        for field, side in (("ingress", "from"), ("egress", "to")):
            for _, peer in peers(o, field, side):
                names, pods = ([o.namespace], [o]) if "ipBlock" in peer else peer_pods(p, o, peer)
                if not names:
                    yield o, f"its {field} namespaceSelector {peer['namespaceSelector']} finds no namespace"
                elif peer.get("podSelector") and not pods:
                    yield o, f"its {field} podSelector {peer['podSelector']} finds no pod in {', '.join(names)}"


def policy_targets(p, policy):
    """(field, rule, pods) where rule's ports are ports of pods."""
    for entry in policy.spec.get("ingress") or []:
        yield "ingress", entry, p.pods(policy.namespace, policy.spec.get("podSelector"))
    for entry in policy.spec.get("egress") or []:
        for peer in entry.get("to") or []:
            if peer.get("podSelector"):
                yield "egress", entry, peer_pods(p, policy, peer)[1]


@rule("name the port of the container, not of its Service: policies judge what arrives at the pod")
def policy_port(p):
    for o in p.of("NetworkPolicy"):
        for field, entry, pods in policy_targets(p, o):
            known = set().union(*(pod.ports() for pod in pods))
            for port in entry.get("ports") or []:
                key = port.get("port"), port.get("protocol", "TCP")
                if pods and key[0] is not None and "endPort" not in port and key not in known:
                    yield o, f"its {field} port {key[0]}/{key[1]} is no port of {', '.join(sorted(map(str, pods)))}"


def of_pods(o):
    """How many pods it may have at once: while a Deployment is replaced, one more."""
    if o.kind == "DaemonSet":
        return 1
    surge = o.kind == "Deployment" and (o.spec.get("strategy") or {}).get("type") != "Recreate"
    return int(o.spec.get("replicas", 1)) + surge


def demand(p, ns):
    """What the objects of a namespace may ask for in all, by the names that a quota uses."""
    total = collections.Counter()
    for o in p.workloads():
        if o.namespace != ns or o.spec.get("replicas") == 0:
            continue
        count = of_pods(o)
        total["pods"] += count
        for part in ("requests", "limits"):
            for what in ("cpu", "memory"):
                def sum_of(containers):
                    return sum(quantity(((c.get("resources") or {}).get(part) or {}).get(what, 0)) for c in containers)
                early = [sum_of([c]) for c in o.pod.get("initContainers") or []]
                need = max([sum_of(o.containers(first=False)), *early])
                total[f"{part}.{what}"] += count * need
                if part == "requests":
                    total[what] += count * need
    for o, spec in all_claims(p):
        if o.namespace == ns:
            size = quantity(((spec.get("resources") or {}).get("requests") or {}).get("storage", 0))
            prefix = f"{spec.get('storageClassName')}.storageclass.storage.k8s.io/"
            for key, value in (("requests.storage", size), ("persistentvolumeclaims", 1)):
                total[key] += value
                total[prefix + key] += value
    for o in p.of("Service", ns):
        total["services"] += 1
        total["services.loadbalancers"] += o.spec.get("type") == "LoadBalancer"
        total["services.nodeports"] += len(o.spec.get("ports") or []) * (o.spec.get("type") == "NodePort")
    return total


@rule("raise the quota or lower what the objects ask for: the API server refuses the last of them")
def quota_room(p):
    for q in p.of("ResourceQuota"):
        need = demand(p, q.namespace)
        for key, hard in (q.spec.get("hard") or {}).items():
            if need[key] > quantity(hard):
                yield q, f"{key} is {hard}, but what is there may need {shown(key, need[key])}"


@rule("correct the port's name")
def probe_port(p):
    for o, c, name in each_container(p):
        known = {port.get("name") for port in c.get("ports") or []}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            for how in ("httpGet", "tcpSocket"):
                port = ((c.get(probe) or {}).get(how) or {}).get("port")
                if isinstance(port, str) and port not in known:
                    yield o, f"the {probe} of container {name} asks port '{port}', which the container has not"


@rule("add the volume, or correct the name")
def volume_mount(p):
    for o, c, name in each_container(p):
        known = {v.get("name") for v in o.pod.get("volumes") or []} | {
            (t.get("metadata") or {}).get("name") for t in o.spec.get("volumeClaimTemplates") or []}
        for m in c.get("volumeMounts") or []:
            if m.get("name") not in known:
                yield o, f"container {name} mounts '{m.get('name')}', which is no volume of its pod"


@rule("add it, or correct the name")
def binding(p):
    for o in p.of("RoleBinding") + p.of("ClusterRoleBinding"):
        role = o.doc.get("roleRef") or {}
        kind, name = role.get("kind", "Role"), role.get("name", "")
        own = o.namespace if kind == "Role" else ""
        if not (name.startswith("system:") or name in BUILT_IN_ROLES) and not p.find(kind, own, name):
            yield o, f"its {kind} {name} does not exist"
        for subject in o.doc.get("subjects") or []:
            if subject.get("kind") == "ServiceAccount" and subject.get("name") != "default" and not p.find(
                    "ServiceAccount", subject.get("namespace", o.namespace), subject.get("name")):
                yield o, f"its ServiceAccount {subject.get('namespace')}/{subject.get('name')} does not exist"


def called_services(o):
    """Services that the API server calls for this object."""
    if o.kind == "APIService":
        yield o.spec.get("service") or {}
    for hook in o.doc.get("webhooks") or []:
        yield (hook.get("clientConfig") or {}).get("service") or {}
    yield (((o.spec.get("conversion") or {}).get("webhook") or {}).get("clientConfig") or {}).get("service") or {}


@rule("name a Service and one of its ports: the API server calls it")
def called_service(p):
    for o in p.objects:
        for ref in called_services(o):
            service = p.find("Service", ref.get("namespace"), ref.get("name"))
            ports = {port.get("port") for port in service.spec.get("ports") or []} if service else set()
            if ref and not service:
                yield o, f"its Service {ref.get('namespace')}/{ref.get('name')} does not exist"
            elif ref and ref.get("port", 443) not in ports:
                yield o, f"port {ref.get('port', 443)} is no port of {service}"


# --- objects as such ---

@rule("use small letters, digits and '-', at most 63; label values may have capitals, '_' and '.' too")
def name(p):
    for o in p.objects:
        pattern = LABEL if o.kind in ("Service", "Namespace") else SUBDOMAIN
        if o.group != "rbac.authorization.k8s.io" and not pattern.fullmatch(o.name):
            yield o, f"its name '{o.name}' is none that Kubernetes takes"
        for labels in (o.labels, o.pod_labels):
            for key, value in labels.items():
                if not VALUE.fullmatch(str(value)):
                    yield o, f"its label {key} has the value '{value}', which is none that Kubernetes takes"



@rule("delete one of them")
def unique_object(p):
    seen = {}
    for o in p.objects:
        if o.id in seen:
            yield o, f"stands twice: in {seen[o.id] or 'one part'} and in {o.part or 'the same'}"
        seen[o.id] = o.part


@rule("give it a namespace that exists, or none when its kind lives outside of them")
def namespace(p):
    there = p.namespaces()
    for o in p.objects:
        spaced = p.kinds.get(f"{o.group}/{o.version}/{o.kind}")
        if spaced and not o.namespace:
            yield o, "has no namespace"
        elif spaced is False and o.namespace:
            yield o, f"is outside of namespaces, but names {o.namespace}"
        elif o.namespace and o.namespace not in there:
            yield o, f"its namespace {o.namespace} does not exist"


@rule(f"label the object and its pods {APP}: NAME, so that the consoles can show them as one app")
def app_label(p):
    for o in p.workloads():
        if not o.labels.get(APP) or o.labels.get(APP) != o.pod_labels.get(APP):
            yield o, "does not say which app it belongs to"


@rule(f"change the annotation {WAVE}: an integer, and what is needed in the same wave or an earlier one")
def wave(p):
    homes = {ns.name: ns for ns in p.of("Namespace")}
    crds = {(c.spec.get("group"), c.spec.get("names", {}).get("kind")): c for c in p.of("CustomResourceDefinition")}
    for o in p.objects:
        value = str(o.annotations.get(WAVE, "0"))
        if not re.fullmatch(r"-?[0-9]{1,4}", value) or abs(int(value)) > 1000:
            yield o, f"its wave '{value}' is no integer from -1000 to 1000"
        needs = [homes.get(o.namespace), crds.get((o.group, o.kind))]
        if o.template is not None:
            needs += [p.find(kind, o.namespace, name) for kind, name in sorted(set(references(o)))]
        if o.kind == "PersistentVolumeClaim":
            needs.append(p.find("StorageClass", "", o.spec.get("storageClassName", "")))
        for need in needs:
            if need and need.wave > o.wave:
                yield o, f"comes in wave {o.wave}, but {need}, which it needs, in wave {need.wave}"


@rule("put it into the wave of a workload that mounts it: it is bound only then, and its wave waits for that")
def claim_wave(p):
    for o in p.of("PersistentVolumeClaim"):
        sc = p.find("StorageClass", "", o.spec.get("storageClassName", ""))
        if sc and sc.doc.get("volumeBindingMode") == "WaitForFirstConsumer":
            waves = [w.wave for w in p.workloads() if w.namespace == o.namespace and o.name in w.claims()]
            if not waves:
                yield o, "no pod mounts it"
            elif min(waves) > o.wave:
                yield o, f"comes in wave {o.wave}, but the first pod that mounts it in wave {min(waves)}"


def keyed_lists(node, schema, defs, path):
    """(path, list, keys) of every list whose items have an identity."""
    schema = defs.get(schema["$ref"].removeprefix("#/$defs/"), {}) if "$ref" in schema else schema
    if isinstance(node, dict):
        for key, value in node.items():
            below = (schema.get("properties") or {}).get(key, schema.get("additionalProperties"))
            if isinstance(below, dict):
                yield from keyed_lists(value, below, defs, f"{path}.{key}")
    elif isinstance(node, list):
        if "x-kubernetes-list-map-keys" in schema:
            yield path, node, schema["x-kubernetes-list-map-keys"]
        for i, value in enumerate(node):
            yield from keyed_lists(value, schema.get("items") or {}, defs, f"{path}[{i}]")


@rule("keep one of them; server-side apply refuses the list")
def unique_item(p):
    for o in p.objects:
        schema = p.schema(o.group, o.version, o.kind)
        for path, items, keys in keyed_lists(o.doc, schema, schema.get("$defs", {}), ""):
            seen = set()
            for item in items:
                key = tuple(item.get(k, "TCP" if k == "protocol" else None) for k in keys)
                if key in seen:
                    yield o, f"{path} has {', '.join(f'{k} {v}' for k, v in zip(keys, key))} twice"
                seen.add(key)


# --- text ---

def plain_text(node, path=""):
    """(path, text) of strings that Kubernetes itself reads."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in FOREIGN_TEXT:
                yield from plain_text(value, f"{path}.{key}")
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from plain_text(value, f"{path}[{i}]")
    elif isinstance(node, str):
        yield path, node


@rule("write ${site.NAME} for a value of the settings, or put the text where a shell, Grafana or Prometheus reads it")
def stray_variable(p):
    for o in p.objects:
        for path, text in plain_text(o.doc):
            for name in re.findall(r"\$\{(?!site\.)[^}]*\}", text):
                yield o, f"{path} has {name}, which nobody fills in"


@rule("add it with a value under site: in fs-overlay/etc/hearth/settings.yaml, or correct the name")
def site_variable(p):
    for part, line, name in p.unset:
        yield f"{part}.yaml:{line}", f"${{site.{name}}} has no value in the shipped settings"


@rule("write it quoted or as true or false, and repeat what an alias stands for")
def plain_yaml(p):
    words = re.compile(r"^(?:y|n|yes|no|on|off|[-+]?\.inf|\.nan)$", re.I)
    for part, text in p.parts.items():
        for event in yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            where = f"{part}.yaml:{event.start_mark.line + 1}"
            if isinstance(event, yaml.ScalarEvent) and not event.style and words.match(event.value):
                yield where, f"a plain '{event.value}' is a string to some readers and none to others"
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
                yield where, "an anchor, alias or tag is not read by the box"


# --- judging ---

def exemptions(o):
    """{rule: reason} of an object."""
    texts = [o.annotations.get(EXEMPT, ""), ((o.template or {}).get("metadata") or {}).get("annotations", {}).get(
        EXEMPT, "") if o.template is not o.doc else ""]
    found = {}
    for entry in re.split(r"[;\n]", "\n".join(texts)):
        name, _, reason = entry.partition(":")
        if name.strip():
            found[name.strip()] = reason.strip()
    return found


def judge(p):
    """{rule: [message]}; "exempt" stands for the exemptions themselves."""
    exempt = {id(o): exemptions(o) for o in p.objects}
    used = set()
    result = {}
    for name, (check, todo) in RULES.items():
        result[name] = []
        for where, what in check(p):
            if exempt.get(id(where), {}).get(name):
                used.add((id(where), name))
            else:
                result[name].append(f"{where}: {name}: {what}; {todo}")
    result["exempt"] = []
    for o in p.objects:
        for name, reason in exempt[id(o)].items():
            what = (f"there is no rule {name}" if name not in RULES else "no reason is given" if not reason else
                    f"{name} has nothing to say about it" if (id(o), name) not in used else "")
            if what:
                result["exempt"].append(f"{o}: exempt: {what}; correct or delete it in {EXEMPT}")
    return result
