"""Judges a disk as a power cut left it, without booting it: what the boot loader would start and whether that is whole,
whether the file systems come back and check clean, and whether everything that the box had acknowledged is there.

Every finding is one sentence. The disk is only read; what has to be repaired or mounted is copied first."""
import hashlib
import re
import struct
import subprocess

import disk
import vm
from powercut import datastore, fat, replay, xfs

ENTRY = re.compile(r"hearth-(\d{4}|[1-9]\d{4,8})-([ab])(?:\+(\d{1,9})(?:-(\d{1,9}))?)?\.efi")
WORDS = re.compile(rb"hearth\.root=([0-9a-f-]{36}) hearth\.roothash=([0-9a-f]{64})")
FRESH = 1 << 56
REPAIRED, NO_SUPERBLOCK = 2, 8  # e2fsck's status: the most that is good; one that it cannot begin with
ENTRIES = "/EFI/Linux"


class Lost(Exception):
    """A finding."""


def tool(*command, **how):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, errors="replace", **how)
    return done.returncode, (done.stdout + done.stderr).strip()


def last_line(text):
    return (text.splitlines() or ["nothing said"])[-1][:200]


def image_end(path, first=0):
    """Where the hash tree begins behind the image of a root; 0: there is none."""
    head = disk.read(path, first + 1024, 128)
    return struct.unpack_from("<I", head, 36)[0] << head[12] if head[:4] == b"\xe2\xe1\xf5\xe0" else 0


def damage(esp):
    try:
        esp.check()
    except fat.Damaged as e:
        return str(e)
    return None


class Entries:
    """The boot entries by the rules of init/host/bootenv.h."""

    def __init__(self, names):
        """names: {name: size}"""
        self.names, self.all = names, []
        for name, size in names.items():
            m = ENTRY.fullmatch(name)
            if m and size > 0:
                self.all.append((int(m[1]), m[2], None if m[3] is None else int(m[3]), name))

    def chosen(self):
        """(slot, name) that the loader starts: the highest generation that is not bad, else the highest."""
        if not self.all:
            others = [name for name, size in self.names.items() if name.lower().endswith(".efi") and size > 0]
            raise Lost(f"the boot loader has no entry of ours to start; others: {others}")
        best = max(self.all, key=lambda e: (e[2] != 0, e[0], e[2] is None, e[2] or 0))
        return best[1], best[3]

    def alike(self):
        """Names of which the loader may take any: of one generation those that are not bad, when there are some."""
        slot, name = self.chosen()
        generation = next(e[0] for e in self.all if e[3] == name)
        own = [e for e in self.all if e[1] == slot and e[0] == generation]
        return [e[3] for e in own if e[2] != 0] or [name]

    def with_slot_a(self):
        """The names when slot a comes back, by itself or by hand."""
        if self.chosen()[0] == "a":
            return [e[3] for e in self.all]
        if self.good("b"):
            return [f"hearth-{max(e[0] for e in self.all) + 1:04}-a.efi", *(e[3] for e in self.all if e[1] == "b")]
        return [f"hearth-{e[0]:04}-b+0-3.efi" if e[1] == "b" else e[3] for e in self.all]

    def good(self, slot):
        """The name of the slot's newest entry, if it is good, else None."""
        own = [e for e in self.all if e[1] == slot]
        newest = max((e[0] for e in own), default=None)
        return next((e[3] for e in own if e[0] == newest and e[2] is None), None)


