"""A box for the update role: a root of its own with an ESP, a state and a data file system, files in the place of the
two slots, and the test in the place of PID 1 (init/core/proto.h)."""
import ctypes
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

from bundles import TOP

HEARTH = os.environ.get('HEARTH', TOP + '/build/hearth')
OK, ERROR, ASK = 1, 2, 4  # enum proto_kind
DEADLINE = 30
SIZES = {'boot': 20, 'state': 4, 'data': 100}  # MiB
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_REC, MS_PRIVATE = 16384, 1 << 18
libc = ctypes.CDLL(None, use_errno=True)


class Failed(AssertionError):
    """An expectation that did not come true."""


class Refused(Exception):
    """The role answered with an error; its text is what a person would read."""


def must(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def own_mounts():
    """A mount namespace for this process and its children. True when the worker can have a user of its own."""
    uid, gid = os.getuid(), os.getgid()
    must(libc.unshare(CLONE_NEWNS | (0 if uid == 0 else CLONE_NEWUSER)))
    if uid != 0:
        for name, text in (('setgroups', 'deny'), ('uid_map', '0 %d 1' % uid), ('gid_map', '0 %d 1' % gid)):
            with open('/proc/self/' + name, 'w') as f:
                f.write(text)
    must(libc.mount(b'none', b'/', None, MS_REC | MS_PRIVATE, None))
    return uid == 0


def until(condition, what, deadline=DEADLINE):
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed('not within %d s: %s' % (deadline, what() if callable(what) else what))
        time.sleep(0.01)


class Box:
    other_user = True  # the worker is another user than the role

    def __init__(self, folder, keys, running, slot_bytes=16 << 20):
        """running: the Bundle whose image is in slot a."""
        self.root = folder + '/root'
        for name in ('boot', 'state', 'data', 'run/hearth', 'etc', 'usr/bin', 'dev', 'slots', 'proc'):
            os.makedirs(self.root + '/' + name)
        for name, size in SIZES.items():
            must(libc.mount(b'none', (self.root + '/' + name).encode(), b'tmpfs', 0, b'size=%dm' % size))
        os.makedirs(self.root + '/boot/EFI/Linux')
        shutil.copy(HEARTH, self.root + '/usr/bin/hearth')
        shutil.copytree(keys.folder, self.root + '/etc/keys')
        self.write('etc/passwd', b'root:x:0:0:::\nupdate:x:903:903:::\n')
        self.write('etc/resolv.conf', b'')
        self.write('etc/hosts', b'127.0.0.1 localhost\n')
        self.write('dev/null', b'')
        self.write('etc/ca.pem', b'')
        self.write('slots/a', running.slot().ljust(slot_bytes, b'\0'))
        self.write('slots/b', b'old' * (slot_bytes // 3) + bytes(slot_bytes % 3))
        self.write('boot/EFI/Linux/hearth-0001-a.efi', running.uki)
        self.write('boot/EFI/Linux/hearth-0000-b.efi', b'older kernel')
        self.facts, self.asked, self.answers, self.reboots = {}, 0, {}, []
        self.world = {'sun': 'on', 'time-synced': 'on'}  # facts of PID 1
        self.options = []  # more words for the role
        self.news = threading.Condition()
        self.program = self.channel = self.reader = None
        self.log = folder + '/role.log'

    # -- files ------------------------------------------------------------------------------------------------------

    def path(self, name):
        return self.root + '/' + name

    def write(self, name, data):
        with open(self.path(name), 'wb') as f:
            f.write(data)

    def read(self, name):
        with open(self.path(name), 'rb') as f:
            return f.read()

    def rename(self, name, to):
        os.rename(self.path(name), self.path(to))

    def mkdir(self, name):
        os.mkdir(self.path(name))

    def remove(self):
        """Its files, when it is stopped: another box may come."""
        shutil.rmtree(self.root)

    def exists(self, name):
        return os.path.exists(self.path(name))

    def entries(self):
        return sorted(os.listdir(self.path('boot/EFI/Linux')))

    def picture(self):
        """Everything that a refusal must leave as it is."""
        return (self.read('slots/a'), self.read('slots/b'), self.entries(), sorted(os.listdir(self.path('state'))),
                self.exists('data/update/job'))

    # -- life -------------------------------------------------------------------------------------------------------

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        for name in SIZES:
            libc.umount2(self.path(name).encode(), 2)

    def start(self):
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        argv = ['chroot', self.root, '/usr/bin/hearth', 'update', '--keys', '/etc/keys', '--ca', '/etc/ca.pem',
                '--target', '/slots/b', '--running', '/slots/a', '--slot', 'a',
                '--user', 'update' if self.other_user else '', *self.options]
        with open(self.log, 'ab') as log:
            # The shell moves the channel from 0, where Popen can put it, to 3; every step keeps the pid.
            self.program = subprocess.Popen(['sh', '-c', 'exec "$@" 3<&0 </dev/null', 'sh', *argv], stdin=theirs,
                                            stdout=log, stderr=log)
        theirs.close()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def stop(self, number=signal.SIGTERM):
        if self.program.poll() is None:
            self.program.send_signal(number)
        self.program.wait(10)
        self.channel.close()
        self.reader.join()

    def worker(self):
        """Its process, or None."""
        with open('/proc/%d/task/%d/children' % (self.program.pid, self.program.pid)) as f:
            pids = [int(word) for word in f.read().split()]
        for pid in pids:
            try:
                with open('/proc/%d/stat' % pid) as f:
                    if f.read().rsplit(')', 1)[1].split()[0] != 'Z':
                        return pid
            except OSError:
                pass  # it has just ended
        return None

    def tail(self):
        with open(self.log, errors='replace') as f:
            return ''.join(f.readlines()[-8:])

    # -- the channel ------------------------------------------------------------------------------------------------

    def _read(self):
        while True:
            try:
                frame = self.channel.recv(65536)
            except OSError:
                return
            if not frame:
                return
            number, body = struct.unpack('=I', frame[:4])[0], frame[4:]
            with self.news:
                if body[:1] in (bytes([OK]), bytes([ERROR])):
                    self.answers[number] = (body[0], body[1:].decode())
                else:
                    self._take(number, body.rstrip(b'\0').decode().split('\0'))
                self.news.notify_all()

    def _take(self, number, words):
        answer = bytes([OK]) + b'{}'
        if words[0] == 'fact':
            self.facts[words[1]] = (words[2], words[3] if len(words) > 3 else '')
        elif words[0] == 'facts':
            rows = [{'name': name, 'value': value} for name, value in
                    (('app-web', 'on'), ('app-dns', 'off'), *self.world.items())]
            answer = bytes([OK]) + json.dumps({'facts': rows}).encode()
        elif words[0] == 'reboot':
            self.reboots.append(words[1:])
        else:
            answer = bytes([ERROR]) + b'no such request'
        try:
            self.channel.send(struct.pack('=I', number) + answer)
        except OSError:
            pass  # it is ending

    def ask(self, *words, fds=(), deadline=25):
        with self.news:
            self.asked += 1
            number = self.asked
        frame = struct.pack('=IB', number, ASK) + ''.join(word + '\0' for word in words).encode()
        socket.send_fds(self.channel, [frame], fds)
        with self.news:
            if not self.news.wait_for(lambda: number in self.answers, deadline):
                raise Failed('no answer to %s; the log ends:\n%s' % (' '.join(words), self.tail()))
            kind, text = self.answers.pop(number)
        if kind == ERROR:
            raise Refused(text)
        return json.loads(text)

    def update(self, *words):
        return self.ask('update', *words)

    def upload(self, size):
        """Begins one; the write end of its pipe, a file without a buffer."""
        theirs, ours = os.pipe()
        with os.fdopen(theirs, 'rb') as end, os.fdopen(ours, 'wb', 0) as pipe:
            self.ask('update', 'upload', str(size), fds=[end.fileno()])
            return os.fdopen(os.dup(pipe.fileno()), 'wb', 0)

    def part(self, data, start):
        """A part of an upload in parts; or as much of it as somebody reads."""
        theirs, ours = os.pipe()
        with os.fdopen(theirs, 'rb') as end, os.fdopen(ours, 'wb', 0) as pipe:
            self.ask('update', 'upload', str(len(data)), str(start), fds=[end.fileno()])
            end.close()
            rest = memoryview(data)
            while rest:
                rest = rest[pipe.write(rest):]

    def refusal(self, *words, fds=()):
        try:
            self.ask('update', *words, fds=fds)
        except Refused as why:
            return str(why)
        raise Failed('update %s was not refused' % ' '.join(words))

    def wait_fact(self, name, value, text=''):
        with self.news:
            if not self.news.wait_for(lambda: self.facts.get(name, ('', ''))[0] == value
                                      and text in self.facts[name][1], DEADLINE):
                raise Failed('%s is %s, not %s with %r' % (name, self.facts.get(name), value, text))

    def wait_state(self, *states, deadline=DEADLINE):
        """The answer of `update` when its state is one of these."""
        last = {}

        def there():
            last.update(self.update())
            return last['state'] in states
        until(there, lambda: '%s, it is %s; the log ends:\n%s' % (' or '.join(states), last, self.tail()), deadline)
        return last
