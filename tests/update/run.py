#!/usr/bin/env python3
"""The update role and its worker (build/hearth) with files in the place of partitions, a file system in the place
of the ESP, and an HTTP server that misbehaves: every function case_* of cases/*.py.

  run.py [CASE...]       CASE: a name or a part of one

Writes build/results/update-test.tsv (verdict, name, seconds, detail), and of a failed case the role's log to
build/log/."""
import importlib
import os
import shutil
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from box import Box, own_mounts  # noqa: E402
from bundles import TOP, Bundle, Keys, blocks, image  # noqa: E402
from server import Server  # noqa: E402


class Stage:
    """What a case begins with: keys, a running system (version 0.1.0), a new one that shares most blocks with it."""
    BLOCKS = 2048
    CHANGED = 100

    def __init__(self, folder):
        self.folder = folder
        self.keys = Keys(folder)
        self.old_blocks = blocks(self.BLOCKS, 1)
        self.old = self.bundle(self.old_blocks, '0.1.0', uki=b'MZ old kernel')
        # Some blocks are others, and one was put in front: everything has moved by one.
        self.new_blocks = [*blocks(self.CHANGED, 2), *self.old_blocks]
        self.server = Server()
        self.notes = []

    def bundle(self, parts, version='0.2.0', **rest):
        return Bundle(self.folder, self.keys, image(parts), version, **rest)

    def box(self):
        return Box(self.folder, self.keys, self.old)

    def close(self):
        self.server.stop()


def find_cases():
    found = {}
    for file in sorted(os.listdir(HERE + '/cases')):
        if file.endswith('.py'):
            module = importlib.import_module('cases.' + file[:-3])
            found.update((name[5:], thing) for name, thing in vars(module).items() if name.startswith('case_'))
    return found


def run(name, case):
    began = time.monotonic()
    verdict, detail = 'pass', ''
    folder = tempfile.mkdtemp(prefix='hearth-update-')
    stage = None
    try:
        os.chmod(folder, 0o755)  # the worker is another user
        stage = Stage(folder)
        case(stage)
        detail = '; '.join(stage.notes)
    except Exception as e:  # a case may fail in any way
        frames = [f for f in traceback.extract_tb(e.__traceback__) if '/cases/' in f.filename]
        place = '%s:%d' % (os.path.basename(frames[-1].filename), frames[-1].lineno) if frames else 'stage'
        verdict, detail = 'fail', '%s: %s' % (place, str(e) or type(e).__name__)
        if os.path.exists(folder + '/role.log'):
            os.makedirs(TOP + '/build/log', exist_ok=True)
            shutil.copy(folder + '/role.log', '%s/build/log/update-%s.log' % (TOP, name))
            detail += ' (see build/log/update-%s.log)' % name
    if stage:
        stage.close()
    shutil.rmtree(folder, ignore_errors=True)
    return verdict, time.monotonic() - began, detail


def main():
    cases = {name: case for name, case in find_cases().items()
             if not sys.argv[1:] or any(word in name for word in sys.argv[1:])}
    Box.other_user = own_mounts()
    rows = []
    for name, case in cases.items():
        rows.append((name, *run(name, case)))
        print('%-4s %-18s %5.1f s  %s' % ('ok' if rows[-1][1] == 'pass' else 'FAIL', name, rows[-1][2], rows[-1][3]),
              flush=True)
    if not sys.argv[1:]:
        os.makedirs(TOP + '/build/results', exist_ok=True)
        with open(TOP + '/build/results/update-test.tsv', 'w') as f:
            f.writelines('%s\tupdate:%s\t%.1f\t%s\n' % (verdict, name, took, ' '.join(detail.split()))
                         for name, verdict, took, detail in rows)
    bad = sum(row[1] == 'fail' for row in rows)
    print('update-test: %d passed, %d failed' % (len(rows) - bad, bad))
    return 1 if bad or not cases else 0


if __name__ == '__main__':
    sys.exit(main())
