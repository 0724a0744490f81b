#!/usr/bin/env python3
"""Checks of k3s itself, whichever is given: it comes up, pods run and reach each other, policies hold, Secrets are
encrypted, and a stop, a kill and a power cut keep its identity. Usage: server.py [K3S].

The sample image's program is made by the C compiler (web.c beside this file). Writes build/results/kube-server.tsv.
"""
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from cluster import Cluster, Failed, SOCKET, read, tail, until

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PKG = TOP + '/build/pkg/'
RESULTS = []
IMAGE = 'test.local/web:1'
POD = '''
apiVersion: v1
kind: Pod
metadata: {name: %(name)s, labels: {app: %(name)s}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: web, image: "%(image)s", imagePullPolicy: Never, readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}}
'''
SERVICE = '''
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
'''
DENY = '''
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: default}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}
'''


def check(what, ok):
    print('ok    ' if ok else 'FAILED', what, flush=True)
    RESULTS.append('%s\tserver: %s\t0\t\n' % ('pass' if ok else 'fail', what))
    if not ok:
        raise Failed(what)


def answers(cluster, address):
    """Whether the pod `client` gets the pod `web`'s page at this address."""
    return 'hello from web' in cluster.kubectl('exec', 'client', '--', '/web', *address.split(':'), check=False)


def running(cluster):
    tasks = cluster.run('ctr', '-a', SOCKET, '-n', 'k8s.io', 'tasks', 'list').stdout
    return tasks.count('RUNNING')


def identity(cluster):
    names = ['tls/server-ca.crt', 'tls/server-ca.key', 'tls/client-ca.key', 'tls/service.key', 'tls/client-admin.crt',
             'token', 'cred/encryption-config.json']
    files = [read(cluster.work + '/lib/rancher/k3s/server/' + name) for name in names]
    files.append(read(cluster.work + '/etc/rancher/node/password'))
    return [*files, cluster.get('/api/v1/nodes/' + cluster.name)['metadata']['uid']]


def leases(cluster):
    return {os.path.basename(path) for path in glob.glob(cluster.work + '/lib/cni/networks/*/[0-9]*.*.*.*')}


def bring_up(cluster, program):
    """The cluster with two pods and a service; gives the addresses of the pod `web` and of its service."""
    cluster.start_containerd()
    cluster.add_image(IMAGE, ['/web'], {'/web': program})
    cluster.start_k3s()
    cluster.wait_node()
    until(lambda: cluster.get('/api/v1/namespaces/default/serviceaccounts/default'), 'default ServiceAccount', 60)
    for name in ('web', 'client'):
        cluster.apply(POD % {'name': name, 'image': IMAGE})
    cluster.apply(SERVICE)
    pod = cluster.wait_pod('web')
    cluster.wait_pod('client')
    service = cluster.get('/api/v1/namespaces/default/services/web')
    return pod['status']['podIP'] + ':8080', service['spec']['clusterIP'] + ':80'


def case_network(cluster, pod, service):
    check('pod reaches pod', until(lambda: answers(cluster, pod), 'answer', 20))
    check('pod reaches service', until(lambda: answers(cluster, service), 'answer', 20))


def case_policy(cluster, pod, _):
    cluster.apply(DENY)
    check('a policy denies', until(lambda: not answers(cluster, pod), 'no answer', 20))
    cluster.kubectl('delete', 'networkpolicy', 'deny')
    check('without it all is as before', until(lambda: answers(cluster, pod), 'answer', 20))


def case_secret(cluster, *_):
    cluster.kubectl('create', 'secret', 'generic', 'one', '--from-literal=key=very-secret-value')
    stored = b''
    for path in glob.glob(cluster.work + '/lib/rancher/k3s/server/db/state.db*'):
        with open(path, 'rb') as f:
            stored += f.read()
    check('Secrets are encrypted', b'k8s:enc:aescbc:v1:aescbckey:' in stored and b'very-secret-value' not in stored)


