#!/usr/bin/env python3
"""`make bench-kube`, part 2: how long the box takes until Kubernetes and every pod is up, beside the same containerd
and k3s started by a bare script (kube_floor.sh); then what all of it uses in the box when nothing happens.

  kube_boot.py [ROUNDS [kubectl]]

Boots are of the real image in QEMU without firmware, in turn with the floor's, each on a disk of its own: a first boot,
then, after a stop in order, a warm one. The floor's disk is partitioned and has its file systems before; Hearth makes
them at its first boot. What is asked is asked from outside, of the API server and every POLL seconds, alike for both:
/readyz says 200; the node is Ready; as many pods are Ready as the manifests have workloads, none is not, and each of
their containers was started in this boot. Seconds are those since QEMU was told to go on."""
import base64
import calendar
import http.client
import json
import os
import pathlib
import re
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path[:0] = [str(HERE), str(TOP / "qemu")]
sys.dont_write_bytecode = True
import boot  # noqa: E402
import disk  # noqa: E402
import kube  # noqa: E402
import machine  # noqa: E402
import run  # noqa: E402
import vm  # noqa: E402

ROUNDS, POLL, LONG = 1, 2, 1500
SETTLE, IDLE = 60, 60  # seconds
GOAL = 1.1
WHO = ("hearth", "floor", "floor with kubectl")
MARKS = ("API ready", "node Ready", "pods Ready")
SERVICES = {"data": "done", "network": "done", "containerd": "ready", "pods": "ready", "scrub": "(starting|done)",
            "k3s": "ready", "kube-api": "on", "node-ready": "on", "kube-applied": "on"}
WORKLOADS = len(re.findall(r"^kind: (?:Deployment|DaemonSet)$", "\n".join(
    p.read_text() for p in (vm.BUILD / "manifests").glob("*.yaml")), re.M))


class Api:
    """The API server of a box, as its administrator, over one connection that is kept: polling is to cost little."""

    def __init__(self, box):
        self.box, self.line = box, None
        self.context = ssl.create_default_context()
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE

    def listens(self):
        """Somebody speaks TLS there; QEMU's forwarding alone does not."""
        try:
            self._connect(2)
            return True
        except (OSError, http.client.HTTPException):
            return False
        finally:
            self._drop()

    def log_in(self, kubeconfig):
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            for key in ("client-certificate-data", "client-key-data"):
                file.write(base64.b64decode(re.search(key + r"\"?:\s*\"?([A-Za-z0-9+/=]+)", kubeconfig)[1]))
            file.flush()
            self.context.load_cert_chain(file.name)

    def _connect(self, seconds):
        self.line = http.client.HTTPSConnection("127.0.0.1", self.box.api_port, context=self.context, timeout=seconds)
        self.line.connect()

    def _drop(self):
        if self.line:
            self.line.close()
        self.line = None

    def get(self, path):
        """The answer's text, or None."""
        try:
            if not self.line:
                self._connect(20)
            self.line.request("GET", path)
            answer = self.line.getresponse()
            text = answer.read().decode()
            return text if answer.status == 200 else None
        except (OSError, http.client.HTTPException):
            self._drop()
            return None

    def items(self, path):
        return json.loads(self.get(path) or '{"items": []}')["items"]


def is_true(thing, kind):
    return any(c["type"] == kind and c["status"] == "True" for c in thing.get("status", {}).get("conditions", []))


def started(pod):
    """When its youngest container was started, seconds since 1970; 0 when one does not run."""
    found = [c.get("state", {}).get("running", {}).get("startedAt")
             for c in pod.get("status", {}).get("containerStatuses", [])]
    if not found or None in found:
        return 0
    return min(calendar.timegm(time.strptime(at, "%Y-%m-%dT%H:%M:%SZ")) for at in found)


def all_ready(api, since):
    pods = [p for p in api.items("/api/v1/pods") if p["metadata"].get("ownerReferences")]
    ready = [p for p in pods if is_true(p, "Ready") and started(p) >= since]
    return len(ready) >= WORKLOADS and len(ready) == len(pods)


