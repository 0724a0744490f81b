#!/usr/bin/env python3
"""The images of the root against a real containerd, in namespaces of their own: registered without a copy, whole again
after kills and damage, forgotten, run. And board/oci.py against broken descriptors.

  images.py [--images DIR] [--cri PROGRAM] [--containerd FOLDER] [--runc PROGRAM] [--pods PROGRAM] [CASE...]

--pods: the test program of board/go/cri (`go test -c`); without it the cases about pods are left out. Wants root.
Nothing is left behind: mounts, processes, network and cgroups are the namespaces' or a folder's that goes away."""
import argparse
import hashlib
import http.client
import io
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback

TOP = pathlib.Path(__file__).resolve().parents[2]
IMAGES = "usr/share/hearth/images"
CGROUP = "hearth-images-test"
sys.dont_write_bytecode = True


class Failed(AssertionError):
    """An expectation that did not come true."""


def check(condition, what):
    if not condition:
        raise Failed(what)


def until(condition, what, deadline=30):
    end = time.monotonic() + deadline
    while not (value := condition()):
        check(time.monotonic() < end, f"not within {deadline} s: {what}")
        time.sleep(0.02)
    return value


class Box:
    """A containerd with root and state in a folder, started and killed at will."""

    def __init__(self, args, root):
        self.args, self.root = args, pathlib.Path(root)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hearth-images-"))
        self.socket = self.dir / "run/containerd.sock"
        self.daemon = None
        for sub in ("bin", "certs", "cni"):
            (self.dir / sub).mkdir()
        for program in (*pathlib.Path(args.containerd).iterdir(), pathlib.Path(args.runc)):
            (self.dir / "bin" / program.name).symlink_to(program.resolve())
        self.env = {**os.environ, "PATH": f"{self.dir}/bin:{os.environ['PATH']}", "CONTAINERD_NAMESPACE": "k8s.io",
                    "CONTAINERD_ADDRESS": str(self.socket)}
        # The product's own configuration; only its paths are this folder's.
        text = (TOP / "fs-overlay/etc/containerd/config.toml").read_text()
        for theirs, ours in (("/var/lib/containerd", "lib"), ("/run/containerd", "run"), ("/usr/lib/cni", "cni"),
                             ("/var/lib/rancher/k3s/agent/etc/cni/net.d", "cni"),
                             ("/etc/containerd/certs.d", "certs")):
            check(f'"{theirs}' in text, f"containerd's configuration no longer names {theirs}")
            text = text.replace(f'"{theirs}', f'"{self.dir}/{ours}')
        # A build machine may not let anybody be spared by the out-of-memory killer.
        text = text.replace("enable_criu", "restrict_oom_score_adj = true\n  enable_criu")
        check("ShimCgroup" in text, "shims are no longer in a group of their own")
        (self.dir / "config.toml").write_text(re.sub("ShimCgroup.*", "", text))

    def start(self):
        self.log = open(self.dir / "containerd.log", "ab")
        self.daemon = subprocess.Popen([self.dir / "bin/containerd", "--config", self.dir / "config.toml"],
                                       env=self.env, stdout=self.log, stderr=self.log)

    def kill(self):
        self.daemon.kill()
        self.daemon.wait()
        self.daemon = None

    def cri(self, *words, root=None, ok=True):
        """Runs hearth-cri and returns what it said."""
        verb, *rest = words
        if verb in ("images", "check"):
            rest.append(root or self.root)
        run = subprocess.run([self.args.cri, verb, "--socket", self.socket, "--wait", "30s", *rest], env=self.env,
                             capture_output=True, text=True, timeout=120)
        said = run.stdout + run.stderr
        check((run.returncode == 0) == ok, f"hearth-cri {' '.join(map(str, words))}: {run.returncode}: {said}")
        return said

    def ctr(self, *words, ok=True, timeout=60):
        run = subprocess.run([self.dir / "bin/ctr", *words], env=self.env, capture_output=True, text=True,
                             timeout=timeout)
        check(not ok or run.returncode == 0, f"ctr {' '.join(map(str, words))}: {run.stderr}")
        return run.stdout

    def serves(self):
        until(lambda: "Server:" in self.ctr("version", ok=False), "containerd serves")

    def collect(self):
        self.ctr("leases", "create", "--id", "collect")
        self.ctr("leases", "delete", "--sync", "collect")

    def links(self):
        """All snapshots whose files are elsewhere: folder -> target."""
        folder = self.dir / "lib/io.containerd.snapshotter.v1.overlayfs/snapshots"
        return {fs: os.readlink(fs) for fs in sorted(folder.glob("*/fs")) if fs.is_symlink()}

    def blob(self, digest):
        return self.dir / "lib/io.containerd.content.v1.content/blobs/sha256" / digest.split(":")[1]

    def close(self):
        if self.daemon:
            self.kill()
        for pid in filter(str.isdigit, os.listdir("/proc")):  # of this PID namespace: shims and their containers
            if int(pid) != os.getpid() and pid != "1" and f"{self.dir}" in read(f"/proc/{pid}/cmdline"):
                os.kill(int(pid), signal.SIGKILL)
        mounts = [line.split()[1] for line in read("/proc/mounts").splitlines()]
        for point in reversed(mounts):
            if point.startswith(str(self.dir)):
                subprocess.run(["umount", "-l", point], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)


