#!/usr/bin/env python3
"""Checks manifests/ and proves that each check can fail.

    check.py            all; writes build/results/manifests-check.tsv (verdict, name, seconds, detail)
    check.py TREE       only the findings in a tree that has overlays/ENVIRONMENT/PART or a kustomization.yaml

The checks, in order: layout, yamllint, kustomize (twice, the same bytes), kubeconform with the schemas that
board/schemas.py makes, policy (policy.py: one row each rule), secrets (leaks.py). Every folder of broken/ is the good
tree with one thing wrong; its file `expect` has a finding, and it must be that check, and no other, that finds."""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import yaml

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path[:0] = [str(HERE), str(TOP / "board")]
sys.dont_write_bytecode = True

import leaks  # noqa: E402
import objects  # noqa: E402
import policy  # noqa: E402
import schemas  # noqa: E402

WORK = TOP / "build/manifests-check"
RESULTS = TOP / "build/results/manifests-check.tsv"
SETTINGS = TOP / "fs-overlay/etc/hearth/settings.yaml"
NOTHING = "not checked: no overlay could be rendered"
AT = re.compile(r" - at '([^']*)': (.*?)(?= - at '|$)", re.S)
ENVIRONMENTS, PARTS = ("staging", "production"), ("infra", "htpc", "utils")
NAMES = ("layout", "yamllint", "kustomize", "kubeconform", "secrets",
         *("policy:" + rule for rule in (*policy.RULES, "exempt")))


def tool(name):
    built = TOP / f"build/pkg/{name}/bin/{name}"
    path = os.environ.get(name.upper()) or built
    if not os.access(path, os.X_OK):
        sys.exit(f"{built.relative_to(TOP)}: not there; run board/pkg.sh {name}, or set {name.upper()}=PROGRAM")
    return str(path)


def images():
    """What board/oci.py builds."""
    found = set()
    for file in (TOP / "board/images").glob("*.yaml"):
        fields = dict(re.findall(r"^(name|version):\s*[\"']?([^\s\"'#]+)", file.read_text(), re.M))
        found.add(f"hearth.local/{fields.get('name')}:{fields.get('version')}")
    return found


class Tree:
    """A tree of sources. environments: {name: {part: folder of its overlay}}."""

    def __init__(self, root, settings):
        self.root = root
        overlays = root / "overlays"
        self.site = (yaml.safe_load(settings.read_text()) or {}).get("site") or {}
        self.whole = overlays.is_dir()
        self.images = images() if settings == SETTINGS else {"hearth.local/web:1.0", "hearth.local/client:1.0"}
        self.environments = {"": {"all": root}}
        if self.whole:
            self.environments = {e.name: {p.name: p for p in sorted(e.iterdir()) if p.is_dir()}
                                 for e in sorted(overlays.iterdir()) if e.is_dir()}
        own = root / "kustomize"  # a fixture may bring its own
        self.kustomize = str(own) if own.exists() else tool("kustomize")
        self.texts = {}

    def name(self, path):
        return str(path.relative_to(TOP))

    def files(self):
        return [f for f in sorted(self.root.rglob("*")) if f.is_file() and f.name not in ("expect", "kustomize")]


def check_layout(tree):
    """Every overlay is there, and every file is used by one."""
    if not tree.whole:
        return
    for e in ENVIRONMENTS:
        for part in PARTS:
            if part not in tree.environments.get(e, {}):
                yield f"{tree.name(tree.root)}/overlays/{e}/{part}: layout: missing; every environment has each part"
    used, todo = set(), [folder for parts in tree.environments.values() for folder in parts.values()]
    while todo:
        path = pathlib.Path(os.path.normpath(todo.pop()))
        if path in used or not path.exists():
            continue
        used.add(path)
        if path.is_dir():
            todo.append(path / "kustomization.yaml")
        elif path.name == "kustomization.yaml":
            todo += [path.parent / m for m in mentions(yaml.safe_load(path.read_text()))]
    for file in tree.files():
        if file not in used and file.suffix != ".md":
            yield f"{tree.name(file)}: layout: no overlay uses it; name it in a kustomization.yaml or delete it"


