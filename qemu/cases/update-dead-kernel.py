"""A new version that stands still in its first instruction, where no watchdog of the machine is armed yet: the
firmware's own timer ends it after five minutes, and the old slot runs again and says so."""
import time

import disk
import variant
from run import check


def run(case):
    dead = variant.make("dead", "0.2.0", uki=variant.stands_still)
    box = case.vm(image=case.booted())
    disk.write_slot(box.disk, "b", dead / "root.img", "hearth-0002-b+1-2.efi", dead / "uki.efi")
    box.start()
    begun = time.monotonic()
    box.prompt(900)
    check(time.monotonic() - begun > 240, "it did not stand still")
    status = box.running()
    check(status["slot"] == "a", f"slot {status['slot']} runs")
    newest = box.ends()[0]
    check((newest["kind"], newest["slot"]) == ("no-start", "b"), f"the newest end: {newest}")
    check("3 starts" in newest["reason"] and "slot b" in status["last_shutdown"], f"why: {newest}")
    check("no-start" in box.command("boots"), "`boots` on the serial line")
    box.power_off()
    check(sorted(disk.boot_entries(box.disk)) == ["hearth-0001-a.efi", "hearth-0002-b+0-3.efi"],
          f"boot entries: {disk.boot_entries(box.disk)}")