def case_restart(cluster, pod, _):
    before, started = identity(cluster), cluster.wait_pod('web')['status']['containerStatuses'][0]['containerID']
    status, seconds = cluster.stop('k3s')
    check('a stop is clean and takes %.1f s' % seconds, status == 0 and seconds < 10)
    check('pods run on', running(cluster) == 4)
    cluster.start_k3s()
    cluster.wait_node()
    check('identity is kept', identity(cluster) == before)
    cluster.stop('k3s', signal.SIGKILL)
    cluster.start_k3s()
    cluster.wait_node()
    check('also after a kill', identity(cluster) == before)
    check('pods were not touched', cluster.wait_pod('web')['status']['containerStatuses'][0]['containerID'] == started)
    check('pod reaches pod', until(lambda: answers(cluster, pod), 'answer', 20))


def case_power_cut(cluster, _, service):
    """The namespaces of the cluster before have ended in the middle of everything."""
    folder, = glob.glob(cluster.work + '/lib/cni/networks/*/')
    with open(folder + '10.42.0.77', 'w') as f:
        f.write('0123456789abcdef\r\neth0')
    cluster.start()
    cluster.wait_node()
    check('pods come back', until(lambda: running(cluster) >= 4, 'containers', 60))
    check('and answer', until(lambda: answers(cluster, service), 'answer', 60))
    check('no address is leaked', until(lambda: len(leases(cluster)) == 2, 'two leases', 90))


def case_bad_settings(cluster, *_):
    path = cluster.work + '/etc/rancher/k3s/config.yaml'
    with open(path, 'a') as f:
        f.write('no-such-setting: 1\n')
    line = len(read(path).splitlines())
    cluster.stop('k3s')
    cluster.run_program('k3s', [cluster.k3s, 'server'])
    status = cluster.wait_end('k3s')
    text = tail(cluster.log('k3s'), 3)
    check('an unknown setting is named', status == 1 and 'config.yaml:%d: no-such-setting' % line in text)


def case_offline(cluster, program):
    _, service = bring_up(cluster, program)
    check('without any network: pods reach services', until(lambda: answers(cluster, service), 'answer', 20))
    reached = cluster.kubectl('exec', 'client', '--', '/web', '10.43.0.1', '443', 'connect', check=False)
    check('and the API server', 'open' in reached)


def run(k3s, folder):
    program = folder + '/web'
    subprocess.run(['cc', '-static', '-Os', '-s', '-o', program, HERE + '/web.c'], check=True)
    path = [PKG + part for part in ('containerd/bin', 'runc/bin', 'iptables/sbin', 'ipset/sbin')]

    def new(name, **more):
        return Cluster(folder + '/' + name, k3s, path=path, cni=PKG + 'cni-plugins/bin', pause=PKG + 'pause/bin/pause',
                       **more)
    with new('one') as cluster:
        if cluster.alone:
            cluster.start()
            check('the API server alone', cluster.get('/api/v1/namespaces/default') is not None)
            return
        addresses = bring_up(cluster, program)
        for case in (case_network, case_policy, case_secret, case_restart):
            case(cluster, *addresses)
    with new('one') as cluster:
        for case in (case_power_cut, case_bad_settings):
            case(cluster, *addresses)
    shutil.rmtree(folder + '/one')
    with new('two', offline=True) as cluster:
        case_offline(cluster, program)


def main():
    error = ''
    with tempfile.TemporaryDirectory(prefix='hearth-kube-') as folder:
        try:
            run((sys.argv[1:] or [PKG + 'k3s/bin/k3s'])[0], folder)
        except Exception as e:  # a case may fail in any way
            error = f'{type(e).__name__}: {e}'.replace('\n', ' ')
            RESULTS.append(f'fail\tserver\t0\t{error}\n')
    os.makedirs(TOP + '/build/results', exist_ok=True)
    with open(TOP + '/build/results/kube-server.tsv', 'w') as f:
        f.writelines(RESULTS)
    sys.exit(error)


if __name__ == '__main__':
    main()
