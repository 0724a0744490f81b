#!/usr/bin/env python3
"""The kube role (build/hearth) against a real k3s, containerd and runc in namespaces of their own, and against a proxy
that misbehaves: every function case_* of cases/*.py.

  run.py [--quick | --long] [CASE...]       CASE: a name or a part of one; --quick: QUICK alone, and fewer faults;
                                            --long: also faults that the role notices only after minutes

Writes build/results/kube-test.tsv (verdict, name, seconds, detail), and of a failed case the role's and the cluster's
logs to build/log/. HEARTH=PATH tests another program. Where this machine gives no rights for namespaces, the API server
runs alone, and cases that need a node are skipped, saying so."""
import importlib
import inspect
import os
import shutil
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from cluster import Cluster, Failed, tail  # noqa: E402
from role import HEARTH, TOP  # noqa: E402
from stage import Stage  # noqa: E402

QUICK = ('apply', 'drift', 'prune', 'guard', 'conflict', 'immutable', 'faults')
ORDER = (*QUICK, 'bad_manifests', 'answers', 'pause', 'restart', 'connection', 'thousand', 'server_gone')
PKG = TOP + '/build/pkg/'
LOGS = TOP + '/build/log'


def find_cases():
    """name: function, in ORDER, which names each of them."""
    found = {}
    for file in sorted(os.listdir(HERE + '/cases')):
        if file.endswith('.py'):
            module = importlib.import_module('cases.' + file[:-3])
            found.update((name[5:], thing) for name, thing in vars(module).items() if name.startswith('case_'))
    return {name: found[name] for name in ORDER if name in found} | found


def choose(words):
    """The cases that the arguments ask for, and the flags among these."""
    flags = {flag: '--' + flag in words for flag in ('quick', 'long')}
    words = [word for word in words if not word.startswith('--')]

    def wanted(name):
        return any(word in name for word in words) if words else not flags['quick'] or name in QUICK
    return {name: case for name, case in find_cases().items() if wanted(name)}, flags


def open_cluster(folder):
    return Cluster(folder, PKG + 'k3s/bin/k3s', cni=PKG + 'cni-plugins/bin', pause=PKG + 'pause/bin/pause',
                   path=[PKG + part for part in ('containerd/bin', 'runc/bin', 'iptables/sbin', 'ipset/sbin')])


def keep_logs(name, folder, cluster):
    """Copies what tells why; gives the path of the role's."""
    os.makedirs(LOGS, exist_ok=True)
    path = '%s/kube-%s.log' % (LOGS, name)
    with open(path, 'w') as f:
        for part in (folder + '/role.log', cluster.log('k3s')):
            f.write('==== %s\n%s\n' % (os.path.basename(part), tail(part, 400)))
    return os.path.relpath(path, TOP)


def where(error):
    """The place in the case, not in the helpers that it calls."""
    frames = traceback.extract_tb(error.__traceback__)
    mine = [frame for frame in frames if '/cases/' in frame.filename] or frames
    return '%s:%d' % (os.path.basename(mine[-1].filename), mine[-1].lineno)


def run(name, case, cluster, folder, flags):
    """(verdict, seconds, detail) of one case."""
    began = time.monotonic()
    needs = inspect.signature(case).parameters
    if 'node' in needs and cluster.alone:
        return 'skip', 0, 'the API server alone, since ' + cluster.alone
    stage = Stage(cluster, 'case-' + name.replace('_', '-'), folder)
    verdict, detail = 'pass', ''
    try:
        given = {**flags, 'node': cluster.name}
        case(stage, **{key: given[key] for key in needs if key in given})
        detail = '; '.join(stage.notes)
    except Exception as e:  # a case may fail in any way
        verdict, detail = 'fail', '%s: %s' % (where(e), str(e) or type(e).__name__)
        detail = '%s (see %s)' % (detail.split('\n')[0], keep_logs(name, folder, cluster))
    try:
        stage.clear()
    except Exception as e:
        verdict, detail = 'fail', detail or 'clearing up: %s' % e
    return verdict, time.monotonic() - began, detail


def run_all(cases, flags, report):
    with tempfile.TemporaryDirectory(prefix='hearth-kube-') as folder:
        with open_cluster(folder + '/cluster') as cluster:
            began = time.monotonic()
            cluster.start()
            if not cluster.alone:
                cluster.wait_node()
            report('pass', 'cluster', time.monotonic() - began,
                   'the API server alone, since ' + cluster.alone if cluster.alone else 'node Ready')
            for name, case in cases.items():
                os.makedirs('%s/%s' % (folder, name))
                verdict, took, detail = run(name, case, cluster, '%s/%s' % (folder, name), flags)
                report(verdict, name, took, detail)
                shutil.rmtree('%s/%s' % (folder, name))


def main():
    cases, flags = choose(sys.argv[1:])
    rows = []

    def report(verdict, name, took, detail):
        rows.append((verdict, name, took, detail))
        print('%-4s %-16s %5.1f s  %s' % ({'fail': 'FAIL', 'pass': 'ok'}.get(verdict, verdict), name, took, detail),
              flush=True)
    began = time.monotonic()
    try:
        if not os.access(HEARTH, os.X_OK):
            raise Failed('no program %s; make hearth' % HEARTH)
        run_all(cases, flags, report)
        report('pass', 'machine', 0, 'sysctls, cgroups, mounts, rules and interfaces are as they were')
    except Exception as e:
        report('fail', 'cluster', time.monotonic() - began, '%s: %s' % (where(e), e))
    if all(word.startswith('--') for word in sys.argv[1:]):
        os.makedirs(TOP + '/build/results', exist_ok=True)
        with open(TOP + '/build/results/kube-test.tsv', 'w') as f:
            f.writelines('%s\tkube:%s\t%.1f\t%s\n' % (verdict, name, took, detail.replace('\n', ' ').replace('\t', ' '))
                         for verdict, name, took, detail in rows)
    bad = sum(row[0] == 'fail' for row in rows)
    print('kube-test: %d passed, %d failed, %d skipped, %.0f s' %
          (sum(row[0] == 'pass' for row in rows), bad, sum(row[0] == 'skip' for row in rows),
           time.monotonic() - began))
    return 1 if bad or not cases else 0


if __name__ == '__main__':
    sys.exit(main())
