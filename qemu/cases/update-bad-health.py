"""A new version whose service never gets ready: the box gives it up in time, runs the old one again, and says why."""
import disk
import variant
import vm
from run import check
from server import Server

NEVER = """name: never
description: Never gets ready
command: [/bin/sh, -c, "exit 1"]
type: oneshot
"""


def settings():
    """Those of the image, with the least time for a new slot to get well."""
    text = (vm.TOP / "fs-overlay/etc/hearth/settings.yaml").read_text()
    check("health-deadline: 15m" in text, "the shipped deadline is another one")
    return text.replace("health-deadline: 15m", "health-deadline: 1m")


def run(case):
    server = Server()
    never = variant.make("never", "0.2.0", {"etc/hearth/services/never.yaml": NEVER,
                                            "etc/hearth/settings.yaml": settings()})
    server.files["/new.hearth"] = (never / "hearth-0.2.0.hearth").read_bytes()
    box = case.vm(image=case.booted()).start()
    box.prompt()
    box.running()
    box.until_kept()
    box.send(f"update install http://10.0.2.2:{server.port}/new.hearth --restart\r")
    box.expect(r"started: version 0\.2\.0")
    box.expect(r"the update to 0\.2\.0", 600)
    box.expect("reboot: Restarting system")
    box.prompt()
    check(box.api("status")["slot"] == "b", "the new slot is tried")
    box.expect("reboot: Restarting system", 400)
    box.prompt()
    status = box.running()
    check(status["slot"] == "a", f"slot {status['slot']} runs")
    said = box.command("boots")
    check("health-gate" in said and "update" in said, f"`boots` says:\n{said}")
    check("never" in said or "never" in status["last_shutdown"], f"why: {said}\n{status['last_shutdown']}")
    box.power_off()
    server.stop()
    entries = sorted(disk.boot_entries(box.disk))
    check(entries[0] == "hearth-0001-a.efi" and entries[1].startswith("hearth-0002-b+0-"), f"entries: {entries}")
