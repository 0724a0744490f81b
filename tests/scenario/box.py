"""A box for one scenario: the real program as PID 1 of its own user, pid, mount, UTS, IPC, network and cgroup
namespaces, on a tmpfs root made of build/hearth, BusyBox and the scenario's own service files.

Nothing of it reaches the host: its root is an ordinary user outside (no clock, no sysctl, no reboot, no device),
/dev/kmsg and /dev/console are plain files, /proc/sysrq-trigger is /dev/null and there is no /sys/fs/cgroup.
"""
import ctypes
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEARTH = os.environ.get('HEARTH', TOP + '/build/hearth')
BUSYBOX = os.environ.get('BUSYBOX', TOP + '/build/pkg/busybox/bin/busybox')
LOGS = TOP + '/build/log'

DEADLINE = 15  # seconds; for conditions that come within milliseconds on an idle machine
OUTSIDE_ID = 100000  # who root of the box is outside, when the tests run as root

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 1, 2, 4096, 16384, 1 << 18, 2
SYS_PIVOT_ROOT = 155

libc = ctypes.CDLL(None, use_errno=True)


class Failed(AssertionError):
    """A scenario's expectation that did not come true."""


def must(result, what):
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, '%s: %s' % (what, os.strerror(code)))
    return result


def mount(source, target, kind, flags=0, data=None):
    enc = lambda s: None if s is None else s.encode()
    must(libc.mount(enc(source), enc(target), enc(kind), ctypes.c_ulong(flags), enc(data)), 'mount ' + target)


