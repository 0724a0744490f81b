#!/usr/bin/env python3
"""`make bench-update`: an install of a real image by the update role beside dd and a SHA-256 of the same bytes, RAUC
and SWUpdate; what a delta fetches beside what differs; the memory of the worker for an image of any size.

  update.py [ROUNDS [PART...]]      PART: times, delta, memory; BASE=COMMIT in the environment: see update_builds.py

Times: everybody writes the same bytes (root image, its hash tree, boot entry) into the same file of the disk that
build/ lies on, ROUNDS times in turn, from a file of that disk. Before each turn the file is filled with other bytes and
the page cache is emptied. A turn ends when the program says so and the file is flushed, and counts only when the file
holds what it should. Hearth reads back all that it wrote; of the others only the floor does. The floor stands there
twice: with the sha256sum of coreutils, and with OpenSSL's, which uses the processor's instructions as Hearth does.

Delta: the running slot is build/, the new image another release (update_builds.py), fetched from an HTTP server of this
machine that counts. What differs is counted from the files alone: blocks of 4096 bytes that the running build has
nowhere, of image, hash tree and boot entry."""
import os
import shutil
import statistics
import sys
import types

sys.dont_write_bytecode = True
import machine  # noqa: E402
import update_builds as builds  # noqa: E402
import update_ways as ways  # noqa: E402
from update_builds import BUILD, WORK, Failed, run  # noqa: E402

import box  # noqa: E402
from server import Server  # noqa: E402

ROUNDS, BASE, LARGE = 5, "99ab0a2", 4096  # rounds, commit, MiB
SECTION = 512  # bytes: a part of the boot entry (board/uki.py) begins at a multiple of that
GOALS = {"delta": 1.15, "floor": 1.15, "memory": 16 << 10}
PARTS = ("times", "delta", "memory")
TROUBLE = Failed, box.Failed, box.Refused, OSError


class Counting(Server):
    """Counts in `wire` all that goes over its connections: requests, headers, bodies."""
    wire = 0

    def answer(self, request):
        plain = request.wfile
        self.count(len(request.requestline) + 4 + sum(len(name) + len(value) + 4
                                                      for name, value in request.headers.items()))
        request.wfile = types.SimpleNamespace(write=lambda data: self.count(len(data)) or plain.write(data))
        try:
            super().answer(request)
        finally:
            request.wfile = plain

    def count(self, size):
        with self.lock:
            self.wire += size


def prepare(filler):
    """The target holds nothing that is wanted, and nothing is in memory."""
    data = filler.read_bytes()
    with open(ways.TARGET, "r+b") as f:
        size = f.seek(0, 2)
        f.seek(0)
        for at in range(0, size, len(data)):
            f.write(data[:size - at])
    ways.settle()
    run("sync")
    with open("/proc/sys/vm/drop_caches", "w") as f:
        f.write("3")


def begins_with(path, want):
    return run("cmp", "-n", want.stat().st_size, path, want) == ""


def turn(way, filler, want):
    prepare(filler)
    row = way.install()
    begins_with(ways.TARGET, want)
    return row


def payload_of(folder):
    """The bytes that everybody installs, and as many others."""
    payload, filler = WORK / "payload.img", WORK / "filler"
    with open(payload, "wb") as out:
        for name in ("root.img", "uki.efi"):
            out.write((folder / name).read_bytes())
    filler.write_bytes(os.urandom(payload.stat().st_size))
    shutil.copy(filler, ways.TARGET)
    return payload, filler


def median(rows, key):
    return statistics.median(row[key] for row in rows)


# -- times ----------------------------------------------------------------------------------------------------------


def opened(makers, failed):
    """{name: way} of those that can run here; failed gets the reasons of the others."""
    found = {}
    for name, make in makers.items():
        try:
            found[name] = make()
        except TROUBLE as e:
            failed[name] = str(e)
    return found


def measure(found, rounds, filler, wants, failed):
    rows = {name: [] for name in found}
    for n in range(rounds):
        print(f"round {n + 1} of {rounds} ...", flush=True)
        for name in sorted(found, reverse=n % 2):
            try:
                rows[name].append(turn(found[name], filler, wants.get(name, wants[None])))
            except TROUBLE as e:
                failed[name] = str(e)
    return {name: found_rows for name, found_rows in rows.items() if found_rows}