def read(path):
    try:
        return pathlib.Path(path).read_text(errors="replace")
    except OSError:
        return ""


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def names(root):
    return {meta.parent.name: meta.read_text().strip() for meta in pathlib.Path(root).glob("*/name")}


def manifest(root, name):
    data = (pathlib.Path(root) / name / "manifest.json").read_bytes()
    return sha(data), json.loads(data)


def lesser(box, *without, folder="lesser"):
    """A root like the box's, without some images. Layers are the same folders, as with an update of the system."""
    root = box.dir / folder
    root.mkdir()
    (root / "layers").symlink_to(box.root / "layers")
    for name in names(box.root):
        if name not in without:
            shutil.copytree(box.root / name, root / name)
    return root


def archive(path, name, text):
    """An OCI archive with one small layer of its own."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        info = tarfile.TarInfo("file")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text.encode()))
    layer = layer.getvalue()
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {},
                         "rootfs": {"type": "layers", "diff_ids": [sha(layer)]}}).encode()

    def desc(kind, data):
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": sha(data), "size": len(data)}
    man = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                      "config": desc("config.v1+json", config), "layers": [desc("layer.v1.tar", layer)]}).encode()
    index = json.dumps({"schemaVersion": 2, "manifests": [
        {**desc("manifest.v1+json", man), "annotations": {"io.containerd.image.name": name}}]}).encode()
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": index,
             **{"blobs/sha256/" + sha(b)[7:]: b for b in (man, config, layer)}}
    with tarfile.open(path, "w") as tar:
        for file, data in files.items():
            info = tarfile.TarInfo(file)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


# Cases

def case_register(box):
    """All at once, nothing copied, and the second time nothing is written."""
    box.start()
    n = len(names(box.root))
    began = time.monotonic()
    check(f"{n} images present, {n} of them" in box.cri("images"), "not all images were registered")
    took = time.monotonic() - began
    check(len(box.links()) == n, f"{len(box.links())} links for {n} images")
    for target in box.links().values():
        check(target.startswith(f"{box.root}/layers/"), f"a layer leads to {target}")
    size = sum(f.stat().st_size for f in (box.dir / "lib").rglob("*") if f.is_file() and not f.is_symlink())
    check(size < 2 << 20, f"{size} bytes were written for images that are in the root")
    before = (box.dir / "lib/io.containerd.metadata.v1.bolt/meta.db").read_bytes()
    check(f"{n} images present, 0 of them" in box.cri("images"), "the second run registered something")
    check((box.dir / "lib/io.containerd.metadata.v1.bolt/meta.db").read_bytes() == before, "the second run wrote")
    check("0 findings" in box.cri("check"), "check finds something")
    return f"{n} images in {took:.2f} s, {size >> 10} KiB written"


def case_collect(box):
    """The garbage collector leaves everything alone, at once and after a restart."""
    box.start()
    box.cri("images")
    box.collect()
    check("0 findings" in box.cri("check"), "the collector took something")
    box.kill()
    box.start()
    check("0 findings" in box.cri("check"), "the restart lost something")
    box.collect()
    check("0 of them" in box.cri("images"), "the collector took something after the restart")


def case_kill_daemon(box):
    """containerd killed in the middle of registering, many times at other moments: the next run mends it."""
    middle = 0
    for _ in range(10):
        shutil.rmtree(box.dir / "lib", ignore_errors=True)
        box.start()
        box.serves()
        run = subprocess.Popen([box.args.cri, "images", "--socket", box.socket, "--deadline", "1s", box.root],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.02, 0.3))
        box.kill()
        run.wait()
        box.start()
        box.serves()
        middle += 0 < len(box.ctr("images", "ls", "-q").split()) < len(names(box.root))
        box.cri("images")
        check("0 findings" in box.cri("check"), "not whole after a kill of containerd")
        box.collect()
        check("0 findings" in box.cri("check"), "not whole after collecting garbage")
        box.kill()
    check(middle > 0, "no kill ever came between two images; the delays are wrong")
    return f"{middle} of 10 kills between two images"


def case_kill_cri(box):
    """hearth-cri itself killed in the middle: leases and half layers are taken over."""
    box.start()
    box.serves()
    middle = 0
    for _ in range(12):
        for name in box.ctr("images", "ls", "-q").split():
            box.ctr("images", "rm", name)
        box.collect()
        check(not box.links(), "links outlive their images")
        run = subprocess.Popen([box.args.cri, "images", "--socket", box.socket, box.root],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.02, 0.2))
        run.kill()
        run.wait()
        middle += 0 < len(box.ctr("images", "ls", "-q").split()) < len(names(box.root))
        box.cri("images")
        check("0 findings" in box.cri("check"), "not whole after a kill of hearth-cri")
        check(not box.ctr("leases", "ls", "-q").split(), "a lease is left")
    check(middle > 0, "no kill ever came between two images; the delays are wrong")
    return f"{middle} of 12 kills between two images"


def case_damage(box):
    """Blobs changed, emptied, gone; links dangling, gone, never made: said, found by check, mended."""
    box.start()
    box.cri("images")
    digest, man = manifest(box.root, "volume")

    def link():  # what was mended may have got another folder
        return next(fs for fs, target in box.links().items() if target.endswith(man["layers"][0]["digest"][7:]))

    def dangling(path):
        path.unlink()
        path.symlink_to("/nowhere")

    def plain(path):
        path.unlink()
        path.mkdir()
    for what, where, damage in (
            ("manifest changed", lambda: box.blob(digest), lambda p: p.write_bytes(b"x" * p.stat().st_size)),
            ("manifest empty", lambda: box.blob(digest), lambda p: p.write_bytes(b"")),
            ("configuration gone", lambda: box.blob(man["config"]["digest"]), pathlib.Path.unlink),
            ("link dangling", link, dangling), ("link never made", link, plain),
            ("link gone", link, pathlib.Path.unlink),
            ("snapshot's folder gone", lambda: link().parent, shutil.rmtree)):
        path = where()
        box.kill()  # as at a power cut: the daemon does not see it happen
        if path.is_file():
            path.chmod(0o644)
        damage(path)
        box.start()
        check("volume:1: " in box.cri("check", ok=False), f"{what}: check does not name the image")
        check("mending" in box.cri("images"), f"{what}: mending is not said")
        check("0 findings" in box.cri("check"), f"{what}: not mended")
        out = box.ctr("run", "--rm", "--cgroup", "", "hearth.local/volume:1", "t", "/bin/sh", "-c", "echo alive")
        check(out == "alive\n", f"{what}: the image does not run: {out}")


def case_forget(box):
    """What an update's root no longer carries is forgotten, unless a container stands on it. The root is untouched."""
    box.start()
    box.cri("images")
    gone = "hearth.local/pause:1", "hearth.local/volume:1"
    box.ctr("run", "-d", "--cgroup", "", gone[1], "user", "/bin/sh", "-c", "while :; do :; done & wait")
    less = lesser(box, "pause", "volume")
    said = box.cri("images", root=less)
    check(f"{gone[0]}: no longer in the root; forgotten" in said, said)
    check(f"{gone[1]}: no longer in the root; kept" in said, said)
    box.collect()
    n = len(names(box.root))
    check(len(box.links()) == n - 1, f"{len(box.links())} links, not {n - 1}")
    layers = sorted((box.root / "layers").iterdir())
    check(len(layers) == n and all(any(l.iterdir()) for l in layers), "a layer of the root was emptied")
    box.ctr("task", "kill", "-s", "KILL", "user")
    until(lambda: "RUNNING" not in box.ctr("task", "ls"), "the container ends")
    box.ctr("container", "rm", "user")
    check(f"{gone[1]}: no longer in the root; forgotten" in box.cri("images", root=less), "still kept")
    check("2 of them" in box.cri("images"), "the older root's images do not come back")


