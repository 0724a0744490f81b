"""A boot entry that cannot be started, with nobody there to choose: one that is cut short costs a try and the box comes
up from the other slot; one with a single wrong bit, which firmware would start, likewise, and is put right from its
copy; and where every entry is damaged, the box tries one all the same."""
import tempfile

import disk
import variant
import vm
from run import check

ENTRY = "hearth-0001-a.efi"


def put(box, data, name):
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        disk.put_esp(box.disk, f.name, f"::/EFI/Linux/{name}")


def remove(box, name):
    disk.del_esp(box.disk, f"::/EFI/Linux/{name}")


def entry(box):
    return disk.get_esp(box.disk, f"::/EFI/Linux/{ENTRY}")


def flipped(uki, at):
    return uki[:at] + bytes([uki[at] ^ 1]) + uki[at + 1:]


def comes_up(box, slot):
    box.start()
    box.prompt()
    status = box.running()
    check(status["slot"] == slot, f"slot {status['slot']} runs, not {slot}")


def repaired(box):
    fact = box.until("the repair is told", lambda: (
        f := box.facts().get("boot-partition")) and ENTRY in f["detail"] and f, 300)
    check(fact["value"] == "on" and "repaired" in fact["detail"], f"boot-partition: {fact}")


def run(case):
    box = case.vm(image=case.booted())
    uki = (vm.BUILD / "uki.efi").read_bytes()
    put(box, uki[:len(uki) // 2], "hearth-0002-b+3.efi")
    comes_up(box, "a")
    box.power_off()
    entries = sorted(disk.boot_entries(box.disk))
    check(entries == [ENTRY, "hearth-0002-b+2-1.efi"], f"boot entries: {entries}")
    remove(box, "hearth-0002-b+2-1.efi")

    second = variant.make("second", "0.2.0")
    disk.write_slot(box.disk, "b", second / "root.img", "hearth-0000-b.efi", second / "uki.efi")
    _, size, whole, begin = variant.sections(uki)[".linux"]
    put(box, flipped(uki, begin + size // 2), ENTRY)
    comes_up(box, "b")
    repaired(box)
    box.power_off()
    check(entry(box) == uki, "the entry is not what it was")

    # In the zeros behind the kernel, where it does no harm.
    remove(box, "hearth-0000-b.efi")
    check(size < whole, "nothing is behind the kernel")
    put(box, flipped(uki, begin + size), ENTRY)
    comes_up(box, "a")
    repaired(box)
    box.power_off()
    check(entry(box) == uki, "the entry is not what it was")
