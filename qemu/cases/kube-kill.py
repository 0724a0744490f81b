"""k3s, containerd, shims and the kube role killed with -9: each comes back, and what ran in containers went on running,
but for the one whose shim was killed, which the kubelet starts again."""
import json

import kube
from run import check


def started(box, namespace, app):
    """(container id, when it was started) as the kubelet says now."""
    pod = box.pods()[f"{namespace}/{app}"]
    state = pod["status"]["containerStatuses"][0]
    return state["containerID"], state["state"].get("running", {}).get("startedAt"), state["restartCount"]


def process(box, name):
    """"PID START", in ticks, of the first process of that name on the box: the same pair is the same process. Asked
    until the kubelet answers: for a while it does not connect to a containerd that was away."""
    def asked():
        try:
            return [box.root(f"for p in $(pidof {name}); do cut -d ' ' -f 1,22 /proc/$p/stat; done | sort | head -n 1")]
        except kube.Failure:
            return None
    return box.vm.until(f"the box looks for {name}", asked, 300)[0]


def killed(box, service):
    """Kills a service's main process; waits until the engine has it ready again."""
    before = box.vm.services()[service]
    # In a moment: what carries this command is among what is killed.
    box.root(f"(sleep 1; kill -9 {before['pid']}) >/dev/null 2>&1 &")

    def back():
        now = box.vm.services()[service]
        return now["pid"] not in (0, before["pid"]) and now["state"] == "ready"
    box.vm.until(f"{service} is ready again", back, 900)


def run(case):
    box = kube.up(case)
    app = process(box, "pocketbase")
    check(app, "pocketbase does not run")
    for service in ("containerd", "k3s", "kube"):
        killed(box, service)
        box.vm.until("the API server answers", lambda: box.ask("get", "--raw", "/readyz") == "ok", 600)
        check(process(box, "pocketbase") == app, f"{service} killed: the running container did not go on")
    container = started(box, "utils", "pocketbase")
    shim = box.root(f"awk '/^PPid/ {{print $2}}' /proc/{app.split()[0]}/status")
    box.root(f"kill -9 {shim}")
    box.vm.until("the kubelet starts the container of the killed shim again",
                 lambda: started(box, "utils", "pocketbase")[0] != container[0], 600)
    box.service("utils", "pocketbase", 8090, "/api/health")
    # Drift while the role is alive again: repaired.
    box.kubectl("scale", "deployment", "-n", "utils", "pocketbase", "--replicas=0")
    box.vm.until("the kube role repairs what was changed", lambda: json.loads(
        box.kubectl("get", "deployment", "-n", "utils", "pocketbase", "-o", "json"))["spec"]["replicas"] == 1, 60)