def case_bad_root(box):
    """An image of the root that is not whole is named; the others are registered."""
    root = lesser(box, folder="bad")
    (root / "volume/config.json").write_text("{}")
    box.start()
    said = box.cri("images", root=root, ok=False)
    check("bad/volume: manifest.json names another configuration" in said, said)
    check(f"{len(names(root)) - 1} images present" in said, said)
    said = box.cri("images", root=box.dir / "certs", ok=False)
    check("carries no images" in said, said)


def case_import(box):
    """Archives of the user: once, again when an import was cut, each by itself."""
    user = box.dir / "user"
    user.mkdir()
    box.start()
    box.cri("images")
    check("no archives" in box.cri("import", user), "an empty folder is no archive")
    archive(user / "a.tar", "registry.test/a:1", "a")
    archive(user / "b.tar", "registry.test/b:1", "b")
    check("2 archives, 2 of them imported now" in box.cri("import", user), "not imported")
    before = (box.dir / "lib/io.containerd.metadata.v1.bolt/meta.db").read_bytes()
    check("2 archives, 0 of them imported now" in box.cri("import", user), "imported again")
    check((box.dir / "lib/io.containerd.metadata.v1.bolt/meta.db").read_bytes() == before, "the second run wrote")
    check("0 findings" in box.cri("check"), "not whole")
    box.ctr("images", "label", "registry.test/a:1", "hearth.dev/archive=")
    check("2 archives, 1 of them imported now" in box.cri("import", user), "a cut import is not done again")
    archive(user / "b.tar", "registry.test/b:1", "other")
    check("2 archives, 1 of them imported now" in box.cri("import", user), "a new archive is not imported")
    (user / "b.tar").write_text("no archive")
    archive(user / "c.tar", "registry.test/c:1", "c")
    said = box.cri("import", user, ok=False)
    check("b.tar: no archive of images" in said and "3 archives, 1 of them" in said, said)
    out = box.ctr("run", "--rm", "--cgroup", "", "--mount", f"type=bind,src={TOP}/build/pkg/busybox/bin,dst=/bin,"
                  "options=rbind:ro", "registry.test/a:1", "t", "/bin/busybox", "cat", "/file")
    check(out == "a", f"the imported image reads {out!r}")


