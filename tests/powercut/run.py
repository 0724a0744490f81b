#!/usr/bin/env python3
"""The tool of the power-cut battery under test, without a machine: logs made by hand, replayed and cut. A program that
forgets a flush and a disk that lies about one must be found. Writes build/results/powercut-test.tsv."""
import pathlib
import random
import struct
import sys
import tempfile
import time
import traceback
import types

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "qemu"))
from powercut import datastore, judge, replay, writelog  # noqa: E402

BLOCK = 4096
CASES = []
FLUSH = "flush"


def case(fn):
    CASES.append(fn)
    return fn


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def refuses(path, word):
    try:
        writelog.Log(path)
    except ValueError as e:
        check(word in str(e), f"it says: {e}")
        return
    raise AssertionError(f"a log that is {word} was taken")


class Setup:
    """A disk of zeroes and a log of steps: (block, byte[, flags]), (block, None) for a discard, or FLUSH."""

    def __init__(self, folder, steps, blocks=16):
        self.base, self.work, path = folder / "base", folder / "work", folder / "log"
        self.base.write_bytes(bytes(blocks * BLOCK))
        with open(path, "wb") as f:
            f.write(struct.pack("<QQQI", writelog.MAGIC, 1, len(steps), 512).ljust(512, b"\0"))
            for step in steps:
                if step == FLUSH:
                    f.write(struct.pack("<QQQQ", 0, 0, writelog.FLUSH, 0).ljust(512, b"\0"))
                    continue
                block, byte, flags = (*step, 0)[:3]
                flags |= writelog.DISCARD if byte is None else 0
                f.write(struct.pack("<QQQQ", block * 8, 8, flags, 0).ljust(512, b"\0"))
                f.write(b"" if byte is None else bytes([byte]) * BLOCK)
        self.log = writelog.Log(path)
        self.disk = replay.Disk(self.base, self.work, self.log)

    def block(self, n):
        return self.work.read_bytes()[n * BLOCK:(n + 1) * BLOCK]

    def cuts(self, many=60, honest=True):
        """Every cut, each with several random numbers."""
        for k in range(len(self.log.entries) + 1):
            for seed in range(many):
                self.disk.cut(k, random.Random(f"{k}/{seed}"), honest)
                yield k


@case
def the_log_is_read(folder):
    s = Setup(folder, [(1, 7), FLUSH, (2, None), (3, 9, writelog.FUA)])
    check([(e.at, e.size, e.flags) for e in s.log.entries] ==
          [(BLOCK, BLOCK, 0), (0, 0, 1), (2 * BLOCK, BLOCK, 4), (3 * BLOCK, BLOCK, 2)], s.log.entries)
    check(s.log.bytes(s.log.entries[0]) == b"\x07" * BLOCK, "data")
    ends = s.log.ends
    check([s.log.until(at) for at in (0, ends[0] - 1, ends[0], ends[1], ends[-1])] == [0, 0, 1, 2, 4], "positions")


@case
def a_damaged_log_is_refused(folder):
    s = Setup(folder, [(1, 7), FLUSH])
    whole = s.log.path.read_bytes()
    for data, word in ((whole[:-600], "cut off"), (b"x" + whole[1:], "not a log"),
                       (whole[:512] + b"\0" * 32 + whole[544:], "damaged"),
                       (whole[:512] + struct.pack("<QQQQ", 8, 8, 64, 0) + whole[544:], "damaged")):
        s.log.path.write_bytes(data)
        refuses(s.log.path, word)


@case
def what_was_flushed_is_there(folder):
    s = Setup(folder, [(1, 1), (2, 2), FLUSH, (1, 3), (4, 4, writelog.FUA), FLUSH, (2, None), FLUSH])
    for k in s.cuts():
        if k >= 3:
            check(s.block(1) == b"\1" * BLOCK or k > 3, f"behind entry {k}, block 1 is lost")
            check(set(s.block(1)) <= {1, 3}, "block 1 holds something else")
        if k >= 5:
            check(s.block(4) == b"\4" * BLOCK, "a write with FUA is lost")
        if k >= 6:
            check(s.block(1) == b"\3" * BLOCK, "the second version is lost")
        if k == 8:
            check(s.block(2) == bytes(BLOCK), "what was discarded is back")


