"""A box that cannot run as it is: after three crashes before it got well it comes up in safe mode, without the service
that breaks it, and says so everywhere."""
import disk
from run import check

FAULT = """name: fault
description: sends PID 1 the signal that a bad pointer would
command: [/bin/kill, -SEGV, '1']
type: oneshot
"""


def run(case):
    box = case.vm(image=case.booted())
    disk.put(box.disk, FAULT, "/services/fault.yaml")
    box.start()
    for _ in range(3):
        box.expect("PID 1 fault: SIGSEGV", 400)
    box.prompt(400)
    status = box.until("safe mode", lambda: (s := box.api("status"))["system"] == "safe" and s, 400)
    check("3 runs in a row crashed" in status["detail"], f"why: {status['detail']}")
    check(any("`rollback`" in p for p in status["problems"]), f"problems: {status['problems']}")
    check("fault" not in box.services(), "the service that breaks it was started")
    check(status["url"], "the box has no address")
    box.expect_screen("safe")
    kinds = [b["kind"] for b in box.ends()]
    check(kinds[:4] == ["pid1-fault"] * 3 + ["asked"], f"the last ends: {kinds}")
    box.power_off()