def case_transmission(box):
    """The one image with shared libraries: as an ordinary user, root read-only, its page answers."""
    box.start()
    box.cri("images")
    for sub in ("config", "data"):
        (box.dir / sub).mkdir()
        os.chown(box.dir / sub, 1000, 1000)
    name = names(box.root)["transmission"]
    mounts = [w for sub in ("config", "data")
              for w in ("--mount", f"type=bind,src={box.dir}/{sub},dst=/{sub},options=rbind:rw")]
    box.ctr("run", "-d", "--net-host", "--read-only", "--cgroup", "", *mounts, name, "t")

    def page(path="transmission/web/"):
        conn = http.client.HTTPConnection("127.0.0.1", 9091, timeout=5)
        try:
            conn.request("GET", "/" + path, headers={"Host": "transmission.htpc.svc"})
            answer = conn.getresponse()
            return f"{answer.status} {answer.read(5000).decode(errors='replace')}"
        except OSError:
            return ""
        finally:
            conn.close()
    answer = until(page, "the page answers")
    check(answer.startswith("200") and "<html" in answer.lower(), answer)
    check(page("transmission/rpc").startswith("409"), "the RPC does not ask for its session id")
    status = read(f"/proc/{box.ctr('task', 'ls').split()[4]}/status")
    check("\nUid:\t1000\t" in status, status)
    box.ctr("task", "kill", "-s", "TERM", "t")
    until(lambda: "RUNNING" not in box.ctr("task", "ls"), "it ends when asked")
    settings = json.loads((box.dir / "config/settings.json").read_text())
    check(settings.get("download_dir", settings.get("download-dir")) == "/data/complete", f"{settings}")


