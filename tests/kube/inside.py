"""PID 1 of a test cluster's namespaces: lays out mounts and network, then starts, signals and reaps programs.

Started by cluster.py. The first line of its input is the layout as JSON; every later one is an order. It answers with
JSON lines: {"ready": true}, {"started": NAME, "pid": N}, {"exited": NAME, "status": N}. When its input ends it ends,
and with it everything in its pid namespace.
"""
import json
import os
import select
import signal
import subprocess


def run(*words):
    subprocess.run(words, check=True)


def bind(source, target):
    run('mount', '--bind', source, target)


def mounts(layout):
    work = layout['work']
    run('mount', '--make-rprivate', '/')
    run('mount', '-t', 'proc', 'proc', '/proc')
    run('mount', '-t', 'sysfs', 'sysfs', '/sys')
    cgroups(layout['cgroups'])
    for name, target in (('etc', '/etc'), ('lib', '/var/lib'), ('log', '/var/log')):
        bind(work + '/' + name, target)
    run('mount', '-t', 'tmpfs', '-o', 'mode=755', 'run', '/run')
    os.makedirs('/run/lock', exist_ok=True)
    # The kubelet sets these for the whole machine, whatever its namespaces: let it set files instead.
    for name, value in layout['sysctls'].items():
        path = '%s/sysctl/%s' % (work, name.replace('/', '.'))
        with open(path, 'w') as f:
            f.write(value + '\n')
        bind(path, '/proc/sys/' + name)
    run('mount', '--make-rshared', '/')


def cgroups(kinds):
    """kinds: the v1 hierarchies of the machine, each with its controllers, or none for cgroup v2."""
    if not kinds:
        run('mount', '-t', 'cgroup2', 'cgroup2', '/sys/fs/cgroup')
        os.makedirs('/sys/fs/cgroup/daemons', exist_ok=True)
        with open('/sys/fs/cgroup/daemons/cgroup.procs', 'w') as f:
            f.write('1')
        with open('/sys/fs/cgroup/cgroup.controllers') as f:
            there = f.read().split()
        with open('/sys/fs/cgroup/cgroup.subtree_control', 'w') as f:
            f.write(' '.join('+' + name for name in there))
        return
    run('mount', '-t', 'tmpfs', '-o', 'mode=755', 'cgroup', '/sys/fs/cgroup')
    for kind in kinds:
        target = '/sys/fs/cgroup/' + kind.removeprefix('name=')
        os.makedirs(target)
        option = 'none,' + kind if kind.startswith('name=') else kind
        run('mount', '-t', 'cgroup', '-o', option, 'cgroup', target)


def network(layout):
    run('ip', 'link', 'set', 'lo', 'up')
    if layout['offline']:
        return
    for kind in ('dummy', 'bridge'):  # not every kernel has dummy interfaces; a bridge without ports will do
        if subprocess.run(['ip', 'link', 'add', 'node0', 'type', kind], stderr=subprocess.DEVNULL).returncode == 0:
            break
    run('ip', 'address', 'add', layout['address'] + '/24', 'dev', 'node0')
    run('ip', 'link', 'set', 'node0', 'up')
    run('ip', 'route', 'add', 'default', 'via', layout['gateway'], 'dev', 'node0')


def say(**words):
    print(json.dumps(words), flush=True)


class Programs:
    """What has been started and not yet reaped."""

    def __init__(self):
        self.running = {}

    def start(self, order):
        log = open(order['log'], 'ab')
        program = subprocess.Popen(order['argv'], env=order['env'], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   start_new_session=True, pass_fds=order.get('fds', ()))
        log.close()
        self.running[program.pid] = order['start']
        say(started=order['start'], pid=program.pid)

    def signal(self, order):
        for pid, name in self.running.items():
            if name == order['signal']:
                os.kill(pid, order['number'])

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            name = self.running.pop(pid, None)
            if name:
                say(exited=name, status=os.waitstatus_to_exitcode(status))


def main():
    commands = open(0, "rb", buffering=0)
    layout = json.loads(commands.readline())
    mounts(layout)
    network(layout)
    run('hostname', layout['name'])
    wake, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    say(ready=True)
    programs = Programs()
    poll = select.poll()
    poll.register(commands, select.POLLIN)
    poll.register(wake, select.POLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == wake:
                os.read(wake, 512)
                programs.reap()
                continue
            line = commands.readline()
            if not line:
                return
            order = json.loads(line)
            (programs.start if 'start' in order else programs.signal)(order)


main()
