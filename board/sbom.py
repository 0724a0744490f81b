#!/usr/bin/env python3
"""The image's bill of materials as CycloneDX 1.5 JSON on stdout: our program and every source that went into it,
from the recipes (licence) and build/sources.lock (version, hash, whether the distribution's patches are in).
A library that is built but that the program does not link has the scope "excluded"."""
import json
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
        fields = dict(re.findall(r"^(source|deb|licence)=(\S+)$", text, re.M))
        scope = "excluded" if recipe.stem in unused else "required"
        yield fields.get("source") or fields["deb"], fields["licence"], text.splitlines()[0].lstrip("# "), scope


def component(name, licence, purpose, scope, rows):
    patched = any(r["role"] == "debian" for r in rows) or rows[0]["role"] == "deb"
    version = rows[0]["version"]
    return {
        "type": "library", "bom-ref": f"pkg:deb/debian/{name}@{version}", "name": name, "version": version,
        "scope": scope,
        "purl": f"pkg:deb/debian/{name}@{version}?arch=source&distro={rows[0]['suite']}",
        "description": purpose + ("" if patched else " Upstream archive without the distribution's patches."),
        "licenses": [{"license": {"id": licence}}],
        "hashes": [{"alg": "SHA-256", "content": r["sha256"]} for r in rows],
    }


def main():
    rows = sources.read(sources.EFFECTIVE)
    parts = [component(*recipe, [r for r in rows if r["source"] == recipe[0]]) for recipe in recipes()]
    musl = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "musl-dev"], capture_output=True, text=True).stdout
    parts.append({"type": "library", "bom-ref": "musl", "name": "musl", "version": musl, "scope": "required",
                  "licenses": [{"license": {"id": "MIT"}}],
                  "description": "C library of every program here, from the build machine's musl-dev package."})
    print(json.dumps({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": {"type": "operating-system", "bom-ref": "hearth", "name": "hearth",
                                   "version": board.values()["BOARD_VERSION"]}},
        "components": sorted(parts, key=lambda p: p["name"]),
    }, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
