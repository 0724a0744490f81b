"""Other versions of the image, for the cases about updates: the real root without what Kubernetes brings, so that it is
small, with another version number and whatever else a case changes. Packed and signed by the build's own scripts."""
import fcntl
import os
import pathlib
import shutil
import struct
import subprocess
import sys

import vm

BOARD = vm.TOP / "board"
# What only Kubernetes needs; 25 of 26 parts of the root.
WITHOUT = ["usr/bin/k3s", "usr/bin/kubectl", "usr/bin/crictl", "usr/bin/containerd", "usr/bin/containerd-shim-runc-v2",
           "usr/bin/ctr", "usr/bin/runc", "usr/bin/hearth-cri", "usr/lib/cni", "usr/share/hearth/images",
           "usr/share/hearth/manifests", "usr/share/hearth/sbom.cdx.json"]


# A service that keeps a new slot from getting well.
NEVER = """name: never
description: Never gets ready
command: [/bin/sh, -c, "exit 1"]
type: oneshot
"""


def make(name, version="0.1.0", files=None, image=False, uki=None, key=None, kubernetes=False):
    """The folder of a variant, made once per image: root/, root.img, root.env, uki.efi, hearth-VERSION.hearth, with
    image also hearth.img. files: {path in the root: text; None removes}. uki: a function that changes the file uki.efi
    before it is signed. key: a private key to sign with, in place of the build's. kubernetes: it stays inside."""
    stamp = vm.IMAGE.stat().st_mtime_ns
    top = vm.BUILD / "qemu" / "variants"
    folder = top / str(stamp) / name
    top.mkdir(parents=True, exist_ok=True)
    with open(top / "lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if (folder / "done").exists():
            return folder
        for old in top.iterdir():
            if old.is_dir() and old.name != str(stamp):
                shutil.rmtree(old)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        root = folder / "root"
        subprocess.run(["cp", "-al", vm.BUILD / "root", root], check=True)
        release = (root / "usr/lib/os-release").read_text()
        release = "".join(f"VERSION_ID={version}\n" if line.startswith("VERSION_ID=") else
                          f'PRETTY_NAME="Hearth {version}"\n' if line.startswith("PRETTY_NAME=") else line + "\n"
                          for line in release.splitlines())
        change(root, {**dict.fromkeys([] if kubernetes else WITHOUT), "usr/lib/os-release": release, **(files or {})})
        run("seal.sh", folder)
        run("image.sh" if image else "uki.sh", folder)
        if uki:
            uki(folder / "uki.efi")
        run("bundle.sh", folder, **({"KEY": str(key)} if key else {}))
        (folder / "done").touch()
    return folder


def change(root, files):
    """The files are links to the build's: never written, only replaced."""
    for path, text in files.items():
        target = root / path
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        if text is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            os.chmod(target, 0o644)


def run(script, folder, **env):
    done = subprocess.run([BOARD / script, folder], capture_output=True, text=True, env={**os.environ, **env})
    if done.returncode:
        raise vm.Failure(f"{script} {folder.name}: {done.stdout[-500:]}{done.stderr[-1500:]}")


def bundle(folder):
    return next(pathlib.Path(folder).glob("*.hearth"))


def offer(server, folder):
    """The address of the variant's bundle, for a box, on a Server of this machine."""
    file = bundle(folder)
    server.files[f"/{file.name}"] = file.read_bytes()
    return f"http://10.0.2.2:{server.port}/{file.name}"


def never(deadline):
    """For make's files: a version that never gets well, and how long it may try."""
    text = (vm.TOP / "fs-overlay/etc/hearth/settings.yaml").read_text()
    if "health-deadline: 15m" not in text:
        raise vm.Failure("the shipped deadline is another one")
    return {"etc/hearth/services/never.yaml": NEVER,
            "etc/hearth/settings.yaml": text.replace("health-deadline: 15m", f"health-deadline: {deadline}")}


def words(text):
    """For make's uki: more words on the kernel's command line."""
    def add(uki):
        work, pkg = uki.parent / "image", vm.BUILD / "pkg"
        line = work / "cmdline"
        line.write_text(f"{line.read_text().rstrip()} {text}\n")
        subprocess.run([sys.executable, BOARD / "uki.py", pkg / "systemd-boot/efi/linuxx64.efi.stub", uki,
                        f".osrel={work}/osrel", f".cmdline={line}", f".initrd={work}/initrd",
                        f".linux={pkg}/linux/bzImage"], check=True)
    return add


def sections(uki):
    """{name: (address, bytes of it, bytes with the zeros behind them, where in the file)} of a PE image."""
    head, = struct.unpack_from("<I", uki, 0x3c)
    count, options = struct.unpack_from("<H12xH", uki, head + 6)
    rows = (struct.unpack_from("<8sIIII", uki, head + 24 + options + 40 * i) for i in range(count))
    return {name.rstrip(b"\0").decode(): (address, size, whole, at) for name, size, address, whole, at in rows}


def stands_still(uki):
    """For make's uki: its first instructions are hlt, and a jump back to it; without a checksum, by which the loader
    would know."""
    data = bytearray(uki.read_bytes())
    head, = struct.unpack_from("<I", data, 0x3c)
    entry, = struct.unpack_from("<I", data, head + 24 + 16)
    for address, size, _, at in sections(data).values():
        if address <= entry < address + size:
            at += entry - address
            data[at:at + 3] = b"\xf4\xeb\xfd"
            data[head + 24 + 64:head + 24 + 68] = bytes(4)
            uki.write_bytes(data)
            return
    raise vm.Failure(f"{uki}: its entry point is in no section")
