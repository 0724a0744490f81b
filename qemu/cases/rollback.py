"""Both slots hold the same image: the boot loader takes the newer entry, stage 1 the partition that it names; a trial
is confirmed, and `rollback` goes back to the other slot."""
import disk
from powercut.recordings import fill_other_slot
from run import check


def slots(box):
    return [(s["state"], s["generation"], s["running"]) for s in box.slots().values()]


def run(case):
    box = case.vm(image=case.booted())
    fill_other_slot(box.disk)
    box.start()
    box.prompt()
    status = box.running()
    check(status["slot"] == "b", f"the newer entry is slot b's, and {status['slot']} runs")
    box.until("the trial of slot b is confirmed", lambda: slots(box) == [("good", 1, False), ("good", 2, True)])
    box.confirm("rollback")
    box.expect(r"rollback to slot a asked for by a command")
    box.prompt()
    status = box.running()
    check(status["slot"] == "a", f"after the rollback slot {status['slot']} runs")
    check("rollback to slot a" in status["last_shutdown"], f"last: {status['last_shutdown']}")
    check(status["last_kind"] == "rollback", f"the kind of that end: {status['last_kind']}")
    ends = box.api("boots")["boots"]
    check(ends[0]["slot"] == "b" and ends[0]["well"], f"slot b was not well when it was left: {ends[0]}")
    check(slots(box) == [("good", 3, True), ("good", 2, False)], f"slots: {slots(box)}")
    text = box.command("slots")
    check("good, running" in text, f"`slots` says:\n{text}")
    box.power_off()
    entries = sorted(disk.boot_entries(box.disk))
    check(entries == ["hearth-0002-b.efi", "hearth-0003-a.efi"], f"boot entries: {entries}")