def cpu(box):
    """Seconds of a core that QEMU has used."""
    with open(f"/proc/{box.process.pid}/stat") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def wait(box, what, check, end):
    while not check():
        if time.monotonic() > end:
            raise vm.Failure(f"not in time: {what}")
        box._read(POLL)


def watch(box, kubeconfig, wall, began, on_api=None):
    """{mark: seconds}, "host CPU", how busy the machine was. kubeconfig: gives it, or None when it is not there yet;
    on_api gets it when the API is ready."""
    api, marks, end, busy = Api(box), {}, began + LONG, machine.Busy()
    wait(box, "the API server listens", api.listens, end)
    text = []
    wait(box, "a kubeconfig", lambda: text or (text.append(t) if (t := kubeconfig()) else None) or text, end)
    api.log_in(text[0])
    for mark, check in ((MARKS[0], lambda: api.get("/readyz") == "ok"),
                        (MARKS[1], lambda: any(is_true(n, "Ready") and fresh(n, wall)
                                               for n in api.items("/api/v1/nodes"))),
                        (MARKS[2], lambda: all_ready(api, wall))):
        wait(box, mark, check, end)
        marks[mark] = time.monotonic() - began
        if on_api and mark == MARKS[0]:
            on_api(text[0])
    return {**marks, "host CPU": cpu(box), "busy": busy.cores()}


def fresh(node, wall):
    """The kubelet has said so in this boot."""
    beats = [c["lastHeartbeatTime"] for c in node["status"]["conditions"] if c["type"] == "Ready"]
    return calendar.timegm(time.strptime(beats[0], "%Y-%m-%dT%H:%M:%SZ")) >= wall


# -- the two ------------------------------------------------------------------------------------------------------


def hearth_boot(box):
    """One boot of the real thing; the box stays up."""
    began, wall = time.monotonic(), int(time.time())
    box.start()

    def kubeconfig():
        text = box.command("kubeconfig", 120)
        return text if "client-key-data" in text else None
    box.prompt()
    found = watch(box, kubeconfig, wall, began)
    found["inside"] = [(e["ms"] / 1000, e["name"], e["text"]) for e in box.api("events?from=1")["events"]]
    return found


def floor_boot(box, outside=False):
    """outside: kubectl runs on this machine, as soon as the API is ready."""
    began, wall = time.monotonic(), int(time.time())
    box.start()
    box.expect(r"FLOOR shell ([\d.]+)\n", 300)
    box.send("exec /bin/sh /state/floor.sh\r")

    def kubeconfig():
        m = re.search(r"FLOOR kubeconfig\n(.*?)FLOOR end", vm.plain(box.text), re.S)
        return m and m[1]
    found = watch(box, kubeconfig, wall, began, (lambda text: apply_outside(box, text)) if outside else None)
    found["inside"] = [(float(m[2]), m[1], "") for m in
                       re.finditer(r"FLOOR (\w+) (\d+\.\d+)\n", vm.plain(box.text))]
    return found


def apply_outside(box, kubeconfig):
    """Starts kubectl, until everything is taken; it ends before the pods are there."""
    folder = box.dir / "manifests"
    folder.mkdir(exist_ok=True)
    for file in (vm.BUILD / "manifests").glob("*.yaml"):
        text = file.read_text().replace("${site.timezone}", "UTC").replace("${site.domain}", "home.arpa")
        (folder / file.name).write_text(text)
    config = box.dir / "kubeconfig"
    config.write_text(re.sub(r"https://[^\s\"]+", f"https://127.0.0.1:{box.api_port}", kubeconfig))
    subprocess.Popen(["sh", "-c", 'for i in $(seq 20); do "$@" && break; sleep 1; done', "sh", str(kube.K3S), "kubectl",
                      "apply", "--server-side", "-f", str(folder)], stdin=subprocess.DEVNULL,
                     env={"KUBECONFIG": str(config), "HOME": str(box.dir), "PATH": "/usr/bin:/bin"},
                     stdout=(box.dir / "kubectl.log").open("w"), stderr=subprocess.STDOUT)


def floor_stop(box):
    box.send("stop\r")
    box.expect(r"FLOOR stopped", 400)
    box.wait_off()


