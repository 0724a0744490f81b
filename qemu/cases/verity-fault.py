"""A bit of the root turns: found while the box runs, it goes over to the other slot in order and says why; found before
the root is mounted, at once; and with no other slot that is good it stays up."""
import random

import disk
import variant
from run import check

# Read some time after the start, as a file of a workload would be.
LATE = "usr/share/hearth/late"
SERVICE = """name: late
description: Reads a file
command: [/bin/busybox, sha256sum, /usr/share/hearth/late]
type: oneshot
after: [web]
"""


def system(version, image):
    text = "".join(random.Random(version).choices("0123456789abcdef", k=1 << 20))
    files = {LATE: text, "etc/hearth/services/late.yaml": SERVICE}
    return variant.make(f"late-{version}", version, files, image=image)


def states(box):
    return {slot: s["state"] for slot, s in box.slots().items()}


def damage(box, slot, at):
    disk.flip_bit(box.disk, disk.gpt(box.disk)[0][f"system-{slot}"][0] + at)


def run(case):
    old, new = system("0.1.0", True), system("0.2.0", False)
    in_old, in_new = (disk.middle_of(folder / "root.img", "/" + LATE) for folder in (old, new))
    box = case.vm(image=old / "hearth.img").start()
    box.prompt()
    box.running()
    box.until("slot a is confirmed", lambda: states(box) == {"a": "good", "b": "empty"})
    box.power_off()

    # While it runs.
    disk.write_slot(box.disk, "b", new / "root.img", "hearth-0002-b.efi", new / "uki.efi")
    damage(box, "b", in_new)
    box.start()
    box.expect(r"reboot: root of slot b: block \d+ is damaged", 400)
    box.prompt(600)
    status = box.running()
    check(status["slot"] == "a", f"slot {status['slot']} runs")
    check("root of slot b: block" in status["last_shutdown"], f"last: {status['last_shutdown']}")
    newest = box.ends()[0]
    check(newest["kind"] == "damage" and newest["slot"] == "b", f"the newest end: {newest}")
    check(states(box) == {"a": "good", "b": "bad"}, f"slots: {states(box)}")
    box.power_off()

    # Before the root is mounted: the head of the file system.
    disk.write_slot(box.disk, "b", new / "root.img", "hearth-0003-b+3.efi", new / "uki.efi")
    damage(box, "b", 1024 + 40)
    box.start()
    box.expect(r"root is refused[^\n]*damaged", 400)
    box.expect(r"slot b is marked bad now; slot a is started instead", 30)
    box.prompt(600)
    status = box.running()
    check(status["slot"] == "a", f"slot {status['slot']} runs")
    check(states(box) == {"a": "good", "b": "bad"}, f"slots: {states(box)}")
    box.power_off()
    entries = disk.boot_entries(box.disk)
    check("hearth-0003-b+0-1.efi" in entries and "hearth-0001-a.efi" in entries, f"boot entries: {entries}")

    # Nowhere to go.
    damage(box, "a", in_old)
    box.start()
    box.expect(r"root of slot a: block \d+ is damaged", 400)
    box.prompt()
    box.until("the damage is told", lambda: any("root of slot a" in p for p in box.api("status")["problems"]))
    status = box.settled()
    check(status["system"] == "degraded" and status["slot"] == "a", f"slot {status['slot']}: {status['system']}")
    check(states(box) == {"a": "good", "b": "bad"}, f"slots: {states(box)}")
    box.power_off()
