"""The plug is pulled while a pod writes: the box boots, its datastore and image store pass their checks, and what the
pod had written and synced is there."""
import re

import kube
from run import check

WRITE = "i=0; while :; do i=$((i + 1)); echo $i >/data/new && sync && mv /data/new /data/last && sync; echo $i; done"


def run(case):
    box = kube.up(case)
    kube.start(box, kube.claim("written", "utils", "16Mi"), kube.pod("writer", "utils", WRITE, claim="written"))

    def last():
        lines = (box.ask("logs", "-n", "utils", "writer", "--tail=1") or "").split()
        return int(lines[-1]) if lines and lines[-1].isdigit() and int(lines[-1]) > 20 else None
    seen = box.vm.until("the pod writes", last, 300)
    box.vm.kill()
    box.boot().connect()
    box.healthy()
    kube.start(box, kube.pod("reader", "utils", "cat /data/last; busybox sleep 86400", claim="written"))
    found = box.kubectl("logs", "-n", "utils", "reader").strip()
    check(re.fullmatch(r"\d+", found) and int(found) >= seen, f"written and synced was {seen}, found {found!r}")
    box.node_shell()
    check("ok" in box.root("hearth-cri check /usr/share/hearth/images && echo ok", 200), "the image store is not whole")
    box.service("utils", "pocketbase", 8090, "/api/health")
