"""A boot entry that the firmware cannot load costs one try, and the box comes up from the other slot with nobody there
to choose."""
import subprocess
import tempfile

import disk
import vm
from run import check


def run(case):
    box = case.vm(image=case.booted())
    uki = (vm.BUILD / "uki.efi").read_bytes()
    with tempfile.NamedTemporaryFile() as f:
        f.write(uki[:len(uki) // 2])
        f.flush()
        subprocess.run(["mcopy", "-i", f"{box.disk}@@{disk.gpt(box.disk)[0]['esp'][0]}", f.name,
                        "::/EFI/Linux/hearth-0002-b+3.efi"], check=True)
    box.start()
    box.prompt()
    status = box.running()
    check(status["slot"] == "a", f"slot {status['slot']} runs")
    box.power_off()
    entries = sorted(disk.boot_entries(box.disk))
    check(entries == ["hearth-0001-a.efi", "hearth-0002-b+2-1.efi"], f"boot entries: {entries}")
