"""One run of the kube role, with the test in the place of PID 1: it takes the role's facts and asks it questions over
the role's descriptor 3, as init/core/proto.h has it.

    with Role(cluster, folder) as role:
        role.wait_fact('kube-applied', 'on')
        role.ask('apps', 'web')
"""
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time

from cluster import Failed, tail, until

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEARTH = os.environ.get('HEARTH', TOP + '/build/hearth')

OK, ERROR, ASK = 1, 2, 4  # enum proto_kind
FRAME = 65536


class Refused(Exception):
    """The role answered a question with an error; its text is what a person would read."""


class Role:
    """folder: holds manifests/ and settings.yaml; history and log are written there, and are found by the next run.
    kubeconfig: when it is another than the cluster's, the role stays in this machine's network (a proxy is there).
    up: seconds since the machine was booted, as the role sees it."""

    def __init__(self, cluster, folder, kubeconfig=None, up=None):
        self.cluster, self.folder, self.kubeconfig, self.up = cluster, folder, kubeconfig, up
        self.facts = {}    # name: (value, text), the last of each
        self.told = []     # every fact in its order: (seconds since the start, name, value, text)
        self.answers = {}  # id of a question: (kind, text)
        self.news = threading.Condition()
        self.asked = 0
        self.program = self.reader = self.channel = None

    # -- life -------------------------------------------------------------------------------------------------------

    @property
    def log(self):
        return self.folder + '/role.log'

    def __enter__(self):
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        argv = [HEARTH, 'kube', '--manifests', self.folder + '/manifests', '--kubeconfig',
                self.kubeconfig or self.cluster.kubeconfig, '--settings', self.folder + '/settings.yaml',
                '--history', self.folder + '/history']
        if not self.kubeconfig and not self.cluster.alone:
            argv = ['nsenter', '--net=/proc/%d/ns/net' % self.cluster.pid, '--', *argv]
        if self.up is not None:
            offset = self.up - time.clock_gettime(time.CLOCK_BOOTTIME)
            argv = ['unshare', '--time', '--boottime', str(int(offset)), '--', *argv]
        self.began = time.monotonic()
        with open(self.log, 'ab') as log:
            # The shell moves the channel from 0, where Popen can put it, to 3; every step keeps the pid.
            self.program = subprocess.Popen(['sh', '-c', 'exec "$@" 3<&0 </dev/null', 'sh', *argv], stdin=theirs,
                                            stdout=log, stderr=log)
        theirs.close()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, kind, *_):
        status = self.stop()
        if kind is None and status not in (0, -signal.SIGKILL):
            raise Failed('the role ended with status %s:\n%s' % (status, tail(self.log)))

    def stop(self, number=signal.SIGTERM):
        """Ends the role, if it still runs. Gives its exit status."""
        if self.program.poll() is None:
            self.program.send_signal(number)
        try:
            status = self.program.wait(10)
        except subprocess.TimeoutExpired:
            self.program.kill()
            status = self.program.wait()
        self.channel.close()
        self.reader.join()
        return status

    def kill(self):
        self.stop(signal.SIGKILL)

    # -- the channel ------------------------------------------------------------------------------------------------

    def _read(self):
        while True:
            try:
                frame = self.channel.recv(FRAME)
            except OSError:
                return
            if not frame:
                return
            number, body = struct.unpack('=I', frame[:4])[0], frame[4:]
            with self.news:
                if body[:1] in (bytes([OK]), bytes([ERROR])):
                    self.answers[number] = (body[0], body[1:].decode())
                else:
                    self._take_fact(number, body.rstrip(b'\0').decode().split('\0'))
                self.news.notify_all()

    def _take_fact(self, number, words):
        if words[0] == 'fact' and len(words) in (3, 4):
            _, name, value, text = words + [''] * (4 - len(words))
            self.facts[name] = (value, text)
            self.told.append((time.monotonic() - self.began, name, value, text))
            answer = bytes([OK]) + b'{}'
        else:
            answer = bytes([ERROR]) + b'no such request'
            self.told.append((time.monotonic() - self.began, 'strange', '', ' '.join(words)))
        try:
            self.channel.send(struct.pack('=I', number) + answer)
        except OSError:
            pass  # it is ending

    def ask(self, *words, deadline=10):
        """The role's answer as JSON; Refused with its text."""
        with self.news:
            self.asked += 1
            number = self.asked
        self.channel.send(struct.pack('=IB', number, ASK) + ''.join(word + '\0' for word in words).encode())
        with self.news:
            if not self.news.wait_for(lambda: number in self.answers, deadline):
                raise Failed('no answer to %s within %g s' % (' '.join(words), deadline))
            kind, text = self.answers.pop(number)
        if kind == ERROR:
            raise Refused(text)
        return json.loads(text)

    # -- what it tells ----------------------------------------------------------------------------------------------

    def wait_fact(self, name, value, text='', deadline=60):
        """Waits until the fact has that value and its text contains `text`. Gives the whole text."""
        def there():
            return name in self.facts and self.facts[name][0] == value and text in self.facts[name][1]
        with self.news:
            if not self.news.wait_for(there, deadline):
                raise Failed('%s is %s, not %s with %r within %g s; the log ends:\n%s'
                             % (name, self.facts.get(name), value, text, deadline, tail(self.log, 8)))
            return self.facts[name][1]

    def wait_applied(self, deadline=60):
        """Waits until everything of these manifests is applied, pruned and written down. Gives seconds since the start.
        """
        self.wait_fact('kube-applied', 'on', deadline=deadline)
        return time.monotonic() - self.began

    def wait_log(self, text, deadline=60, since=0):
        """Waits for a line of the log, from byte `since` on, that contains the text. Gives the line."""
        def line():
            with open(self.log, errors='replace') as f:
                f.seek(since)
                return next((one for one in f if text in one), None)
        return until(line, 'the log says %r; it ends:\n%s' % (text, tail(self.log, 8)), deadline)

    def log_size(self):
        return os.path.getsize(self.log)

    def state(self):
        """The sentence about the whole that the consoles show."""
        return self.ask('apps')['state']

    def object(self, app, kind, name):
        """How the role says that one object is doing."""
        for one in self.ask('apps', app)['objects']:
            if (one['kind'], one['name']) == (kind, name):
                return one
        raise Failed('the app %s has no %s %s' % (app, kind, name))

    def memory(self):
        """(resident, proportional, highest resident) KiB."""
        def number(path, key):
            with open('/proc/%d/%s' % (self.program.pid, path)) as f:
                return next(int(line.split()[1]) for line in f if line.startswith(key + ':'))
        return number('smaps_rollup', 'Rss'), number('smaps_rollup', 'Pss'), number('status', 'VmHWM')

    def cpu(self):
        """Seconds of a core so far."""
        with open('/proc/%d/stat' % self.program.pid) as f:
            words = f.read().rsplit(')', 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf('SC_CLK_TCK')
