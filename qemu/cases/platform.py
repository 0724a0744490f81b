"""Power on, no internet: node Ready, every app of the platform healthy and answering through its Service, volumes with
real limits, DNS, network policies, metrics."""
import json
import subprocess

import kube
from run import check

SLEEP = "busybox sleep 86400"
SERVICES = (("utils", "pocketbase", 8090, "/api/health"), ("infra", "prometheus", 9090, "/-/ready"))


def fails(box, namespace, pod, command, seconds=120):
    """(did the command fail in that pod, what it said)"""
    done = box.run("exec", "-n", namespace, pod, "--", "/bin/sh", "-c", command, seconds=seconds)
    return done.returncode != 0, (done.stdout + done.stderr).strip()


def the_consoles(box):
    screen = box.vm.command("apps", 120)
    for app in ("coredns", "pocketbase", "prometheus", "transmission"):
        check(app in screen, f"the console's list of apps lacks {app}:\n{screen}")
    pods = json.loads(box.vm.get("/api/v1/pods")[1])["pods"]
    check(all(p["status"] == "Running" for p in pods), f"pods that do not run: {pods}")


def the_workloads(box):
    for namespace, name, port, path in SERVICES:
        box.service(namespace, name, port, path)
    # Transmission says with 409 what header a client has to send: the answer of the program itself.
    done = box.run("get", "--raw", "/api/v1/namespaces/htpc/services/transmission:9091/proxy/transmission/rpc")
    check("409" in done.stderr or "Conflict" in done.stderr, f"transmission: {done.stderr}")
    up = json.loads(box.service("infra", "prometheus", 9090, "/api/v1/query?query=up"))["data"]["result"]
    down = [u["metric"].get("job") for u in up if u["value"][1] != "1"]
    check(up and not down, f"prometheus cannot scrape: {down or 'nothing at all'}")


def the_volumes(box):
    check(all(c["status"]["phase"] == "Bound" for c in box.get("pvc", "-A")["items"]), "a claim is not bound")
    kube.start(box, kube.claim("small", "utils", "16Mi"), kube.pod("writer", "utils", SLEEP, claim="small"))
    box.exec("utils", "writer", "/bin/sh", "-c", "busybox dd if=/dev/zero of=/data/fits bs=1M count=12 && sync")
    failed, said = fails(box, "utils", "writer", "busybox dd if=/dev/zero of=/data/too-much bs=1M count=12")
    check(failed and ("space" in said.lower() or "quota" in said.lower()), f"a volume of 16 MiB took 24: {said}")
    # One volume's limit is no other's.
    box.exec("utils", "writer", "/bin/sh", "-c",
             "rm /data/fits /data/too-much && busybox dd if=/dev/zero of=/data/a bs=1M count=8")


def the_network(box):
    box.exec("utils", "writer", "busybox", "nslookup", "kubernetes.default.svc.cluster.local")
    box.exec("utils", "writer", "busybox", "nslookup", "pocketbase.utils.svc.cluster.local")
    # Every pod of infra may go out for this, so that it is pocketbase's own policy that decides who gets in: the
    # reverse proxy, known by its label.
    box.apply({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
               "metadata": {"name": "test-egress", "namespace": "infra"},
               "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": 8090}]}]}})
    kube.start(box, kube.pod("proxy", "infra", SLEEP, labels={"app.kubernetes.io/name": "traefik"}),
               kube.pod("stranger", "infra", SLEEP))
    ask = "busybox wget -q -T 10 -O - http://pocketbase.utils.svc.cluster.local:8090/api/health"
    box.vm.until("the allowed flow passes", lambda: not fails(box, "infra", "proxy", ask)[0], 240)
    for namespace, pod in (("infra", "stranger"), ("utils", "writer")):
        failed, said = fails(box, namespace, pod, ask)
        check(failed, f"{namespace}/{pod} may talk to pocketbase: {said}")


def the_metrics(box):
    def node_has_figures():
        try:
            return "%" in (box.ask("top", "node", "--no-headers") or "")
        except subprocess.TimeoutExpired:
            return False
    box.vm.until("metrics-server serves top", node_has_figures, 300)
    check("pocketbase" in box.kubectl("top", "pods", "-n", "utils"), "no figures of the pods in utils")


def run(case):
    box = kube.up(case)
    conditions = box.get("nodes")["items"][0]["status"]["conditions"]
    check([c["status"] for c in conditions if c["type"] == "Ready"] == ["True"], "the node is not Ready")
    the_consoles(box)
    the_workloads(box)
    the_volumes(box)
    the_network(box)
    the_metrics(box)
