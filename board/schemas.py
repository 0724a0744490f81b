#!/usr/bin/env python3
"""Strict JSON schemas of every object kind, for kubeconform: from the OpenAPI document of the Kubernetes module that
board/go.mod pins, and from the CustomResourceDefinitions in the YAML files named. Nothing is asked of the network
unless the module is not in the module cache yet.

    board/schemas.py OUT [FILE.yaml ...]

OUT/GROUP/KIND_VERSION.json: one schema, complete in itself, kind in small letters; GROUP of the core group is "v1".
OUT/kinds.json: {"GROUP/VERSION/KIND": true when its objects live in a namespace}, GROUP of the core group is "".

Kubernetes' own rules that JSON schema can say are kept (x-kubernetes-int-or-string, -preserve-unknown-fields,
-embedded-resource, -list-type set); -list-map-keys stay in the schema as they are, for policy.py's rule on them.
Rules in CEL (x-kubernetes-validations) are the API server's alone."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import yaml

import sources

HERE = pathlib.Path(__file__).resolve().parent
DRAFT = "https://json-schema.org/draft/2020-12/schema"
MODULE = "k8s.io/kubernetes"
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
INT_OR_STRING = {"type": ["integer", "string"]}
OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}  # of a version that says nothing about itself
# Definitions whose OpenAPI text says less than, or something else than, what the API server takes.
SPECIAL = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": INT_OR_STRING,
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {
        "type": ["number", "string"],
        "pattern": r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"},
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": {"type": ["string", "null"]},
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": {"type": ["string", "null"]},
}
RANGES = {"int32": (-2**31, 2**31 - 1), "int64": (-2**63, 2**63 - 1)}
KEPT = ("enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties",
        "maxProperties", "uniqueItems", "multipleOf", "required", "x-kubernetes-list-map-keys")
MANY = ("allOf", "anyOf", "oneOf")


def module_dir(module=MODULE):
    """The folder of a pinned Kubernetes module; it is downloaded when the build has not needed it before."""
    pins = (HERE / "go.mod").read_text()
    pin = re.search(rf"^\s*(?:replace )?{re.escape(module)} => (\S+) (\S+)$", pins, re.M)
    if not pin:
        sys.exit(f"board/go.mod: no line 'replace {module} => MODULE VERSION'")
    cache = sources.CACHE / "go/mod"
    folder = cache / f"{pin[1]}@{pin[2]}"
    if not folder.is_dir():
        env = dict(os.environ, GOMODCACHE=str(cache), GOTOOLCHAIN="local", GOFLAGS="-mod=readonly -modcacherw")
        if subprocess.run(["go", "mod", "download", module], cwd=HERE, env=env).returncode:
            sys.exit(f"{pin[1]} {pin[2]}: not to be had; is the network up?")
    return folder


def types_of(node):
    if node.get("x-kubernetes-int-or-string") or node.get("format") == "int-or-string":
        return INT_OR_STRING["type"]
    return [node["type"]] if "type" in node else []


def close(node, out):
    """What an object may hold beside its named fields: what it says, else nothing."""
    more = node.get("additionalProperties")
    if node.get("x-kubernetes-preserve-unknown-fields"):
        return
    if isinstance(more, dict):
        out["additionalProperties"] = strict(more)
    elif more is not None:
        out["additionalProperties"] = more
    elif "properties" in node:
        out["additionalProperties"] = False


def fields(node, out, metadata):
    named = {k: strict(v) for k, v in node.get("properties", {}).items()}
    if node.get("x-kubernetes-embedded-resource") or metadata:
        named.update(apiVersion={"type": "string"}, kind={"type": "string"}, metadata={"$ref": f"#/$defs/{META}"})
    if named:
        out["properties"] = named


def strict(node, metadata=False):
    """One OpenAPI schema as a JSON schema that knows no fields but those named; metadata: those of every object too."""
    if "$ref" in node:
        return {"$ref": node["$ref"].replace("#/definitions/", "#/$defs/")}
    out = {k: node[k] for k in KEPT if k in node}
    types = types_of(node)
    if node.get("nullable"):
        types = types + ["null"] if types else []
        if "enum" in out:
            out["enum"] = out["enum"] + [None]
    if types:
        out["type"] = types if len(types) > 1 else types[0]
    low, high = RANGES.get(node.get("format"), (None, None))
    if low is not None and types == ["integer"]:
        out["minimum"], out["maximum"] = max(low, node.get("minimum", low)), min(high, node.get("maximum", high))
    for word, sign in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if node.get(word):
            out[word] = out.pop(sign)
    if "items" in node:
        out["items"] = strict(node["items"])
    if node.get("x-kubernetes-list-type") == "set":
        out["uniqueItems"] = True
    # Under these words fields are only constrained, not named: closing them would refuse the fields beside them.
    for word in MANY:
        if word in node:
            out[word] = [loose(s) for s in node[word]]
    if "not" in node:
        out["not"] = loose(node["not"])
    fields(node, out, metadata)
    close(node, out)
    return out


def loose(node):
    """A schema that only constrains: strict, without the closing."""
    if isinstance(node, dict):
        return {k: loose(v) for k, v in strict(node).items() if not (k == "additionalProperties" and v is False)}
    return [loose(n) if isinstance(n, dict) else n for n in node] if isinstance(node, list) else node


def references(node, found):
    """Names of the definitions that a schema refers to, directly."""
    if isinstance(node, dict):
        ref = node.get("$ref")
        if isinstance(ref, str):
            found.add(ref.removeprefix("#/$defs/"))
        for value in node.values():
            references(value, found)
    elif isinstance(node, list):
        for value in node:
            references(value, found)
    return found


def bundle(schema, definitions):
    """The schema with all that it reaches."""
    todo, have = references(schema, set()), {}
    while todo:
        name = todo.pop()
        have[name] = definitions[name]
        todo |= references(definitions[name], set()) - have.keys()
    return {"$schema": DRAFT, **schema, "$defs": {k: have[k] for k in sorted(have)}}


def as_object(schema, group, version, kind):
    """A schema for a whole object: says what it is, and has a name."""
    api = f"{group}/{version}" if group else version
    named = dict(schema.get("properties", {}), apiVersion={"const": api}, kind={"const": kind})
    needed = set(schema.get("required", [])) | {"apiVersion", "kind"}
    if "metadata" in named and not kind.endswith("List"):
        needed.add("metadata")
    return {**schema, "properties": named, "required": sorted(needed)}


def write(out, group, version, kind, schema):
    path = out / (group or version) / f"{kind.lower()}_{version}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema, separators=(",", ":")))


def scopes(paths):
    """(group, version, kind) of the paths that lead into a namespace."""
    for path, calls in paths.items():
        if "/namespaces/{namespace}/" in path and not re.search(r"\}/\w+$", path.split("{namespace}")[1]):
            for call in calls.values():
                kind = call.get("x-kubernetes-group-version-kind") if isinstance(call, dict) else None
                if kind:
                    yield kind["group"], kind["version"], kind["kind"]


def builtin(out, document, kinds):
    definitions = {name: SPECIAL.get(name) or strict(node) for name, node in document["definitions"].items()}
    spaced = set(scopes(document["paths"]))
    for name, node in document["definitions"].items():
        # A definition that stands for many kinds is one that every group has (DeleteOptions): never a file.
        if len(node.get("x-kubernetes-group-version-kind", [])) != 1:
            continue
        gvk = node["x-kubernetes-group-version-kind"][0]
        group, version, kind = gvk["group"], gvk["version"], gvk["kind"]
        write(out, group, version, kind, bundle(as_object(definitions[name], group, version, kind), definitions))
        kinds[f"{group}/{version}/{kind}"] = (group, version, kind) in spaced
    return definitions


def custom(out, crd, definitions, kinds):
    spec = crd["spec"]
    for version in spec["versions"]:
        schema = strict(version.get("schema", {}).get("openAPIV3Schema", OPEN), metadata=True)
        group, name, kind = spec["group"], version["name"], spec["names"]["kind"]
        write(out, group, name, kind, bundle(as_object(schema, group, name, kind), definitions))
        kinds[f"{group}/{name}/{kind}"] = spec["scope"] == "Namespaced"


def main():
    out = pathlib.Path(sys.argv[1])
    shutil.rmtree(out, ignore_errors=True)
    kinds = {}
    document = json.loads((module_dir() / "api/openapi-spec/swagger.json").read_text())
    definitions = builtin(out, document, kinds)
    for file in sys.argv[2:]:
        for doc in yaml.load_all(pathlib.Path(file).read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(doc, dict) and doc.get("kind") == "CustomResourceDefinition":
                custom(out, doc, definitions, kinds)
    (out / "kinds.json").write_text(json.dumps(kinds, indent=0, sort_keys=True))


if __name__ == "__main__":
    main()
