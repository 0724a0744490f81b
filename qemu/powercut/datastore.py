"""A made-up cluster in the data partition, in the place of one that k3s keeps: enough for the box to copy it when a new
slot is tried and to put it back when the old one returns (libexec/hearth/cluster), and to see whether what a power cut
leaves belongs together. Every piece holds one word: "old", written by slot a, or "new", by slot b."""
import pathlib
import shutil
import subprocess
import tempfile

import disk
import vm

SERVER, PASSWORD = "k3s/server", "k3s-etc/node/password"
PIECES = [f"{SERVER}/db/state.db", f"{SERVER}/tls/key", f"{SERVER}/cred/passwd", f"{SERVER}/token", PASSWORD]
FOLDERS = "cluster k3s k3s-etc"
FACT = "datastore"
KUBE = "usr/share/hearth/kube"
# What slot b holds: the other slot's Kubernetes can not go back over its datastore.
NEWER = "k3s v99.0.0+k3s1, made up\n"

SERVICE = """name: datastore
description: Stands for Kubernetes
command: [/bin/sh, /state/datastore]
type: oneshot
when: [data-mounted, state-mounted]
"""
SCRIPT = f"""set -eu
slot=$(cat /run/hearth/slot)
/usr/libexec/hearth/cluster
put() {{
	mkdir -p "${{1%/*}}"
	echo "$word" >"$1.part"
	sync
	mv "$1.part" "$1"
	sync
}}
word=new
[ "$slot" = b ] || word=old
if [ "$slot" = b ] || ! [ -e /data/{SERVER} ]; then
	for piece in {" ".join(PIECES)}; do put "/data/$piece"; done
fi
cd /data
hearth ctl fact {FACT} on "$(cat {" ".join(PIECES)} | tr '\\n' ' ')"
"""


def put(path):
    """Onto the disk of a box that is switched off."""
    disk.put(path, SERVICE, "/services/datastore.yaml")
    disk.put(path, SCRIPT, "/datastore")


def until(box, word):
    """Waits until the running box says that every piece is this one."""
    fact = box.until("the datastore is there", lambda: (f := box.facts().get(FACT, {})).get("value") == "on" and f, 300)
    if fact["detail"].split() != [word] * len(PIECES):
        raise vm.Failure(f"every piece of the datastore should be {word}: {fact['detail']}")


def after_start(tree, slot, entries):
    """What the box would have when this slot has started on that tree: [word of each piece], None: not there. The box's
    own program does it. entries: names of the boot entries."""
    with tempfile.TemporaryDirectory() as root:
        root = pathlib.Path(root)
        for folder in ("data", "bin", "run/hearth", "boot/EFI/Linux", "usr/share/hearth"):
            (root / folder).mkdir(parents=True)
        for path, text in tree.items():
            at = root / "data" / path
            (at if text is None else at.parent).mkdir(parents=True, exist_ok=True)
            if text is not None:
                at.write_text(text + "\n")
        for name in entries:
            (root / "boot/EFI/Linux" / name).touch()
        (root / "run/hearth/slot").write_text(f"{slot}\n")
        (root / KUBE).write_text(NEWER if slot == "b" else (vm.BUILD / "root" / KUBE).read_text())
        shell, program = vm.BUILD / "root/bin/busybox", vm.BUILD / "root/usr/libexec/hearth/cluster"
        for applet in "cat cp grep mkdir mv rm sed sort tail".split():
            (root / "bin" / applet).symlink_to(shell)
        (root / "bin/sync").symlink_to(shutil.which("true"))  # not the build machine's disks
        done = subprocess.run([shell, "sh", program], capture_output=True, text=True, timeout=60,
                              env={"HEARTH_ROOT": str(root), "PATH": f"{root}/bin:/usr/bin:/bin"})
        if done.returncode:
            return f"libexec/hearth/cluster says: {(done.stdout + done.stderr).strip()[-200:]}"
        return [p.read_text().strip() if (p := root / "data" / piece).exists() else None for piece in PIECES]
