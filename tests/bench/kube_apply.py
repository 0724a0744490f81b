#!/usr/bin/env python3
"""`make bench-kube`, part 1: OBJECTS objects applied by the kube role and by `kubectl apply --server-side`, on the same
API server of a cluster on this machine (tests/kube/cluster.py), in turn.

  kube_apply.py [ROUNDS [OBJECTS]]

Each round both apply a set of their own to namespaces that are not there yet, then the same once more with nothing
changed; the role a third time without its record of the first (--history), so that it sends everything as kubectl does.
Before the next turn everything is deleted. One more round goes before, uncounted: it warms the server and kubectl's
cache of kinds, which kubectl keeps. What the server itself spends on a set is the limit of both.

The role has two times: when the last object is applied and the record of it written (its log says so), and when PID 1
has been told, which the role does at most every 200 ms. kubectl's is that of its end."""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kube")]
sys.dont_write_bytecode = True
import machine  # noqa: E402
import run  # noqa: E402
import stage  # noqa: E402
from cluster import Failed, until  # noqa: E402
from role import Role  # noqa: E402

ROUNDS, OBJECTS = 5, 500
GOAL = 10
NAMESPACES = 4
CASES = ("fresh", "unchanged", "no record")


def role_object(name, ns):
    return stage.head("Role", name, ns=ns, version="rbac.authorization.k8s.io/v1") + \
        'rules:\n- {apiGroups: [""], resources: [configmaps], verbs: [get, list, watch]}\n'


def binding(name, ns):
    return stage.head("RoleBinding", name, ns=ns, version="rbac.authorization.k8s.io/v1") + \
        f"roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {name}}}\n" \
        f"subjects:\n- {{kind: ServiceAccount, name: {name}, namespace: {ns}}}\n"


# One after the other, over and over: what a platform of this size consists of.
MAKERS = [
    lambda name, ns: stage.config_map(name, "x" * 600, ns=ns),
    lambda name, ns: stage.secret(name, "y" * 200, ns=ns),
    lambda name, ns: stage.service(name, ns=ns),
    lambda name, ns: stage.deployment(name, ns=ns),
    lambda name, ns: stage.config_map(name + "-more", "z" * 2000, ns=ns),
    lambda name, ns: stage.head("ServiceAccount", name, ns=ns),
    role_object,
    binding,
]


