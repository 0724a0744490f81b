#!/usr/bin/env python3
"""The image's bill of materials as CycloneDX 1.5 JSON on stdout: our program and every source that went into it,
from the recipes (licence) and build/sources.lock (version, hash, whether the distribution's patches are in)."""
import json
import pathlib
import re

import sources

HERE = pathlib.Path(__file__).resolve().parent


def recipes():
    for recipe in sorted((HERE / "pkg").glob("*.sh")):
        text = recipe.read_text()
        fields = dict(re.findall(r"^(source|deb|licence)=(\S+)$", text, re.M))
        yield fields.get("source") or fields["deb"], fields["licence"], text.splitlines()[0].lstrip("# ")


def component(name, licence, purpose, rows):
    patched = any(r["role"] == "debian" for r in rows) or rows[0]["role"] == "deb"
    version = rows[0]["version"]
    return {
        "type": "library", "bom-ref": f"pkg:deb/debian/{name}@{version}", "name": name, "version": version,
        "purl": f"pkg:deb/debian/{name}@{version}?arch=source&distro={rows[0]['suite']}",
        "description": purpose + ("" if patched else " Upstream archive without the distribution's patches."),
        "licenses": [{"license": {"id": licence}}],
        "hashes": [{"alg": "SHA-256", "content": r["sha256"]} for r in rows],
    }


def main():
    board = dict(line.split(" := ", 1) for line in (HERE / "board.mk").read_text().splitlines() if " := " in line)
    rows = sources.read(sources.EFFECTIVE)
    parts = [component(name, licence, purpose, [r for r in rows if r["source"] == name])
             for name, licence, purpose in recipes()]
    parts.append({"type": "library", "bom-ref": "musl", "name": "musl", "licenses": [{"license": {"id": "MIT"}}],
                  "description": "C library of every program here, from the build machine's musl-dev package."})
    print(json.dumps({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": {"type": "operating-system", "bom-ref": "hearth", "name": "hearth",
                                   "version": board["BOARD_VERSION"]}},
        "components": sorted(parts, key=lambda p: p["name"]),
    }, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
