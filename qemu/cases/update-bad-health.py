"""A new version whose service never gets ready: the box gives it up in time, runs the old one again, and says why; also
in the last of its tries, which the loader has counted to none left."""
import disk
import variant
from run import check
from server import Server


def run(case):
    server = Server()
    never = variant.make("never", "0.2.0", variant.never("1m"))
    box = case.vm(image=case.booted())
    box.ready()
    box.send(f"update install {variant.offer(server, never)} --restart\r")
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
    disk.write_slot(box.disk, "b", never / "root.img", "hearth-0003-b+1-2.efi", never / "uki.efi")
    box.start()
    box.prompt()
    check((status := box.api("status"))["slot"] == "b" and "left" in status["health"], f"the last try: {status}")
    box.expect("reboot: Restarting system", 400)
    box.prompt()
    check(box.running()["slot"] == "a", "the old one runs again")
    check((end := box.ends()[0])["kind"] == "health-gate" and end["slot"] == "b", f"the newest end: {end}")
    box.power_off()
