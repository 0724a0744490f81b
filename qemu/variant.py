"""Other versions of the image, for the cases about updates: the real root without what Kubernetes brings, so that it is
small, with another version number and whatever else a case changes. Packed and signed by the build's own scripts."""
import fcntl
import os
import pathlib
import shutil
import subprocess

import vm

BOARD = vm.TOP / "board"
# What only Kubernetes needs; 25 of 26 parts of the root.
WITHOUT = ["usr/bin/k3s", "usr/bin/kubectl", "usr/bin/crictl", "usr/bin/containerd", "usr/bin/containerd-shim-runc-v2",
           "usr/bin/ctr", "usr/bin/runc", "usr/bin/hearth-cri", "usr/lib/cni", "usr/share/hearth/images",
           "usr/share/hearth/manifests", "usr/share/hearth/sbom.cdx.json"]


def make(name, version="0.1.0", files=None, image=False, uki=None, key=None):
    """The folder of a variant, made once per image: root/, root.img, root.env, uki.efi, hearth-VERSION.hearth, with
    image also hearth.img. files: {path in the root: text; None removes}. uki: a function that changes the file uki.efi
    before it is signed. key: a private key to sign with, in place of the build's."""
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
        change(root, {**dict.fromkeys(WITHOUT), "usr/lib/os-release": release, **(files or {})})
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