class Judge:
    def __init__(self, folder, notes, ukis):
        """folder: room for copies. ukis: SHA-256 of every boot entry that is whole."""
        self.dir, self.notes, self.ukis = folder, notes, ukis
        self.whole = {}  # slots that were verified: what they were made of
        self.xfs = xfs.Checker(folder)

    def close(self):
        self.xfs.close()

    def judge(self, work, length):
        """[finding]. length: of the log at the cut."""
        self.work, self.found, self.files = work, [], None
        self.state_seen, self.xfs.tree = False, {}
        for part in (self._table, self._esp, self._slot, self._state, self._data):
            try:
                part()
            except Lost as e:
                self.found.append(str(e))
            except fat.Damaged as e:
                self.found.append(f"esp: {e}")
            if part == self._table and self.found:
                return self.found
        for key, value in self._said(length):
            try:
                KEEPS[key](self, value)
            except Lost as e:
                self.found.append(f"acknowledged and lost: {e}")
        allowed = self.permitted(length)
        if getattr(self, "slot", None) and self.slot not in allowed:
            self.found.append(f"slot {self.slot} would start ({self.entry}), permitted: {allowed}")
        return self.found

    def _said(self, length):
        said = {}
        for at, key, value in self.notes["said"]:
            if at <= length:
                said[key, value if key == "good" else None] = value
        return [(key, value) for (key, _), value in said.items()]

    def permitted(self, length):
        return [slots for at, slots in self.notes["permits"] if at <= length][-1]

    def name(self, length):
        """The box's name, when a cut cannot take it back any more."""
        return next((value for at, key, value in reversed(self.notes["said"]) if key == "name" and at <= length), None)

    # The parts

    def _table(self):
        """Either copy: the kernel takes the backup too (board/cmdline says "gpt"), and the box mends the other."""
        for backup in (False, True):
            try:
                self.parts = disk.gpt(self.work.path, backup=backup, fitted=False)[0]
                return
            except (AssertionError, struct.error, UnicodeDecodeError) as e:
                why = e
        raise Lost(f"no partition table: {why}")

    def _esp(self):
        self.slot = self.entry = None
        self.entries, self.whole_entries = Entries({}), set()
        first, size, _ = self.parts["esp"]
        wrong = self._started(self.work.path, first, size)
        if wrong:
            self._repaired(wrong)

    def _started(self, path, first, size):
        """What the loader starts, which must be whole. Returns what is damaged otherwise, or None."""
        esp = fat.Fat(path, first, size)
        try:
            folder = esp.find(ENTRIES)
            if folder is None or esp.find("/EFI/BOOT/BOOTX64.EFI") is None:
                raise Lost("esp: no boot loader or no folder of entries")
            files = {name: (cluster, size) for name, is_folder, cluster, size in esp.folder(folder[1])
                     if not is_folder}
            self.entries = Entries({name: size for name, (_, size) in files.items()})
            self.slot, self.entry = self.entries.chosen()
            self.uki = esp.read(*files[self.entry])
            self.whole_entries = {e[3] for e in self.entries.all if self._is_whole(esp, files[e[3]])}
            for name in self.entries.alike():
                if name not in self.whole_entries:
                    raise Lost(f"esp: {name} would start and is not a whole boot entry")
            return damage(esp)
        finally:
            esp.close()

    def _is_whole(self, esp, file):
        try:
            return hashlib.sha256(esp.read(*file)).hexdigest() in self.ukis
        except fat.Damaged:
            return False

    def _repaired(self, wrong):
        """A file that was being written or removed is repaired by the box's own check before its mount (node/fs), and
        the loader starts the same before and after."""
        first, size, _ = self.parts["esp"]
        before, copy = (self.slot, self.entry), self.dir / "esp.raw"
        replay.copy(self.work.path, copy, first, size)
        try:
            status, said = tool(vm.BUILD / "root/usr/sbin/fsck.fat", "-a", "-w", copy)
            if status > 1:
                raise Lost(f"esp: {wrong}; the box's own check gives up (status {status}): {last_line(said)}")
            still = self._started(copy, 0, size)
            if still:
                raise Lost(f"esp: {wrong}; after the box's own check: {still}")
            if (self.slot, self.entry) != before:
                raise Lost(f"esp: {before[1]} would start, and after the box's own check {self.entry}")
        finally:
            copy.unlink()

    def _slot(self):
        """The slot that would start holds the root that its entry names, every block of it."""
        if self.slot is None:
            return
        first, size, _ = self.parts[f"system-{self.slot}"]
        made_of = self.work.version(first, size)
        words = WORDS.search(self.uki)
        if not words:
            raise Lost(f"esp: {self.entry} names no root")
        if self.whole.get(self.slot) == (made_of, words[2]):
            return
        copy = self.dir / "slot.raw"
        replay.copy(self.work.path, copy, first, size)
        try:
            end = image_end(copy)
            if not end:
                raise Lost(f"slot {self.slot} would start and holds no root")
            status, said = tool("veritysetup", "verify", copy, copy, words[2].decode(), f"--hash-offset={end}")
            if status:
                raise Lost(f"slot {self.slot} would start and is not whole: {last_line(said)}")
        finally:
            copy.unlink()
        self.whole[self.slot] = (made_of, words[2])

    def _filled(self, name):
        """A partition whose file system is complete: the box takes the mark away only then."""
        return name in self.parts and not self.parts[name][2] & FRESH

    def _state(self):
        if not self._filled("state"):
            return
        first, size, _ = self.parts["state"]
        self.state = self.dir / "state.raw"
        replay.copy(self.work.path, self.state, first, size)
        # As the box does it (node/fs).
        status, said = tool("e2fsck", "-p", self.state)
        if status == NO_SUPERBLOCK:
            status, said = tool("e2fsck", "-p", "-b", "32768", "-B", "4096", self.state)
        if status > REPAIRED:
            raise Lost(f"state: the box's own check gives up (status {status}): {last_line(said)}")
        status, said = tool("e2fsck", "-fn", self.state)
        if status:
            raise Lost(f"state: not clean after its check (status {status}): {last_line(said)}")
        self.state_seen = True
        for path, form in RECORDS.items():
            text = self.read(path)
            if text is not None and not re.fullmatch(form, text, re.S):
                raise Lost(f"state: {path} is neither the old nor the new one: {text[:60]!r}")

    def read(self, path):
        """A file of the state partition, or None."""
        if not self.state_seen:
            return None
        done = subprocess.run(["debugfs", "-R", f"cat {path}", str(self.state)], capture_output=True)
        return None if b"File not found" in done.stderr else done.stdout.decode("utf-8", "replace")

    def _data(self):
        """Mounting recovers an XFS, so its log is played back by a mount, and only then there is something to check."""
        if not self._filled("data"):
            return
        first, size, _ = self.parts["data"]
        replay.copy(self.work.path, self.xfs.data, first, size)
        wrong = self.xfs.check()
        if wrong:
            raise Lost(f"data: {wrong}")


