"""The power button ends the box in order, and the next boot knows it."""
from run import check


def run(case):
    box = case.vm(direct=True, image=case.booted()).start()
    box.prompt()
    box.running()
    box.monitor.do("system_powerdown")
    box.expect("power button", 60)
    box.wait_off()
    box.start()
    box.prompt()
    last = box.until("the cause of the last end", lambda: box.api("status")["last_shutdown"])
    check("power button" in last, f"the next boot says: {last}")
