"""A restart in order: pods are stopped with their grace, come back by themselves with their data, no image is imported
again, and the node's identity and the cluster's certificates are the same."""
import re

import kube
from run import check


def identity(box):
    node = box.get("nodes")["items"][0]["metadata"]
    ca = box.get("configmap", "-n", "kube-system", "kube-root-ca.crt")["data"]["ca.crt"]
    return node["name"], node["uid"], ca


def run(case):
    box = kube.up(case)
    kube.start(box, kube.claim("kept", "utils", "16Mi"),
               # It writes its last word when it is told to stop: proof of the grace period.
               kube.pod("witness", "utils", "trap 'echo stopped >>/data/log; sync; exit 0' TERM; "
                        "echo started >>/data/log; sync; while :; do busybox sleep 1; done", claim="kept"))
    before = identity(box)
    box.vm.confirm("reboot")
    box.vm.expect("is starting", 400)
    box.vm.prompt()
    box.connect()
    box.healthy()
    check(identity(box) == before, "the node or the cluster's authority is another one")
    for namespace, name, port, path in (("utils", "pocketbase", 8090, "/api/health"),
                                        ("infra", "prometheus", 9090, "/-/ready")):
        box.service(namespace, name, port, path)
    box.kubectl("delete", "pod", "-n", "utils", "witness", "--ignore-not-found", seconds=300)
    kube.start(box, kube.pod("reader", "utils", "cat /data/log; busybox sleep 86400", claim="kept"))
    log = box.kubectl("logs", "-n", "utils", "reader")
    check(log.split() [:2] == ["started", "stopped"], f"the pod was not stopped in order, or its data is lost: {log!r}")
    said = box.vm.command("logs pods -n 20", 120)
    registered = re.findall(r"(\d+) of them registered now", said)
    check(registered and registered[-1] == "0", f"images were registered again:\n{said}")
