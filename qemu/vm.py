#!/usr/bin/env python3
"""The test machine: builds QEMU's command line, reads its serial line, screen and QMP, speaks HTTPS to the box.

  qemu/vm.py [--disk KIND] [--memory MIB] [--fresh]   boots build/hearth.img with the serial console in this terminal
                                                      (the disk is kept in build/run.raw; --fresh starts over)

Everything listens on loopback only. KVM is used when a short trial boot proves that it works here."""
import argparse
import json
import os
import pathlib
import re
import select
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "board"))
sys.path.append(str(TOP / "tests/update"))  # its server and its bundles, for the cases about updates
BUILD = TOP / "build"
IMAGE = BUILD / "hearth.img"
FIRMWARE = [("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
            ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd")]
DISK_GIB = 8
PROMPT = "hearth> "


class Failure(Exception):
    """What a case expected and did not see."""


def accel():
    """'kvm' when a kernel runs under it within a few seconds, else 'tcg'. Decided once per build folder."""
    note = BUILD / "accel"
    if not note.exists():
        note.write_text("kvm" if os.access("/dev/kvm", os.R_OK | os.W_OK) and kvm_works() else "tcg")
    return note.read_text()


def kvm_works():
    cmd = ["qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-m", "256", "-nographic", "-nodefaults",
           "-no-reboot", "-serial", "stdio", "-kernel", str(BUILD / "pkg/linux/bzImage"),
           "-append", "console=ttyS0 panic=-1"]
    try:
        out = subprocess.run(cmd, capture_output=True, timeout=20, stdin=subprocess.DEVNULL).stdout
    except subprocess.TimeoutExpired:
        return False
    return b"Kernel panic" in out


def machine_args(memory, cpus):
    if accel() == "kvm":
        cpu = ["-accel", "kvm", "-cpu", "host"]
    else:
        cpu = ["-accel", "tcg,thread=multi,tb-size=256", "-cpu", "max"]
    return ["qemu-system-x86_64", "-machine", "q35", *cpu, "-m", str(memory), "-smp", str(cpus), "-nodefaults",
            "-vga", "std", "-display", "none", "-device", "virtio-rng-pci"]


def firmware_args(variables, words=""):
    """UEFI with a variable store of its own, so that boot entries and crash records are kept between boots. words: for
    the kernel's command line, as a UKI's stub takes them from outside."""
    more = ["-smbios", f"type=11,value=io.systemd.stub.kernel-cmdline-extra={words}"] if words else []
    for code, template in FIRMWARE:
        if os.path.exists(code):
            if not variables.exists():
                shutil.copy(template, variables)
            return ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={code}",
                    "-drive", f"if=pflash,format=raw,unit=1,file={variables}", *more]
    sys.exit("qemu: no UEFI firmware found; install the package ovmf")


# The machine's other watchdog, in its LPC bridge, is switched off by a strap: only this one says that it has bitten.
WATCHDOG = ["-device", "i6300esb", "-action", "watchdog=reset", "-global", "ICH9-LPC.noreboot=true"]

DISKS = {
    "virtio": ["-device", "virtio-blk-pci,drive=disk,bootindex=0"],
    "nvme": ["-device", "nvme,drive=disk,serial=hearth-test,bootindex=0"],
    "ahci": ["-device", "ich9-ahci,id=sata", "-device", "ide-hd,bus=sata.0,drive=disk,bootindex=0"],
    "usb": ["-device", "qemu-xhci,id=xhci", "-device", "usb-storage,bus=xhci.0,drive=disk,bootindex=0"],
    "uas": ["-device", "qemu-xhci,id=xhci", "-device", "usb-uas,id=uas,bus=xhci.0",
            "-device", "scsi-hd,bus=uas.0,scsi-id=0,lun=0,drive=disk,bootindex=0"],
    "sd": ["-device", "sdhci-pci", "-device", "sd-card,drive=disk"],
}


def disk_args(kind, path, log=None):
    """log: every write and flush of the disk is noted there, in the order the disk sees them."""
    form = "qcow2" if path.suffix == ".qcow2" else "raw"
    if log is None:
        return ["-drive", f"if=none,id=disk,format={form},file={path},cache=unsafe,discard=unmap", *DISKS[kind]]
    log.touch()
    # Neither writes of zeroes, whose two parts in QEMU's log another write can come between, nor merged writes, which
    # can have more pieces than QEMU's log takes.
    return ["-blockdev", f"driver=file,node-name=disk-file,filename={path},cache.no-flush=on,discard=unmap",
            "-blockdev", f"driver=file,node-name=disk-log,filename={log},cache.no-flush=on",
            "-blockdev", "driver=blklogwrites,node-name=disk,file=disk-file,log=disk-log,discard=unmap,"
            "log-super-update-interval=1000000", "-device",
            "virtio-blk-pci,drive=disk,bootindex=0,write-zeroes=off,request-merging=off"]


def direct_args(initrd, words):
    """Kernel, initramfs and command line without firmware and boot loader: where those are not tested."""
    image = BUILD / "image"
    return ["-kernel", str(BUILD / "pkg/linux/bzImage"), "-initrd", str(initrd or image / "initrd"),
            "-append", f"{(image / 'cmdline').read_text().strip()} {words}"]


def new_disk(path, gib=DISK_GIB, image=IMAGE):
    """What dd to a larger disk gives: the image, and nothing behind it. Sparse, so it costs what is written."""
    subprocess.run(["cp", "--sparse=always", str(image), str(path)], check=True)
    os.truncate(path, gib << 30)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class VM:
    """One machine with a disk of its own in `folder`. All waits have deadlines that allow for emulation."""

    def __init__(self, folder, disk="virtio", direct=False, link=True, rtc=None, plugged=True, image=IMAGE,
                 initrd=None, kubernetes=False, watchdog=True, words="", log=None, ports=False):
        """direct: without firmware. link: the network cable. rtc: the hardware clock's start, as QEMU's base=.
        plugged: False starts without the disk; plug() brings it. image: what the disk holds at first.
        initrd: another one than the image's, with direct. kubernetes: started too; it takes most of the time.
        watchdog: the machine has one. words: more of the kernel's command line. log: a file that gets
        every write and flush of the (virtio) disk, see powercut/. ports: for plug_stick."""
        self.dir = pathlib.Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.disk_kind, self.direct, self.link, self.rtc, self.plugged = disk, direct, link, rtc, plugged
        self.ports = ports
        self.initrd, self.kubernetes, self.watchdog, self.words, self.writes = initrd, kubernetes, watchdog, words, log
        self.disk = self.dir / f"disk{image.suffix if image.suffix == '.qcow2' else '.raw'}"
        if self.disk.suffix == ".raw":
            new_disk(self.disk, image=image)
        else:
            shutil.copy(image, self.disk)
        self.port, self.api_port = free_port(), free_port()
        self.log = self.dir / "serial.log"
        self.text = ""      # all that came over the serial line since power on
        self.at = 0         # up to where `expect` has consumed it
        self.process = self.serial = self.monitor = None

    # Power

    def start(self, snapshot=None):
        """Power on; snapshot: goes on where save() of the same disk file was called."""
        serial, qmp = self.dir / "serial.sock", self.dir / "qmp.sock"
        for p in (serial, qmp):
            p.unlink(missing_ok=True)
        net = f"user,id=net,hostfwd=tcp:127.0.0.1:{self.port}-:443,hostfwd=tcp:127.0.0.1:{self.api_port}-:6443"
        # The timer check fails on a starved host.
        words = " ".join(filter(None, ["no_timer_check", self.words,
                                       "" if self.kubernetes else "hearth.kubernetes=off"]))
        disk = disk_args(self.disk_kind, self.disk, self.writes)
        if not self.plugged:
            disk = [*disk[:2], "-device", "qemu-xhci,id=xhci"]
        if self.direct:
            disk = [a.replace(",bootindex=0", "") for a in disk]
        cmd = [*machine_args(3072 if self.kubernetes else 1024, 2), *disk,
               *(direct_args(self.initrd, words) if self.direct else firmware_args(self.dir / "vars.fd", words)),
               *(["-loadvm", snapshot] if snapshot else []),
               *(WATCHDOG if self.watchdog else []),
               *(["-device", "qemu-xhci,id=ports"] if self.ports else []),
               "-netdev", net, "-device", "virtio-net-pci,netdev=net,id=nic",
               "-chardev", f"socket,id=serial,path={serial},server=on,wait=off",
               "-serial", "chardev:serial", "-qmp", f"unix:{qmp},server=on,wait=off", "-S",
               *(["-rtc", f"base={self.rtc}"] if self.rtc else [])]
        self.process = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stderr=(self.dir / "qemu.log").open("a"))
        self.serial = self._connect(serial)
        self.monitor = Monitor(self._connect(qmp))
        self.text, self.at = "", 0
        if not self.link:
            self.set_link(False)
        self.monitor.do("cont")
        return self

    def _connect(self, path):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Failure(f"QEMU did not start: {(self.dir / 'qemu.log').read_text().strip()}")
            s = socket.socket(socket.AF_UNIX)
            try:
                s.connect(str(path))
                return s
            except OSError:
                s.close()
                select.select([], [], [], 0.05)
        raise Failure(f"QEMU made no socket {path}")

    def kill(self):
        """Power cut."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
        for s in (self.serial, self.monitor and self.monitor.socket):
            if s:
                s.close()
        self.process = None

    def save(self, snapshot):
        """Keeps disk and memory as they are now, in the disk file (qcow2, and no firmware)."""
        said = self.monitor.do("human-monitor-command", **{"command-line": f"savevm {snapshot}"})
        if said.strip():
            raise Failure(f"QEMU: savevm: {said.strip()}")

    def wait_off(self, seconds=180):
        """Waits until the box has powered itself off."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise Failure("the box did not power off in time")
            self._read(0.2)
        self.kill()

    def plug(self):
        """Plugs the disk in as a USB stick."""
        self.monitor.do("device_add", driver="usb-storage", bus="xhci.0", drive="disk")

    def plug_stick(self, name, image, rate=0):
        """Another stick, with a switch against writing. rate: bytes a second, 0: as fast as it goes."""
        slow = f",throttling.bps-read={rate}" if rate else ""
        said = self.monitor.do("human-monitor-command", **{
            "command-line": f"drive_add 0 if=none,id={name},format=raw,readonly=on,file={image}{slow}"}).strip()
        if said != "OK":
            raise Failure(f"QEMU: drive_add: {said}")
        self.monitor.do("device_add", driver="usb-storage", bus="ports.0", drive=name, id=f"{name}-plug",
                        removable=True)

    def pull_stick(self, name):
        self.monitor.do("device_del", id=f"{name}-plug")

    def set_link(self, up):
        self.monitor.do("set_link", name="nic", up=up)

    # Serial line

    def _read(self, seconds):
        ready, _, _ = select.select([self.serial], [], [], seconds)
        if not ready:
            return False
        data = self.serial.recv(65536)
        if not data:
            return False
        with self.log.open("ab") as log:
            log.write(data)
        self.text += data.decode("utf-8", "replace").replace("\r", "")
        return True

    def expect(self, pattern, seconds=240):
        """Waits for a regular expression behind what was consumed before; consumes up to its end."""
        found = re.compile(pattern)
        deadline = time.monotonic() + seconds
        while True:
            m = found.search(plain(self.text), self.at)
            if m:
                self.at = m.end()
                return m
            left = deadline - time.monotonic()
            if left <= 0 or (self.process.poll() is not None and not self._read(0)):
                tail = plain(self.text)[self.at:][-2000:]
                raise Failure(f"the serial line did not say /{pattern}/ in {seconds} s; it said:\n{tail}")
            self._read(min(left, 1))

    def send(self, text):
        self.serial.sendall(text.encode())

    def prompt(self, seconds=300):
        """Waits until the console takes commands."""
        self.expect(re.escape(PROMPT), seconds)

    def command(self, words, seconds=60):
        """Types a command at the prompt; returns what it printed."""
        self._read(0)
        self.at = len(plain(self.text))
        self.send(words + "\r")
        self.expect(re.escape(words) + r"\n", seconds)
        start = self.at
        self.expect(r"\n" + re.escape(PROMPT), seconds)
        return plain(self.text)[start:self.at - len(PROMPT)].strip("\n")

    def confirm(self, words):
        """Types a command that asks first, and says yes."""
        self.send(words + "\r")
        self.expect(r"\[y/N\]", 60)
        self.send("y\r")

    # Screen

    def screen(self):
        """What stands on the screen, as text (the kernel's 8x16 font is known)."""
        import screen
        file = self.dir / "screen.ppm"
        self.monitor.do("screendump", filename=str(file))
        return screen.read(file, BUILD / "pkg/linux/font_8x16.c")

    def expect_screen(self, pattern, seconds=120):
        deadline = time.monotonic() + seconds
        while True:
            text = self.screen()
            if re.search(pattern, text):
                return text
            if time.monotonic() > deadline:
                raise Failure(f"the screen did not show /{pattern}/ in {seconds} s; it shows:\n{text}")
            self._read(1)

    # HTTPS

    def get(self, path, seconds=30):
        """(status, text) of one request. The certificate is the box's own: not checked here."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with urllib.request.urlopen(f"https://127.0.0.1:{self.port}{path}", context=context, timeout=seconds) as r:
                return r.status, r.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def api(self, path, seconds=120):
        """JSON of /api/v1/PATH, asked again until the box answers."""
        deadline = time.monotonic() + seconds
        why = ""
        while time.monotonic() < deadline:
            try:
                status, text = self.get(f"/api/v1/{path}")
                if status == 200:
                    return json.loads(text)
                why = f"status {status}: {text}"
            except OSError as e:
                why = str(e)
            self._read(1)
        raise Failure(f"/api/v1/{path} did not answer in {seconds} s: {why}")

    def until(self, what, check, seconds=120):
        """Waits until check() returns something true; what it waits for is said when it does not."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = check()
            if found:
                return found
            self._read(1)
        raise Failure(f"not in {seconds} s: {what}")

    def running(self):
        """Waits until every boot stage is through; the status then."""
        return self._system("running")

    def settled(self):
        """Waits until every boot stage is through or given up; the status then."""
        return self._system("running", "degraded")

    def _system(self, *states):
        """A failure says why it is not, in the box's own words."""
        seen = {}

        def there():
            seen.update(self.api("status"))
            return seen["system"] in states and seen
        try:
            return self.until(f"the system is {' or '.join(states)}", there, 400)
        except Failure as e:
            raise Failure(f"{e}: {seen.get('system')}, {seen.get('waiting')}, {seen.get('problems')}") from e

    def power_off(self):
        """Asks for it at the prompt, as a person would, and waits for the end."""
        self.confirm("poweroff")
        self.wait_off()

    def facts(self):
        return {f["name"]: f for f in self.api("facts")["facts"]}

    def slots(self):
        return {s["slot"]: s for s in self.api("slots")["slots"]}

    def until_kept(self, seconds=300):
        """Waits until the running slot is not on trial (any more)."""
        self.until("the running slot is kept",
                   lambda: self.facts().get("trial-boot", {}).get("value") == "off", seconds)

    # Updates

    def ready(self):
        """Power on, until an update may be asked for; the status then."""
        self.start()
        self.prompt()
        status = self.running()
        self.until_kept()
        self.until("the update role answers", lambda: "role" not in self.command("update"))
        return status

    def install(self, url, *words):
        """Asks for an update from there and waits until it is in the other slot."""
        text = self.command(" ".join(["update install", url, *words]))
        if "started: version" not in text:
            raise Failure(f"`update install` says:\n{text}")
        self.until("the update is ready", lambda: self.facts()["update-ready"]["value"] == "on", 600)

    def restart(self):
        """Restarts by a command; the status when everything runs again."""
        self.confirm("reboot")
        self.expect("reboot: Restarting system", 300)
        self.prompt()
        return self.running()

    def ends(self):
        """How the last runs ended, the newest first."""
        return self.api("boots")["boots"]

    def choose_other(self, keyboard):
        """In the boot menu: the second entry. By the keyboard, or by the serial line."""
        def press(key):
            if keyboard:
                self.monitor.do("send-key", keys=[{"type": "qcode", "data": key}])
            else:
                self.send({"ret": "\r"}.get(key, key))

        # Any key stops its countdown, but one that comes too early is thrown away.
        last, deadline = 0, time.monotonic() + 120
        while "(h)elp" not in plain(self.text)[self.at:]:
            if time.monotonic() > deadline:
                raise Failure("the boot menu did not show its help")
            if time.monotonic() - last > 0.3:
                press("h")
                last = time.monotonic()
            self._read(0.1)
        press("j")
        press("ret")

    def services(self):
        return {s["name"]: s for s in self.api("services")["services"]}