def report_times(rows, failed, size):
    print(f"\nInstall of {size / 1e6:.0f} MB, the page cache empty; medians of interleaved rounds")
    print(f"{'':28}{'seconds':>9}{'lowest - highest':>20}{'CPU s':>8}{'peak KiB':>10}{'of it the worker':>18}")
    for name, found in rows.items():
        took = [row["seconds"] for row in found]
        worker = f"{median(found, 'worker'):18.0f}" if "worker" in found[0] else ""
        print(f"{name:28}{statistics.median(took):9.2f}{f'{min(took):.2f} - {max(took):.2f}':>20}"
              f"{median(found, 'cpu'):8.2f}{median(found, 'memory'):10.0f}{worker}")
    ours = median(rows["hearth, whole"], "seconds")
    for name in rows:
        if not name.startswith("hearth"):
            goal = f"goal {GOALS['floor']}" if name.startswith("dd") else "goal < 1"
            print(f"  hearth, whole / {name:20} {ours / median(rows[name], 'seconds'):5.2f}   {goal}")
    for name, why in failed.items():
        print(f"  {name}: {why}")


def times(rounds, folder):
    payload, filler = payload_of(folder)
    bundle, image, uki = builds.bundle_of(folder), folder / "root.img", folder / "uki.efi"
    server = Counting()
    server.files["/new.hearth"] = bundle.read_bytes()
    failed = {}
    found = opened({
        "hearth, whole": lambda: ways.Hearth(bundle, filler, expect=uki),
        "hearth, delta by HTTP": lambda: ways.Hearth(server.url("/new.hearth"), BUILD / "root.img", expect=uki),
        "dd + sha256sum": lambda: ways.Floor(payload, "sha256sum"),
        "dd + openssl sha256": lambda: ways.Floor(payload, "openssl", "dgst", "-sha256"),
        "RAUC": lambda: ways.Rauc(payload),
        "SWUpdate": lambda: ways.Swupdate(payload),
    }, failed)
    try:
        rows = measure(found, rounds, filler,
                       {None: payload, "hearth, whole": image, "hearth, delta by HTTP": image}, failed)
    finally:
        for way in found.values():
            way.close()
        server.stop()
    report_times(rows, failed, payload.stat().st_size)


# -- delta ----------------------------------------------------------------------------------------------------------


def delta(folder):
    _, filler = payload_of(folder)
    differ, finer = builds.differing(folder), builds.differing(folder, SECTION)
    server = Counting()
    server.files["/new.hearth"] = builds.bundle_of(folder).read_bytes()
    way = ways.Hearth(server.url("/new.hearth"), BUILD / "root.img", expect=folder / "uki.efi")
    try:
        turn(way, filler, folder / "root.img")
    finally:
        way.close()
        server.stop()
    total, fine, whole = sum(differ.values()), sum(finer.values()), builds.bundle_of(folder).stat().st_size
    print(f"\nDelta between two builds; the whole bundle has {whole:,} bytes")
    for part, size in differ.items():
        print(f"  {part + ' that differs':24}{size:12,}")
    print(f"  {'together':24}{total:12,}")
    print(f"  {'fetched':24}{server.sent:12,}   ratio {server.sent / total:.3f}   goal {GOALS['delta']}")
    print(f"  {'fetched, with headers':24}{server.wire:12,}   ratio {server.wire / total:.3f}   "
          f"in {len(server.requests)} requests")
    print(f"  with the boot entry counted by {SECTION} bytes, at which its parts begin, {fine:,} differ   ratio "
          f"{server.sent / fine:.3f}")


# -- memory ---------------------------------------------------------------------------------------------------------


def memory(folder):
    large = builds.made_up(LARGE)
    _, filler = payload_of(folder)
    rows = (("the real image, a file", folder, filler, None),
            ("the real image, from build/", folder, BUILD / "root.img", None),
            (f"made up, {LARGE} MiB, a file", large, filler, large / "hearth"),
            (f"made up, {LARGE} MiB, the running slot as large", large, large / "running.img", large / "hearth"))
    print(f"\nPeak memory of the worker, KiB (goal {GOALS['memory']})")
    for name, build, running, program in rows:
        way = ways.Hearth(builds.bundle_of(build), running, program or BUILD / "hearth")
        run("truncate", "-s", (build / "root.img").stat().st_size, ways.TARGET)
        try:
            row = turn(way, filler, build / "root.img")
        finally:
            way.close()
        print(f"  {name:54}{row['worker']:8}", flush=True)


def main():
    rounds, parts = int((sys.argv[1:] or [ROUNDS])[0]), sys.argv[2:] or PARTS
    WORK.mkdir(parents=True, exist_ok=True)
    box.Box.other_user = box.own_mounts()
    before, busy = machine.load(), machine.Busy()
    try:
        folder = builds.other_release(os.environ.get("BASE", BASE))
        for part in parts:
            {"times": lambda: times(rounds, folder), "delta": lambda: delta(folder),
             "memory": lambda: memory(folder)}[part]()
    except TROUBLE as e:
        sys.exit(f"bench-update: {e}")
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    print(f"\n{machine.describe()}; native; load before {before}; cores busy meanwhile %.1f, stolen %.1f" %
          busy.cores())


if __name__ == "__main__":
    main()
