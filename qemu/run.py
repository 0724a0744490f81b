#!/usr/bin/env python3
"""Runs the QEMU cases: run.py [-j N] [--all] [CASE...]

A case is qemu/cases/NAME.py with a docstring that says what it proves and a function run(case). It makes machines
with case.vm(), asserts from outside (serial line, screen, HTTPS), and fails by an exception. What each machine said
is kept under build/qemu/NAME. Results go to build/results/qemu.tsv."""
import argparse
import concurrent.futures
import fcntl
import importlib.util
import pathlib
import shutil
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import vm  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
# What `make test` leaves to `make test-all`: they prove more of what the others prove.
REST = ("kube-unclean", "offline", "update-upload", "update-bad-kernel", "update-dead-kernel", "update-cluster")


def once_per_image(name, suffix, make):
    """The file build/qemu/NAME-STAMP.SUFFIX of this image; make(file) makes it, and those of older images go."""
    folder = vm.BUILD / "qemu"
    file = folder / f"{name}-{vm.IMAGE.stat().st_mtime_ns}{suffix}"
    with open(folder / f"{name}.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not file.exists():
            for old in folder.glob(f"{name}-*"):
                old.unlink()
            make(file)
    return file


class Case:
    def __init__(self, name):
        self.name, self.dir, self.machines = name, vm.BUILD / "qemu" / name, []
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)

    def vm(self, name="vm", **how):
        machine = vm.VM(self.dir / name, **how)
        self.machines.append(machine)
        return machine

    def booted(self):
        """A disk that has been through its first boot, its slot confirmed, and was shut down in order; made once per
        image."""
        def make(disk):
            first = self.vm("make-booted", direct=True).start()
            first.prompt()
            first.running()
            first.until_kept()
            first.power_off()
            first.disk.rename(disk)
        return once_per_image("booted", ".raw", make)

    def close(self):
        for m in self.machines:
            m.kill()
            m.disk.unlink(missing_ok=True)


def check(condition, what):
    """One assertion, with a sentence for whoever reads the failure."""
    if not condition:
        raise vm.Failure(what)


def load(name):
    spec = importlib.util.spec_from_file_location("case_" + name.replace("-", "_"), HERE / "cases" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_one(name):
    start = time.monotonic()
    case, why = Case(name), ""
    try:
        load(name).run(case)
    except Exception as e:  # whatever a case raises is its verdict
        (case.dir / "failure.txt").write_text(traceback.format_exc())
        why = str(e) or repr(e)
    finally:
        case.close()
    return name, time.monotonic() - start, why


def told(name, seconds, why):
    """Prints one verdict; returns its row."""
    print(f"{'FAIL' if why else 'ok  '} {name} ({seconds:.0f} s)" + (f": {why}" if why else ""), flush=True)
    verdict, first = ("fail", why.splitlines()[0]) if why else ("pass", "")
    return f"{verdict}\tqemu:{name}\t{seconds:.0f}\t{first}\n"


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("-j", type=int, default=2, help="machines at a time")
    ap.add_argument("--all", action="store_true", help="those of `make test-all` too")
    ap.add_argument("cases", nargs="*")
    args = ap.parse_args()
    if not vm.IMAGE.exists():
        sys.exit("qemu: there is no build/hearth.img yet; run `make image`")
    names = args.cases or sorted(p.stem for p in (HERE / "cases").glob("*.py") if args.all or p.stem not in REST)
    print(f"qemu: {len(names)} cases, {vm.accel()}", flush=True)
    rows = []
    # A box with Kubernetes has the machine for itself: it takes all of it.
    heavy = [n for n in names if "import kube" in (HERE / "cases" / f"{n}.py").read_text()]
    for width, group in ((args.j, [n for n in names if n not in heavy]), (1, heavy)):
        with concurrent.futures.ProcessPoolExecutor(width) as pool:
            for future in concurrent.futures.as_completed([pool.submit(run_one, n) for n in group]):
                rows.append(told(*future.result()))
    results = vm.BUILD / "results"
    results.mkdir(parents=True, exist_ok=True)
    (results / "qemu.tsv").write_text("".join(sorted(rows)))
    bad = sum(r.startswith("fail") for r in rows)
    print(f"summary: {len(rows) - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.modules["run"] = sys.modules["__main__"]
    sys.exit(main())
