"""The flashed image boots from USB, UAS, NVMe, AHCI and SD, and makes its partitions there; a stick that is slow to
appear is waited for."""
import disk
from run import check


def boots(box, kind):
    box.prompt()
    status = box.running()
    check({d["name"] for d in status["disks"]} == {"state", "data"}, f"{kind}: disks {status['disks']}")
    box.power_off()
    check("data" in disk.gpt(box.disk)[0], f"{kind}: no data partition")


def run(case):
    # The firmware of the test machine boots these itself.
    for kind in ("usb", "nvme", "ahci"):
        boots(case.vm(kind, disk=kind).start(), kind)
    # It has no driver for these.
    for kind in ("uas", "sd"):
        boots(case.vm(kind, disk=kind, direct=True).start(), kind)
    slow = case.vm("slow", direct=True, plugged=False).start()
    slow.expect(r"waiting for .*disk", 60)
    slow.plug()
    boots(slow, "a stick that was plugged in late")