def mentions(node):
    """All strings of a kustomization that may be paths; "KEY=PATH" of generators counts as PATH."""
    if isinstance(node, dict):
        for value in node.values():
            yield from mentions(value)
    elif isinstance(node, list):
        for value in node:
            yield from mentions(value)
    elif isinstance(node, str) and "\n" not in node and "://" not in node and len(node) < 200:
        yield node.split("=", 1)[-1]


def check_yamllint(tree):
    files = [tree.name(f) for f in tree.files() if ".yaml" in f.name or f.suffix == ".yml"]
    run = subprocess.run(["yamllint", "-s", "-f", "parsable", *files], cwd=TOP, capture_output=True, text=True)
    for line in run.stdout.splitlines():
        place, _, what = line.partition(": ")
        yield f"{place}: yamllint: {what}; .yamllint has the rules"
    if run.returncode and not run.stdout:
        yield f"{tree.name(tree.root)}: yamllint: {run.stderr.strip()}"


def check_kustomize(tree):
    """Fills tree.texts: {environment: {part: text}}."""
    for environment, parts in tree.environments.items():
        for part, folder in parts.items():
            runs = [subprocess.run([tree.kustomize, "build", str(folder)], capture_output=True) for _ in range(2)]
            failed = next((r for r in runs if r.returncode), None)
            if failed:
                what = failed.stderr.decode(errors="replace").strip().replace(str(TOP) + "/", "").replace("\n", " ")
                yield f"{tree.name(folder)}: kustomize: {what}; correct the kustomization"
            elif runs[0].stdout != runs[1].stdout:
                yield f"{tree.name(folder)}: kustomize: two runs give different bytes; find what is not fixed"
            elif not runs[0].stdout.strip():
                yield f"{tree.name(folder)}: kustomize: gives no object; add resources"
            else:
                tree.texts.setdefault(environment, {})[part] = runs[0].stdout.decode()


def make_schemas(tree):
    files = []
    folder = WORK / "text" / tree.root.name
    for environment, parts in tree.texts.items():
        for part, text in parts.items():
            path = folder / f"{environment or 'one'}-{part}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            files += [path] if "\nkind: CustomResourceDefinition\n" in text else []
    # Fixtures have the kinds of the good tree, the first one of them.
    mine = tree.root == TOP / "manifests"
    out = TOP / "build/schemas" if mine else WORK / "schemas"
    if mine or tree.root.name == "good" or not (out / "kinds.json").exists():
        subprocess.run([sys.executable, str(TOP / "board/schemas.py"), str(out), *map(str, files)], check=True)
    return out


def kubeconform(folder, *args, **kwargs):
    location = f"{folder}/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json"
    return subprocess.run([tool("kubeconform"), "-strict", "-output", "json", "-schema-location", location, *args],
                          capture_output=True, text=True, **kwargs)


def check_schemas(folder):
    """Kubernetes' own test objects have every field there is: none may be refused. (Too lax schemas are what the
    fixtures find.)"""
    files = sorted((schemas.module_dir("k8s.io/api") / "testdata/HEAD").glob("*.yaml"))
    found = json.loads(kubeconform(folder, "-verbose", *map(str, files)).stdout)["resources"]
    for r in found:
        if r["status"] == "statusInvalid":
            yield f"{r['kind']} {r['version']}: schemas: {r['msg']}; board/schemas.py makes too strict a schema"
    if sum(r["status"] == "statusValid" for r in found) < 80:
        yield f"{folder}: schemas: few of Kubernetes' own objects have one; did board/schemas.py run?"


def check_kubeconform(platform):
    for part in platform.parts:
        run = kubeconform(platform.schemas, input=platform.json_stream(part))
        try:
            found = json.loads(run.stdout)["resources"]
        except ValueError:
            yield f"{part}: kubeconform: {run.stderr.strip() or 'says nothing'}"
            continue
        for r in found:
            # The library nests its errors; only the innermost say something.
            errors = [e for e in AT.findall(r["msg"]) if e[1] != "validation failed"] or [("", r["msg"])]
            for path, what in errors:
                field = path.replace("/", ".") + " " if path else ""
                yield f"{r['kind']} {r['name']}: kubeconform: {field}{what}; see what {r['version']} has there"
        if run.returncode and not found:
            yield f"{part}: kubeconform: {run.stderr.strip()}"


