#!/usr/bin/env python3
"""Writes a bundle: bundle.py OUT-FOLDER KEY FILE. Same inputs, same bytes.

The layout is that of init/update/tar.h, written out here because every field has one right value."""
import hashlib
import json
import pathlib
import subprocess
import sys

from board import values

HERE = pathlib.Path(__file__).resolve().parent
PIECE = 1 << 20
KERNEL_PIECE = 16384  # init/update/kernel.h


class Part:
    """Bytes of a file from a place on, without having them all in memory."""

    def __init__(self, path, start=0, size=None):
        self.path, self.start = path, start
        self.size = path.stat().st_size - start if size is None else size

    def pieces(self):
        with open(self.path, "rb") as f:
            f.seek(self.start)
            left = self.size
            while left > 0:
                piece = f.read(min(left, PIECE))
                if not piece:
                    sys.exit(f"bundle: {self.path} is shorter than it says")
                left -= len(piece)
                yield piece

    def row(self):
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return f"{{size: {self.size}, sha256: {digest.hexdigest()}}}"


def variables(path):
    """NAME=VALUE lines: root.env, os-release."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def header(name, size, mtime):
    h = bytearray(512)
    for at, text in ((0, name), (100, "0000644"), (108, "0000000"), (116, "0000000"), (124, f"{size:011o}"),
                     (136, f"{mtime:011o}"), (148, " " * 8), (156, "0"), (257, "ustar\00000")):
        h[at:at + len(text)] = text.encode()
    h[148:156] = f"{sum(h):06o}\0 ".encode()
    return bytes(h)


def hashes(data):
    """uki.hashes of uki.efi."""
    return b"".join(hashlib.sha256(data[at:at + KERNEL_PIECE]).digest() for at in range(0, len(data), KERNEL_PIECE))


def manifest(root, env, members, created):
    board = values()
    release = variables(root / "usr/lib/os-release")
    text = {"format": 2, "board": board["BOARD_NAME"], "version": release["VERSION_ID"], "build": release["BUILD_ID"],
            "created": created, "minimum": board["MINIMUM_VERSION"],
            "kubernetes": json.dumps((root / "usr/share/hearth/kube").read_text().strip()),
            "changes": json.dumps((HERE / "changes.txt").read_text().strip(), ensure_ascii=False)}
    lines = [f"{key}: {value}" for key, value in text.items()]
    lines += ["root:", f"  hash: {env['ROOT_HASH']}", f"  uuid: {env['ROOT_UUID']}", f"  salt: {board['VERITY_SALT']}",
              f"  blocks: {int(env['ROOT_BYTES']) // 4096}", "members:"]
    lines += [f"  {name}: {part.row()}" for name, part in members.items()]
    return "\n".join(lines) + "\n"


def write(out, name, part, mtime):
    out.write(header(name, part.size, mtime))
    for piece in part.pieces():
        out.write(piece)
    out.write(bytes(-part.size % 512))


def main():
    folder, key, target = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    env = variables(folder / "root.env")
    image = int(env["ROOT_BYTES"])
    created = int((folder / "root/usr/share/hearth/build-epoch").read_text())
    work = folder / "bundle"
    work.mkdir(exist_ok=True)
    (work / "uki.hashes").write_bytes(hashes((folder / "uki.efi").read_bytes()))
    members = {"root.verity": Part(folder / "root.img", image), "uki.hashes": Part(work / "uki.hashes"),
               "uki.efi": Part(folder / "uki.efi"), "root.erofs": Part(folder / "root.img", 0, image)}
    (work / "manifest.yaml").write_text(manifest(folder / "root", env, members, created))
    with open(work / "manifest.sig", "wb") as sig:
        subprocess.run([HERE.parent / "build/sign", key, work / "manifest.yaml"], stdout=sig, check=True)
    with open(target, "wb") as out:
        for name in ("manifest.yaml", "manifest.sig"):
            write(out, name, Part(work / name), created)
        for name, part in members.items():
            write(out, name, part, created)
        out.write(bytes(1024))


if __name__ == "__main__":
    main()
