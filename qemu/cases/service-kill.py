"""Each service killed with -9 comes back by itself, and PID 1 answers throughout."""
import disk
from run import check

KILLER = """name: killer
description: kills the main process of every service, as a fault would
command: [/bin/sh, -c, "for s in {names}; do kill -9 $(head -n 1 /sys/fs/cgroup/hearth/$s/cgroup.procs); done"]
type: oneshot
enabled: false
"""
DAEMONS = "log", "klog", "network", "time", "web", "console-serial", "console-screen"


def run(case):
    box = case.vm(direct=True, image=case.booted())
    for name in DAEMONS:
        text = KILLER.format(names=name).replace("name: killer", f"name: kill-{name}", 1)
        disk.put(box.disk, text, f"/services/kill-{name}.yaml")
    box.start()
    box.prompt()
    box.running()
    for name in DAEMONS:
        before = box.services()[name]
        box.send(f"start kill-{name}\r")
        after = box.until(f"{name} is back", lambda: (s := box.services()[name])["restarts"] > before["restarts"] and
                          s["state"] == "ready" and s, 60)
        check(after["pid"] != before["pid"], f"{name} has the same process")
        check(box.api("status", 20)["system"] in ("running", "degraded"), "PID 1's state")
    box.send("\r")
    box.prompt(30)
    others = {n: s["restarts"] for n, s in box.services().items() if n not in DAEMONS and s["restarts"]}
    check(not others, f"others were restarted too: {others}")
