"""The programs that `make bench-update` lets install the same bytes into the same file, and what each of them uses.

A way is a class with install(), which gives {"seconds", "cpu", "memory"}. Memory is the sum over a way's processes of
the most that each had (VmHWM, looked at every WATCH seconds), in KiB; what the kernel does for it in threads of its own
(loop devices, page cache) is nobody's. All of them end with the target on the disk: `settle` counts as theirs."""
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time
import types

from update_builds import BUILD, TOP, WORK, Failed, run

sys.path[:0] = [str(TOP / "board"), str(TOP / "tests/update")]
import box  # noqa: E402
import cpio  # noqa: E402

WATCH = 0.01
LONG = 900
TARGET = WORK / "target"
ADDRESS = "unix:path=" + str(WORK / "bus")


# -- what a process uses --------------------------------------------------------------------------------------------


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(word) for word in f.read().split()]


def family(pid):
    """It and everybody below it; those that end meanwhile are left out."""
    found = [pid]
    for one in found:
        try:
            found += children(one)
        except OSError:
            pass
    return found


def peak(pid):
    try:
        with open(f"/proc/{pid}/status") as f:
            return next((int(line.split()[1]) for line in f if line.startswith("VmHWM")), 0)
    except OSError:
        return 0


def cpu(pid):
    """Seconds of a process that runs, with those of its children that have ended."""
    with open(f"/proc/{pid}/stat") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return sum(int(word) for word in words[11:15]) / os.sysconf("SC_CLK_TCK")


class Watch:
    """The peaks of a process and those below it while the block runs."""

    def __init__(self, pid):
        self.pid, self.peaks, self.over = pid, {}, threading.Event()
        self.thread = threading.Thread(target=self._look)

    def _look(self):
        while True:
            for pid in family(self.pid):
                self.peaks[pid] = max(self.peaks.get(pid, 0), peak(pid))
            if self.over.wait(WATCH):
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def memory(self):
        return sum(self.peaks.values())


def program(words, env=None):
    """One that ends by itself."""
    began = time.monotonic()
    with open(WORK / "log", "ab") as log:
        started = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env={**os.environ, **(env or {})})
    with Watch(started.pid) as watch:
        _, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise Failed(f"{words[0]} ended with {started.returncode}; the log ends:\n" +
                     (WORK / "log").read_text(errors="replace")[-1500:])
    return {"seconds": time.monotonic() - began, "cpu": used.ru_utime + used.ru_stime, "memory": watch.memory()}


def settle():
    """Whatever the program has left in memory goes to the disk. Seconds."""
    began = time.monotonic()
    fd = os.open(TARGET, os.O_RDWR)
    os.fsync(fd)
    os.close(fd)
    return time.monotonic() - began


