"""A box with Kubernetes up, seen from outside: kubectl on this machine, with the kubeconfig that the serial console
prints, through the forwarded port of the API server; the consoles for what Hearth says about it."""
import json
import re
import subprocess

import vm
from run import once_per_image
from vm import Failure

K3S = vm.BUILD / "pkg/k3s/bin/k3s"
UP = 1500  # seconds for everything from power on, under emulation and on a busy machine
SAVED = "up"


class Box:
    """One VM with Kubernetes. What it asks, it asks the API server or the workloads, never stored files."""

    def __init__(self, case, name="vm", **how):
        self.vm = case.vm(name, **{"direct": True, "kubernetes": True, **how})
        self.config = self.vm.dir / "kubeconfig"

    # Up

    def boot(self, snapshot=None):
        self.vm.start(snapshot)
        if not snapshot:
            self.vm.prompt()
        return self

    def connect(self, seconds=UP):
        """Waits for the kubeconfig on the console and an API server that is ready."""
        def printed():
            text = self.vm.command("kubeconfig", 120)
            return text if "client-key-data" in text else None
        text = self.vm.until("the console prints a kubeconfig", printed, seconds)
        text = text[re.search(r"[{]|apiVersion", text).start():]
        self.config.write_text(re.sub(r"https://[^\s\"]+", f"https://127.0.0.1:{self.vm.api_port}", text))
        self.vm.until("the API server is ready", lambda: self.ask("get", "--raw", "/readyz") == "ok", seconds)
        return self

    def healthy(self, seconds=UP):
        """Waits until the console says that every app is healthy; returns them by name."""
        def all_healthy():
            try:
                found = {a["name"]: a for a in json.loads(self.vm.get("/api/v1/apps")[1]).get("apps", [])}
            except (OSError, ValueError):
                return None
            return found if found and all(a["status"] == "healthy" for a in found.values()) else None
        return self.vm.until("every app is healthy", all_healthy, seconds)

    # Asking

    def run(self, *words, stdin=None, seconds=120):
        env = {"KUBECONFIG": str(self.config), "HOME": str(self.vm.dir), "PATH": "/usr/bin:/bin"}
        return subprocess.run([str(K3S), "kubectl", *words], input=stdin, capture_output=True, text=True,
                              timeout=seconds, env=env)

    def ask(self, *words, seconds=60):
        """What kubectl prints; None when it failed."""
        try:
            done = self.run("--request-timeout=30s", *words, seconds=seconds)
        except subprocess.TimeoutExpired:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    def kubectl(self, *words, stdin=None, seconds=120):
        done = self.run(*words, stdin=stdin, seconds=seconds)
        if done.returncode:
            raise Failure(f"kubectl {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout.strip()

    def apply(self, *objects):
        """The server checks them anyway: kubectl need not fetch megabytes of schema from an emulated box first."""
        self.kubectl("apply", "--validate=false", "-f", "-", seconds=300,
                     stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))

    def get(self, *words):
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def pods(self):
        """Every pod by namespace/app, with what the kubelet said last."""
        found = {}
        for p in self.get("pods", "-A")["items"]:
            at = p["metadata"]
            found[f"{at['namespace']}/{at.get('labels', {}).get('app.kubernetes.io/name', at['name'])}"] = p
        return found

    def exec(self, namespace, what, *command, seconds=120):
        return self.kubectl("exec", "-n", namespace, what, "--", *command, seconds=seconds)

    def service(self, namespace, name, port, path, seconds=300):
        """The answer of a Service itself, through the API server's proxy."""
        url = f"/api/v1/namespaces/{namespace}/services/{name}:{port}/proxy{path}"
        return self.vm.until(f"{namespace}/{name} answers {path}", lambda: self.ask("get", "--raw", url), seconds)

    def root(self, command, seconds=60):
        """One shell line of root on the box, through a privileged pod of the node's namespaces."""
        return self.exec("kube-system", "pod/node-shell", "/bin/busybox", "nsenter", "-t", "1", "-m", "-n", "-p", "--",
                         "/bin/sh", "-c", f"PATH=/usr/sbin:/usr/bin:/sbin:/bin; {command}", seconds=seconds)

    def node_shell(self):
        """Starts the pod that root() uses."""
        name = self.get("nodes")["items"][0]["metadata"]["name"]
        self.apply({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "node-shell", "namespace": "kube-system"},
            "spec": {"nodeName": name, "hostPID": True, "hostNetwork": True, "terminationGracePeriodSeconds": 1,
                     "tolerations": [{"operator": "Exists"}],
                     "containers": [{"name": "shell", "image": "hearth.local/volume:1",
                                     "command": ["/bin/busybox", "sleep", "86400"],
                                     "securityContext": {"privileged": True}}]}})
        self.kubectl("wait", "-n", "kube-system", "pod/node-shell", "--for=condition=Ready", "--timeout=300s",
                     seconds=320)
        return self


def up(case):
    """A box that has come up, every app healthy, kept as a snapshot once per image; each case goes on from there."""
    kept = once_per_image("up", ".qcow2", lambda file: make(case, file))
    box = Box(case, image=kept).boot(SAVED)
    box.config.write_text(re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{box.vm.api_port}",
                                 kept.with_suffix(".kubeconfig").read_text()))
    box.vm.until("the API server answers again", lambda: box.ask("get", "--raw", "/readyz") == "ok", 300)
    return box


def make(case, kept):
    raw, disk = kept.parent / "up.raw", kept.parent / "up-new.qcow2"
    vm.new_disk(raw)
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", str(raw), str(disk)], check=True)
    raw.unlink()
    box = Box(case, "make-up", image=disk).boot().connect()
    box.healthy()
    box.node_shell()
    box.vm.save(SAVED)
    box.vm.kill()
    kept.with_suffix(".kubeconfig").write_text(box.config.read_text())
    box.vm.disk.rename(kept)
    disk.unlink()


def pod(name, namespace, command, claim=None, labels=None):
    """A small pod that the strictest namespace takes: BusyBox as nobody, with an optional claim at /data."""
    spec = {
        "restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65534, "runAsGroup": 65534, "fsGroup": 65534,
                            "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "main", "image": "hearth.local/volume:1", "command": ["/bin/sh", "-c", command],
                        "resources": {"requests": {"cpu": "10m", "memory": "8Mi"},
                                      "limits": {"cpu": "500m", "memory": "64Mi"}},
                        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
                                            "readOnlyRootFilesystem": True}}]}
    if claim:
        spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
        spec["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    return {"apiVersion": "v1", "kind": "Pod", "spec": spec,
            "metadata": {"name": name, "namespace": namespace, "labels": labels or {"app.kubernetes.io/name": name}}}


def claim(name, namespace, size):
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": namespace},
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": f"local-path-{namespace}",
                     "resources": {"requests": {"storage": size}}}}


def start(box, *objects):
    """Applies the objects and waits until the pods among them are Ready."""
    box.apply(*objects)
    for o in objects:
        if o["kind"] == "Pod":
            at = o["metadata"]
            box.kubectl("wait", "-n", at["namespace"], f"pod/{at['name']}", "--for=condition=Ready", "--timeout=400s",
                        seconds=430)