@case
def what_was_not_flushed_is_lost_torn_or_there(folder):
    s = Setup(folder, [(1, 1), (1, 2), (3, 3)])
    seen = set()
    for k in s.cuts(400):
        if k == 3:
            one, three = s.block(1), s.block(3)
            seen |= {"lost"} if not any(three) else {"there"} if all(three) else {"torn"}
            seen |= {"older"} if one == b"\1" * BLOCK else {"newer"} if one == b"\2" * BLOCK else set()
            seen |= {"swapped"} if any(three) and not any(one) else set()
            seen |= {"sectors"} if 0 < sum(map(bool, three)) < BLOCK and sum(map(bool, three)) % 512 == 0 else set()
    check(seen == {"lost", "there", "torn", "older", "newer", "swapped", "sectors"}, f"seen: {sorted(seen)}")


@case
def a_cut_is_taken_back(folder):
    s = Setup(folder, [(1, 1), FLUSH, (1, 2), (2, 2), (1, 3)])
    for k in s.cuts():
        pass
    s.disk.back()
    check(s.block(1) == b"\1" * BLOCK and not any(s.block(2)), "the work disk is not what is certain")


@case
def holes_stay_holes(folder):
    s = Setup(folder, [(1, 0), (2, 5), FLUSH])
    s.disk.advance(3)
    with open(s.work, "rb") as f:
        s.disk.advance(3)
        check(sum(size for _, size in replay.extents(f.fileno())) <= 16 * BLOCK, "extents")
    replay.copy(s.work, folder / "part", 2 * BLOCK, 2 * BLOCK)
    check((folder / "part").read_bytes() == b"\5" * BLOCK + bytes(BLOCK), "a part of the disk")
    check(replay.same(s.work, s.work) and not replay.same(s.work, s.base), "comparison")


# A small program: block 2 is written, block 1 names it, then somebody is told. What it needs are two flushes.
CAREFUL = [(2, 9), FLUSH, (1, 1), FLUSH]
NO_FLUSH_BEFORE = [(2, 9), (1, 1), FLUSH]
NO_FLUSH_BEHIND = [(2, 9), FLUSH, (1, 1)]


def findings(folder, steps, honest=True):
    s = Setup(folder, steps)
    found = set()
    for k in s.cuts(honest=honest):
        if any(s.block(1)) and s.block(2) != b"\x09" * BLOCK:
            found.add("the name leads to something that is not there")
        if k == len(steps) and not all(s.block(1)):
            found.add("acknowledged and lost")
    return found


@case
def a_careful_program_passes(folder):
    check(not findings(folder, CAREFUL), "found something")


@case
def a_program_that_does_not_flush_is_caught(folder):
    check("the name leads to something that is not there" in findings(folder, NO_FLUSH_BEFORE), "order")
    check("acknowledged and lost" in findings(folder, NO_FLUSH_BEHIND), "durability")


@case
def a_disk_that_forgets_what_was_flushed_is_caught(folder):
    check(len(findings(folder, CAREFUL, honest=False)) == 2, "the planted defect was not found")


@case
def the_boot_loaders_choice(_):
    def chosen(*names):
        return judge.Entries(dict.fromkeys(names, 1)).chosen()[0]
    check(chosen("hearth-0001-a.efi", "hearth-0002-b+3.efi") == "b", "a trial goes first")
    check(chosen("hearth-0001-a.efi", "hearth-0002-b+0-3.efi") == "a", "a bad one goes last")
    check(chosen("hearth-0001-a+0-3.efi", "hearth-0002-b+0-3.efi") == "b", "all are bad")
    check(chosen("hearth-0002-b.efi", "hearth-10000-a.efi", "hearth-00003-a.efi", "other.efi") == "a", "numbers")
    check(judge.Entries({"hearth-0001-a.efi": 1, "hearth-0002-b.efi": 0}).chosen()[0] == "a", "an empty file counts")
    try:
        judge.Entries({"hearth-0002-b.efi": 0}).chosen()
    except judge.Lost:
        return
    raise AssertionError("no entry, and one was chosen")


