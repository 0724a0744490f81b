"""Other versions of the system, for updates: the same program and kernel, a root that differs, signed with the keys that
the image knows."""
import os
import pathlib
import shutil
import subprocess

import vm
from run import once_per_image

BOARD = pathlib.Path(__file__).resolve().parents[1] / "board"


def bundle(name, version, files=None):
    """A bundle whose root has these files (path: text or bytes) besides; made once per image."""
    def make(target):
        out = vm.BUILD / "qemu" / f"system-{name}"
        shutil.rmtree(out, ignore_errors=True)
        for path, text in {"usr/share/hearth/test-system": name + "\n", **(files or {})}.items():
            file = out / "overlay" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode() if isinstance(text, str) else text)
        env = {**os.environ, "VERSION": version, "OVERLAY": str(out / "overlay")}
        for script in ("root.sh", "image.sh", "bundle.sh"):
            done = subprocess.run([str(BOARD / script), str(out)], env=env, capture_output=True, check=False)
            if done.returncode:
                raise vm.Failure(f"{script}: {done.stdout.decode()}{done.stderr.decode()}")
        shutil.move(out / f"hearth-{version}.hearth", target)
        shutil.rmtree(out)
    return once_per_image(f"bundle-{name}", ".hearth", make)
