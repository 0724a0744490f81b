#!/usr/bin/env python3
"""Sources of everything that is not ours: pinned in sources.lock, fetched from the machine's own Debian mirror.

  sources.py lock         write sources.lock anew from the suite's signed index (names come from the recipes)
  sources.py fetch        bring every locked file into the cache, checked by SHA-256
  sources.py path NAME    print the cached files of one source, one a line: upstream archive first

A recipe may name another suite (`suite=NAME`) for a source that the mirror has incomplete in the pinned one.
The index is verified by apt against Debian's archive key; the lock keeps what it said. A file that the mirror
no longer has (a point release replaced it) is looked up in the signed index again: the newer version is used for
this build, build/sources.lock says so, and `make lock` makes it permanent. HEARTH_LOCKED=1 makes that an error."""
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SUITE = "trixie"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
LOCK = HERE / "sources.lock"
EFFECTIVE = HERE.parent / "build" / "sources.lock"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "hearth"
COLUMNS = ("source", "suite", "version", "role", "size", "sha256", "path")
WIDTHS = (18, 9, 33, 7, 10, 65, 0)
HEAD = "# Files of Debian, as its signed index names them. Written by `make lock`, do not edit.\n"


def die(text):
    sys.exit(f"sources: {text}")


def mirror():
    """The Debian mirror that this machine uses already; no host name stands in the project."""
    out = subprocess.run(["apt-get", "indextargets", "--format", "$(ORIGIN) $(CODENAME) $(REPO_URI)",
                          "Created-By: Packages"], capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        origin, codename, uri = line.split(" ", 2)
        if origin == "Debian" and "-" not in codename and "security" not in uri:
            return uri.rstrip("/")
    die("this machine's apt sources name no Debian mirror; add one to /etc/apt/sources.list.d and run apt-get update")


class Apt:
    """A private apt folder that knows the pinned suites only; the machine's own apt stays as it is."""

    def __init__(self):
        self.base = mirror()
        self.dir = CACHE / "apt"
        for sub in ("lists/partial", "cache/archives/partial"):
            (self.dir / sub).mkdir(parents=True, exist_ok=True)
        suites = sorted({SUITE} | {suite for _, _, suite in wanted()})
        text = "".join(f"{kind} [signed-by={KEYRING}] {self.base} {suite} main\n"
                       for suite in suites for kind in ("deb", "deb-src"))
        (self.dir / "sources.list").write_text(text)
        self.opts = ["-o", f"Dir::Etc::SourceList={self.dir}/sources.list", "-o", "Dir::Etc::SourceParts=/dev/null",
                     "-o", f"Dir::State::Lists={self.dir}/lists", "-o", f"Dir::Cache={self.dir}/cache",
                     "-o", "APT::Architecture=amd64", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3"]

    def update(self):
        run = subprocess.run(["apt-get", *self.opts, "update"], capture_output=True, text=True)
        if run.returncode or "\nE:" in run.stderr:
            die(f"the signed index could not be read from {self.base}:\n{run.stderr}")

    def files(self, name, deb, suite):
        """Rows of one source package (deb: one binary package) as the index has them now."""
        what = ["download", f"{name}/{suite}"] if deb else ["--only-source", "source", f"{name}/{suite}"]
        run = subprocess.run(["apt-get", *self.opts, "--print-uris", *what], capture_output=True, text=True)
        for uri, file, size, sha in re.findall(r"^'([^']+)' (\S+) (\d+) SHA256:(\w+)$", run.stdout, re.M):
            version = file.split("_")[1] if deb else ""
            role = "deb" if deb else "orig" if ".orig.tar" in file and not file.endswith(".asc") else \
                "debian" if ".debian.tar" in file else "native" if re.search(r"_[^-]+\.tar\.\w+$", file) else None
            if role:
                yield {"source": name, "suite": suite, "version": version, "role": role, "size": size, "sha256": sha,
                       "path": uri[len(self.base) + 1:], "file": file}

    def download(self, row):
        to = CACHE / "files" / row["sha256"]
        to.parent.mkdir(parents=True, exist_ok=True)
        part = to.with_name(f"{to.name}.{os.getpid()}")
        run = subprocess.run(["/usr/lib/apt/apt-helper", *self.opts, "download-file", f"{self.base}/{row['path']}",
                              str(part), f"SHA256:{row['sha256']}"], capture_output=True, text=True)
        if run.returncode:
            part.unlink(missing_ok=True)
            return run.stderr.strip().splitlines()[-1] if run.stderr.strip() else "download failed"
        part.rename(to)
        return None


def wanted():
    """(name, is a binary package, suite) for every recipe's `source=`, `deb=` and `suite=` lines."""
    out = []
    for recipe in sorted((HERE / "pkg").glob("*.sh")):
        text = recipe.read_text()
        suite = re.search(r"^suite=(\S+)$", text, re.M)
        for kind, names in re.findall(r'^(source|deb)="?([^"\n]+)"?$', text, re.M):
            for name in names.split():
                row = (name, kind == "deb", suite[1] if suite else SUITE)
                if row not in out:
                    out.append(row)
    return out


def resolve(apt, name, deb, suite):
    """All files of one source, brought into the cache. Patches that the mirror lacks are left out, and said."""
    rows = list(apt.files(name, deb, suite))
    if not rows:
        die(f"{suite} has no package {name}; correct the recipe in board/pkg")
    if not deb:
        version = next((r["file"].split("_")[1].rsplit(".debian", 1)[0] for r in rows if r["role"] == "debian"),
                       rows[0]["file"].split("_")[1].split(".orig")[0])
        for r in rows:
            r["version"] = version
    for row in rows[:]:
        why = None if (CACHE / "files" / row["sha256"]).exists() else apt.download(row)
        if why and row["role"] != "debian":
            die(f"{row['path']}: {why}")
        if why:
            print(f"{name}: the mirror lacks {row['path']}: built without the distribution's patches", file=sys.stderr)
            rows.remove(row)
    return rows


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [[r[c] for c in COLUMNS] for r in sorted(rows, key=lambda r: (r["source"], r["role"] == "debian"))]
    path.write_text(HEAD + "".join("".join(f"{cell:<{width}} " for cell, width in zip(line, WIDTHS)).rstrip() + "\n"
                                   for line in [["# source", *COLUMNS[1:]], *lines]))


def read(path):
    return [dict(zip(COLUMNS, line.split())) for line in path.read_text().splitlines() if line and line[0] != "#"]


def lock():
    apt = Apt()
    apt.update()
    rows = [row for name, deb, suite in wanted() for row in resolve(apt, name, deb, suite)]
    write(LOCK, rows)
    print(f"{len(rows)} files of {len(wanted())} sources locked in {LOCK}")


def replace(apt, row):
    """The locked version is gone from the mirror: what the suite has now, all files or none."""
    if os.environ.get("HEARTH_LOCKED"):
        die(f"{row['source']} {row['version']}: the mirror no longer has it; run `make lock`")
    print(f"{row['source']} {row['version']}: gone from the mirror; asking the signed index for the suite's version")
    apt.update()
    rows = resolve(apt, row["source"], row["role"] == "deb", row["suite"])
    print(f"using {row['source']} {rows[0]['version']}; `make lock` makes it permanent")
    return rows


def fetch():
    rows = read(LOCK)
    if not {name for name, _, _ in wanted()} <= {r["source"] for r in rows}:
        die("a recipe names a source that sources.lock lacks; run `make lock`")
    apt, out, moved = None, [], {}
    for row in rows:
        if row["source"] in moved:
            continue
        if not (CACHE / "files" / row["sha256"]).exists():
            apt = apt or Apt()
            print(f"fetching {row['path'].rsplit('/', 1)[1]} ({int(row['size']) >> 10} KiB)", flush=True)
            if apt.download(row):
                moved[row["source"]] = replace(apt, row)
                continue
        out.append(row)
    out = [r for r in out if r["source"] not in moved] + [r for rs in moved.values() for r in rs]
    new = EFFECTIVE.with_suffix(".new")
    write(new, out)
    if EFFECTIVE.exists() and EFFECTIVE.read_text() == new.read_text():
        new.unlink()
    else:
        new.rename(EFFECTIVE)


def path(name):
    rows = [r for r in read(EFFECTIVE) if r["source"] == name]
    if not rows:
        die(f"no source {name} in build/sources.lock; run `make sources`")
    for r in sorted(rows, key=lambda r: r["role"] == "debian"):
        print(r["role"], CACHE / "files" / r["sha256"])


if __name__ == "__main__":
    verb, *args = sys.argv[1:] or [""]
    {"lock": lock, "fetch": fetch, "path": path}.get(verb, lambda *_: die("usage: lock | fetch | path NAME"))(*args)
