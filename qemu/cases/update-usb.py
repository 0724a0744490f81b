"""An update from a USB stick: without one the box says what to do; of several files the newest is taken; the stick may
go when all is read. One that is pulled out in the middle ends the install and nothing else."""
import disk
import variant
from run import check


def run(case):
    bundle = variant.bundle(variant.make("second", "0.2.0")).read_bytes()
    stick = case.dir / "stick.img"
    disk.stick(stick, {"notes.txt": b"none", "hearth-0.1.9.hearth": b"not the newest", "hearth-0.2.0.hearth": bundle},
               (len(bundle) >> 20) + 64)
    box = case.vm(image=case.booted(), ports=True)
    box.ready()
    text = box.command("update install usb")
    check("no stick with an update is there" in text, f"without a stick: {text}")
    box.plug_stick("one", stick)
    text = box.until("the stick is found", lambda: (t := box.command("update show usb")) and "0.2.0" in t and t, 120)
    check("hearth-0.2.0.hearth on sda1" in text, f"`update show usb` says:\n{text}")
    text = box.command("update install usb")
    check("started: version 0.2.0" in text and "on sda1" in text, f"`update install usb` says:\n{text}")
    box.until("the update is ready", lambda: box.facts()["update-ready"]["value"] == "on", 600)
    box.pull_stick("one")
    check(box.restart()["slot"] == "b", "the new slot runs")
    box.until_kept()

    # Back into slot a, from a stick that is slow, and pulled out.
    box.plug_stick("two", stick, 400000)
    text = box.until("the stick is found", lambda: (t := box.command("update install usb --again")) and
                     "no stick" not in t and t, 120)
    check("started" in text, f"the slow stick: {text}")
    box.pull_stick("two")
    box.until("the install has failed", lambda: "failed: " in box.command("update"), 300)
    text = box.command("update")
    check("hearth-0.2.0.hearth on sda1: read the file" in text, f"why it failed: {text}")
    check(box.facts()["update-running"]["value"] == "off", "nothing is under way any more")
    text = box.command("update install usb --again")
    check("no stick with an update is there" in text, f"after it was pulled out: {text}")
    check(box.restart()["slot"] == "b", "the slot that ran still does")
    box.power_off()
    entries = disk.boot_entries(box.disk)
    check(entries == ["hearth-0002-b.efi"], f"boot entries: {entries}")
