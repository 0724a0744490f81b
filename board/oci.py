#!/usr/bin/env python3
"""Container images from descriptors: board/images/NAME.yaml -> the image hearth.local/NAME:VERSION with one layer.

  oci.py build [NAME...]    build/images/NAME.tar                    OCI archive, for other machines and tests
                            build/images/root/usr/share/hearth/images/  what the read-only root carries instead:
                              NAME/{name,manifest.json,config.json}  and  layers/DIGEST/ (the layer, unpacked)

An image whose descriptor and files are what they were is left alone. Same input, same bytes: one time, one owner
(root), two modes (755 and 644, as the root has them), names in order. Keys of a descriptor:

  name, version   of the image; the name is the file's
  files           path in the image: file of the project; executable there if it is executable here
  trees           folder in the image: folder of the project, with everything in it
  text            path in the image: what stands in the file
  links           path in the image: where the symbolic link points
  folders         empty folders (mount points)
  entrypoint, cmd, env, user (UID:GID, in numbers), workdir    as OCI has them"""
import hashlib
import io
import json
import os
import pathlib
import posixpath
import re
import shutil
import subprocess
import sys
import tarfile

import yaml

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent
OUT = TOP / "build" / "images"
ROOT = pathlib.Path("root/usr/share/hearth/images")
RULES = "1"  # to be raised when a change here makes other bytes from the same descriptor
REGISTRY = "hearth.local"
TIME = 1700000000
CREATED = "2023-11-14T22:13:20Z"
LIBRARIES = ("/lib", "/usr/lib", "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64")
MAPS, LISTS = ("files", "trees", "text", "links", "env"), ("folders", "entrypoint", "cmd")
SCALARS, MUST = ("name", "version", "user", "workdir"), ("name", "version", "entrypoint")


class Bad(Exception):
    """What is wrong with a descriptor: file, line, what to do."""

    def __init__(self, file, line, text):
        super().__init__(f"{os.path.relpath(file, TOP)}:{line}: {text}")


# The descriptor

