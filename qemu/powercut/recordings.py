"""What is recorded: one row of RECORDINGS each. A new one is a function and a row; the rest knows nothing of it.

A recording is a function of a Recorder that drives one machine. While it does, it says
  rec.phase(WORD)        what the box does from here on, for the names of the cuts
  rec.permit(SLOTS)      into which slots a box may boot that is cut off from here on: "a", "b" or "ab"
  rec.said(KEY, VALUE)   what the box has acknowledged: no cut from here on may lose it (KEY: judge.KEEPS)
Before the box is asked for something that changes the slot, both are permitted; when it has said that it is done, the
new one alone."""
import pathlib
import ssl
import subprocess
import tempfile

import disk
import vm

SEED = "hostname: cut-off\n"


def identity(rec, box):
    """What a running box says of itself, acknowledged."""
    status = box.running()
    rec.said("name", status["name"])
    rec.said("boots", status["boots"])
    rec.said("certificate", ssl.get_server_certificate(("127.0.0.1", box.port)))
    return status


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
        esp = disk.gpt(rec.disk, fitted=False)[0]["esp"][0]
        subprocess.run(["mcopy", "-i", f"{rec.disk}@@{esp}", f.name, "::/hearth.yaml"], check=True)
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
    first = disk.gpt(rec.disk, fitted=False)[0]["esp"][0]
    esp, entry = f"{rec.disk}@@{first}", disk.boot_entries(rec.disk, fitted=False)[0]
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
    rec.said("name", f"hearth-{disk.get(rec.disk, '/machine-id')[:6]}")
    rec.said("boots", int(disk.get(rec.disk, "/boots")))
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


# name: (function, what its disk holds at first: the flashed image, or one that "booted" before)
RECORDINGS = {
    "first-boot": (first_boot, "flashed"),
    "settings": (settings, "flashed"),
    "apart": (apart, "flashed"),
    "recovery": (recovery, "flashed"),
    "rollback": (rollback, "booted"),
}
# What `make test` takes its sample from.
SAMPLE = "rollback"