def documents(prefix, count):
    """Manifests of `count` objects: the namespaces, then everything in them."""
    names = [f"{prefix}-{n}" for n in range(NAMESPACES)]
    rest = [MAKERS[n % len(MAKERS)](f"thing-{n // len(MAKERS)}", names[n // len(MAKERS) % NAMESPACES])
            for n in range(count - NAMESPACES)]
    return names, [stage.namespace(name) for name in names] + rest


class Bench:
    """folder: for manifests, records, kubectl's cache."""

    def __init__(self, cluster, folder, count):
        self.cluster, self.folder, self.count = cluster, folder, count
        self.server = cluster.host_pid("k3s")

    def write(self, prefix):
        """A set of its own, in files of one kind of thing each, as a folder of manifests is."""
        folder = f"{self.folder}/{prefix}"
        os.makedirs(folder + "/manifests")
        names, texts = documents(prefix, self.count)
        parts = [texts[:NAMESPACES]] + [texts[n:n + 50] for n in range(NAMESPACES, len(texts), 50)]
        for n, part in enumerate(parts):
            pathlib.Path(f"{folder}/manifests/{n:02}.yaml").write_text("---\n".join(part))
        pathlib.Path(folder + "/settings.yaml").write_text("site: {}\n")
        return folder, names

    def server_cpu(self):
        with open(f"/proc/{self.server}/stat") as f:
            words = f.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def by_role(self, folder):
        before = self.server_cpu()
        since = os.path.getsize(folder + "/role.log") if os.path.exists(folder + "/role.log") else 0
        with Role(self.cluster, folder) as role, open(role.log) as log:
            log.seek(since)
            text, end = "", time.monotonic() + 600
            while "objects applied" not in text and time.monotonic() < end:
                text += log.read()
                time.sleep(0.004)
            seconds = time.monotonic() - role.began
            told = role.wait_applied(600)
            return {"seconds": seconds, "told": told, "cpu": role.cpu(), "memory": role.memory()[2],
                    "server": self.server_cpu() - before}

    def by_kubectl(self, folder):
        words = [self.cluster.k3s, "kubectl", "apply", "--server-side", "-f", folder + "/manifests"]
        net = [] if self.cluster.alone else ["nsenter", f"--net=/proc/{self.cluster.pid}/ns/net", "--"]
        before, began = self.server_cpu(), time.monotonic()
        with open(folder + "/kubectl.log", "w") as log:
            program = subprocess.Popen([*net, *words], stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                       env={**os.environ, "KUBECONFIG": self.cluster.kubeconfig, "HOME": self.folder})
            _, status, used = os.wait4(program.pid, 0)
        program.returncode = os.waitstatus_to_exitcode(status)
        if program.returncode:
            raise Failed("kubectl: " + pathlib.Path(folder + "/kubectl.log").read_text()[-2000:])
        seconds = time.monotonic() - began
        return {"seconds": seconds, "told": seconds, "cpu": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss,
                "server": self.server_cpu() - before}

    def check(self, names):
        """Everything is there: a tool that left something out must not win."""
        kinds = ("/api/v1/{}/configmaps", "/api/v1/{}/secrets", "/api/v1/{}/services", "/api/v1/{}/serviceaccounts",
                 "/apis/apps/v1/{}/deployments", "/apis/rbac.authorization.k8s.io/v1/{}/roles",
                 "/apis/rbac.authorization.k8s.io/v1/{}/rolebindings")
        found = sum(one["metadata"]["name"].startswith("thing-") for ns in names for kind in kinds
                    for one in self.cluster.get(kind.format("namespaces/" + ns))["items"])
        if found != self.count - NAMESPACES:
            raise Failed(f"{found} objects are there, not {self.count - NAMESPACES}")

    def clear(self, names):
        """Deletes it all, waits for the end of that, and for a server that has nothing left to do."""
        self.cluster.api("DELETE", stage.PARENT)
        for name in names:
            self.cluster.api("DELETE", "/api/v1/namespaces/" + name)
        until(lambda: not any(self.cluster.get("/api/v1/namespaces/" + name) for name in names), "all deleted", 300,
              0.5)
        until(self.calm, "the API server has nothing to do", 60, 0)

    def calm(self):
        before = self.server_cpu()
        time.sleep(1)
        return self.server_cpu() - before < 0.25

    def turn(self, tool, prefix):
        """One tool's figures by case."""
        folder, names = self.write(prefix)
        apply = self.by_role if tool == "hearth" else self.by_kubectl
        rows = {}
        for case in CASES if tool == "hearth" else CASES[:2]:
            if case == "no record":
                for record in pathlib.Path(folder).glob("history*"):
                    record.unlink()
            rows[case] = apply(folder)
            if case == "fresh":
                self.check(names)
            until(self.calm, "the API server has nothing to do", 60, 0)
        self.clear(names)
        shutil.rmtree(folder)
        return rows


def measure(rounds, count):
    """{tool: [figures by case, a round each]}."""
    found = {"hearth": [], "kubectl": []}
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as folder, \
            run.open_cluster(folder + "/cluster") as cluster:
        cluster.start()
        if not cluster.alone:
            cluster.wait_node()
        bench = Bench(cluster, folder, count)
        for n in range(rounds + 1):
            print(f"round {n} of {rounds} ..." if n else "uncounted round ...", flush=True)
            for tool in sorted(found, reverse=n % 2):
                rows = bench.turn(tool, f"{tool}-{n}")
                if n:
                    found[tool].append(rows)
    return found


def median(rows, case, key):
    return statistics.median(row[case][key] for row in rows)


def report(found, rounds, count, before, busy):
    print(f"\nApply of {count} objects, medians of {rounds} interleaved rounds (lowest - highest seconds)")
    print(f"{machine.describe()}; native; load before {before}; cores busy meanwhile %.1f, stolen %.1f" % busy)
    print(f"{'':28}{'applied s':>11}{'range':>14}{'told s':>9}{'own CPU s':>11}{'peak KiB':>10}{'server CPU s':>14}")
    for tool, rows in found.items():
        for case in rows[0]:
            took = [row[case]["seconds"] for row in rows]
            middle = {key: median(rows, case, key) for key in rows[0][case]}
            print(f"{tool + ', ' + case:28}{middle['seconds']:11.2f}{f'{min(took):.2f} - {max(took):.2f}':>14}"
                  f"{middle['told']:9.2f}{middle['cpu']:11.2f}{middle['memory']:10.0f}{middle['server']:14.2f}")
    for ours, theirs in (("fresh", "fresh"), ("unchanged", "unchanged"), ("no record", "unchanged")):
        ratio = {key: median(found["kubectl"], theirs, key) / max(median(found["hearth"], ours, key), 0.01)
                 for key in ("seconds", "told", "cpu", "server", "memory")}
        print(f"  {ours:<12} {ratio['seconds']:5.1f} x faster until applied, {ratio['told']:.1f} until told "
              f"(goal {GOAL}), {ratio['server']:.1f} x less CPU of the server, {ratio['cpu']:.1f} x of its own, "
              f"{ratio['memory']:.1f} x less memory")


def main():
    rounds, count = [int(word) for word in sys.argv[1:3]] + [ROUNDS, OBJECTS][len(sys.argv) - 1:]
    before, busy = machine.load(), machine.Busy()
    report(measure(rounds, count), rounds, count, before, busy.cores())


if __name__ == "__main__":
    main()