def until(condition, what, deadline=DEADLINE):
    """Waits for condition() to be true and returns its value."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed('not within %d s: %s' % (deadline, what))
        time.sleep(0.005)


def check(condition, what):
    if not condition:
        raise Failed(what)


def service(name, script=None, **keys):
    """The text of a service file; script runs under /bin/sh. Underscores in keys stand for '-'."""
    lines = ['name: ' + name]
    if script is not None:
        lines.append('command: [/bin/sh, -c, %s]' % json.dumps(script))
    for key, value in keys.items():
        if isinstance(value, (list, tuple)):
            value = '[%s]' % ', '.join(value)
        lines.append('%s: %s' % (key.replace('_', '-'), value))
    return '\n'.join(lines) + '\n'


SLEEP = 'exec sleep 3600'
STUBBORN = 'trap "" TERM; echo up >>/trace; while :; do sleep 0.02; done'  # only SIGKILL ends it


def traced(name, **keys):
    """A service that notes its coming and going in /trace. Ready when it has noted it and can be told to stop: with
    `ready: start` the next shell may be quicker."""
    script = ('trap "echo %s down >>/trace; exit 0" TERM; echo %s up >>/trace; echo READY=1 >&$NOTIFY_FD; '
              'while :; do sleep 0.02; done' % (name, name))
    return service(name, script, ready='notify', **keys)


class Box:
    """One running box. files: path in the box -> text. services: name -> text of its file. env: PID 1's environment,
    which is what stage 1 hands over."""

    def __init__(self, services, files=None, limits=None, env=None):
        self.files = {'/etc/passwd': 'root:x:0:0:root:/:/bin/sh\n', '/trace': '', '/dev/kmsg': '',
                      '/dev/console': '', '/etc/hearth/settings.yaml': 'hostname: ""\n',
                      '/usr/share/hearth/build-epoch': '1700000000\n'}
        self.files.update({'/etc/hearth/services/%s.yaml' % n: t for n, t in services.items()})
        self.files.update(files or {})
        self.limits = limits or []
        self.env = env or {}
        self.pid = None
        self.kept = {}
        self.status = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, value, trace):
        try:
            if self.status is None and self.pid is not None:
                os.kill(self.pid, signal.SIGKILL)
                self.wait()
        finally:
            for fd in self.kept.values():
                os.close(fd)
        return False

    # ---- making it ----

    def start(self):
        from_outside, to_inside = os.pipe()
        from_inside, to_outside = os.pipe()
        program = os.open(HEARTH, os.O_RDONLY)
        busybox = os.open(BUSYBOX, os.O_RDONLY)
        self.launcher = os.fork()
        if self.launcher == 0:
            code = 99
            try:
                os.close(to_inside)
                os.close(from_inside)
                code = self._launch(from_outside, to_outside, program, busybox)
            except BaseException as error:  # must not return into the caller's frames
                os.write(2, ('scenario: %s\n' % error).encode())
            os._exit(code)
        for fd in (from_outside, to_outside, program, busybox):
            os.close(fd)
        try:
            self._expect(from_inside, b'user')
            self._map_ids()
            os.write(to_inside, b'mapped\n')
            self.pid = int(self._expect(from_inside, b'pid').split()[1])
            self._expect(from_inside, b'built')
            for path in ('/dev/kmsg', '/dev/console', '/trace'):
                self.kept[path] = os.open(self.path(path), os.O_RDONLY)
            os.write(to_inside, b'go\n')
        finally:
            os.close(from_inside)
            os.close(to_inside)

    @staticmethod
    def _expect(fd, word):
        line = b''
        while not line.endswith(b'\n'):
            byte = os.read(fd, 1)
            if not byte:
                raise Failed('the box could not be made (needs user namespaces and a visible /proc)')
            line += byte
        check(line.startswith(word), 'expected %r, got %r' % (word, line))
        return line

    def _map_ids(self):
        base = '/proc/%d/' % self.launcher
        if os.getuid() == 0:
            lines = {'uid_map': '0 %d 65536' % OUTSIDE_ID, 'gid_map': '0 %d 65536' % OUTSIDE_ID}
        else:
            lines = {'setgroups': 'deny', 'uid_map': '0 %d 1' % os.getuid(), 'gid_map': '0 %d 1' % os.getgid()}
        for name, text in lines.items():
            with open(base + name, 'w') as f:
                f.write(text)

    def _launch(self, commands, answers, program, busybox):
        """In the launcher: namespaces, then PID 1; returns the way PID 1 ended as an exit status."""
        must(libc.unshare(CLONE_NEWUSER), 'unshare user')
        os.write(answers, b'user\n')
        self._expect(commands, b'mapped')
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        must(libc.unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP),
             'unshare')
        pid = os.fork()
        if pid == 0:
            try:
                self._become_init(commands, answers, program, busybox)
            except BaseException as error:
                os.write(2, ('scenario: %s\n' % error).encode())
            os._exit(98)
        os.write(answers, b'pid %d\n' % pid)
        os.close(answers)
        _, status = os.waitpid(pid, 0)
        return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)

    def _become_init(self, commands, answers, program, busybox):
        mount(None, '/', None, MS_REC | MS_PRIVATE)
        mount('tmpfs', '/tmp', 'tmpfs', MS_NOSUID, 'mode=755,size=64m')
        os.chdir('/tmp')
        for folder in ('bin', 'dev', 'proc', 'sys', 'run', 'tmp', 'var', 'old', 'state', 'data', 'boot', 'usr/bin'):
            os.makedirs(folder, exist_ok=True)
        mount('tmpfs', 'dev', 'tmpfs', MS_NOSUID, 'mode=755')
        for path, text in self.files.items():
            os.makedirs(os.path.dirname('.' + path), exist_ok=True)
            with open('.' + path, 'w') as f:
                f.write(text)
        for fd, path in ((program, 'usr/bin/hearth'), (busybox, 'bin/busybox')):
            with open(path, 'wb') as f:
                os.lseek(fd, 0, os.SEEK_SET)  # shared with other boxes made by this process
                while os.sendfile(f.fileno(), fd, None, 1 << 20):
                    pass
                os.fchmod(f.fileno(), 0o755)
        for applet in ('sh', 'sleep', 'echo', 'cat', 'kill', 'touch', 'seq', 'true', 'mkdir', 'head'):
            os.symlink('busybox', 'bin/' + applet)
        for node in ('null', 'zero', 'urandom'):
            os.close(os.open('dev/' + node, os.O_CREAT | os.O_WRONLY))
            mount('/dev/' + node, 'dev/' + node, None, MS_BIND)
        mount('proc', 'proc', 'proc')
        if os.path.exists('proc/sysrq-trigger'):
            mount('dev/null', 'proc/sysrq-trigger', None, MS_BIND)
        mount('tmpfs', 'sys', 'tmpfs', MS_RDONLY, 'mode=755')
        mount('.', '.', None, MS_BIND | MS_REC)
        os.chdir('/tmp')
        must(libc.syscall(SYS_PIVOT_ROOT, b'.', b'old'), 'pivot_root')
        os.chdir('/')
        must(libc.umount2(b'/old', MNT_DETACH), 'umount /old')
        os.rmdir('/old')
        console = os.open('/dev/console', os.O_RDWR | os.O_APPEND)
        os.write(answers, b'built\n')
        self._expect(commands, b'go')
        for fd in range(3):
            os.dup2(console, fd)
        os.closerange(3, 256)
        for what, soft in self.limits:
            resource.setrlimit(what, (soft, resource.getrlimit(what)[1]))
        for number in range(1, 32):
            if number not in (signal.SIGKILL, signal.SIGSTOP):
                signal.signal(number, signal.SIG_DFL)
        os.execve('/usr/bin/hearth', ['hearth', 'init'], self.env)

    # ---- looking into it ----

    def path(self, path):
        return '/proc/%d/root%s' % (self.pid, path)

    def read(self, path):
        """Text of a file in the box; kept ones (/dev/kmsg, /dev/console, /trace) can be read after its end."""
        fd = self.kept.get(path)
        if fd is not None:
            return os.pread(fd, 1 << 22, 0).decode(errors='replace')
        try:
            with open(self.path(path), errors='replace') as f:
                return f.read()
        except OSError:
            return ''

    def trace(self):
        """Lines that the services of the scenario wrote to /trace."""
        return self.read('/trace').split('\n')[:-1]

    def processes(self):
        """Host pids of everybody in the box but PID 1."""
        mine = os.readlink('/proc/%d/ns/pid' % self.pid)
        found = []
        for name in os.listdir('/proc'):
            try:
                if name.isdigit() and int(name) != self.pid and os.readlink('/proc/%s/ns/pid' % name) == mine:
                    found.append(int(name))
            except OSError:
                pass
        return found

    def host_pid(self, pid):
        """The host's number of a process that is `pid` inside."""
        for candidate in self.processes():
            try:
                with open('/proc/%d/status' % candidate) as f:
                    for line in f:
                        if line.startswith('NSpid:') and line.split()[-1] == str(pid):
                            return candidate
            except OSError:
                pass
        raise Failed('no process %d in the box' % pid)

    # ---- talking to it ----

    def connect(self, timeout=DEADLINE):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.settimeout(timeout)
        s.connect(self.path('/run/hearth/control'))
        return s

    def wait_control(self):
        def try_it():
            try:
                self.connect().close()
                return True
            except OSError:
                self.check_alive()
                return False
        until(try_it, 'the control socket')

    def ask(self, *words, sock=None):
        """One command over a raw connection; the JSON object, or Failed with PID 1's sentence."""
        kind, text = request(sock or self.connect(), *words)
        if kind != 1:
            raise Failed(text)
        return json.loads(text)

    def run(self, *argv):
        """A program of the box, run inside its file system as its root; what it printed."""
        fds = [os.open('/proc/%d/ns/%s' % (self.pid, n), os.O_RDONLY) for n in ('user', 'mnt')]

        def enter():
            must(libc.setns(fds[0], CLONE_NEWUSER), 'setns user')
            must(libc.setns(fds[1], CLONE_NEWNS), 'setns mnt')
            os.setresgid(0, 0, 0)
            os.setresuid(0, 0, 0)
        try:
            done = subprocess.run(argv, preexec_fn=enter, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=DEADLINE, env={}, pass_fds=fds)
        finally:
            for fd in fds:
                os.close(fd)
        if done.returncode != 0:
            raise Failed('%s: exit %d: %s' % (' '.join(argv), done.returncode, done.stderr.decode()))
        return done.stdout.decode()

    def ctl(self, *words):
        """`hearth ctl --json WORDS` as a process inside."""
        return json.loads(self.run('/usr/bin/hearth', 'ctl', '--json', *words))

    def service(self, name):
        for s in self.ask('services')['services']:
            if s['name'] == name:
                return s
        raise Failed('no service ' + name)

    def wait_service(self, name, *states, deadline=DEADLINE):
        return until(lambda: (lambda s: s if s['state'] in states else None)(self.service(name)),
                     '%s to be %s' % (name, ' or '.join(states)), deadline)

    def wait_ready(self, *names):
        self.wait_control()
        for name in names:
            self.wait_service(name, 'ready', 'done')

    def check_alive(self):
        if self.status is None:
            done, status = os.waitpid(self.launcher, os.WNOHANG)
            if done:
                self.status = os.WEXITSTATUS(status)
        check(self.status is None, 'PID 1 ended (status %s): %s' % (self.status, self.read('/dev/console')[-400:]))

    def wait(self, deadline=DEADLINE):
        """Waits for the end of the box; 128 + signal: how the kernel tells what PID 1 asked for."""
        def ended():
            done, status = os.waitpid(self.launcher, os.WNOHANG)
            return (os.WEXITSTATUS(status),) if done else None
        if self.status is None:
            self.status = until(ended, 'the end of the box', deadline)[0]
        return self.status

    def signal(self, number):
        os.kill(self.pid, number)


def pack(number, *words):
    return struct.pack('=I', number) + b''.join(w.encode() + b'\0' for w in words)


def receive(sock):
    """(id, kind, text) of one frame."""
    data = sock.recv(65536)
    check(len(data) >= 5, 'the connection ended')
    number, kind = struct.unpack('=IB', data[:5])
    return number, kind, data[5:].decode()


def request(sock, *words):
    sock.send(pack(7, *words))
    while True:
        number, kind, text = receive(sock)
        if number == 7 and kind != 3:
            return kind, text


RESTARTED = 128 + signal.SIGHUP  # reboot(2) in a pid namespace: its init is reported as killed by this
SWITCHED_OFF = 128 + signal.SIGINT  # halt and power-off
