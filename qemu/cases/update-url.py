"""An update over HTTP: what it is is shown before, only what differs is fetched, the box restarts into it, keeps it
when it is well, and knows then which version runs."""
import disk
import variant
from run import check
from server import Server


def slots(box):
    return [(s["slot"], s["state"], s["generation"], s["running"]) for s in box.slots().values()]


def run(case):
    server = Server()
    second = variant.make("second", "0.2.0")
    url = variant.offer(server, second)
    image = (second / "root.img").stat().st_size
    box = case.vm(image=case.booted())
    box.ready()
    check(slots(box)[0] == ("a", "good", 1, True), f"slots at first: {slots(box)}")
    text = box.command(f"update show {url}")
    check("0.2.0" in text and "changes" in text, f"`update show` says:\n{text}")
    box.install(url)
    check(server.sent < image / 4, f"{server.sent >> 10} KiB were fetched of an image of {image >> 10} and a kernel")
    box.until("the slots are told", lambda: slots(box)[1] == ("b", "trial", 2, False))
    box.confirm("reboot")
    box.expect(r"Hearth [0-9.]+, slot b", 400)
    box.prompt()
    status = box.running()
    check(status["slot"] == "b", f"the new slot is b, and {status['slot']} runs")
    box.until("the new slot is kept", lambda: slots(box) == [("a", "good", 1, False), ("b", "good", 2, True)], 300)
    text = box.command("update install " + url)
    check("0.2.0 runs already" in text, f"the same once more: {text}")
    box.power_off()
    server.stop()
    entries = sorted(disk.boot_entries(box.disk))
    check(entries == ["hearth-0001-a.efi", "hearth-0002-b.efi"], f"boot entries: {entries}")
