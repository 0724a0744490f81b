"""Bundles that are each broken in one way, offered to the real box: each is refused with its sentence, and afterwards
the other slot and the boot entries are what they were. A wrong block is noticed on the way: no entry then."""
import disk
from bundles import Bundle, Keys, blocks, image
from cases.refused import LEAST, bad_bundles, bad_frames
from run import check
from server import Server


class Stage:
    """Small images that look like roots to whoever checks a bundle, signed as the build signs."""

    def __init__(self, folder):
        self.folder, self.keys, self.new_blocks = str(folder), Keys(str(folder), build=True), blocks(256, 2)

    def bundle(self, parts, version="0.2.0", **rest):
        return Bundle(self.folder, self.keys, image(parts), version, **rest)


def run(case):
    stage, server = Stage(case.dir / "bundles"), Server()
    url = f"http://10.0.2.2:{server.port}/bad.hearth"
    box = case.vm(image=case.booted())
    before = disk.digest(box.disk, "system-b"), disk.boot_entries(box.disk)
    box.ready()
    rows = [(*row, (True, False)) for row in bad_bundles(stage)]
    rows += [(*row, (True,)) for row in bad_frames(stage)]  # read in one go, what stands between comes late
    for what, data, want, ways in rows:
        if len(data) < LEAST or what == "no room on the ESP":  # this one has room
            continue
        server.files["/bad.hearth"] = data
        for ranges in ways:
            server.ranges = ranges
            said = box.command(f"update install {url}")
            check(want in said and "started" not in said, f"{what}: no '{want}' in:\n{said}")
    box.power_off()
    after = disk.digest(box.disk, "system-b"), disk.boot_entries(box.disk)
    check(after == before, f"something changed: {before} became {after}")

    good = stage.bundle(stage.new_blocks)
    data, at = good.pack(), good.at("root.erofs") + 5000
    server.files["/bad.hearth"], server.ranges = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:], True
    box.ready()
    box.command(f"update install {url}")
    box.until("the wrong block is noticed", lambda: "failed: " in (t := box.command("update")) and "block" in t, 300)
    box.power_off()
    server.stop()
    check(disk.boot_entries(box.disk) == before[1], f"boot entries: {disk.boot_entries(box.disk)}")