class Descriptor:
    """A descriptor file as read: fields as text, each with the line it stands on."""

    def __init__(self, file):
        self.file, self.lines, self.fields = file, {}, {}
        try:
            node = yaml.compose(file.read_text(), Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as e:
            raise Bad(file, e.problem_mark.line + 1, f"no YAML: {e.problem}") from e
        for key, value in self.pairs(node, "the descriptor"):
            self.lines[key.value] = self.line(key)
            self.fields[key.value] = self.field(key, value)
        for key in MUST:
            if not self.fields.get(key):
                raise Bad(file, 1, f"the key {key} is missing; add it")
        self.check()

    def line(self, node):
        return node.start_mark.line + 1

    def pairs(self, node, what):
        if not isinstance(node, yaml.MappingNode):
            raise Bad(self.file, self.line(node) if node else 1, f"{what} must be a list of `key: value` lines")
        seen = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                raise Bad(self.file, self.line(key), "a key stands twice or is no word; keep one")
            seen.add(key.value)
            yield key, value

    def field(self, key, value):
        name = key.value
        if name in MAPS:
            return {k.value: (self.scalar(v, f"{name}: {k.value}"), self.line(k)) for k, v in self.pairs(value, name)}
        if name in LISTS:
            if not isinstance(value, yaml.SequenceNode):
                raise Bad(self.file, self.line(key), f"{name} must be a list; write [A, B]")
            return [self.scalar(v, name) for v in value.value]
        if name in SCALARS:
            return self.scalar(value, name)
        raise Bad(self.file, self.line(key), f"unknown key {name}; known are {' '.join(SCALARS + LISTS + MAPS)}")

    def scalar(self, node, what):
        if not isinstance(node, yaml.ScalarNode):
            raise Bad(self.file, self.line(node), f"{what} must be one text")
        return node.value

    def bad(self, key, text):
        return Bad(self.file, self.lines[key], text)

    def check(self):
        if self.fields["name"] != self.file.stem:
            raise self.bad("name", f"the name is {self.fields['name']}, the file's {self.file.stem}; make them one")
        if not re.fullmatch(r"[a-z0-9]+([-.][a-z0-9]+)*", self.fields["name"]):
            raise self.bad("name", "a name has small letters, digits and single dashes")
        if not re.fullmatch(r"\w[\w.-]{0,127}", self.fields["version"]):
            raise self.bad("version", "a version has letters, digits, dots and dashes")
        if not re.fullmatch(r"\d+:\d+", self.fields.get("user", "0:0")):
            raise self.bad("user", "a user is UID:GID in numbers; the kubelet cannot check a name")

    @property
    def image(self):
        return f"{REGISTRY}/{self.fields['name']}:{self.fields['version']}"

    def config(self):
        f = self.fields
        wanted = {"User": f.get("user"), "Env": [f"{k}={v}" for k, (v, _) in sorted(f.get("env", {}).items())],
                  "Entrypoint": f["entrypoint"], "Cmd": f.get("cmd"), "WorkingDir": f.get("workdir")}
        return {k: v for k, v in wanted.items() if v}


# The layer

class Entry:
    """One file, folder or link of the layer."""

    def __init__(self, kind, line, source=None, data=None, link=None):
        self.kind, self.line, self.source, self.data, self.link = kind, line, source, data, link
        self.mode = 0o755 if kind == "dir" or source and os.access(source, os.X_OK) else 0o644

    def bytes(self):
        return self.data if self.source is None else self.source.read_bytes()


class Layer:
    """Everything in the image by its path."""

    def __init__(self, descriptor):
        self.d, self.entries = descriptor, {}
        self.owned = {}  # by key of the descriptor, to tell a file named twice from one that replaces a tree's
        fields = descriptor.fields
        for to, (source, line) in fields.get("trees", {}).items():
            self.add_tree(to, self.source(source, line, want_dir=True), line)
        for to, (source, line) in fields.get("files", {}).items():
            self.add(to, Entry("file", line, source=self.source(source, line, want_dir=False)), "files")
        for to, (text, line) in fields.get("text", {}).items():
            self.add(to, Entry("file", line, data=text.encode()), "text")
        for to, (link, line) in fields.get("links", {}).items():
            self.add(to, Entry("link", line, link=link), "links")
        for to in fields.get("folders", []):
            self.add(to, Entry("dir", descriptor.lines["folders"]), "folders")
        self.check()

    def bad(self, line, text):
        return Bad(self.d.file, line, text)

    def source(self, name, line, want_dir):
        path = TOP / name
        if os.path.isabs(name) or ".." in pathlib.PurePath(name).parts:
            raise self.bad(line, f"{name} is outside the project; name a file below it")
        if not path.exists():
            hint = f"; board/pkg.sh {path.relative_to(TOP).parts[2]} makes it" if name.startswith("build/pkg/") else \
                "; `make hearth` makes it" if name == "build/hearth" else "; correct the path"
            raise self.bad(line, f"{name} does not exist{hint}")
        if path.is_dir() != want_dir:
            raise self.bad(line, f"{name} is {'no' if want_dir else 'a'} folder; use "
                                 f"{'files' if want_dir else 'trees'} for it")
        return path

    def add_tree(self, to, folder, line):
        for path in sorted(folder.rglob("*")):
            kind = "link" if path.is_symlink() else "dir" if path.is_dir() else "file"
            if kind == "file" and not path.is_file():
                raise self.bad(line, f"{path.relative_to(TOP)} is neither file, folder nor link; take it out")
            self.add(posixpath.join(to, str(path.relative_to(folder))),
                     Entry(kind, line, source=path if kind == "file" else None,
                           link=os.readlink(path) if kind == "link" else None), "trees")

    def add(self, to, entry, key):
        if not to.startswith("/") or posixpath.normpath(to) != to or to == "/":
            raise self.bad(entry.line, f"{to} must be a plain absolute path in the image")
        if to in self.entries and not (entry.kind == self.entries[to].kind == "dir"):
            if key == "trees" or self.owned.get(to) != "trees":
                raise self.bad(entry.line, f"{to} is there already; name it once")
        for parent in reversed(pathlib.PurePosixPath(to).parents):
            held = self.entries.setdefault(str(parent), Entry("dir", entry.line)) if str(parent) != "/" else None
            if held and held.kind != "dir":
                raise self.bad(entry.line, f"{to} lies under {parent}, which is a {held.kind}; name the real folder")
        self.entries[to] = entry
        self.owned[to] = key

    def resolve(self, path, depth=0):
        """Where a path of the image leads, all links followed; None when it leads nowhere or out of the image."""
        at = "/"
        for part in [p for p in path.split("/") if p and p != "."]:
            if part == ".." and at == "/":
                return None
            at = posixpath.dirname(at) if part == ".." else posixpath.join(at, part)
            entry = self.entries.get(at)
            if entry and entry.kind == "link":
                at = self.resolve(posixpath.join(posixpath.dirname(at), entry.link), depth + 1) if depth < 40 else None
            if at is None or at != "/" and at not in self.entries:
                return None
        return at

    def check(self):
        for path, entry in self.entries.items():
            if entry.kind == "link" and self.resolve(path) is None:
                raise self.bad(entry.line, f"the link {path} -> {entry.link} leads to nothing in the image; "
                                           "add its target or correct it")
            if entry.source:
                self.check_file(path, entry)
        command = self.d.fields["entrypoint"][0]
        target = self.resolve(command)
        if not target or self.entries[target].kind != "file" or not self.entries[target].mode & 0o100:
            raise self.d.bad("entrypoint", f"{command} is no program of this image; name one by its whole path")

    def check_file(self, path, entry):
        if entry.source.stat().st_mode & 0o6000:
            raise self.bad(entry.line, f"{path} is set-user-ID; the root drops that, take it out")
        with entry.source.open("rb") as f:
            if f.read(4) != b"\x7fELF":
                return
        out = subprocess.run(["readelf", "-ldW", entry.source], capture_output=True, text=True, check=True).stdout
        for loader in re.findall(r"Requesting program interpreter: (.*)\]", out):
            if self.resolve(loader) is None:
                raise self.bad(entry.line, f"{path} wants the loader {loader}, which the image lacks; link it "
                                           "statically or add loader and libraries")
        for library in re.findall(r"\(NEEDED\).*\[(.*)\]", out):
            if not any(self.resolve(f"{folder}/{library}") for folder in LIBRARIES):
                raise self.bad(entry.line, f"{path} wants the library {library}, which the image lacks; add it")

    def write_tar(self, file):
        with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for path, entry in sorted(self.entries.items()):
                info = tarfile.TarInfo(path[1:])
                info.mtime, info.mode = TIME, 0o777 if entry.kind == "link" else entry.mode
                info.type = {"dir": tarfile.DIRTYPE, "link": tarfile.SYMTYPE, "file": tarfile.REGTYPE}[entry.kind]
                info.linkname = entry.link or ""
                data = entry.bytes() if entry.kind == "file" else b""
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))

    def write_folder(self, folder):
        folder.mkdir(parents=True)
        for path, entry in sorted(self.entries.items()):
            to = folder / path[1:]
            if entry.kind == "dir":
                to.mkdir()
            elif entry.kind == "link":
                to.symlink_to(entry.link)
            else:
                to.write_bytes(entry.bytes())
            if entry.kind != "link":
                to.chmod(entry.mode)

    def key(self):
        """Of everything that goes in. The descriptor's own text is part of it, and this program's rules."""
        h = hashlib.sha256(RULES.encode() + self.d.file.read_bytes())
        for path, entry in sorted(self.entries.items()):
            data = hashlib.sha256(entry.bytes()).hexdigest() if entry.kind == "file" else entry.link
            h.update(f"{path}\0{entry.kind}\0{entry.mode:o}\0{data}\n".encode())
        return h.hexdigest()