def floor_boots(case, name, image, initrd, applies):
    """The figures of a first and a warm boot."""
    box = case.vm(name, direct=True, kubernetes=True, image=image, initrd=initrd)
    disk.put(box.disk, (HERE / "kube_floor.sh").read_text(), "/floor.sh")
    if applies:
        disk.put(box.disk, "yes\n", "/floor-applies")
    first = floor_boot(box, outside=not applies)
    floor_stop(box)
    warm = floor_boot(box)
    box.kill()
    box.disk.unlink()
    return first, warm


def hearth_boots(case, name):
    """The same, and the box, still up."""
    box = case.vm(name, direct=True, kubernetes=True)
    first = hearth_boot(box)
    box.power_off()
    return first, hearth_boot(box), box


def boots(case, rounds, all_of):
    """{(who, which): [a round's figures]}, and the box of the last warm boot of Hearth, still up."""
    found = {(who, which): [] for which in ("first", "warm") for who in all_of}
    initrd, prepared, box = boot.floor_initrd(), case.booted(), None
    for n in range(rounds):
        for who in reversed(all_of):
            print(f"boot, round {n + 1} of {rounds}: {who} ...", flush=True)
            if who == "hearth":
                *figures, box = hearth_boots(case, f"hearth{n}")
                if n < rounds - 1:
                    box.kill()
            else:
                figures = floor_boots(case, f"{who}{n}".replace(" ", "-"), prepared, initrd, who == WHO[2])
            for which, row in zip(("first", "warm"), figures):
                found[who, which].append(row)
                print(f"  {which}: " + ", ".join(f"{mark} {row[mark]:.0f} s" for mark in MARKS), flush=True)
    return found, box


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def emulation():
    return "QEMU with KVM" if vm.accel() == "kvm" else "QEMU, emulation"


def report_boots(found, rounds, before):
    all_of = [who for who in WHO if (who, "first") in found]
    busy = [row["busy"] for rows in found.values() for row in rows]
    print(f"\nBoot, seconds since the machine was started, {rounds} interleaved rounds (medians)")
    print(f"{machine.describe()}; {emulation()}, 2 cores, 3 GiB; load before {before}; "
          f"cores busy meanwhile {statistics.mean(b[0] for b in busy):.1f}, "
          f"stolen {statistics.mean(b[1] for b in busy):.1f}")
    print(f"{'':26}" + "".join(f"{mark:>12}" for mark in MARKS) + f"{'QEMU CPU s':>12}")
    for which in ("first", "warm"):
        for who in all_of:
            rows = found[who, which]
            print(f"{which + ', ' + who:26}" + "".join(f"{median(rows, key):12.1f}" for key in (*MARKS, "host CPU")))
        for who in all_of[1:]:
            ratio = [median(found["hearth", which], key) / median(found[who, which], key) for key in
                     (*MARKS, "host CPU")]
            print(f"{'  hearth / ' + who:26}" + "".join(f"{one:12.2f}" for one in ratio) + f"   goal {GOAL}")
    for (who, which), rows in found.items():
        print(f"\nWhere the seconds go inside ({who}, {which}, last round; the kernel's clock)")
        at = 0.0
        for seconds, name, text in filter(telling, rows[-1]["inside"]):
            print(f"  {seconds:7.1f}  +{seconds - at:5.1f}  {name} {text}"[:118].rstrip())
            at = seconds


def telling(event):
    """Marks of the way to running pods; of an app only that it is healthy. Hearth's checks of the root are among them:
    they need the same processors."""
    _, name, text = event
    if name.startswith("app-"):
        return text.startswith("on")
    return not text or re.match(SERVICES.get(name, r"\0"), text)


# -- idle -----------------------------------------------------------------------------------------------------------