class Monitor:
    """QEMU's machine protocol."""

    def __init__(self, sock):
        self.socket = sock
        self.file = sock.makefile("rw")
        self.file.readline()
        self.do("qmp_capabilities")

    def do(self, command, **args):
        self.file.write(json.dumps({"execute": command, "arguments": args}) + "\n")
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if "error" in answer:
                raise Failure(f"QEMU: {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]


def plain(text):
    """Serial text without terminal control sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>cM78]|[\x00\x07]", "", text)


def interactive():
    ap = argparse.ArgumentParser(description="boot build/hearth.img with its serial console in this terminal")
    ap.add_argument("--disk", choices=DISKS, default="virtio")
    ap.add_argument("--memory", type=int, default=2048, help="MiB")
    ap.add_argument("--fresh", action="store_true", help="forget the disk of the last run")
    args = ap.parse_args()
    disk, variables = BUILD / "run.raw", BUILD / "run-vars.fd"
    if args.fresh or not disk.exists() or disk.stat().st_mtime < IMAGE.stat().st_mtime:
        disk.unlink(missing_ok=True)
        variables.unlink(missing_ok=True)
        new_disk(disk, 16)
    port = free_port()
    how = "with KVM" if accel() == "kvm" else "under emulation (about 12 times slower than a real machine)"
    print(f"hearth: booting {IMAGE.relative_to(TOP)} {how}; the first lines take a moment\n"
          f"hearth: web console: https://127.0.0.1:{port}/  (the certificate is the box's own)\n"
          "hearth: leave with `poweroff`, or Ctrl-A x to pull the plug", flush=True)
    os.execvp("qemu-system-x86_64", [
        *machine_args(args.memory, 2), *firmware_args(variables), *disk_args(args.disk, disk),
        "-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{port}-:443", "-device", "virtio-net-pci,netdev=net",
        *WATCHDOG, "-serial", "mon:stdio"])


if __name__ == "__main__":
    interactive()
