#!/usr/bin/env python3
"""The console's page and icon as a C header: embed.py FOLDER >build/gen/assets.h; or the page: embed.py --page FOLDER

A line {{NAME}} of index.html stands for the file of that name. The page holds one <style> and one <script>; their
hashes go into the Content-Security-Policy (CSP level 2), so that the browser runs these and nothing that a bug might
let in. Anything else that would run is refused here."""
import base64
import hashlib
import pathlib
import re
import sys

LIMIT = 40 * 1024


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
    return f"'sha256-{digest}'"


def check(page):
    if len(page.encode()) > LIMIT:
        sys.exit(f"the page: {len(page.encode())} bytes, more than {LIMIT}")
    for bad, why in ((r"\son\w+\s*=", "inline event handler"), (r"\sstyle\s*=", "style attribute"),
                     (r"\.(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(", "text made into markup")):
        if found := re.search(bad, page):
            sys.exit(f"the page: {why}: {found[0].strip()}")
    ids = re.findall(r'\sid="([\w-]+)"', page)
    # Those that the script puts together ("do-" + what) are not seen here.
    used = re.findall(r'(?:\$|fill|tell|note|say|setBar|onPress|showKube)\("([\w-]+)"[,)]', page)
    if twice := {i for i in ids if ids.count(i) > 1}:
        sys.exit(f"index.html: ids that are there twice: {', '.join(sorted(twice))}")
    if missing := set(used) - set(ids):
        sys.exit(f"index.html: the script uses ids that are not there: {', '.join(sorted(missing))}")


def page_of(folder):
    page = re.sub(r"^\{\{(.+)\}\}\n", lambda m: (folder / m[1]).read_text(), (folder / "index.html").read_text(),
                  flags=re.M)
    check(page)
    return page


def main(folder):
    page = page_of(folder)
    icon = (folder / "icon.svg").read_text()
    print("/* Made from init/console/assets by embed.py; do not edit. */")
    print("#ifndef HEARTH_ASSETS_H\n#define HEARTH_ASSETS_H")
    print(f"#define WEB_ASSET_SCRIPT_HASH \"{csp_hash(only('script', page))}\"")
    print(f"#define WEB_ASSET_STYLE_HASH \"{csp_hash(only('style', page))}\"")
    print(f"#define WEB_ASSET_PAGE \\\n\t{c_string(page.encode())}")
    print(f"#define WEB_ASSET_ICON \\\n\t{c_string(icon.encode())}")
    print("#endif")


if __name__ == "__main__":
    if sys.argv[1] == "--page":
        sys.stdout.write(page_of(pathlib.Path(sys.argv[2])))
    else:
        main(pathlib.Path(sys.argv[1]))
