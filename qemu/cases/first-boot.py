"""The flashed image on a larger disk, through firmware and boot loader: partitions are made and grown, every service
gets ready, serial line, screen and HTTPS show it, poweroff ends cleanly."""
import board
import disk
import vm
from run import check

MIB = 1 << 20

KUBERNETES = ("containerd", "pods", "k3s", "kube")


def layout(path):
    parts, guid = disk.gpt(path)
    check(disk.gpt(path, backup=True)[0] == parts, "primary and backup partition table differ")
    values = board.values()
    check(list(parts) == ["esp", "system-a", "system-b", "state", "data"], f"partitions are {list(parts)}")
    check(str(guid) != values["IMAGE_DISK_GUID"], "the disk still has the GUID of the image")
    sizes = {name: size // MIB for name, (_, size, _) in parts.items()}
    want = {"esp": "ESP_MIB", "system-a": "SYSTEM_MIB", "system-b": "SYSTEM_MIB", "state": "STATE_MIB"}
    check(all(sizes[name] == int(values[key]) for name, key in want.items()), f"sizes are {sizes}")
    end = parts["data"][0] + parts["data"][1]
    check(path.stat().st_size - end < 2 * MIB, f"data ends {path.stat().st_size - end} bytes before the disk")
    fresh = [name for name, (_, _, attributes) in parts.items() if attributes >> 56 & 1]
    check(fresh == ["system-b"], f"marked as new and still empty: {fresh}")
    check(disk.read(path, parts["state"][0] + 1080, 2) == b"\x53\xef", "state holds no ext4")
    check(disk.read(path, parts["data"][0], 4) == b"XFSB", "data holds no XFS")
    check(disk.boot_entries(path) == ["hearth-0001-a.efi"], f"not confirmed: {disk.boot_entries(path)}")


def run(case):
    box = case.vm().start()
    box.prompt()
    status = box.running()
    check(status["name"].startswith("hearth-"), f"the name is {status['name']}")
    check((status["slot"], status["boots"]) == ("a", 1), f"slot {status['slot']}, boot {status['boots']}")
    check(not status["problems"], f"problems: {status['problems']}")
    check(status["url"] == "https://10.0.2.15/", f"the URL is {status['url']}")
    check({d["name"] for d in status["disks"]} == {"state", "data"}, f"disks: {status['disks']}")
    # Those of Kubernetes wait: it is left out here, and proven by cases of its own.
    box.until("every service of the box itself is ready or done",
              lambda: {s["state"] for n, s in box.services().items() if n not in KUBERNETES} <= {"ready", "done"}, 300)
    check({box.services()[n]["state"] for n in KUBERNETES} == {"waiting"}, "Kubernetes was not left out")
    facts = box.facts()
    check(facts["root-intact"]["value"] == "on", f"the root was read through: {facts['root-intact']}")
    check([facts[f]["value"] for f in ("trial-boot", "slot-failed")] == ["off", "off"], "the first boot was confirmed")
    slots = [(s["slot"], s["state"], s["generation"], s["running"]) for s in box.slots().values()]
    check(slots == [("a", "good", 1, True), ("b", "empty", 0, False)], f"slots: {slots}")
    box.send("rollback\r")
    box.expect(r"other slot\? \[y/N\]", 60)
    box.send("y\r")
    box.expect(r"slot b holds no system", 60)
    box.prompt()
    check(box.get("/healthz")[0] == 200, "/healthz")
    check("<title>" in box.get("/")[1], "the page")
    check(box.get("/nothing")[0] == 404, "a path that is not there")
    text = box.command("status")
    for word in (status["name"], "https://10.0.2.15/", "10.0.2.15"):
        check(word in text, f"`status` on the serial line lacks {word}:\n{text}")
    check(max(map(len, text.splitlines())) <= 80, "`status` is wider than 80 columns")
    box.expect_screen(status["name"])
    box.expect_screen(vm.PROMPT.strip())
    box.power_off()
    layout(box.disk)
