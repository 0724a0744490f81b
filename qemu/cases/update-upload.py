"""An update uploaded by the owner: the code from the serial line sets a password, the bundle goes up over HTTPS in the
parts that the box asks for, the power is cut in the middle, the upload goes on, the box restarts into it and keeps it.
Who is not logged in, or comes from another page, changes nothing."""
import random

import disk
import variant
from browser import Browser
from run import check

PART = 200000  # bytes sent at a time: less than what is asked for at a time
# Nothing that the running slot has: it is sent.
NEW = "".join(random.Random(1).choices("0123456789abcdef", k=2 << 20))
PAGE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


def slots(box):
    return [(s["slot"], s["state"], s["generation"], s["running"]) for s in box.slots().values()]


def refused(box, owner, data):
    before = disk.digest(box.disk, "system-b"), disk.boot_entries(box.disk)
    for who, headers, want in ((Browser(box), {}, 401), (owner, {"X-Hearth-CSRF": "0" * 64}, 403),
                               (owner, {"X-Hearth-CSRF": None}, 403), (owner, {"Cookie": None}, 401),
                               (owner, PAGE, 403)):
        status, answer = who.upload(data[:1000], headers, len(data))
        check(status == want, f"an upload with {headers}: {status}: {answer}")
    check(Browser(box).command("reboot")[0] == 401, "a command of nobody")
    check(box.facts()["update-running"]["value"] == "off", "a refused upload began")
    after = disk.digest(box.disk, "system-b"), disk.boot_entries(box.disk)
    check(after == before and slots(box)[1][1] == "empty", f"something changed: {before} became {after}")


def send(box, owner, data, most=1 << 30):
    """Sends what the box asks for, until it has all of it or has taken `most` bytes. How many it has taken."""
    def asks():
        said = box.api("update")
        return (said.get("want") or said["state"] in ("ready", "failed")) and said
    sent = 0
    while sent < most:
        said = box.until("the box asks for a part", asks)
        want = said.get("want")
        if not want:
            check(said["state"] == "ready", f"the upload: {said}")
            break
        part = data[want["from"]:][:min(want["length"], PART)]
        # An answer that comes before the box has seen the last part asks for that once more: it is refused.
        sent += len(part) if owner.part(part, want["from"])[0] == 200 else 0
    return sent


def run(case):
    folder = variant.make("second-more", "0.2.0", {"usr/share/hearth/more": NEW})
    data = variant.bundle(folder).read_bytes()
    box = case.vm(image=case.booted())
    box.ready()
    owner = Browser(box).first_login()
    refused(box, owner, data)
    status, answer = owner.command("update", "install", f"upload:{len(data)}")
    check(status == 200, f"the upload: {status}: {answer}")
    first = send(box, owner, data, 4 * PART)
    check(box.api("update")["state"] == "loading", f"{first} bytes should not be all that is missing")
    box.kill()
    box.start()
    box.prompt()
    box.running()
    check(owner.log_in() == 200, "the owner logs in again")
    rest = send(box, owner, data)
    check(rest < len(data) // 2, f"of {len(data)} bytes {first} were sent, then {rest}: as if nothing had been there")
    box.until("the update is ready", lambda: box.facts()["update-ready"]["value"] == "on", 600)
    status, answer = owner.command("reboot")
    check(status == 200, f"the restart: {status}: {answer}")
    box.expect(r"Hearth [0-9.]+, slot b", 400)
    box.prompt()
    check(box.running()["slot"] == "b", "the new slot runs")
    box.until("the new slot is kept", lambda: slots(box) == [("a", "good", 1, False), ("b", "good", 2, True)], 300)
    check(Browser(box).log_in() == 200, "the password holds in the new version")
    check("code" not in box.command("owner").split("reset")[0], "the code is gone")
    box.power_off()
    image = (folder / "root.img").read_bytes()
    start = disk.gpt(box.disk)[0]["system-b"][0]
    check(disk.read(box.disk, start, len(image)) == image, "slot b holds what was uploaded")
    check(sorted(disk.boot_entries(box.disk)) == ["hearth-0001-a.efi", "hearth-0002-b.efi"], "the boot entries")
