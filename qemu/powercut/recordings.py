"""What is recorded: one row of RECORDINGS each. A new one is a function and a row; the rest knows nothing of it.

A recording is a function of a Recorder that drives one machine. While it does, it says
  rec.phase(WORD)        what the box does from here on, for the names of the cuts
  rec.permit(SLOTS)      into which slots a box may boot that is cut off from here on: "a", "b" or "ab"
  rec.said(KEY, VALUE)   what the box has acknowledged: no cut from here on may lose it (KEY: judge.KEEPS)
Before the box is asked for something that changes the slot, both are permitted; when it has said that it is done, the
new one alone. So while an update is fetched only the old slot is, from the kernel on both, and the new one as soon as
its boot entry is there: a box that is cut off then tries it, and none is left to a worse one."""
import pathlib
import ssl
import subprocess
import tarfile
import tempfile
import threading

import vm  # first: it knows where the next ones lie
import disk
import variant
from powercut import datastore
from server import Server

SEED = "hostname: cut-off\n"


def identity(rec, box):
    """What a running box says of itself, acknowledged."""
    status = box.running()
    rec.said("name", status["name"])
    rec.said("boots", status["boots"])
    rec.said("certificate", ssl.get_server_certificate(("127.0.0.1", box.port)))
    return status


def known(rec):
    """The same, of a disk that has been booted before."""
    rec.said("name", f"hearth-{disk.get(rec.disk, '/machine-id')[:6]}")
    rec.said("boots", int(disk.get(rec.disk, "/boots")))


def good(rec, box, slot):
    box.until(f"slot {slot} is confirmed",
              lambda: box.slots().get(slot, {}).get("state") == "good")
    rec.said("good", slot)


def first_boot(rec):
    """The flashed image: partitions, file systems, identity, the first confirm, in one go; then switched off."""
    rec.permit("a")
    rec.phase("first-boot")
    box = rec.start()
    box.prompt()
    rec.phase("confirm")
    identity(rec, box)
    good(rec, box, "a")
    rec.phase("shutdown")
    box.power_off()


def settings(rec):
    """First settings on the ESP, put there after flashing; taken over in the first boot, kept in a reboot."""
    with tempfile.NamedTemporaryFile("w") as f:
        f.write(SEED)
        f.flush()
        subprocess.run(["mcopy", "-i", disk.esp(rec.disk, fitted=False), f.name, "::/hearth.yaml"], check=True)
    rec.permit("a")
    rec.phase("settings")
    box = rec.start()
    box.prompt()
    if identity(rec, box)["name"] != "cut-off":
        raise vm.Failure("the settings on the ESP were not taken over")
    rec.said("settings", SEED)
    good(rec, box, "a")
    rec.phase("reboot")
    box.confirm("reboot")
    box.prompt()
    if identity(rec, box)["boots"] != 2:
        raise vm.Failure("the box did not start again")
    rec.phase("shutdown")
    box.power_off()


