#!/usr/bin/env python3
"""Runs the scenarios: every function case_* of cases/*.py. Arguments: names (or parts of them) of those to run.
Writes build/results/scenario.tsv (verdict, name, seconds, detail) and the logs of failed boxes to build/log/."""
import importlib
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import box as boxes  # noqa: E402


def find_cases(wanted):
    for file in sorted(os.listdir(HERE + '/cases')):
        if not file.endswith('.py'):
            continue
        module = importlib.import_module('cases.' + file[:-3])
        for name in vars(module):
            full = file[:-3] + ':' + name[5:]
            if name.startswith('case_') and (not wanted or any(w in full for w in wanted)):
                yield full, getattr(module, name)


def keep_logs(name, box):
    os.makedirs(boxes.LOGS, exist_ok=True)
    path = '%s/scenario-%s.log' % (boxes.LOGS, name.replace(':', '-'))
    with open(path, 'w') as f:
        for part in ('/dev/console', '/dev/kmsg', '/trace'):
            f.write('==== %s\n%s\n' % (part, box.read(part)))
    return path


def run(case):
    """The error, or ''; a case is a generator-free function that gets a function which makes its box."""
    made = []

    def make(*args, **kwargs):
        made.append(boxes.Box(*args, **kwargs))
        return made[-1].__enter__()
    error = ''
    try:
        case(make)
        for b in made:
            if b.status is None:
                b.check_alive()
    except Exception as e:  # a case may fail in any way
        where = traceback.extract_tb(e.__traceback__)[-1 if not isinstance(e, boxes.Failed) else 1]
        error = '%s:%d: %s' % (os.path.basename(where.filename), where.lineno, e or type(e).__name__)
    return error, made


def main():
    results, bad = [], 0
    begun = time.monotonic()
    for name, case in find_cases(sys.argv[1:]):
        start = time.monotonic()
        error, made = run(case)
        for b in made:
            if error and b.kept:
                error += ' (see %s)' % os.path.relpath(keep_logs(name, b), boxes.TOP)
            b.__exit__(None, None, None)
        took = time.monotonic() - start
        bad += bool(error)
        results.append('%s\t%s\t%.1f\t%s\n' % ('fail' if error else 'pass', name, took, error.replace('\n', ' ')))
        print('%s %-40s %5.1f s  %s' % ('FAIL' if error else 'ok  ', name, took, error), flush=True)
    os.makedirs(boxes.TOP + '/build/results', exist_ok=True)
    if not sys.argv[1:]:
        with open(boxes.TOP + '/build/results/scenario.tsv', 'w') as f:
            f.writelines(results)
    print('scenario: %d passed, %d failed, %.0f s' % (len(results) - bad, bad, time.monotonic() - begun))
    return 1 if bad or not results else 0


if __name__ == '__main__':
    sys.exit(main())
