"""A Kubernetes cluster for tests: containerd and k3s in namespaces of their own.

    with Cluster('/some/work/folder', k3s='/path/k3s', path=['/folder/of/containerd/runc/iptables']) as cluster:
        cluster.start()
        cluster.wait_node()
        cluster.kubectl('get', 'nodes')

Everything that the programs write is below the work folder, which may be used again: the next cluster there is the
same one (its datastore, certificates, images and pods). Nothing of the machine is changed: close() ends every process,
removes the cgroups, and raises Failed when anything that verify() looks at is not as it was. Where the machine gives no
rights for namespaces, the API server runs alone and .alone says why.
"""
import glob
import http.client
import json
import os
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

INSIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'inside.py')
ADDRESS, GATEWAY = '10.9.9.2', '10.9.9.1'
SOCKET = '/run/containerd/containerd.sock'
DATA = '/var/lib/rancher/k3s'
PAUSE = 'hearth.local/pause:1'
# What a kubelet sets on any machine it runs on.
SYSCTLS = {'vm/overcommit_memory': '0', 'vm/panic_on_oom': '0', 'kernel/panic': '0', 'kernel/panic_on_oops': '0',
           'kernel/keys/root_maxkeys': '200', 'kernel/keys/root_maxbytes': '20000'}
# What verify() compares beside these.
ALSO = ['net/ipv4/ip_forward', 'net/ipv4/conf/all/forwarding', 'net/ipv6/conf/all/forwarding',
        'net/bridge/bridge-nf-call-iptables', 'net/netfilter/nf_conntrack_max', 'kernel/core_pattern', 'vm/swappiness']
FOLDERS = ['/etc/rancher', '/etc/cni', '/var/lib/rancher', '/var/lib/containerd', '/var/lib/kubelet', '/var/lib/cni',
           '/run/containerd', '/run/k3s', '/run/netns', '/var/log/pods', '/var/log/containers']

# Cgroups that are looked at: others come and go on any machine, so do those of a second test beside this one.
OURS = re.compile('kube|k3s|containerd|k8s')
OTHERS = re.compile('/hearth-kube-(?!%d/)' % os.getpid())

CONTAINERD = '''version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.internal.v1.tracing",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.erofs"]
[grpc]
  address = "%(socket)s"
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  use_local_image_pull = true
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "%(pause)s"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = %(restrict)s
  enable_unprivileged_ports = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = [%(cni)s]
  conf_dir = "%(data)s/agent/etc/cni/net.d"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
    SystemdCgroup = false
'''


class Failed(AssertionError):
    """An expectation that did not come true."""


def until(condition, what, deadline, pause=0.05):
    """Waits for condition() to be true and returns its value; it may raise OSError meanwhile."""
    end = time.monotonic() + deadline
    problem = None
    while True:
        try:
            value = condition()
            if value:
                return value
        except (OSError, http.client.HTTPException, ValueError) as e:
            problem = e
        if time.monotonic() > end:
            raise Failed('not within %g s: %s%s' % (deadline, what, ' (%s)' % problem if problem else ''))
        time.sleep(pause)


def read(path):
    try:
        with open(path) as f:
            return f.read().strip()
    except OSError:
        return None


def machine():
    """What of the machine a cluster must leave as it was."""
    def lines(*words):
        try:
            return subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
        except (OSError, subprocess.CalledProcessError):
            return []
    state = {'sysctl ' + name: read('/proc/sys/' + name) for name in [*SYSCTLS, *ALSO]}
    state['cgroups'] = sorted(path for path in glob.glob('/sys/fs/cgroup/**/', recursive=True)
                              if OURS.search(path) and not OTHERS.search(path))
    state['mounts'] = sorted(line.split(' ', 2)[2] for line in read('/proc/self/mountinfo').splitlines())
    state['interfaces'] = sorted(os.listdir('/sys/class/net'))
    state['routes'] = read('/proc/net/route')
    state['folders'] = [path for path in FOLDERS if os.path.lexists(path)]
    for tool in ('iptables-save', 'ip6tables-save'):
        rules = [re.sub(r'\[\d+:\d+\]', '', line) for line in lines(tool) if not line.startswith('#')]
        state['rules ' + tool] = rules
    state['sets'] = lines('ipset', 'list', '-n')
    return state


