"""Rendered manifests as objects: YAML with the types that Kubernetes gives, site variables filled in as the kube role
does it, and the views of pods and selectors that the rules need."""
import functools
import json
import re

import yaml

WAVE = "argocd.argoproj.io/sync-wave"
APP = "app.kubernetes.io/name"
SITE = re.compile(r"\$\{site\.([^}]*)\}")
# Namespaces that every cluster has; no manifest makes them.
BUILT_IN = {"default", "kube-system", "kube-public", "kube-node-lease"}
RESOLVERS = [
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?(?:0b[01_]+|0o?[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)$", list("-+0123456789")),
    ("float", r"^[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.[0-9]+)$",
     list("-+0123456789.")),
]


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Kubernetes' types: no dates, no base 60, no words for booleans. `site`: values of the variables; `unset`: what
    was found without a value, as (line, name)."""
    yaml_implicit_resolvers = {}

    def __init__(self, text, site):
        super().__init__(text)
        self.site, self.unset = site, []

    def fill(self, node):
        def value(match):
            if node.value[max(0, match.start() - 1):match.start()] == "$":
                return match[0]
            text = self.site.get(match[1])
            if text in (None, ""):
                self.unset.append((node.start_mark.line + 1, match[1]))
                return match[0]
            return str(text)
        filled = SITE.sub(value, node.value)
        plain = not node.style and SITE.fullmatch(node.value)
        tag = self.resolve(yaml.ScalarNode, filled, (True, False)) if plain else "tag:yaml.org,2002:str"
        return yaml.ScalarNode(tag, filled, node.start_mark, node.end_mark)

    def construct_text(self, node):
        if "${site." in node.value:
            node = self.fill(node)
        if node.tag != "tag:yaml.org,2002:str":
            return self.yaml_constructors[node.tag](self, node)
        return node.value

    def construct_int(self, node):
        return int(re.sub(r"^([-+]?)0(?=[0-7])", r"\g<1>0o", node.value.replace("_", "")), 0)


for _tag, _pattern, _first in RESOLVERS:
    Loader.add_implicit_resolver("tag:yaml.org,2002:" + _tag, re.compile(_pattern), _first)
Loader.add_constructor("tag:yaml.org,2002:str", Loader.construct_text)
Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_int)


class Object:
    """One object; str() is what people call it."""

    def __init__(self, doc, part):
        self.doc, self.part = doc, part
        meta = doc.get("metadata") or {}
        self.api, self.kind = str(doc.get("apiVersion", "")), str(doc.get("kind", ""))
        self.group, self.version = self.api.split("/", 1) if "/" in self.api else ("", self.api)
        self.name, self.namespace = str(meta.get("name", "")), meta.get("namespace") or ""
        self.labels, self.annotations = meta.get("labels") or {}, meta.get("annotations") or {}
        self.spec = doc.get("spec") if isinstance(doc.get("spec"), dict) else {}

    def __str__(self):
        return f"{self.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"

    @property
    def id(self):
        return self.group, self.kind, self.namespace, self.name

    @property
    def wave(self):
        try:
            return int(self.annotations.get(WAVE, 0))
        except ValueError:
            return 0

    @property
    def template(self):
        """The pod it makes, as {metadata, spec}; None when it makes none."""
        if self.group == "" and self.kind == "Pod":
            return self.doc
        if self.kind == "CronJob":
            return self.spec.get("jobTemplate", {}).get("spec", {}).get("template")
        if self.group in ("apps", "batch") and isinstance(self.spec.get("template"), dict):
            return self.spec["template"]
        return None

    @property
    def pod(self):
        return (self.template or {}).get("spec") or {}

    @property
    def pod_labels(self):
        return ((self.template or {}).get("metadata") or {}).get("labels") or {}

    def containers(self, first=True):
        """Those that run, and with `first` those that run before them."""
        early = self.pod.get("initContainers") or []
        return (early if first else [c for c in early if c.get("restartPolicy") == "Always"]) + (
            self.pod.get("containers") or [])

    def ports(self):
        """(name or number, protocol) of all that its containers listen on."""
        found = set()
        for container in self.containers():
            for port in container.get("ports") or []:
                for key in ("name", "containerPort"):
                    if key in port:
                        found.add((port[key], port.get("protocol", "TCP")))
        return found

    def claims(self):
        """Names of the PVCs that its pods mount."""
        for volume in self.pod.get("volumes") or []:
            if "persistentVolumeClaim" in volume:
                yield volume["persistentVolumeClaim"].get("claimName", "")


def matches(selector, labels):
    """A LabelSelector against labels; the empty one matches all."""
    def fits(term):
        value, wanted = labels.get(term.get("key")), term.get("values") or []
        return {"In": value is not None and value in wanted, "NotIn": value is None or value not in wanted,
                "Exists": value is not None, "DoesNotExist": value is None}.get(term.get("operator"), False)
    selector = selector or {}
    return (all(labels.get(k) == v for k, v in (selector.get("matchLabels") or {}).items())
            and all(fits(t) for t in selector.get("matchExpressions") or []))


class Platform:
    """All objects of one environment. parts: {name: rendered text}; site: values of the variables; schemas: the folder
    that board/schemas.py wrote; images: those that the box carries."""

    def __init__(self, parts, site, schemas, images):
        self.parts, self.schemas, self.images, self.objects, self.unset = parts, schemas, images, [], []
        self.kinds = json.loads((schemas / "kinds.json").read_text())
        for part, text in parts.items():
            loader = Loader(text, site)
            while loader.check_data():
                doc = loader.get_data()
                if isinstance(doc, dict):
                    self.objects.append(Object(doc, part))
            self.unset += [(part, line, name) for line, name in loader.unset]

    def of(self, kind, namespace=None):
        return [o for o in self.objects if o.kind == kind and namespace in (None, o.namespace)]

    def find(self, kind, namespace, name):
        return next((o for o in self.of(kind, namespace) if o.name == name), None)

    def workloads(self):
        return [o for o in self.objects if o.template is not None]

    def pods(self, namespace, selector):
        return [o for o in self.workloads() if o.namespace == namespace and matches(selector, o.pod_labels)]

    def namespaces(self):
        """Labels of each namespace there is."""
        found = {name: {"kubernetes.io/metadata.name": name} for name in BUILT_IN}
        for o in self.of("Namespace"):
            found[o.name] = dict(o.labels, **{"kubernetes.io/metadata.name": o.name})
        return found

    @functools.lru_cache(maxsize=None)
    def schema(self, group, version, kind):
        path = self.schemas / (group or version) / f"{kind.lower()}_{version}.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def json_stream(self, part):
        """The objects of a part with the variables filled in, as kubeconform takes them."""
        return "".join("---\n" + json.dumps(o.doc) + "\n" for o in self.objects if o.part == part)
