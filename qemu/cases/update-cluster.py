"""Updates with Kubernetes running. A good one: every app is healthy again in the new slot before it is kept, and a copy
of the cluster's state was made. One that never gets well: the old slot comes back with the cluster as it was before,
and what the newer one left is kept beside it."""
import kube
import variant
from run import check
from server import Server


def note(box, name):
    """Something that only the cluster's datastore knows."""
    box.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "utils"}})


def notes(box):
    return [m["metadata"]["name"] for m in box.get("configmap", "-n", "utils")["items"]
            if m["metadata"]["name"].startswith("note-")]


def update(box, server, folder, version, slot):
    box.vm.send(f"update install {variant.offer(server, folder)} --restart\r")
    box.vm.expect(rf"started: version {version}", 300)
    box.vm.expect("reboot: Restarting system", 1500)
    box.vm.prompt(900)
    check(box.vm.api("status")["slot"] == slot, f"slot {slot} is tried")
    return box.connect()


def kept_copies(box):
    return box.root("ls /data/cluster").split()


def run(case):
    server = Server()
    good = variant.make("cluster", "0.2.0", kubernetes=True)
    bad = variant.make("cluster-never", "0.3.0", variant.never("8m"), kubernetes=True)
    box = kube.Box(case, image=case.booted(), direct=False).boot().connect()
    before = set(box.healthy())
    box.node_shell()
    note(box, "note-old")

    update(box, server, good, r"0\.2\.0", "b")
    box.vm.until_kept(kube.UP)
    check(set(box.healthy()) == before, "the same apps are healthy")
    check(notes(box) == ["note-old"] and "before-2" in kept_copies(box), f"{notes(box)}, {kept_copies(box)}")
    box.service("utils", "pocketbase", 8090, "/api/health")

    note(box, "note-kept")
    update(box, server, bad, r"0\.3\.0", "a")
    note(box, "note-lost")
    box.vm.expect("reboot: Restarting system", 1200)
    box.vm.prompt(900)
    check(box.vm.api("status")["slot"] == "b", "the slot that worked runs again")
    check(box.vm.ends()[0]["kind"] == "health-gate", f"the last end: {box.vm.ends()[0]}")
    box.connect()
    check(set(box.healthy()) == before, "the same apps are healthy once more")
    check(notes(box) == ["note-kept", "note-old"], f"the cluster as it was before: {notes(box)}")
    check("after-3" in kept_copies(box), f"what the newer one left: {kept_copies(box)}")
    check("after-3" in box.vm.facts()["cluster-restored"]["detail"], "and the box says where it is")
    box.vm.power_off()
    server.stop()