@case
def an_entry_and_its_copy(_):
    def alike(*names):
        return judge.Entries(dict.fromkeys(names, 1)).alike()
    both = ["hearth-0002-a.efi", "hearth-0002-a+2-1.efi"]
    check(alike("hearth-0001-b.efi", *both) == both, "the loader may take either")
    check(alike("hearth-0002-a+0.efi", both[0]) == both[:1], "not the bad one")
    check(alike("hearth-0002-a+0.efi") == ["hearth-0002-a+0.efi"], "when it is the only one, it is that")
    check(judge.Entries(dict.fromkeys(both, 1)).good("a") == both[0], "it is good already")
    check(judge.Entries({both[1]: 1, both[0]: 0}).good("a") is None, "an empty one is none")


OLD = {piece: "old" for piece in datastore.PIECES}
COPY = {piece.replace("k3s/server", "cluster/before-2/server").replace("k3s-etc/node", "cluster/before-2"): "old"
        for piece in datastore.PIECES}


def lost(tree, *entries, value="old"):
    """What the judge says of the datastore, or ""."""
    entries = judge.Entries(dict.fromkeys(entries, 1))
    box = types.SimpleNamespace(entries=entries, slot=entries.chosen()[0], xfs=types.SimpleNamespace(tree=tree))
    try:
        judge.keeps_datastore(box, value)
    except judge.Lost as e:
        return str(e)
    return ""


@case
def the_datastore_is_one_set(_):
    trial, back = ("hearth-0001-a.efi", "hearth-0002-b+2-1.efi"), ("hearth-0001-a.efi", "hearth-0002-b+0-3.efi")
    ran = {"cluster/ran": "2 b v99.0.0+k3s1"}
    new = dict.fromkeys(datastore.PIECES, "new")
    half = {**OLD, datastore.PIECES[0]: "new"}
    check(not lost(OLD, *trial), "nothing was changed")
    check(not lost({**half, **COPY, **ran}, *trial), "the new one is being written, a copy is there")
    check(not lost({**new, **COPY, **ran}, *trial, value="new"), "it is written")
    check(not lost({**new, **COPY, **ran}, *back), "it goes back")
    check("of slot a" in lost({**half, **ran}, *trial), "there is no copy")
    check("of slot b" in lost({**half, **COPY, **ran}, *trial, value="new"), "it was written and is lost")
    check("of slot a" in lost({**new, **COPY, **ran, list(COPY)[2]: ""}, *back), "a piece of the copy is empty")
    short = {piece: word for piece, word in COPY.items() if "token" not in piece}
    check("of slot a" in lost({**new, **ran, **short}, *back), "or missing")
    check("of slot b" in lost({**OLD, datastore.PIECES[2]: "new", **COPY, **ran}, *trial), "pieces of both")
    check(lost({}, *trial), "nothing is there")


def main():
    wanted, rows = sys.argv[1:], []
    for fn in CASES:
        name = fn.__name__.replace("_", "-")
        if wanted and name not in wanted:
            continue
        start, why = time.monotonic(), ""
        with tempfile.TemporaryDirectory() as folder:
            try:
                fn(pathlib.Path(folder))
            except Exception:  # whatever a case raises is its verdict
                why = traceback.format_exc().strip().splitlines()[-1]
                print(traceback.format_exc())
        print(f"{'FAIL' if why else 'ok  '} {name}")
        rows.append(f"{'fail' if why else 'pass'}\tpowercut-test:{name}\t{time.monotonic() - start:.0f}\t{why}\n")
    results = TOP / "build/results"
    results.mkdir(parents=True, exist_ok=True)
    (results / "powercut-test.tsv").write_text("".join(rows))
    bad = sum(r.startswith("fail") for r in rows)
    print(f"summary: {len(rows) - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