def hierarchies():
    """The v1 cgroup hierarchies of this machine: (controllers, mount point); empty for cgroup v2 alone."""
    found = []
    for line in read('/proc/self/mountinfo').splitlines():
        left, right = line.split(' - ')
        kind, _, options = right.split(' ', 2)
        if kind == 'cgroup':
            own = [o for o in options.split(',') if o not in ('rw', 'ro', 'xattr', 'clone_children', 'release_agent')]
            found.append((','.join(own), left.split()[4]))
    return found


class Cgroups:
    """A cgroup of this test in every hierarchy."""

    def __init__(self, name):
        self.kinds = hierarchies()
        self.folders = [mount + '/' + name for _, mount in self.kinds] or ['/sys/fs/cgroup/' + name]

    def make(self):
        for folder in self.folders:
            os.makedirs(folder)
            for name in ('cpuset.cpus', 'cpuset.mems'):
                if self.kinds and os.path.exists(folder + '/' + name):
                    with open(folder + '/' + name, 'w') as f:
                        f.write(read(os.path.dirname(folder) + '/' + name))
        clone = [folder + '/cgroup.clone_children' for folder in self.folders if '/cpuset/' in folder]
        for path in clone:
            with open(path, 'w') as f:
                f.write('1')

    def enter(self):
        for folder in self.folders:
            with open(folder + '/cgroup.procs', 'w') as f:
                f.write(str(os.getpid()))

    def remove(self):
        for folder in self.folders:
            for inner, _, _ in os.walk(folder, topdown=False):
                until(lambda: self._rmdir(inner), 'cgroup %s empty' % inner, 10)

    @staticmethod
    def _rmdir(folder):
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            pass
        return True