def check_secrets(tree):
    return leaks.scan({tree.name(f): f.read_text(errors="replace") for f in tree.files()})


def judge(tree):
    """{check: (findings, seconds)} of a tree; policy rules as "policy:RULE"."""
    found = {}

    def timed(name, check, *args):
        start = time.monotonic()
        more = list(check(*args))
        before, took = found.get(name, ([], 0))
        # The same finding in both environments is one.
        found[name] = before + [m for m in more if m not in before], took + time.monotonic() - start
    timed("layout", check_layout, tree)
    timed("yamllint", check_yamllint, tree)
    timed("kustomize", check_kustomize, tree)
    timed("secrets", check_secrets, tree)
    folder = make_schemas(tree)
    for parts in tree.texts.values():
        platform = objects.Platform(parts, tree.site, folder, tree.images)
        timed("kubeconform", check_kubeconform, platform)
        for rule, messages in policy.judge(platform).items():
            timed("policy:" + rule, list, messages)
    return {name: found.get(name, ([NOTHING], 0.0)) for name in NAMES}


def judge_fixture(folder, good):
    """What is wrong with a fixture, or "". `good` expects nothing."""
    expect = "" if folder == good else (folder / "expect").read_text().strip()
    settings = folder / "settings.yaml" if (folder / "settings.yaml").exists() else good / "settings.yaml"
    tree = Tree(folder, settings)
    found = [f"{name}: {m}" for name, (messages, _) in judge(tree).items() for m in messages
             if m != NOTHING]
    check = expect.split(": ")[0]
    if not expect:
        return "finds in the good tree: " + " | ".join(found) if found else ""
    others = [f for f in found if not f.startswith(check + ":")]
    if not any(expect in f for f in found):
        return f"does not find '{expect}', but: {' | '.join(found) or 'nothing'}"
    return f"finds more than one thing: {' | '.join(others)}" if others else ""


def fixtures():
    good = HERE / "good"
    broken = sorted(f for f in (HERE / "broken").iterdir() if f.is_dir())

    def row(folder):
        start = time.monotonic()
        wrong = judge_fixture(folder, good)
        return "fixture:" + folder.name, [wrong] if wrong else [], time.monotonic() - start
    yield row(good)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(row, broken)
    have = {(folder / "expect").read_text().split(": ")[0] for folder in broken}
    for name in NAMES:
        if name not in have:
            yield "fixture:" + name, [f"broken/ has no fixture for {name}; add one"], 0.0


def rows():
    manifests = TOP / "manifests"
    if manifests.is_dir():
        for name, (messages, took) in judge(Tree(manifests, SETTINGS)).items():
            yield name, messages, took
    else:
        yield "layout", ["manifests/: layout: missing"], 0.0
    yield from fixtures()
    start = time.monotonic()
    yield "schemas", list(check_schemas(WORK / "schemas")), time.monotonic() - start


def report(messages, limit=40):
    for message in messages[:limit]:
        print(message)
    if len(messages) > limit:
        print(f"... and {len(messages) - limit} more")


def main():
    if sys.argv[1:]:
        found = judge(Tree(pathlib.Path(sys.argv[1]).resolve(), SETTINGS))
        report([m for messages, _ in found.values() for m in messages])
        return 1 if any(messages for messages, _ in found.values()) else 0
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    bad = count = 0
    with RESULTS.open("w") as out:
        for name, messages, took in rows():
            count += 1
            bad += bool(messages)
            detail = f"{messages[0]} ({len(messages)} in all)" if len(messages) > 1 else "".join(messages)
            out.write(f"{'fail' if messages else 'pass'}\tmanifests:{name}\t{took:.1f}\t{' '.join(detail.split())}\n")
            print(f"{'FAIL' if messages else 'ok  '} {name}")
            report(messages)
    print(f"manifests-check: {count - bad} passed, {bad} failed")
    print(f"summary: {count - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
