#!/usr/bin/env python3
"""The power-cut battery: battery.py [-n CUTS] [--seed S] [--recording NAME] [--boot EVERY]

Records the machine once per recording (powercut/recordings.py), then cuts it off at many points of the log: half of
them anywhere, half at the ends of writes, each class of writes (what the box was doing, where on the disk) equally
often. Each cut is judged from outside (powercut/judge.py) in about a second; every so many are also booted, through
firmware and boot loader, because who starts which slot after a cut is what is tested.

What was judged is kept in build/powercut/results.tsv; a second start goes on behind it. One cut again, its disk kept
in build/powercut/NAME/cut.raw: battery.py --recording NAME --seed S --only NUMBER --boot 1"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import disk  # noqa: E402
import run  # noqa: E402
import vm  # noqa: E402
from powercut import datastore, fat, judge, record, recordings, replay, writelog  # noqa: E402

RESULTS = record.FOLDER / "results.tsv"
COLUMNS = "verdict recording stamp seed cut entry class pending booted seconds detail".split()


class Map:
    """Names the place of a write: partition, and what of it."""

    def __init__(self, base, final):
        self.parts = disk.gpt(final)[0]
        self.end = max(first + size for first, size, _ in self.parts.values())
        first, size, _ = self.parts["esp"]
        self.folders = set()
        for path in (base, final):
            esp = fat.Fat(path, first, size)
            folders = [cluster for _, is_folder, cluster, _ in esp.walk() if is_folder] + [esp.root]
            self.folders |= {esp.place(c) // esp.cluster for f in folders for c in esp.chain(f)}
            self.fat_at, self.data_at, self.cluster = esp.fat_at, esp.data_at, esp.cluster
            esp.close()
        # The journals begin where the file system says.
        head = disk.read(final, self.parts["data"][0], 128)
        block, log, blocks = int.from_bytes(head[4:8], "big"), int.from_bytes(head[48:56], "big"), \
            int.from_bytes(head[96:100], "big")
        shift, per = head[124], int.from_bytes(head[84:88], "big")
        at = ((log >> shift) * per + (log & (1 << shift) - 1)) * block
        self.log = at, at + blocks * block
        self.trees = {name: judge.image_end(final, self.parts[name][0]) for name in ("system-a", "system-b")}

    def place(self, at):
        if at < 34 * disk.SECTOR:
            return "table"
        if at >= self.end:
            return "table-backup"
        name = next((n for n, (first, size, _) in self.parts.items() if first <= at < first + size), "gap")
        at -= self.parts.get(name, (0,))[0]
        if name in self.trees:
            return f"{name}-tree" if 0 < self.trees[name] <= at else name
        return getattr(self, name, lambda _: name)(at)

    def esp(self, at):
        if at < self.fat_at:
            return "esp-head"
        if at < self.data_at:
            return "esp-fat"
        return "esp-folder" if at // self.cluster in self.folders else "esp-file"

    def state(self, at):
        return "state-head" if at < 4096 else "state"

    def data(self, at):
        return "data-log" if self.log[0] <= at < self.log[1] else "data"


class Recording:
    def __init__(self, case, name):
        self.name, self.folder = name, record.get(case, name)
        self.notes = json.loads((self.folder / "notes.json").read_text())
        self.log = writelog.Log(self.folder / "writes.log")
        self.base = self.folder / "base.raw"
        final = self.folder / "final.raw"
        work = replay.Disk(self.base, final, self.log)
        work.advance(len(self.log.entries))
        work.close()
        self.ukis = judge.whole_entries(self.base, final)
        places = Map(self.base, final)
        final.unlink()
        self.classes = {}
        for i, e in enumerate(self.log.entries):
            where = places.place(e.at) if e.is_write() else "flush"
            self.classes.setdefault(f"{self.phase(e.end)}/{where}", []).append(i)

    def phase(self, length):
        return [word for at, word in self.notes["phases"] if at <= length][-1]

    def plan(self, seed, number):
        """(entries before the cut, class) of one cut, and the random numbers for the rest of it."""
        rng = random.Random(f"{seed}:{self.name}:{number}")
        if number % 2:
            k = rng.randint(1, len(self.log.entries))
            return k, "anywhere", rng
        word = sorted(self.classes)[number // 2 % len(self.classes)]
        return min(rng.choice(self.classes[word]) + rng.randint(0, 1), len(self.log.entries)), word, rng


def boots(case, recording, j, work, length):
    """The real thing: firmware, boot loader, Hearth on that disk. Returns what was wrong, or None."""
    overlay = case.dir / "cut.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", work.path, overlay], check=True)
    box = case.vm("boot", image=overlay)
    try:
        box.start()
        box.prompt()
        status = box.running()
        if status["slot"] not in j.permitted(length):
            return f"slot {status['slot']} runs, permitted: {j.permitted(length)}"
        name = j.name(length)
        if name and status["name"] != name:
            return f"the name was {name} and is {status['name']}"
        least = max((v for at, key, v in recording.notes["said"] if key == "boots" and at <= length), default=0)
        if status["boots"] <= least:
            return f"start {status['boots']}, and {least} were counted before"
        if any(key == "datastore" and at <= length for at, key, _ in recording.notes["said"]):
            datastore.until(box, "new" if status["slot"] == "b" else "old")
        return f"problems: {status['problems']}" if status["problems"] else None
    except vm.Failure as e:
        return f"does not boot: {str(e).splitlines()[0]}"
    finally:
        box.kill()
        box.disk.unlink(missing_ok=True)
        case.machines.remove(box)


def one(case, recording, work, j, seed, number, boot, honest=True):
    """Judges one cut; returns its row."""
    start = time.monotonic()
    k, word, rng = recording.plan(seed, number)
    fates = work.cut(k, rng, honest)
    length = recording.log.ends[k - 1] if k else 0
    found = j.judge(work, length)
    booted = ""
    if boot:
        wrong = boots(case, recording, j, work, length)
        booted = wrong or "boots"
        found += [f"booted: {wrong}"] if wrong else []
    kept = sum(1 for _, bytes_kept, _ in fates if bytes_kept)
    row = ("fail" if found else "pass", recording.name, recording.notes["stamp"], seed, number, k, word,
           f"{kept}/{len(fates)}", booted, f"{time.monotonic() - start:.1f}", "; ".join(found))
    return "\t".join(str(c).replace("\t", " ").replace("\n", " ") for c in row) + "\n"


def done_before(results=RESULTS):
    if not results.exists():
        return []
    rows = [line.split("\t") for line in results.read_text().splitlines()[1:]]
    return [dict(zip(COLUMNS, row)) for row in rows if len(row) == len(COLUMNS)]


def battery(case, name, count, seed, every, only=None, results=RESULTS, honest=True):
    """Takes `count` cuts of a recording, those of an earlier start included. Returns their rows.
    honest: False cuts as if the disk forgot what was flushed."""
    recording = Recording(case, name)
    key = (name, recording.notes["stamp"], str(seed))
    old = {int(r["cut"]): r for r in done_before(results) if (r["recording"], r["stamp"], r["seed"]) == key}
    numbers = [n for n in range(count) if n not in old] if only is None else [only]
    numbers.sort(key=lambda n: recording.plan(seed, n)[0])
    rows = [r for n, r in old.items() if n < count] if only is None else []
    with tempfile.TemporaryDirectory(dir=record.FOLDER) as room:
        room = pathlib.Path(room)
        kept = recording.folder / "cut.raw"
        work = replay.Disk(recording.base, room / "work.raw" if only is None else kept, recording.log)
        j = judge.Judge(room, recording.notes, recording.ukis)
        try:
            for number in numbers:
                line = one(case, recording, work, j, seed, number, every and number % every == 0, honest)
                if only is None:
                    with open(results, "a", encoding="utf-8") as f:
                        f.write(line if f.tell() else "\t".join(COLUMNS) + "\n" + line)
                rows.append(dict(zip(COLUMNS, line.rstrip("\n").split("\t"))))
                if honest:  # else a failure is what is wanted
                    tell(rows[-1])
        finally:
            work.close()
            j.close()
    return rows


def tell(row):
    if row["verdict"] == "fail":
        print(f"FAIL {row['recording']} seed {row['seed']} cut {row['cut']} behind entry {row['entry']} "
              f"({row['class']}): {row['detail']}", flush=True)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("-n", type=int, default=1000, help="cuts of all recordings together")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--recording", choices=recordings.RECORDINGS)
    ap.add_argument("--boot", type=int, default=50, help="every so many are booted; 0: none")
    ap.add_argument("--only", type=int, help="the number of one cut; its disk is kept")
    args = ap.parse_args()
    names = [args.recording] if args.recording else list(recordings.RECORDINGS)
    (vm.BUILD / "qemu").mkdir(exist_ok=True)
    bad = total = 0
    for i, name in enumerate(names):
        count = args.n // len(names) + (i < args.n % len(names))
        start, before = time.monotonic(), len(done_before())
        case = run.Case("powercut-battery")
        try:
            rows = battery(case, name, count, args.seed, args.boot, args.only)
        finally:
            case.close()
        failed = sum(r["verdict"] == "fail" for r in rows)
        print(f"powercut: {name}: {len(rows)} cuts in {len({r['class'] for r in rows})} classes, "
              f"{sum(bool(r['booted']) for r in rows)} booted, {failed} failed "
              f"({len(done_before()) - before} of them now, {time.monotonic() - start:.0f} s)", flush=True)
        bad, total = bad + failed, total + len(rows)
    print(f"summary: {total - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
