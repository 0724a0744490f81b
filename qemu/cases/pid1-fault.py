"""A fault in PID 1 itself: the console says what happened, the box restarts, the kernel kept the reason."""
import re

import disk
from run import check

FAULT = """name: fault
description: sends PID 1 the signal that a bad pointer would
command: [/bin/kill, -SEGV, '1']
type: oneshot
enabled: false
"""


def run(case):
    box = case.vm(image=case.booted())
    disk.put(box.disk, FAULT, "/services/fault.yaml")
    box.start()
    box.prompt()
    box.running()
    box.send("start fault\r")
    box.expect("PID 1 fault: SIGSEGV", 60)
    box.prompt(400)
    status = box.running()
    check(status["boots"] >= 3, "the box did not boot again")
    check(status["last_shutdown"].startswith("PID 1 fault: SIGSEGV sent by process "),
          f"last_shutdown: {status['last_shutdown']}")
    # The console breaks lines at 80 columns.
    box.until("the kept kernel log in the log of storage", lambda: re.search(
        "the last run ended by PID 1 fault: SIGSEGV [^;]*; its kernel log is kept in /state/crash/1.txt",
        box.command("logs storage -n 400").replace("\n", "")))
    # What the firmware kept was removed there, so the next run that ends in order says so.
    box.confirm("reboot")
    box.prompt(400)
    status = box.running()
    check("reboot asked for" in status["last_shutdown"], f"last_shutdown after a restart: {status['last_shutdown']}")
