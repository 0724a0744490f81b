"""A damaged boot partition is repaired at the next boot: from the second FAT, and from the copies of what it must hold;
when nothing of it is left, it is made anew."""
import subprocess

import disk
from run import check


def files(path):
    run = subprocess.run(["mdir", "-b", "-s", "-i", disk.esp(path), "::/"], capture_output=True, text=True)
    return sorted(line[3:] for line in run.stdout.split() if not line.endswith("/"))


def digest(path, name):
    return hash(disk.get_esp(path, f"::/{name}"))


def zero(path, at, size):
    with open(path, "r+b") as f:
        f.seek(disk.gpt(path)[0]["esp"][0] + at)
        f.write(bytes(size))


def first_fat(path):
    head = disk.read(path, disk.gpt(path)[0]["esp"][0], 512)
    sector = int.from_bytes(head[11:13], "little")
    fat = int.from_bytes(head[14:16], "little") * sector
    return fat, int.from_bytes(head[36:40], "little") * sector


def copied(box):
    box.until("the boot entries are copied", lambda: box.services()["esp"]["state"] == "done", 300)


def after_repair(case, box, words):
    box.start()
    box.prompt(600)
    box.running()
    copied(box)
    fact = box.until("the boot partition is told", lambda: next(
        (f for f in box.api("facts")["facts"] if f["name"] == "boot-partition"), None))
    box.power_off()
    check(fact["value"] == "on" and all(w in fact["detail"] for w in words), f"boot-partition: {fact}")
    check(files(box.disk) == case.whole, f"the boot partition holds {files(box.disk)}, not {case.whole}")
    found = {name: digest(box.disk, name) for name in case.whole}
    check(found == case.digests, "what was put back is what was there")


def run(case):
    box = case.vm(image=case.booted(), direct=True)
    case.whole = files(box.disk)
    check(len(case.whole) == 3, f"at first: {case.whole}")
    case.digests = {name: digest(box.disk, name) for name in case.whole}

    zero(box.disk, first_fat(box.disk)[0], 4096)
    after_repair(case, box, ["repaired: file system"])

    entry = next(name for name in case.whole if "hearth-" in name)
    disk.del_esp(box.disk, "::/loader/loader.conf")
    disk.del_esp(box.disk, f"::/{entry}")
    after_repair(case, box, ["loader.conf", entry.rsplit("/", 1)[1]])

    # A boot sector without a file system, and no other trace of one.
    zero(box.disk, 0, sum(first_fat(box.disk)) + first_fat(box.disk)[1])
    after_repair(case, box, ["BOOTX64.EFI", "loader.conf", entry.rsplit("/", 1)[1]])

    # It boots by itself, as from the image.
    box.direct = False
    box.start()
    box.prompt(600)
    check(box.running()["slot"] == "a", "it boots from the partition that was made anew")
    box.power_off()