def case_pause(box):
    """The first process of a pod ends when asked, at once."""
    box.start()
    box.cri("images")
    for sig in ("TERM", "INT"):
        box.ctr("run", "-d", "--cgroup", "", "hearth.local/pause:1", sig)
        pid = next(line.split()[1] for line in box.ctr("task", "ls").splitlines() if line.split()[0] == sig)
        # System call 128 waits for signals; before it the kernel drops them.
        until(lambda: read(f"/proc/{pid}/syscall").startswith("128 "), "it waits for signals")
        began = time.monotonic()
        box.ctr("task", "kill", "-s", sig, sig)
        until(lambda: "RUNNING" not in box.ctr("task", "ls"), f"pause ends by {sig}", 5)
        check(time.monotonic() - began < 3, "pause ends late")


def case_pods(box):
    """Pods through the runtime interface: listed, stopped with their grace, the stubborn killed, all at once."""
    if not box.args.pods:
        return "left out: no --pods"
    box.start()
    box.cri("images")
    env = {**box.env, "HEARTH_CRI_SOCKET": str(box.socket), "HEARTH_CRI_CGROUP": CGROUP}
    run = subprocess.run([box.args.pods, "-test.run", "^TestLive", "-test.v"], env=env, capture_output=True, text=True,
                         timeout=120)
    check(run.returncode == 0 and "--- PASS: TestLive" in run.stdout, run.stdout + run.stderr)
    return re.search(r"stopped in .*", run.stdout)[0]


def case_gone(box):
    """Without containerd every command ends with an error in the time it was given."""
    for words in (("images",), ("check",), ("stop",), ("ps",)):
        began = time.monotonic()
        verb, *rest = words
        rest += [box.root] if verb in ("images", "check") else []
        run = subprocess.run([box.args.cri, verb, "--socket", box.socket, "--wait", "1s", *rest],
                             capture_output=True, text=True, timeout=20)
        check(run.returncode == 1 and "containerd" in run.stderr, f"{verb}: {run.returncode} {run.stderr}")
        check(0.9 < time.monotonic() - began < 5, f"{verb} takes {time.monotonic() - began:.1f} s")
    wait = subprocess.Popen([box.args.cri, "ps", "--socket", box.socket, "--wait", "20s", "--deadline", "30s"],
                            stdout=subprocess.DEVNULL)
    time.sleep(1)
    box.start()
    check(wait.wait(20) == 0, "ps does not wait for containerd")
    check(subprocess.run([box.args.cri, "frob"], capture_output=True).returncode == 2, "wrong usage is not 2")