class Cluster:
    """See above. Paths: k3s is the program, path are folders with containerd, its shim, runc, ctr, iptables, ipset;
    cni is the folder of the CNI plugins."""

    def __init__(self, work, k3s, path=(), cni=None, settings=None, offline=False, pause=None, name='bench'):
        self.work, self.k3s, self.name, self.offline = os.path.abspath(work), os.path.abspath(k3s), name, offline
        self.path = [os.path.abspath(folder) for folder in path]
        self.cni = os.path.abspath(cni) if cni else (self.path[0] if self.path else '/opt/cni/bin')
        self.settings, self.pause = settings or {}, pause
        self.port = 6443
        self.env = {'PATH': ':'.join(self.path + ['/usr/sbin', '/usr/bin', '/sbin', '/bin']), 'HOME': '/root'}
        self.alone = None       # why the API server runs alone, or None
        self.programs = {}      # name: pid inside, of what runs
        self.ended = {}         # name: exit status of what has ended
        self.outer = self.pid = None
        self.before = machine()
        self.cgroups = Cgroups('hearth-kube-%d' % os.getpid())

    # -- life -------------------------------------------------------------------------------------------------------

    def __enter__(self):
        for folder in ('etc', 'lib', 'log', 'sysctl', 'out'):
            os.makedirs(self.work + '/' + folder, exist_ok=True)
        self.alone = self._no_rights()
        if self.alone:
            print('cluster: the API server alone, since', self.alone, file=sys.stderr)
            self.port = free_port()
        else:
            try:
                self._open()
            except BaseException:
                self.close(check=False)
                raise
        return self

    def __exit__(self, kind, *_):
        self.close(check=kind is None)

    def _no_rights(self):
        """Why namespaces can not be had, or None."""
        if os.geteuid() != 0:
            return 'this is not root'
        probe = subprocess.run(['unshare', '-m', '-n', '-p', '-u', '-i', '-C', '--fork', 'mount', '-t', 'proc', 'proc',
                                '/proc'], capture_output=True, text=True)
        if probe.returncode:
            return 'namespaces can not be made: ' + probe.stderr.strip()
        try:
            self.cgroups.make()
        except OSError as e:
            self.cgroups.remove()
            return 'cgroups can not be made: %s' % e
        missing = [tool for tool in ('containerd', 'runc', 'containerd-shim-runc-v2', 'ctr', 'iptables', 'ipset', 'ip')
                   if not shutil.which(tool, path=self.env['PATH'])]
        if missing:
            self.cgroups.remove()
            return 'there is no ' + ', '.join(missing)
        return None

    def _open(self):
        """Makes the namespaces and what the programs find in them."""
        etc = self.work + '/etc'
        for name in ('passwd', 'group', 'nsswitch.conf', 'hosts'):
            if os.path.exists('/etc/' + name) and not os.path.exists(etc + '/' + name):
                shutil.copy('/etc/' + name, etc)
        for name, text in (('resolv.conf', '' if self.offline else 'nameserver 10.9.9.1\n'), ('hostname', self.name)):
            with open(etc + '/' + name, 'w') as f:
                f.write(text)
        os.makedirs(etc + '/rancher/k3s', exist_ok=True)
        with open(etc + '/rancher/k3s/config.yaml', 'w') as f:
            for key, value in self._settings().items():
                f.write('%s: %s\n' % (key, json.dumps(value)))
        with open(self.work + '/containerd.toml', 'w') as f:
            f.write(CONTAINERD % {'socket': SOCKET, 'pause': PAUSE, 'data': DATA, 'cni': json.dumps(self.cni),
                                  'restrict': 'false' if lowers_oom() else 'true'})
        self.outer = subprocess.Popen(
            ['unshare', '-m', '-n', '-p', '-u', '-i', '-C', '--fork', '--kill-child', sys.executable, INSIDE],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, preexec_fn=self.cgroups.enter)
        self._order(work=self.work, cgroups=[kind for kind, _ in self.cgroups.kinds], sysctls=SYSCTLS,
                    offline=self.offline, address=ADDRESS, gateway=GATEWAY, name=self.name)
        self._hear('ready')
        self.pid = int(read('/proc/%d/task/%d/children' % (self.outer.pid, self.outer.pid)).split()[0])

    def _settings(self):
        settings = {'container-runtime-endpoint': 'unix://' + SOCKET, 'secrets-encryption': True,
                    'write-kubeconfig-mode': '0644'}
        if not self.offline:
            settings['node-ip'] = ADDRESS
        settings.update(self.settings)
        return settings

    def close(self, check=True):
        """Ends everything; with check it raises Failed unless the machine is as it was."""
        if self.alone:
            for name in list(self.programs):
                self.stop(name)
        if self.outer:
            self.outer.stdin.close()  # inside.py ends, and with it its pid namespace
            try:
                self.outer.wait(20)
            except subprocess.TimeoutExpired:
                self.outer.kill()
                self.outer.wait()
            self.outer.stdout.close()
            self.outer = None
        self.cgroups.remove()
        if check:
            self.verify()

    def verify(self):
        """Raises Failed when the machine is not as it was before."""
        after = machine()
        changed = [difference(key, self.before[key], after[key]) for key in after if after[key] != self.before[key]]
        if changed:
            raise Failed('the machine is not as it was:\n' + '\n'.join(changed))

    # -- programs ---------------------------------------------------------------------------------------------------

    def _order(self, **words):
        self.outer.stdin.write(json.dumps(words).encode() + b'\n')
        self.outer.stdin.flush()

    def _hear(self, key):
        """Reads answers up to the one with this key."""
        while True:
            line = self.outer.stdout.readline()
            if not line:
                raise Failed('the namespaces have ended (status %s)' % self.outer.wait())
            answer = json.loads(line)
            if 'exited' in answer:
                self.programs.pop(answer['exited'], None)
                self.ended[answer['exited']] = answer['status']
            if key in answer:
                return answer

    def log(self, name):
        """The path of a program's output."""
        return '%s/out/%s.log' % (self.work, name)

    def run_program(self, name, argv, env=None):
        """Starts a program; its output goes to log(name)."""
        self.ended.pop(name, None)
        if self.alone:
            with open(self.log(name), 'ab') as log:
                self.programs[name] = subprocess.Popen(argv, env={**self.env, **(env or {})}, stdin=subprocess.DEVNULL,
                                                       stdout=log, stderr=log)
            return
        self._order(start=name, argv=argv, env={**self.env, **(env or {})}, log=self.log(name))
        self.programs[name] = self._hear('started')['pid']

    def start(self, env=None):
        """Starts containerd and k3s and waits for the API server to be ready. Gives the seconds since k3s's start."""
        if not self.alone and 'containerd' not in self.programs:
            self.start_containerd()
        return self.start_k3s(env)

    def start_containerd(self):
        self.run_program('containerd', ['containerd', '-c', self.work + '/containerd.toml'])
        until(lambda: self.run('ctr', '-a', SOCKET, 'version').returncode == 0, 'containerd answers', 30)
        if PAUSE not in self.ctr('images', 'list', '-q').stdout:
            self.add_image(PAUSE, ['/pause'], {'/pause': self.pause or self._compile_pause()})

    def start_k3s(self, env=None, deadline=120):
        began = time.monotonic()
        if self.alone:
            here = self.work + '/alone'
            argv = [self.k3s, 'server', '--disable-agent', '--data-dir', here, '--write-kubeconfig', self.kubeconfig,
                    '--node-ip', '127.0.0.1', '--advertise-address', '192.0.2.2', '--bind-address', '127.0.0.1',
                    '--https-listen-port', str(self.port), '--node-name', self.name, '--config', '/dev/null',
                    '--kube-controller-manager-arg', 'secure-port=0', '--kube-scheduler-arg', 'secure-port=0']
        else:
            argv = [self.k3s, 'server']
        self.run_program('k3s', argv, env)
        try:
            until(lambda: self._alive('k3s') and self.api('GET', '/readyz')[0] == 200, 'API server ready', deadline)
        except Failed as e:
            raise Failed('%s\n%s' % (e, tail(self.log('k3s'))))
        return time.monotonic() - began

    def _alive(self, name):
        if self.alone:
            gone = self.programs[name].poll() is not None
        else:
            while select.select([self.outer.stdout], [], [], 0)[0]:
                self._hear('exited')
            gone = name in self.ended
        if gone:
            raise Failed('%s has ended (status %s):\n%s' % (name, self.ended.get(name), tail(self.log(name))))
        return True

    def stop(self, name, number=signal.SIGTERM, deadline=30):
        """Signals a program and waits for its end. Gives its exit status and the seconds it took."""
        began = time.monotonic()
        if self.alone:
            program = self.programs.pop(name)
            program.send_signal(number)
            return program.wait(deadline), time.monotonic() - began
        self._order(signal=name, number=int(number))
        return self.wait_end(name, deadline), time.monotonic() - began

    def wait_end(self, name, deadline=30):
        """Waits for a program to end by itself. Gives its exit status."""
        end = time.monotonic() + deadline
        while name not in self.ended:
            if not select.select([self.outer.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise Failed('%s has not ended within %g s' % (name, deadline))
            self._hear('exited')
        return self.ended[name]

    def host_pid(self, name):
        """A program's pid outside the namespaces, for reading its /proc."""
        if self.alone:
            return self.programs[name].pid
        inner = str(self.programs[name])
        for status in glob.glob('/proc/[0-9]*/status'):
            pids = re.search(r'^NSpid:\s+(\d+)\s+(\d+)$', read(status) or '', re.M)
            if pids and pids[2] == inner and os.readlink('/proc/%s/ns/pid' % pids[1]) == \
                    os.readlink('/proc/%d/ns/pid' % self.pid):
                return int(pids[1])
        raise Failed('no process %s' % name)

    @property
    def prefix(self):
        """Words to put before a command to run it inside."""
        return [] if self.alone else ['nsenter', '-t', str(self.pid), '-m', '-n', '-u', '-i', '-p', '-C', '--']

    def run(self, *argv, text_in=None, env=None, timeout=60):
        """Runs a command inside to its end."""
        return subprocess.run([*self.prefix, *argv], env={**self.env, **(env or {})}, input=text_in, text=True,
                              capture_output=True, timeout=timeout)

    # -- images -----------------------------------------------------------------------------------------------------

    def ctr(self, *words):
        result = self.run('ctr', '-a', SOCKET, '-n', 'k8s.io', *words)
        if result.returncode:
            raise Failed('ctr %s: %s' % (' '.join(words), result.stderr))
        return result

    def add_image(self, name, entrypoint, files):
        """Makes an image of one layer from {path inside: file here} and imports it."""
        from image import write_archive
        archive = '%s/out/%s.tar' % (self.work, re.sub(r'\W', '-', name))
        write_archive(archive, name, entrypoint, files)
        self.ctr('images', 'import', '--local', archive)
        os.remove(archive)

    def _compile_pause(self):
        out = self.work + '/out/pause'
        code = '#include <unistd.h>\nint main(void) { for (;;) pause(); }\n'
        subprocess.run(['cc', '-static', '-Os', '-s', '-x', 'c', '-o', out, '-'], input=code, text=True, check=True)
        return out

    # -- Kubernetes -------------------------------------------------------------------------------------------------

    @property
    def kubeconfig(self):
        """The administrator's kubeconfig, as a path of the machine."""
        return self.work + ('/alone/k3s.yaml' if self.alone else '/etc/rancher/k3s/k3s.yaml')

    @property
    def tls(self):
        """The folder of certificates, as a path of the machine."""
        return self.work + ('/alone' if self.alone else '/lib/rancher/k3s') + '/server/tls'

    def kubectl(self, *words, text_in=None, check=True):
        """Runs kubectl inside and gives its output."""
        here = self.kubeconfig if self.alone else '/etc/rancher/k3s/k3s.yaml'
        result = self.run(self.k3s, 'kubectl', *words, text_in=text_in, env={'KUBECONFIG': here})
        if check and result.returncode:
            raise Failed('kubectl %s: %s' % (' '.join(words), result.stderr))
        return result.stdout

    def api(self, method, path, body=None, kind='application/json'):
        """One request of the administrator's. Gives status and the answer, as JSON if it is any."""
        context = ssl.create_default_context(cafile=self.tls + '/server-ca.crt')
        context.load_cert_chain(self.tls + '/client-admin.crt', self.tls + '/client-admin.key')
        connection = http.client.HTTPSConnection('127.0.0.1', self.port, context=context, timeout=15)
        if not self.alone:
            connection._create_connection = self._dial
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {'Content-Type': kind})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text

    def _dial(self, *_, **__):
        """A connection made inside the network namespace: the socket stays in it, the thread comes back."""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        with open('/proc/self/ns/net') as here, open('/proc/%d/ns/net' % self.pid) as there:
            try:
                if libc.setns(there.fileno(), 0x40000000):
                    raise OSError(ctypes.get_errno(), 'setns')
                return socket.create_connection(('127.0.0.1', self.port), 15)
            finally:
                libc.setns(here.fileno(), 0x40000000)

    def get(self, path):
        """An object, or None when there is none."""
        status, answer = self.api('GET', path)
        if status == 404:
            return None
        if status != 200:
            raise Failed('%s: %s %s' % (path, status, answer))
        return answer

    def apply(self, manifest):
        """Server-side apply of YAML text, by kubectl."""
        return self.kubectl('apply', '--server-side', '-f', '-', text_in=manifest)

    def wait_node(self, deadline=60):
        return until(lambda: condition(self.get('/api/v1/nodes/' + self.name), 'Ready'), 'node Ready', deadline)

    def wait_pod(self, name, namespace='default', deadline=60):
        path = '/api/v1/namespaces/%s/pods/%s' % (namespace, name)
        until(lambda: condition(self.get(path), 'Ready'), 'pod %s Ready' % name, deadline)
        return self.get(path)


def difference(what, before, after):
    if isinstance(before, list):
        new, gone = [x for x in after if x not in before], [x for x in before if x not in after]
        return '%s: new %r, gone %r' % (what, new, gone)
    return '%s: %r is now %r' % (what, before, after)


def condition(thing, kind):
    """Whether an object has this condition, as true."""
    conditions = (thing or {}).get('status', {}).get('conditions', [])
    return any(c['type'] == kind and c['status'] == 'True' for c in conditions)


def lowers_oom():
    """Whether this machine lets a process lower its oom_score_adj; runc does."""
    now = read('/proc/self/oom_score_adj')
    try:
        with open('/proc/self/oom_score_adj', 'w') as f:
            f.write(str(int(now) - 1))
        with open('/proc/self/oom_score_adj', 'w') as f:
            f.write(now)
    except OSError:
        return False
    return True


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def tail(path, lines=25):
    try:
        with open(path, errors='replace') as f:
            return ''.join(f.readlines()[-lines:])
    except OSError as e:
        return str(e)