def apart(rec):
    """The first boot once more, in a folder that is so full that an entry's old and new name lie in two sectors."""
    esp, entry = disk.esp(rec.disk, fitted=False), disk.boot_entries(rec.disk, fitted=False)[0]
    subprocess.run(["mdel", "-i", esp, f"::/EFI/Linux/{entry}"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        # 16 places in a sector: ".", "..", these, and the entry takes the last three.
        names = [pathlib.Path(folder) / f"A{i}" for i in range(11)]
        for name in names:
            name.write_text("somebody else's\n")
        subprocess.run(["mcopy", "-i", esp, *names, "::/EFI/Linux"], check=True)
    subprocess.run(["mcopy", "-i", esp, str(vm.BUILD / "uki.efi"), f"::/EFI/Linux/{entry}"], check=True)
    first_boot(rec)


def recovery(rec):
    """The power was cut before: journals are played back, what was left is mended, and then it is cut again."""
    rec.permit("a")
    box = rec.start(logged=False)
    box.prompt()
    identity(rec, box)
    box.kill()
    rec.phase("recovery")
    rec.start()
    box.prompt()
    identity(rec, box)
    good(rec, box, "a")
    rec.phase("shutdown")
    box.power_off()


def rollback(rec):
    """Slot b holds a new system on trial: the loader counts, the box confirms, `rollback` goes back to slot a."""
    fill_other_slot(rec.disk)
    known(rec)
    rec.permit("b")
    rec.phase("counter")
    box = rec.start()
    box.prompt()
    rec.phase("confirm")
    identity(rec, box)
    good(rec, box, "b")
    rec.permit("ab")
    rec.phase("rollback")
    box.confirm("rollback")
    box.expect(r"rollback to slot a asked for by a command")
    rec.phase("reboot")
    box.prompt()
    if identity(rec, box)["slot"] != "a":
        raise vm.Failure("the rollback did not lead to slot a")
    rec.permit("a")
    rec.said("good", "a")
    rec.phase("shutdown")
    box.power_off()


def fill_other_slot(path):
    """Slot b as an update leaves it."""
    parts = disk.gpt(path)[0]
    (source, size, _), (target, _, _) = parts["system-a"], parts["system-b"]
    step = 1 << 20
    with open(path, "r+b") as f:
        for at in range(0, size, step):
            f.seek(source + at)
            data = f.read(step)
            if any(data):
                f.seek(target + at)
                f.write(data)
    subprocess.run(["mcopy", "-i", f"{path}@@{parts['esp'][0]}", str(vm.BUILD / "uki.efi"),
                    "::/EFI/Linux/hearth-0002-b+3.efi"], check=True)


class Watched(Server):
    """Serves a bundle, and before a part of it goes out, says what the box is about to write."""
    PHASES = ("root.verity", "hash-tree"), ("root.erofs", "blocks"), ("uki.efi", "kernel")

    def __init__(self, rec, bundle):
        super().__init__()
        self.rec, self.seen, self.lock_notes = rec, [], threading.Lock()
        self.files["/new.hearth"] = bundle.read_bytes()
        with tarfile.open(bundle) as tar:
            self.members = [(m.offset, m.offset_data + m.size, m.name) for m in tar]

    def answer(self, request):
        first = int(request.headers.get("Range", "bytes=0-")[6:].split("-")[0])
        name = next((name for start, end, name in self.members if start <= first < end), "")
        with self.lock_notes:
            for prefix, word in self.PHASES:
                if name.startswith(prefix) and word not in self.seen:
                    self.seen.append(word)
                    self.rec.phase(word)
                    if word == "kernel":  # the last one; the boot entry follows by itself
                        self.rec.permit("ab")
        super().answer(request)


def install(rec, box):
    """Another version, over HTTP, into slot b: until its boot entry is there."""
    folder = variant.make("powercut", "0.2.0", {datastore.KUBE: datastore.NEWER})
    server = Watched(rec, variant.bundle(folder))
    box.until("the update role answers", lambda: "no update is under way" in box.command("update"))
    rec.phase("install")
    text = box.command(f"update install http://10.0.2.2:{server.port}/new.hearth")
    if "started: version 0.2.0" not in text:
        raise vm.Failure(f"`update install` says:\n{text}")
    box.until("the update is ready", lambda: box.facts()["update-ready"]["value"] == "on", 600)
    rec.permit("b")
    server.stop()
    if sorted(server.seen) != ["blocks", "hash-tree", "kernel"]:
        raise vm.Failure(f"of the bundle was fetched: {server.seen}")


def update(rec):
    """An update from its first byte to its confirm; then back to slot a, and the cluster's datastore with each slot."""
    datastore.put(rec.disk)
    known(rec)
    rec.permit("a")
    rec.phase("boot")
    box = rec.start()
    box.prompt()
    identity(rec, box)
    good(rec, box, "a")
    datastore.until(box, "old")
    rec.said("datastore", "old")
    install(rec, box)
    rec.phase("counter")
    box.confirm("reboot")
    box.expect(r"hearth: mounts: done", 400)  # PID 1: the loader has counted
    rec.phase("datastore-copy")
    box.prompt()
    if identity(rec, box)["slot"] != "b":
        raise vm.Failure("the update did not lead to slot b")
    datastore.until(box, "new")
    rec.said("datastore", "new")
    rec.phase("confirm")
    good(rec, box, "b")
    rec.permit("ab")
    rec.phase("rollback")
    box.confirm("rollback")
    box.expect(r"rollback to slot a asked for by a command")
    box.expect(r"hearth: mounts: done", 400)
    rec.phase("datastore-back")
    box.prompt()
    if identity(rec, box)["slot"] != "a":
        raise vm.Failure("the rollback did not lead to slot a")
    rec.permit("a")
    rec.said("good", "a")
    datastore.until(box, "old")
    rec.phase("shutdown")
    box.power_off()


# name: (function, what its disk holds at first: the flashed image, or one that "booted" before)
RECORDINGS = {
    "first-boot": (first_boot, "flashed"),
    "settings": (settings, "flashed"),
    "apart": (apart, "flashed"),
    "recovery": (recovery, "flashed"),
    "rollback": (rollback, "booted"),
    "update": (update, "booted"),
}
# What `make test` takes its sample from.
SAMPLE = "rollback"
