#!/usr/bin/env python3
"""Checks the structure of init/ against the tables beside this file: layers, include cycles, outside headers,
banned calls, a purpose comment at each file's head, file and function sizes, a test for each module.
Prints FILE:LINE: what; writes build/results/structure.tsv. `--self-test` proves that each check can fail."""
import pathlib
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
FILE_LINES = 700
# The only places where the thing that is banned elsewhere lives.
HOMES = {"fork": {"base/sys.c"}, "epoll": {"base/sys.c"}}


def table(name):
    for line in (HERE / name).read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            yield line


def bare(text):
    """Code without comments and string contents, line numbers kept."""
    def blank(m):
        return '""' if m.group(0)[0] in "\"'" else re.sub(r"[^\n]", " ", m.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


class Tree:
    def __init__(self, root):
        self.root = root
        self.files = {str(p.relative_to(root)): p.read_text() for p in sorted(root.rglob("*.[ch]"))}
        self.includes = {}
        for name, text in self.files.items():
            self.includes[name] = [(i + 1, m.group(1), m.group(2)) for i, line in enumerate(text.splitlines())
                                   if (m := re.match(r'#include ([<"])([^>"]+)[>"]', line))]


def folder(name):
    return name.split("/")[0] if "/" in name else "."


def check_layers(t):
    allowed = {}
    for line in table("layers.txt"):
        _, where, *may = line.split()
        allowed[where] = set(may) | {where}
    for name, incs in t.includes.items():
        for line, kind, inc in incs:
            if kind == '"' and inc in t.files and folder(inc) not in allowed.get(folder(name), set()):
                yield name, line, f"{folder(name)}/ may not include {inc} (tests/lint/layers.txt)"
            if kind == '"' and inc not in t.files and inc not in ("board.h", "assets.h"):
                yield name, line, f"no such header under init/: {inc}"


def check_cycles(t):
    graph = {}
    for name, incs in t.includes.items():
        mod = name.rsplit(".", 1)[0]
        graph.setdefault(mod, set()).update(i.rsplit(".", 1)[0] for _, k, i in incs if k == '"' and i in t.files)
    state = {}

    def visit(mod, path):
        state[mod] = 1
        for nxt in sorted(graph.get(mod, ())):
            if nxt == mod:
                continue
            if state.get(nxt) == 1:
                yield nxt + ".h", 1, "include cycle: " + " -> ".join(path[path.index(nxt):] + [nxt])
            elif nxt not in state:
                yield from visit(nxt, path + [nxt])
        state[mod] = 2
    for mod in sorted(graph):
        if mod not in state:
            yield from visit(mod, [mod])


def check_libraries(t):
    rules = [line.split() for line in table("libraries.txt")]
    for name, incs in t.includes.items():
        for line, _, inc in incs:
            for prefix, *where in rules:
                mod = name.rsplit(".", 1)[0]
                if inc.startswith(prefix) and not any(mod == w or mod.startswith(w + "/") for w in where):
                    yield name, line, f"<{inc}> belongs to {', '.join(where)} (tests/lint/libraries.txt)"


def check_banned(t):
    rules = [line.split("\t") for line in table("banned.txt")]
    for name, text in t.files.items():
        lines = bare(text).splitlines()
        for pattern, where, reason in rules:
            if where != "." and folder(name) != where:
                continue
            if any(name in homes for key, homes in HOMES.items() if key in pattern):
                continue
            for i, line in enumerate(lines):
                if re.search(pattern, line):
                    yield name, i + 1, reason


def check_heads(t):
    for name, text in t.files.items():
        if not text.startswith("/*"):
            yield name, 1, "starts without a comment that says what the file is for"
        if text.count("\n") > FILE_LINES:
            yield name, FILE_LINES, f"longer than {FILE_LINES} lines: split it by noun"


def check_twins(t):
    tests = t.root.parent / "tests" / "unit"
    exempt = {line.split()[0]: line for line in table("untested.txt")}
    for name in t.files:
        if not name.endswith(".c") or name in exempt:
            continue
        where, base = name.rsplit("/", 1) if "/" in name else ("", name)
        if not (tests / where / ("test_" + base)).exists():
            yield name, 1, f"has no tests/unit/{where}/test_{base} (or a reason in tests/lint/untested.txt)"


CHECKS = [check_layers, check_cycles, check_libraries, check_banned, check_heads, check_twins]


def run(root):
    t = Tree(root)
    return {c.__name__[6:]: list(c(t)) for c in CHECKS}


SELF_TEST = {
    "layers": {"base/a.c": '/* x */\n#include "boot/b.h"\n', "boot/b.h": "/* x */\n"},
    "cycles": {"base/a.h": '/* x */\n#include "base/b.h"\n', "base/b.h": '/* x */\n#include "base/a.h"\n'},
    "libraries": {"base/a.c": "/* x */\n#include <yaml.h>\n"},
    "banned": {"base/a.c": "/* x */\nvoid f(void) { malloc(1); }\n"},
    "heads": {"base/a.c": "int x;\n"},
    "twins": {"base/a.c": "/* x */\n"},
}


def self_test():
    bad = 0
    for check, files in SELF_TEST.items():
        with tempfile.TemporaryDirectory() as d:
            root = pathlib.Path(d) / "init"
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            if not run(root)[check]:
                print(f"self-test: {check} did not notice its broken example")
                bad += 1
    return bad


def main():
    results = pathlib.Path("build/results")
    results.mkdir(parents=True, exist_ok=True)
    bad = self_test()
    rows = [("fail" if bad else "pass", "self-test", "")]
    for check, found in run(pathlib.Path("init")).items():
        for name, line, what in found:
            print(f"init/{name}:{line}: {what}")
        bad += len(found)
        rows.append(("fail" if found else "pass", check, f"{len(found)} findings" if found else ""))
    with open(results / "structure.tsv", "w") as out:
        for verdict, name, detail in rows:
            out.write(f"{verdict}\t{name}\t0\t{detail}\n")
    return 1 if bad else 0


sys.exit(main())
