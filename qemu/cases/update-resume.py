"""The power goes in the middle of an install over HTTP: the box boots as it was, goes on by itself, and does not fetch
again what is on the disk."""
import random

import disk
import variant
from run import check
from server import Server

MIB = 1 << 20


def run(case):
    server = Server()
    chance = random.Random(5)
    # What no other build has: it has to be fetched.
    large = variant.make("large", "0.2.0", {"usr/share/hearth/noise": chance.randbytes(16 * MIB).hex()})
    data, url = variant.bundle(large).read_bytes(), variant.offer(server, large)
    box = case.vm(image=case.booted())
    box.ready()
    server.rate = MIB // 2  # each of several connections
    text = box.command(f"update install {url}")
    check("started: version 0.2.0" in text, f"`update install` says:\n{text}")
    box.until("half of it is there", lambda: server.sent > 16 * MIB, 300)
    box.kill()
    check(disk.boot_entries(box.disk) == ["hearth-0001-a.efi"], f"entries: {disk.boot_entries(box.disk)}")
    before, server.rate = server.sent, 0
    box.start()
    box.prompt()
    check(box.running()["slot"] == "a", "it boots as it was")
    box.until("the install went on to its end", lambda: box.facts().get("update-ready", {}).get("value") == "on", 600)
    again = server.sent - before
    check(again < 24 * MIB, f"{again >> 10} KiB were fetched after {before >> 10}")
    box.power_off()
    server.stop()
    start, _, _ = disk.gpt(box.disk)[0]["system-b"]
    size = int(data[:8192].split(b"root.erofs: {size: ")[1].split(b",")[0])
    at = len(data) - 1024 - size
    for piece in range(0, size, MIB):
        n = min(MIB, size - piece)
        check(disk.read(box.disk, start + piece, n) == data[at + piece:at + piece + n],
              f"slot b differs from byte {piece}")
    check(sorted(disk.boot_entries(box.disk)) == ["hearth-0001-a.efi", "hearth-0002-b+3.efi"],
          f"entries: {disk.boot_entries(box.disk)}")
