"""Plays back the log of an XFS and checks it, with the box's own kernel and checker: another kernel may leave out parts
(quotas), and may not be asked to mount anything at all. One small machine does it for all cuts; the file behind its
disk is changed under it while nothing is mounted there."""
import re
import subprocess
import tempfile
import time

import vm  # first: it knows where the next one lies
import cpio
from powercut import datastore

INIT = """#!/bin/busybox sh
tell() {
	cd /mnt
	find %s 2>/dev/null | head -n 200 | while read -r f; do
		word=
		[ -d "$f" ] || read -r word <"$f"
		if [ -d "$f" ]; then echo "folder $f"; else echo "file $f $word"; fi
	done
	cd /
}
mount -t devtmpfs dev /dev
mount -t proc proc /proc
exec </dev/ttyS0 >/dev/ttyS0 2>&1
echo "ready"
while read -r word; do
	mount -t xfs -o prjquota /dev/vda /mnt >/out 2>&1 && tell && umount /mnt >>/out 2>&1
	echo "mounted $?"
	xfs_repair -n /dev/vda >>/out 2>&1
	echo "checked $?"
	grep -v -e '^Phase' -e '^ *- ' /out | head -n 3
	echo "end $word"
done
""" % datastore.FOLDERS


class Checker:
    def __init__(self, folder):
        """folder: for the disk, `data`, that is written anew for each check. tree: after a check, what
        datastore.FOLDERS hold: {path: first line, None for a folder}."""
        self.tree = {}
        self.data, self.process, self.dir, self.asked = folder / "data.raw", None, folder, 0

    def _initrd(self):
        root = vm.BUILD / "root"
        parts = [cpio.entry(f, 0o40755) for f in ("bin", "dev", "mnt", "proc")]
        parts += [cpio.entry(f"bin/{p.rsplit('/', 1)[1]}", 0o100755, (root / p).read_bytes())
                  for p in ("bin/busybox", "usr/sbin/xfs_repair")]
        # Applets are found by their names.
        parts += [cpio.entry(f"bin/{a}", 0o120777, b"busybox") for a in "sh mount umount find grep head".split()]
        file = tempfile.NamedTemporaryFile(dir=self.dir)
        file.write(b"".join(parts) + cpio.entry("init", 0o100755, INIT.encode()) + cpio.entry("TRAILER!!!", 0))
        file.flush()
        return file

    def _start(self):
        with self._initrd() as initrd:
            self.process = subprocess.Popen(
                [*vm.machine_args(512, 1), "-drive", f"if=none,id=disk,format=raw,file={self.data},cache=unsafe",
                 "-device", "virtio-blk-pci,drive=disk", "-serial", "stdio", "-no-reboot",
                 "-kernel", str(vm.BUILD / "pkg/linux/bzImage"), "-initrd", initrd.name,
                 "-append", "console=ttyS0 quiet loglevel=1 no_timer_check panic=-1 PATH=/bin"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
            self._until("ready")

    def _until(self, word):
        said, deadline = [], time.monotonic() + 120
        while time.monotonic() < deadline:
            line = self.process.stdout.readline()
            if not line:
                break
            if line.strip() == word:
                return said
            said.append(line.rstrip())
        raise vm.Failure(f"the machine that checks XFS did not say '{word}': {said[-5:]}")

    def check(self):
        """None, or what is wrong with self.data."""
        if not self.process:
            self._start()
        self.asked += 1
        self.process.stdin.write(f"{self.asked}\n")
        self.process.stdin.flush()
        said = self._until(f"end {self.asked}")
        status = dict(re.fullmatch(r"(mounted|checked) (\d+)", line).groups() for line in said
                      if re.fullmatch(r"(mounted|checked) \d+", line))
        told = [re.fullmatch(r"(folder|file) (\S+) ?(.*)", line) for line in said]
        self.tree = {m[2]: m[3] if m[1] == "file" else None for m in told if m}
        why = " ".join(said[-3:])[-300:]
        if status["mounted"] != "0":
            return f"does not mount: {why}"
        return None if status["checked"] == "0" else f"not clean after mounting: {why}"

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