BROKEN = (
    ("name: x\nversion: 1\nentrypoint: [/a]\nfrob: 1\n", "x.yaml:4: unknown key frob"),
    ("name: x\nversion: 1\n", "x.yaml:1: the key entrypoint is missing"),
    ("name: y\nversion: 1\nentrypoint: [/a]\n", "x.yaml:1: the name is y"),
    ("name: x\nversion: a b\nentrypoint: [/a]\n", "x.yaml:2: a version has"),
    ("name: x\nversion: 1\nentrypoint: /a\n", "x.yaml:3: entrypoint must be a list"),
    ("name: x\nversion: 1\nentrypoint: [/a]\nuser: web\n", "x.yaml:4: a user is UID:GID"),
    ("name: x\nname: x\n", "x.yaml:2: a key stands twice"),
    ("name: [\n", "x.yaml:2: no YAML"),
    ("- a\n", "x.yaml:1: the descriptor must be"),
    ("name: x\nversion: 1\nentrypoint: [/a]\nfiles:\n  /a: nowhere\n", "x.yaml:5: nowhere does not exist"),
    ("name: x\nversion: 1\nentrypoint: [/a]\nfiles:\n  /a: build/pkg/frob/a\n", "board/pkg.sh frob makes it"),
    ("name: x\nversion: 1\nentrypoint: [/a]\nfiles:\n  /a: /etc/passwd\n", "x.yaml:5: /etc/passwd is outside"),
    ("name: x\nversion: 1\nentrypoint: [/a]\nfiles:\n  /a: ../a\n", "x.yaml:5: ../a is outside"),
    ("name: x\nversion: 1\nentrypoint: [/a]\nfiles:\n  /a: board\n", "x.yaml:5: board is a folder; use trees"),
    ("name: x\nversion: 1\nentrypoint: [/a]\nfiles:\n  /../a: prog\n", "x.yaml:5: /../a must be a plain"),
    ("name: x\nversion: 1\nentrypoint: [/a]\nfiles:\n  /a: prog\ntext:\n  /a: x\n", "x.yaml:7: /a is there already"),
    ("name: x\nversion: 1\nentrypoint: [/a]\nfiles:\n  /a: prog\nlinks:\n  /b: /gone\n", "x.yaml:7: the link /b"),
    ("name: x\nversion: 1\nentrypoint: [/a]\nfiles:\n  /a: prog\nlinks:\n  /b: ../../a\n", "leads to nothing"),
    ("name: x\nversion: 1\nentrypoint: [/a]\nfiles:\n  /a: prog\nlinks:\n  /b: c\n  /c: b\n", "leads to nothing"),
    ("name: x\nversion: 1\nentrypoint: [/a]\nfiles:\n  /a: prog\n  /a/b: prog\n", "x.yaml:6: /a/b lies under /a"),
    ("name: x\nversion: 1\nentrypoint: [/b]\nfiles:\n  /a: prog\n", "x.yaml:3: /b is no program"),
    ("name: x\nversion: 1\nentrypoint: [/a]\nfiles:\n  /a: data\n", "x.yaml:3: /a is no program"),
    ("name: x\nversion: 1\nentrypoint: [/a]\nfiles:\n  /a: dynamic\n", "wants the loader /lib"),
    ("name: x\nversion: 1\nentrypoint: [/a]\nfiles:\n  /a: setuid\n", "x.yaml:5: /a is set-user-ID"),
)


