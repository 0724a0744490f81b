"""Back to the other slot by hand: `rollback` on the serial line, the same by the owner over HTTPS, and for one start by
the boot menu, with a keyboard and over the serial line. Before that the loader takes the newer of two entries, stage 1
the partition that it names, and the trial is confirmed."""
import disk
from browser import Browser
from powercut.recordings import fill_other_slot
from run import check


def slots(box):
    return [(s["state"], s["generation"], s["running"]) for s in box.slots().values()]


def on_the_serial_line(box):
    box.confirm("rollback")
    box.expect(r"rollback to slot a asked for by a command")
    box.prompt()
    status = box.running()
    check(status["slot"] == "a", f"after the rollback slot {status['slot']} runs")
    check("rollback to slot a" in status["last_shutdown"], f"last: {status['last_shutdown']}")
    check(status["last_kind"] == "rollback", f"the kind of that end: {status['last_kind']}")
    check(box.ends()[0]["slot"] == "b" and box.ends()[0]["well"], f"slot b was not well when left: {box.ends()[0]}")
    check(slots(box) == [("good", 3, True), ("good", 2, False)], f"slots: {slots(box)}")
    check("good, running" in (text := box.command("slots")), f"`slots` says:\n{text}")


def by_the_owner(box):
    check(Browser(box).command("rollback")[0] == 401, "a rollback by nobody")
    status, answer = Browser(box).first_login().command("rollback")
    check(status == 200 and "slot b" in answer["message"], f"a rollback by the owner: {status}: {answer}")
    box.expect(r"rollback to slot b asked for by")
    box.prompt()
    check(box.running()["slot"] == "b", "the owner's rollback")
    check(slots(box) == [("good", 3, False), ("good", 4, True)], f"slots: {slots(box)}")


def in_the_boot_menu(box, keyboard):
    box.confirm("reboot")
    box.expect("reboot: Restarting system", 200)
    box.choose_other(keyboard)
    box.prompt()
    check(box.running()["slot"] == "a", f"chosen in the boot menu, keyboard {keyboard}")
    check(slots(box) == [("good", 3, True), ("good", 4, False)], f"for one start: {slots(box)}")


def run(case):
    box = case.vm(image=case.booted())
    fill_other_slot(box.disk)
    box.start()
    box.prompt()
    status = box.running()
    check(status["slot"] == "b", f"the newer entry is slot b's, and {status['slot']} runs")
    box.until("the trial of slot b is confirmed", lambda: slots(box) == [("good", 1, False), ("good", 2, True)])
    on_the_serial_line(box)
    by_the_owner(box)
    in_the_boot_menu(box, keyboard=True)
    in_the_boot_menu(box, keyboard=False)
    check(box.restart()["slot"] == "b", "without a choice the newer one is started")
    box.power_off()
    entries = sorted(disk.boot_entries(box.disk))
    check(entries == ["hearth-0003-a.efi", "hearth-0004-b.efi"], f"boot entries: {entries}")