# The image

def dump(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def blob(media, data, **more):
    return {"mediaType": f"application/vnd.oci.image.{media}", "digest": f"sha256:{hashlib.sha256(data).hexdigest()}",
            "size": len(data), **more}


def archive(out, image, manifest, blobs):
    index = dump({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
        blob("manifest.v1+json", manifest, platform={"architecture": "amd64", "os": "linux"}, annotations={
            "io.containerd.image.name": image, "org.opencontainers.image.ref.name": image.rsplit(":", 1)[1]})]})
    files = {"oci-layout": dump({"imageLayoutVersion": "1.0.0"}), "index.json": index,
             **{f"blobs/sha256/{hashlib.sha256(b).hexdigest()}": b for b in blobs}}
    with tarfile.open(out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(data), TIME, 0o644
            tar.addfile(info, io.BytesIO(data))


def write(layer, name, image):
    """Both forms of the image; whatever was there under its name is replaced."""
    tar = io.BytesIO()
    layer.write_tar(tar)
    tar = tar.getvalue()
    diff = blob("layer.v1.tar", tar)
    config = dump({"architecture": "amd64", "os": "linux", "created": CREATED, "config": layer.d.config(),
                   "rootfs": {"type": "layers", "diff_ids": [diff["digest"]]},
                   "history": [{"created": CREATED, "created_by": f"board/images/{name}.yaml"}]})
    manifest = dump({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                     "config": blob("config.v1+json", config), "layers": [diff]})
    archive(OUT / f"{name}.tar", image, manifest, [manifest, config, tar])

    # The chain id of a first layer is its own digest.
    folder = OUT / ROOT / "layers" / diff["digest"].split(":")[1]
    shutil.rmtree(folder, ignore_errors=True)
    layer.write_folder(folder)
    meta = OUT / ROOT / name
    meta.mkdir(parents=True, exist_ok=True)
    for file, data in (("manifest.json", manifest), ("config.json", config), ("name", f"{image}\n".encode())):
        (meta / file).write_bytes(data)
    return len(tar)


def layer_of(name):
    config = json.loads((OUT / ROOT / name / "config.json").read_text())
    return config["rootfs"]["diff_ids"][0].split(":")[1]


def build(name):
    file = HERE / "images" / f"{name}.yaml"
    if not file.exists():
        sys.exit(f"oci: no descriptor {file.relative_to(TOP)}; names are those of board/images/*.yaml")
    layer = Layer(Descriptor(file))
    stamp, key = OUT / f"{name}.key", layer.key()
    whole = stamp.exists() and stamp.read_text() == key and (OUT / ROOT / "layers" / layer_of(name)).exists()
    if whole and (OUT / f"{name}.tar").exists():
        return
    stamp.unlink(missing_ok=True)
    size = write(layer, name, layer.d.image)
    stamp.write_text(key)
    print(f"{layer.d.image}: {size >> 10} KiB in {sum(e.kind == 'file' for e in layer.entries.values())} files")


def tidy(names):
    """Takes away images without a descriptor, then layers without an image."""
    for meta in (OUT / ROOT).iterdir():
        if meta.name not in names and meta.name != "layers":
            shutil.rmtree(meta)
            for leftover in OUT.glob(f"{meta.name}.*"):
                leftover.unlink()
    used = {layer_of(meta.name) for meta in (OUT / ROOT).iterdir() if meta.name != "layers"}
    for folder in (OUT / ROOT / "layers").iterdir():
        if folder.name not in used:
            shutil.rmtree(folder)


def main():
    os.umask(0o022)  # what is written is the image's, whoever builds it
    verb, *names = sys.argv[1:] or [""]
    if verb != "build":
        sys.exit("usage: oci.py build [NAME...]")
    every = sorted(f.stem for f in (HERE / "images").glob("*.yaml"))
    (OUT / ROOT / "layers").mkdir(parents=True, exist_ok=True)
    try:
        for name in names or every:
            build(name)
    except Bad as e:
        sys.exit(str(e))
    tidy(every)


if __name__ == "__main__":
    main()