# A group of the box: its CPU time now, and at the end its memory (of its processes, shares counted as shares).
INSIDE = r"""
cpu() { awk '/^usage_usec/ {print $2}' $1/cpu.stat; }
groups=$(cd /sys/fs/cgroup; ls -d hearth/* shims kubepods/burstable/* kubepods/besteffort/* kubepods/pod* 2>/dev/null)
for g in $groups; do [ -d /sys/fs/cgroup/$g ] && echo "then $g $(cpu /sys/fs/cgroup/$g)"; done
echo "then all $(awk '/^usage_usec/ {print $2}' /sys/fs/cgroup/cpu.stat)"
sleep SECONDS
echo "now all $(awk '/^usage_usec/ {print $2}' /sys/fs/cgroup/cpu.stat)"
for g in $groups; do [ -d /sys/fs/cgroup/$g ] && echo "now $g $(cpu /sys/fs/cgroup/$g)"; done
for g in $groups; do
    [ -d /sys/fs/cgroup/$g ] || continue
    pids=$(find /sys/fs/cgroup/$g -name cgroup.procs -exec cat {} +)
    files=$(for p in $pids; do echo /proc/$p/smaps_rollup; done)
    echo "memory $g $(cat /sys/fs/cgroup/$g/memory.current) $(cat $files /dev/null 2>/dev/null |
        awk '/^Pss:/ {p += $2} /^Rss:/ {r += $2} END {print p + 0, r + 0}')"
done
echo "memory init 0 $(awk '/^Pss:/ {p = $2} /^Rss:/ {r = $2} END {print p, r}' /proc/1/smaps_rollup)"
awk '/^MemTotal/ {t = $2} /^MemFree/ {f = $2} /^MemAvailable/ {a = $2} END {print "free", t, f, a}' /proc/meminfo
"""


def shell_there(api):
    try:
        return api.node_shell()
    except vm.Failure:
        return None  # a busy machine answers late


def idle_inside(box):
    """[(group, per cent of a core, memory.current, PSS, RSS; KiB)], free memory."""
    api = kube.Box.__new__(kube.Box)
    api.vm, api.config = box, box.dir / "kubeconfig"
    api.connect()
    time.sleep(SETTLE)  # what came late in the boot is through then
    box.until("the pod of a root shell runs", lambda: shell_there(api), 600)
    names = {p["metadata"]["uid"]: p["metadata"]["namespace"] + "/" +
             p["metadata"].get("labels", {}).get("app.kubernetes.io/name", p["metadata"]["name"])
             for p in api.get("pods", "-A")["items"]}
    time.sleep(SETTLE)
    text = api.root(INSIDE.replace("SECONDS", str(IDLE)), seconds=IDLE + 240)
    lines = [line.split() for line in text.splitlines()]
    at = {(w[0], w[1]): int(w[2]) for w in lines if w[0] in ("then", "now")}

    def percent(group):
        return (at["now", group] - at["then", group]) / IDLE / 1e4 if ("now", group) in at else 0.0
    rows = []
    for words in (w for w in lines if w[0] == "memory" and len(w) == 5):
        group = words[1].rsplit("/", 1)[-1]
        name = "pod " + names.get(group[3:].replace("_", "-"), group) if words[1].startswith("kubepods") else group
        if "node-shell" not in name:
            rows.append((name, percent(words[1]), int(words[2]) // 1024, int(words[3]), int(words[4])))
    free = next(w for w in lines if w[0] == "free")
    rows.append(("everything", percent("all"), int(free[1]) - int(free[3]), sum(r[3] for r in rows),
                 sum(r[4] for r in rows)))
    return sorted(rows[:-1], key=lambda r: -r[3]) + rows[-1:]


def report_inside(rows, before):
    print(f"\nIdle inside the box, {IDLE} s, from {2 * SETTLE} s after every pod was Ready; KiB")
    print(f"{machine.describe()}; {emulation()}: CPU is many times what a real machine needs; load before {before}")
    print(f"{'':34}{'% of a core':>12}{'PSS':>10}{'RSS':>10}{'cgroup':>10}")
    for name, percent, group, pss, rss in rows:
        print(f"{name:34}{percent:12.2f}{pss:10}{rss:10}{group:10}")
    print("  everything: CPU of the whole machine with its kernel; the last column is memory that is not available")


def main():
    rounds = int((sys.argv[1:] or [ROUNDS])[0])
    all_of = WHO if "kubectl" in sys.argv[2:] else WHO[:2]
    case = run.Case("bench-kube")
    try:
        before = machine.load()
        found, box = boots(case, rounds, all_of)
        report_boots(found, rounds, before)
        before = machine.load()
        report_inside(idle_inside(box), before)
    finally:
        case.close()


if __name__ == "__main__":
    main()
