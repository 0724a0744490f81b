"""A sample of the power-cut battery: a rollback is recorded write by write, cut off at some points of each class, and
what is left boots into a permitted slot with everything that was acknowledged. And the battery sees: on a disk that
forgets what was flushed, the same cuts are found bad."""
from powercut import battery, recordings
from run import check

CUTS, BOOTED, FORGOTTEN = 40, 20, 8  # cuts; every so many are booted; cuts on the forgetful disk


def run(case):
    name = recordings.SAMPLE
    rows = battery.battery(case, name, CUTS, 1, BOOTED, results=case.dir / "results.tsv")
    bad = [f"cut {r['cut']} ({r['class']}): {r['detail']}" for r in rows if r["verdict"] != "pass"]
    check(not bad, f"{len(bad)} of {len(rows)} cuts: {bad[0] if bad else ''}")
    check(len(rows) == CUTS and len({r["class"] for r in rows}) > 10, "too few cuts")
    rows = battery.battery(case, name, FORGOTTEN, 2, 0, results=case.dir / "forgetful.tsv", honest=False)
    check(any(r["verdict"] == "fail" for r in rows), "a disk that forgets what was flushed was not found")
