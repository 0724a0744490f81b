"""No slot is good: the newer one was given up, and then the root of the older one cannot be read. The one that still
starts comes up in safe mode, stays there, says so on both consoles, and takes an update, which ends it."""
import disk
import variant
from run import check
from server import Server

OWN = "name: own\ndescription: of the owner\ncommand: [/bin/sleep, '100000']\n"


def safe(box, boots):
    """Network, disks and consoles, and nothing else."""
    box.prompt(600)
    status = box.until("safe mode", lambda: (s := box.api("status"))["system"] == "safe" and s, 400)
    check((status["slot"], status["boots"]) == ("b", boots), f"slot {status['slot']}, boot {status['boots']}")
    check("no slot is good" in status["detail"], f"why: {status['detail']}")
    check(all(any(word in p for p in status["problems"]) for word in ("`rollback`", "`update`", "`reboot`")),
          f"how to leave it: {status['problems']}")
    check({d["name"] for d in status["disks"]} == {"state", "data"}, f"disks: {status['disks']}")
    box.until("an address", lambda: box.api("status")["url"])
    check("own" not in box.services(), "a service of the owner was started")
    check(box.facts()["kubernetes"]["detail"].startswith("safe mode"), "Kubernetes is left out for it")
    said = box.command("status")
    check("safe" in said and "`rollback`" in said, f"`status` on the serial line:\n{said}")
    box.expect_screen("safe")


def run(case):
    server = Server()
    second = variant.make("second", "0.2.0")
    box = case.vm(image=case.booted())
    disk.put(box.disk, OWN, "/services/own.yaml")
    disk.write_slot(box.disk, "b", second / "root.img", "hearth-0002-b+0-3.efi", second / "uki.efi")
    disk.flip_bit(box.disk, disk.gpt(box.disk)[0]["system-a"][0] + 1024 + 40)
    box.start()
    box.expect(r"root is refused[^\n]*damaged", 400)
    box.expect(r"slot a is marked bad now; slot b is started instead", 30)
    safe(box, 2)
    newest = box.ends()[0]
    check((newest["kind"], newest["slot"]) == ("no-start", "a") and "damaged" in newest["reason"], f"why: {newest}")
    box.confirm("reboot")
    box.expect("reboot: Restarting system", 200)
    safe(box, 3)
    box.until("the update role answers", lambda: "role" not in box.command("update"))
    box.install(variant.offer(server, second), "--again")
    check(box.restart()["slot"] == "a", "the slot that was written anew runs")
    box.until("it is kept", lambda: [s["state"] for s in box.slots().values()] == ["good", "bad"], 300)
    check(box.services()["own"]["state"] == "ready", "the owner's service runs again")
    box.power_off()
    server.stop()
