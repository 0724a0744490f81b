"""A new version whose kernel panics, then one that stands still before there is a disk: the first uses up its three
tries by itself, the watchdog ends the second, and each time the old slot runs again and says why."""
import disk
import variant
from run import check
from server import Server

NO_ROOT = "Unable to mount root fs"


def given_up(box, version, kind, why):
    """The old slot runs, and says so everywhere."""
    box.prompt(600)
    status = box.running()
    check(status["slot"] == "a", f"slot {status['slot']} runs")
    newest = box.ends()[0]
    check((newest["kind"], newest["slot"], newest["version"]) == (kind, "b", version), f"the newest end: {newest}")
    check(why in newest["reason"] and why in status["last_shutdown"], f"{newest}, {status['last_shutdown']}")
    said = box.command("boots")
    check(kind in said and why in said.replace("\n", " "), f"`boots` says:\n{said}")
    check({n: s["state"] for n, s in box.slots().items()} == {"a": "good", "b": "bad"}, f"slots: {box.slots()}")
    check("bad" in box.command("slots"), "`slots` on the serial line")


def run(case):
    server = Server()
    panics = variant.make("panics", "0.2.0", uki=variant.words("rdinit=/none"))
    stands = variant.make("stands", "0.3.0", uki=variant.words("hearth.test=hang-early"))
    box = case.vm(image=case.booted())
    box.ready()
    box.send(f"update install {variant.offer(server, panics)} --restart\r")
    for _ in range(3):
        box.expect(f"Kernel panic - not syncing: .*{NO_ROOT}", 600)
    given_up(box, "0.2.0", "panic", NO_ROOT)
    check([b["kind"] for b in box.ends()[:2]] == ["panic", "update"], f"ends: {box.ends()[:2]}")

    box.install(variant.offer(server, stands))
    box.power_off()
    disk.last_try(box.disk)
    box.start()
    box.expect("stage 1 stands still", 400)
    given_up(box, "0.3.0", "watchdog", "stood still")
    boots = len(box.ends())
    box.restart()
    check(len(box.ends()) == boots + 1 and box.ends()[0]["kind"] == "asked", f"told once: {box.ends()[:2]}")
    box.power_off()
    server.stop()
    entries = sorted(disk.boot_entries(box.disk))
    check(entries[0] == "hearth-0001-a.efi" and entries[1].startswith("hearth-0002-b+0-"), f"entries: {entries}")