def forget(path):
    """Drops a file from the page cache."""
    fd = os.open(path, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


# -- the floor ------------------------------------------------------------------------------------------------------


class Floor:
    """dd, then the sum of what is on the disk. sums: the program that makes it, and words for it."""

    def __init__(self, payload, *sums):
        self.payload, self.sums = payload, sums

    def install(self):
        parts = [program(["dd", f"if={self.payload}", f"of={TARGET}", "bs=4M", "conv=fsync,notrunc", "status=none"])]
        forget(TARGET)
        parts.append(program([*self.sums, TARGET]))
        return {"seconds": sum(part["seconds"] for part in parts), "cpu": sum(part["cpu"] for part in parts),
                "memory": max(part["memory"] for part in parts)}

    def close(self):
        pass


# -- Hearth ---------------------------------------------------------------------------------------------------------


class Disk(box.Box):
    """A box whose slots are the files `running` and TARGET, whose data folder is on the disk, too, and whose ESP is a
    file system in a file there (ext2, which writes no more than FAT does)."""

    def __init__(self, folder, running, hearth):
        box.SIZES.clear()
        box.SIZES["state"] = 4
        super().__init__(str(folder), types.SimpleNamespace(folder=BUILD / "root/etc/hearth/update-keys"),
                         types.SimpleNamespace(slot=bytes, uki=b""), slot_bytes=0)
        shutil.copy(hearth, self.path("usr/bin/hearth"))
        for name, file in (("a", running), ("b", TARGET)):
            os.remove(self.path("slots/" + name))
            os.link(file, self.path("slots/" + name))
        esp = folder / "esp"
        run("truncate", "-s", "64M", esp)
        run("mke2fs", "-q", "-F", "-t", "ext2", esp)
        run("mount", "-o", "loop", esp, self.path("boot"))
        os.makedirs(self.path("boot/EFI/Linux"))
        shutil.copy(BUILD / "uki.efi", self.path("boot/EFI/Linux/hearth-0001-a.efi"))

    def __exit__(self, *_):
        super().__exit__()
        run("umount", self.path("boot"))


class Hearth:
    """The update role; its worker writes. source: a URL, or a file that is put into the box's data folder."""

    def __init__(self, source, running, hearth=BUILD / "hearth", expect=None):
        self.source, self.running, self.hearth, self.expect = source, running, hearth, expect
        self.folder = WORK / "box"

    def install(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        disk, source = Disk(self.folder, self.running, self.hearth), self.source
        if isinstance(source, pathlib.Path):
            os.link(source, disk.path("data/new.hearth"))
            source = "/data/new.hearth"
        with disk:
            return self.measure(disk, source)

    def measure(self, disk, source):
        began, before = time.monotonic(), cpu(disk.program.pid)
        with Watch(disk.program.pid) as watch:
            disk.update("install", source)
            said = disk.wait_state("ready", "failed", deadline=LONG)
        if said["state"] != "ready":
            raise Failed(f"hearth: {said['message']}")
        row = {"seconds": time.monotonic() - began + settle(), "cpu": cpu(disk.program.pid) - before,
               "memory": watch.memory(), "copied": said["copied"], "fetched": said["fetched"],
               "worker": max(peak for pid, peak in watch.peaks.items() if pid != disk.program.pid)}
        if self.expect and disk.read("boot/EFI/Linux/hearth-0002-b+3.efi") != self.expect.read_bytes():
            raise Failed("hearth: the kernel on the ESP is another one")
        return row

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


# -- RAUC -----------------------------------------------------------------------------------------------------------

RAUC_CONF = f"""[system]
compatible=hearth-bench
bootloader=noop
statusfile={WORK}/rauc/status
mountprefix={WORK}/rauc/mount
[keyring]
path={WORK}/rauc/cert.pem
[slot.rootfs.0]
device={WORK}/rauc/running
type=raw
bootname=a
[slot.rootfs.1]
device={TARGET}
type=raw
bootname=b
"""
RAUC_MANIFEST = """[update]
compatible=hearth-bench
version=0.2.0
[bundle]
format=plain
[image.rootfs]
filename=payload.img
"""
BUS = f"""<busconfig><type>session</type><listen>{ADDRESS}</listen><auth>EXTERNAL</auth><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow own="*"/><allow eavesdrop="true"/></policy></busconfig>
"""


class Rauc:
    """Its service and its command line on a bus of their own; a bundle of the format `plain` (the other one wants
    dm-verity of the machine that installs)."""

    def __init__(self, payload):
        self.folder = WORK / "rauc"
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("content", "mount"):
            (self.folder / name).mkdir(parents=True)
        key, cert = self.folder / "key.pem", self.folder / "cert.pem"
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7", "-subj", "/CN=bench",
                "-keyout", key, "-out", cert)
        (self.folder / "content/manifest.raucm").write_text(RAUC_MANIFEST)
        (self.folder / "system.conf").write_text(RAUC_CONF)
        (self.folder / "bus.conf").write_text(BUS)
        (self.folder / "running").write_bytes(bytes(1 << 20))
        os.link(payload, self.folder / "content/payload.img")
        self.bundle = self.folder / "bundle.raucb"
        run("rauc", "bundle", f"--cert={cert}", f"--key={key}", self.folder / "content", self.bundle)
        self.env = {"DBUS_STARTER_BUS_TYPE": "session", "DBUS_SESSION_BUS_ADDRESS": ADDRESS}  # not the system's
        self.bus = self.serve("dbus-daemon", "--nofork", f"--config-file={self.folder}/bus.conf")
        box.until(lambda: os.path.exists(ADDRESS.split("=")[1]), "a bus")
        self.service = self.serve("rauc", f"--conf={self.folder}/system.conf", "--override-boot-slot=a", "service")
        box.until(self.answers, "RAUC answers", 30)

    def serve(self, *words):
        """It ends with this program, however that ends."""
        with open(self.folder / "log", "ab") as log:
            return subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *words], env={**os.environ, **self.env},
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def answers(self):
        if self.service.poll() is not None:
            raise Failed("RAUC's service: " + (self.folder / "log").read_text()[-1500:])
        return subprocess.run(["rauc", "status"], env={**os.environ, **self.env}, capture_output=True).returncode == 0

    def install(self):
        before = cpu(self.service.pid)
        with Watch(self.service.pid) as watch:
            row = program(["rauc", "install", self.bundle], self.env)
        return {"seconds": row["seconds"] + settle(), "cpu": row["cpu"] + cpu(self.service.pid) - before,
                "memory": row["memory"] + watch.memory()}

    def close(self):
        for one in (self.service, self.bus):
            one.terminate()
            one.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


# -- SWUpdate -------------------------------------------------------------------------------------------------------

SWU = """software = {
	version = "0.2.0";
	hardware-compatibility: [ "1.0" ];
	bootloader_transaction_marker = false;
	bootloader_state_marker = false;
	images: (
		{ filename = "payload.img"; device = "%s"; type = "raw"; sha256 = "%s"; installed-directly = true; }
	);
}
"""


class Swupdate:
    """Signed (CMS), the image streamed to the target while it is hashed: the fastest that it can do."""

    def __init__(self, payload):
        self.folder = WORK / "swupdate"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        key, self.cert, text = (self.folder / name for name in ("key.pem", "cert.pem", "sw-description"))
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7", "-subj", "/CN=bench",
                "-addext", "extendedKeyUsage=emailProtection", "-keyout", key, "-out", self.cert)
        text.write_text(SWU % (TARGET, run("sha256sum", payload).split()[0]))
        signature = self.folder / "sw-description.sig"
        run("openssl", "cms", "-sign", "-in", text, "-out", signature, "-signer", self.cert, "-inkey", key,
                "-outform", "DER", "-nosmimecap", "-binary")
        self.bundle = self.folder / "update.swu"
        with open(self.bundle, "wb") as out:
            for file in (text, signature, payload):
                out.write(cpio.entry(file.name, 0o100644, file.read_bytes()))
            out.write(cpio.entry("TRAILER!!!", 0))

    def install(self):
        row = program(["swupdate", "-k", self.cert, "-H", "bench:1.0", "-i", self.bundle])
        row["seconds"] += settle()
        return row

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

