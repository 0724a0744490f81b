"""PID 1 stands still: the machine's watchdog restarts the box, and the next boot says why the last one ended."""
import json

from run import check


def last_kind(box):
    """How the last run ended, or None while PID 1 does not answer; the web role then says so."""
    try:
        return json.loads(box.get("/api/v1/status")[1]).get("last_kind")
    except (OSError, ValueError):
        return None


def run(case):
    # The word makes PID 1 stand still a minute after the state partition is there, once.
    box = case.vm(direct=True, words="hearth.test=hang").start()
    box.prompt()
    first = box.running()
    check(first["watchdog"].startswith("i6300ESB"), f"the watchdog is {first['watchdog']}")
    box.until("the watchdog has restarted the box", lambda: last_kind(box) == "watchdog", 600)
    status = box.running()
    check(status["boots"] == first["boots"] + 1, f"boots: {first['boots']}, then {status['boots']}")
    check("watchdog" in status["last_shutdown"], f"last_shutdown: {status['last_shutdown']}")
    newest = box.ends()[0]
    check(newest["kind"] == "watchdog" and newest["well"], f"the newest end: {newest}")
    check("watchdog" in box.command("boots"), "`boots` on the serial line")
    box.power_off()
