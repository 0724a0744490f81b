"""Makes a recording: runs the machine once with a log of all its writes, and notes how long the log was at each thing
that was seen from outside. Kept in build/powercut/NAME/ until the image or the recording's code changes."""
import fcntl
import hashlib
import inspect
import json
import os
import shutil

import vm
from powercut import recordings, replay, writelog

FOLDER = vm.BUILD / "powercut"


class Recorder:
    def __init__(self, case, folder, source):
        self.box = case.vm(f"record-{folder.name}", **source)
        self.disk, self.folder, self.log = self.box.disk, folder, folder / "writes.log"
        self.notes = {"phases": [], "permits": [], "said": []}

    def start(self, logged=True):
        """Power on. The disk as it is now is what every cut begins with, unless this is only what was before."""
        if logged:
            replay.copy(self.disk, self.folder / "base.raw")
            self.box.writes = self.log
        return self.box.start()

    def _length(self):
        return self.log.stat().st_size if self.log.exists() else 0

    def phase(self, word):
        self.notes["phases"].append([self._length(), word])

    def permit(self, slots):
        self.notes["permits"].append([self._length(), slots])

    def said(self, key, value):
        self.notes["said"].append([self._length(), key, value])


def stamp(name):
    """Changes with the image and with what is recorded; a part of the results."""
    code = inspect.getsource(recordings.RECORDINGS[name][0]) + str(vm.IMAGE.stat().st_mtime_ns)
    return hashlib.sha256(code.encode()).hexdigest()[:12]


def make(case, name, folder):
    run, source = recordings.RECORDINGS[name]
    rec = Recorder(case, folder, {"image": case.booted()} if source == "booted" else {})
    run(rec)
    log = writelog.Log(folder / "writes.log")
    at = replay.Disk(folder / "base.raw", folder / "check.raw", log)
    at.advance(len(log.entries))
    if not replay.same(folder / "check.raw", rec.disk):
        raise vm.Failure(f"{name}: the log does not lead to the disk that the machine left behind")
    (folder / "check.raw").unlink()
    (folder / "notes.json").write_text(json.dumps({**rec.notes, "stamp": stamp(name)}, indent=1))


def get(case, name):
    """The folder of the recording: base.raw, writes.log, notes.json."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    folder = FOLDER / name
    with open(FOLDER / f"{name}.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        notes = folder / "notes.json"
        if not notes.exists() or json.loads(notes.read_text())["stamp"] != stamp(name):
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
            make(case, name, folder)
    return folder
