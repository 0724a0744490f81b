#!/usr/bin/env python3
"""`make bench-kube`, part 3: what k3s and containerd use on this machine without emulation, as a node without pods that
nobody asks anything (tests/kube/cluster.py).

  kube_idle.py [SECONDS]"""
import os
import pathlib
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kube")]
sys.dont_write_bytecode = True
import machine  # noqa: E402
import run  # noqa: E402

SETTLE, IDLE = 90, 60  # seconds
GOAL = "goal 300 MB, 4 %"


def usage(pid):
    """(CPU seconds, RSS, PSS KiB)"""
    with open(f"/proc/{pid}/stat") as f:
        words = f.read().rsplit(")", 1)[1].split()
    with open(f"/proc/{pid}/smaps_rollup") as f:
        memory = dict(line.split(":", 1) for line in f if ":" in line.split(" ")[0])
    return ((int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK"),
            int(memory["Rss"].split()[0]), int(memory["Pss"].split()[0]))


def measure(seconds):
    """[(program, per cent of a core, RSS, PSS)] and how busy the machine was."""
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as folder, \
            run.open_cluster(folder + "/cluster") as cluster:
        cluster.start()
        if not cluster.alone:
            cluster.wait_node()
        pids = {name: cluster.host_pid(name) for name in cluster.programs}
        time.sleep(SETTLE)
        before, busy = {name: usage(pid) for name, pid in pids.items()}, machine.Busy()
        time.sleep(seconds)
        after = {name: usage(pid) for name, pid in pids.items()}
        return [(name, (after[name][0] - before[name][0]) / seconds * 100, *after[name][1:]) for name in pids], \
            busy.cores()


def main():
    seconds, before = int((sys.argv[1:] or [IDLE])[0]), machine.load()
    rows, busy = measure(seconds)
    print(f"\nIdle natively, a node without pods, {seconds} s from {SETTLE} s after it was Ready; KiB")
    print(f"{machine.describe()}; native; load before {before}; cores busy meanwhile %.1f, stolen %.1f" % busy)
    print(f"{'':20}{'% of a core':>12}{'PSS':>10}{'RSS':>10}")
    for name, percent, rss, pss in rows:
        print(f"{name:20}{percent:12.2f}{pss:10}{rss:10}" + (f"   {GOAL}" if name == "k3s" else ""))


if __name__ == "__main__":
    main()
