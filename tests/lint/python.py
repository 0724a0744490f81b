#!/usr/bin/env python3
"""Checks that every python file compiles, says what it is for, and has no unused import or overlong line."""
import ast
import sys

WIDTH = 120


def findings(name):
    text = open(name, encoding="utf-8").read()
    try:
        tree = ast.parse(text)
    except SyntaxError as e:
        yield e.lineno, e.msg
        return
    if not ast.get_docstring(tree):
        yield 1, "no docstring that says what the file is for"
    for n, line in enumerate(text.splitlines(), 1):
        if len(line) > WIDTH:
            yield n, f"longer than {WIDTH} columns"
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    for node in ast.walk(tree):
        for alias in getattr(node, "names", []) if isinstance(node, (ast.Import, ast.ImportFrom)) else []:
            if (alias.asname or alias.name).split(".")[0] not in used:
                yield node.lineno, f"unused import {alias.name}"


bad = [(f, line, what) for f in sys.argv[1:] for line, what in findings(f)]
for f, line, what in bad:
    print(f"{f}:{line}: {what}")
sys.exit(bool(bad))
