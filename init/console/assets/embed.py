#!/usr/bin/env python3
"""The console's page and icon as a C header: embed.py FOLDER >build/gen/assets.h

The page holds one <style> and one <script>; their hashes go into the Content-Security-Policy (CSP level 2), so that
the browser runs these and nothing that a bug might let in. Anything else that would run is refused here."""
import base64
import hashlib
import pathlib
import re
import sys

LIMIT = 20 * 1024


def c_string(data):
    """One literal per line of the file. Octal escapes, as they end after three digits."""
    def byte(b):
        c = chr(b)
        if c in '"\\?':
            return "\\" + c
        return c if 32 <= b < 127 else "\\n" if c == "\n" else "\\t" if c == "\t" else f"\\{b:03o}"
    lines = data.splitlines(keepends=True)
    return " \\\n\t".join('"' + "".join(map(byte, line)) + '"' for line in lines)


def only(tag, page):
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
    if len(found) != 1 or len(re.findall(rf"<{tag}\b", page)) != 1:
        sys.exit(f"index.html: exactly one <{tag}> without attributes is expected")
    return found[0]


def csp_hash(text):
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"\"'sha256-{digest}'\""


def main(folder):
    page = (folder / "index.html").read_text()
    icon = (folder / "icon.svg").read_text()
    if len(page.encode()) > LIMIT:
        sys.exit(f"index.html: {len(page.encode())} bytes, more than {LIMIT}")
    for bad, why in ((r"\son\w+\s*=", "inline event handler"), (r"\sstyle\s*=", "style attribute"),
                     (r"\.(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(", "text made into markup")):
        if re.search(bad, page):
            sys.exit(f"index.html: {why}: {re.search(bad, page).group(0).strip()}")
    print("/* Made from init/console/assets by embed.py; do not edit. */")
    print("#ifndef HEARTH_ASSETS_H\n#define HEARTH_ASSETS_H")
    print(f"#define WEB_ASSET_SCRIPT_HASH {csp_hash(only('script', page))}")
    print(f"#define WEB_ASSET_STYLE_HASH {csp_hash(only('style', page))}")
    print(f"#define WEB_ASSET_PAGE \\\n\t{c_string(page.encode())}")
    print(f"#define WEB_ASSET_ICON \\\n\t{c_string(icon.encode())}")
    print("#endif")


main(pathlib.Path(sys.argv[1]))
