#!/usr/bin/env python3
"""The image's bill of materials as CycloneDX 1.5 JSON on stdout: our program and every source that went into it,
from the recipes (licence) and build/sources.lock (version, hash, whether the distribution's patches are in).
A library that is built but that the program does not link has the scope "excluded". Go programs name the modules that
they are made of themselves (`go version -m`); a module's licence is read off its licence file."""
import json
import os
import pathlib
import re
import subprocess

import board
import sources

HERE = pathlib.Path(__file__).resolve().parent


def names(file, variable):
    text = (HERE.parent / file).read_text()
    return set(re.search(rf"^{variable} := (.*)$", text, re.M)[1].split())


def recipes():
    unused = names("Makefile", "LIBRARIES") - names("init/init.mk", "INIT_LIBS")
    for recipe in sorted((HERE / "pkg").glob("*.sh")):
        text = recipe.read_text()
        fields = dict(re.findall(r'^(source|deb|licence)="?([^"\n]+)"?$', text, re.M))
        each = re.search(r'^licences="\n(.*?)^"', text, re.M | re.S)
        own = dict(line.split(" ", 1) for line in each[1].splitlines()) if each else {}
        scope = "excluded" if recipe.stem in unused else "required"
        for source in (fields.get("source") or fields.get("deb", "")).split():
            yield source, own.get(source, fields["licence"]), text.splitlines()[0].lstrip("# "), scope


# The first row whose words all stand in a licence file names it.
LICENCES = (("MPL-2.0", "Mozilla Public License, version 2.0"), ("MPL-2.0", "Mozilla Public License Version 2.0"),
            ("Apache-2.0", "Apache License"), ("ISC", "Permission to use, copy, modify, and/or distribute"),
            ("ISC", "Permission to use, copy, modify, and distribute"),
            ("MIT", "Permission is hereby granted, free of charge"),
            ("BSD-3-Clause", "Redistribution and use in source and binary forms", "Neither the name"),
            ("BSD-3-Clause", "Redistribution and use in source and binary forms", "names of its contributors"),
            ("BSD-2-Clause", "Redistribution and use in source and binary forms"), ("Unlicense", "public domain"))


def licence_of(module, version):
    escaped = re.sub("[A-Z]", lambda m: "!" + m[0].lower(), f"{module}@{version}")
    for file in sorted((sources.CACHE / "go/mod" / escaped).glob("[LlCc][IiOo][CcPp]*")):
        text = " ".join(file.read_text(errors="replace").split()) if file.is_file() else ""
        for name, *words in LICENCES:
            if all(w in text for w in words):
                return [{"license": {"id": name}}]
    return []


def go_modules():
    """Every module inside of the image's Go programs, once, as it was really taken (behind a `replace`)."""
    tools = names("Makefile", "BUILD_TOOLS")
    programs = [p for recipe in sorted((HERE / "pkg").glob("*.sh")) if re.search("^go=yes$", recipe.read_text(), re.M)
                and recipe.stem not in tools 
                for p in sorted((HERE.parent / "build/pkg" / recipe.stem / "bin").glob("*"))]
    text = subprocess.run(["go", "version", "-m", *map(str, programs)], capture_output=True, text=True, check=True,
                          env={**os.environ, "GOTOOLCHAIN": "local"}).stdout
    found = {}
    for kind, module, version, sha in re.findall(r"^\t(dep|=>)\t(\S+)\t(\S+)(?:\t(h1:\S+))?$", text, re.M):
        if sha:
            found[module, version] = sha
    for (module, version), sha in sorted(found.items()):
        ref = f"pkg:golang/{module}@{version}"
        yield {"type": "library", "bom-ref": ref, "name": module, "version": version, "scope": "required", "purl": ref,
               "licenses": licence_of(module, version), "properties": [{"name": "go.sum", "value": sha}]}


def component(name, licence, purpose, scope, rows):
    patched = any(r["role"] == "debian" for r in rows) or rows[0]["role"] == "deb"
    version = rows[0]["version"]
    return {
        "type": "library", "bom-ref": f"pkg:deb/debian/{name}@{version}", "name": name, "version": version,
        "scope": scope,
        "purl": f"pkg:deb/debian/{name}@{version}?arch=source&distro={rows[0]['suite']}",
        "description": purpose + ("" if patched else " Upstream archive without the distribution's patches."),
        "licenses": [{"expression": licence} if " " in licence else {"license": {"id": licence}}],
        "hashes": [{"alg": "SHA-256", "content": r["sha256"]} for r in rows],
    }


def main():
    rows = sources.read(sources.EFFECTIVE)
    parts = [component(*recipe, [r for r in rows if r["source"] == recipe[0]]) for recipe in recipes()]
    musl = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "musl-dev"], capture_output=True, text=True).stdout
    parts.append({"type": "library", "bom-ref": "musl", "name": "musl", "version": musl, "scope": "required",
                  "licenses": [{"license": {"id": "MIT"}}],
                  "description": "C library of every program here, from the build machine's musl-dev package."})
    parts += go_modules()
    print(json.dumps({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": {"type": "operating-system", "bom-ref": "hearth", "name": "hearth",
                                   "version": board.values()["BOARD_VERSION"]}},
        "components": sorted(parts, key=lambda p: p["name"]),
    }, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