# Small files of the state partition: what each may hold at any time, if it is there.
RECORDS = {
    "/machine-id": r"[0-9a-f]{32}\n",
    "/boots": r"\d+\n",
    "/clock": r"\d+\n",
    "/last-shutdown": r"[ -~]+\n",
    "/settings.yaml": r".*\S.*\n",
    "/tls/cert.pem": r"-----BEGIN CERTIFICATE-----\n.*-----END CERTIFICATE-----\n",
    "/tls/key.pem": r"-----BEGIN .*-----END [A-Z ]+-----\n",
}


def keeps_name(j, value):
    own = re.search(r"^hostname: *\"?([a-z0-9-]+)", j.read("/settings.yaml") or "", re.M)
    found = own[1] if own else f"hearth-{(j.read('/machine-id') or '')[:6]}"
    if found != value:
        raise Lost(f"the name was {value} and is {found}")


def keeps_boots(j, value):
    found = j.read("/boots") or ""
    if not re.fullmatch(RECORDS["/boots"], found) or int(found) < value:
        raise Lost(f"start {value} was counted, the record says {found!r}")


def keeps_certificate(j, value):
    if (j.read("/tls/cert.pem") or "").split() != value.split():
        raise Lost("the certificate of the web console")


def keeps_settings(j, value):
    if j.read("/settings.yaml") != value:
        raise Lost(f"the settings are {j.read('/settings.yaml')!r}")


def keeps_good(j, value):
    if j.entries.good(value) not in j.whole_entries:
        raise Lost(f"slot {value} was confirmed; entries: {[e[3] for e in j.entries.all]}, "
                   f"whole: {sorted(j.whole_entries)}")


def keeps_datastore(j, value):
    """One set, whichever slot starts: slot a has its own again, slot b what it has written over that so far."""
    if not j.xfs.tree:
        raise Lost("the datastore")
    old = ["old"] * len(datastore.PIECES)
    found = datastore.after_start(j.xfs.tree, "a", j.entries.with_slot_a())
    if found != old:
        raise Lost(f"the datastore of slot a: {found}")
    if j.slot != "b":
        return
    found = datastore.after_start(j.xfs.tree, "b", [e[3] for e in j.entries.all])
    news = found.count("new")
    if found != ["new"] * news + old[news:] or (value == "new" and news < len(old)):
        raise Lost(f"the datastore of slot b: {found}")


KEEPS = {"name": keeps_name, "boots": keeps_boots, "certificate": keeps_certificate, "settings": keeps_settings,
         "good": keeps_good, "datastore": keeps_datastore}


def whole_entries(*disks):
    """SHA-256 of every boot entry on disks that nothing was cut off from."""
    found = set()
    for path in disks:
        first, size, _ = disk.gpt(path, fitted=False)[0]["esp"]
        esp = fat.Fat(path, first, size)
        found |= {hashlib.sha256(esp.read(cluster, size)).hexdigest()
                  for _, is_folder, cluster, size in esp.folder(esp.find(ENTRIES)[1]) if not is_folder}
        esp.close()
    return found
