"""A sample of the power-cut battery: a rollback is recorded write by write, cut off at some points of each class, and
what is left boots into a permitted slot with everything that was acknowledged. And the battery sees: on a disk that
forgets what was flushed, the same cuts are found bad, and so is one wrong bit in each part of a disk."""
import pathlib
import tempfile

import disk
from powercut import battery, fat, judge, record, recordings, replay
from run import check

CUTS, BOOTED, FORGOTTEN = 40, 20, 8  # cuts; every so many are booted; cuts on the forgetful disk


def bits(path, name):
    """{what a finding says: a place on the disk that it has to be found for}"""
    parts = disk.gpt(path)[0]
    esp = fat.Fat(path, *parts["esp"][:2])
    entry = esp.find(f"{judge.ENTRIES}/{name}")[1]
    uki = parts["esp"][0] + esp.place(entry)
    esp.close()
    machine = disk.get(path, "/machine-id").encode()
    first, size, _ = parts["state"]
    own = next(first + at for at in range(0, size, 4096) if disk.read(path, first + at, len(machine)) == machine)
    return {"is not a whole boot entry": uki + 5000, "is not whole": parts["system-a"][0] + (10 << 20),
            "data:": parts["data"][0] + 512 + 20, "the name was": own}


def every_part_is_looked_at():
    recording = battery.Recording(None, recordings.SAMPLE)
    with tempfile.TemporaryDirectory(dir=record.FOLDER) as room:
        room = pathlib.Path(room)
        work = replay.Disk(recording.base, room / "work.raw", recording.log)
        work.advance(len(recording.log.entries))
        j = judge.Judge(room, recording.notes, recording.ukis)
        try:
            whole = j.judge(work, recording.log.ends[-1])
            check(not whole, f"the whole disk: {whole}")
            for words, at in bits(work.path, j.entry).items():
                j.whole.clear()
                disk.flip_bit(work.path, at)
                found = j.judge(work, recording.log.ends[-1])
                disk.flip_bit(work.path, at)
                check(any(words in f for f in found), f"one bit wrong where '{words}' should be found: {found}")
        finally:
            work.close()
            j.close()


def run(case):
    name = recordings.SAMPLE
    rows = battery.battery(case, name, CUTS, 1, BOOTED, results=case.dir / "results.tsv")
    bad = [f"cut {r['cut']} ({r['class']}): {r['detail']}" for r in rows if r["verdict"] != "pass"]
    check(not bad, f"{len(bad)} of {len(rows)} cuts: {bad[0] if bad else ''}")
    check(len(rows) == CUTS and len({r["class"] for r in rows}) > 10, "too few cuts")
    rows = battery.battery(case, name, FORGOTTEN, 2, 0, results=case.dir / "forgetful.tsv", honest=False)
    check(any(r["verdict"] == "fail" for r in rows), "a disk that forgets what was flushed was not found")
    every_part_is_looked_at()