def case_descriptors(box):
    """board/oci.py: same bytes twice, nothing built without need, leftovers taken away, broken descriptors named."""
    top = box.dir / "top"
    (top / "board/images").mkdir(parents=True)
    shutil.copy(TOP / "board/oci.py", top / "board/")
    (top / "prog").write_text("#!/bin/sh\n")
    (top / "data").write_text("data")
    for file, source in (("dynamic", "/bin/true"), ("setuid", top / "prog")):
        shutil.copy(source, top / file)
    for file, mode in (("prog", 0o755), ("data", 0o644), ("dynamic", 0o755), ("setuid", 0o4755)):
        (top / file).chmod(mode)

    def build(text, name="x"):
        (top / f"board/images/{name}.yaml").write_text(text)
        return subprocess.run([sys.executable, top / "board/oci.py", "build"], capture_output=True, text=True)
    for text, says in BROKEN:
        run = build(text)
        check(run.returncode == 1 and says in run.stderr, f"{text!r}: {run.returncode} {run.stderr!r}, not {says!r}")
    good = "name: x\nversion: 1\nentrypoint: [/a]\nfiles:\n  /a: prog\nlinks:\n  /b: a\n"
    check("hearth.local/x:1" in (run := build(good)).stdout, run.stderr)
    out = top / "build/images"
    first = (out / "x.tar").read_bytes()
    check(build(good).stdout == "", "built again without need")
    (top / "prog").touch()
    check(build(good).stdout == "", "built again because of a time")
    shutil.rmtree(out)
    build(good)
    check((out / "x.tar").read_bytes() == first, "other bytes from the same input")
    (top / "prog").write_text("#!/bin/sh\n# changed\n")
    check("hearth.local/x:1" in build(good).stdout, "a changed file is not seen")
    check((out / "x.tar").read_bytes() != first, "a changed file gives the same bytes")
    check(len(list((out / "root" / IMAGES / "layers").iterdir())) == 1, "the old layer is still there")
    (top / "board/images/x.yaml").unlink()
    build(good.replace("name: x", "name: y"), "y")
    check(names(out / "root" / IMAGES) == {"y": "hearth.local/y:1"}, "an image without a descriptor is still there")


def run_cases(args):
    bad, results = 0, []
    for name, case in list(globals().items()):
        if not name.startswith("case_") or args.cases and name[5:] not in args.cases:
            continue
        box, began, note, verdict = Box(args, args.images), time.monotonic(), "", "pass"
        try:
            note = case(box) or ""
        except Exception as e:  # a case may fail in any way
            verdict, bad = "FAIL", bad + 1
            note = str(e) if isinstance(e, Failed) else traceback.format_exc()
            note += "\n" + read(box.dir / "containerd.log")[-2000:]
        finally:
            box.close()
        took = time.monotonic() - began
        print(f"{verdict} {name[5:]:<14} {took:5.1f} s  {note}", flush=True)
        results.append(f"{verdict.lower()}\timages: {name[5:]}\t{took:.1f}\t{' '.join(note.split())[:500]}\n")
    (TOP / "build/results").mkdir(parents=True, exist_ok=True)
    (TOP / "build/results/kube-images.tsv").write_text("".join(results))
    return bad


def tidy_cgroups():
    for folder in sorted(pathlib.Path("/sys/fs/cgroup").rglob(CGROUP)):
        for sub in sorted((d for d in folder.rglob("*") if d.is_dir()), reverse=True):
            sub.rmdir()
        folder.rmdir()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", default=TOP / "build/images/root" / IMAGES, type=pathlib.Path)
    parser.add_argument("--cri", default=TOP / "build/pkg/hearth-cri/bin/hearth-cri")
    parser.add_argument("--containerd", default=TOP / "build/pkg/containerd/bin")
    parser.add_argument("--runc", default=TOP / "build/pkg/runc/bin/runc")
    parser.add_argument("--pods")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()
    if not args.inside:
        run = subprocess.run(["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child",
                              "--mount-proc", "--propagation", "private", sys.executable, __file__, "--inside",
                              *sys.argv[1:]], check=False)
        tidy_cgroups()
        sys.exit(run.returncode)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)  # runc and the shims write there
    # As on the box, the root cannot be written.
    root = tempfile.mkdtemp(prefix="hearth-images-root-")
    subprocess.run(["mount", "--bind", "-o", "ro", args.images, root], check=True)
    args.images = pathlib.Path(root)
    bad = run_cases(args)
    subprocess.run(["umount", "-l", root], check=True)
    os.rmdir(root)
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
