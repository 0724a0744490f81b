"""Ends in the middle: of the role, of the server, of connections; and a large set."""
import signal
import time

from proxy import Pipe
from role import Refused
from stage import check, config_map, deployment, secret, service

MANY = 300
MEMORY_KIB = 8 * 1024


def many(count, value='one'):
    return [config_map('m%03d' % i, value) for i in range(count)]


def how_many(stage):
    return len(stage.names('ConfigMap')) - 1  # kube-root-ca.crt


def whole(stage, role, count, value='one'):
    """All is there, once, as it should be, and the role knows."""
    role.wait_applied()
    things = stage.cluster.get(stage.place('ConfigMap'))['items']
    values = [thing['data']['key'] for thing in things if thing['metadata']['name'] != 'kube-root-ca.crt']
    check(values == [value] * count, '%d objects as they should be, not %d' % (count, values.count(value)))
    role.wait_fact('app-one', 'on', '%d objects' % count)


def case_restart(stage):
    """kill -9 in the middle of applying, and again in the middle of a change of everything."""
    stage.make_namespace()
    for value in ('one', 'two'):
        stage.manifests(*many(MANY, value), config_map('last', value, wave=5))
        with stage.role() as role:
            stage.wait(lambda: progress(role) > 40, 'some are applied')
            role.kill()
        things = stage.cluster.get(stage.place('ConfigMap'))['items']
        done = sum(thing.get('data', {}).get('key') == value for thing in things)
        check(0 < done <= MANY, 'killed in the middle: %d of %d' % (done, MANY))
        stage.note('killed after %d of %d' % (done, MANY + 1))
        with stage.role() as role:
            whole(stage, role, MANY + 1, value)
    with stage.role() as role:
        stage.note('a start with nothing to do takes %.1f s' % role.wait_applied())


def progress(role):
    """Objects that are applied, as the consoles hear."""
    return role.ask('apps')['apps'][0]['ready']


def case_thousand(stage):
    """1,000 objects applied and watched in 8 MiB."""
    stage.make_namespace()
    stage.manifests(*[config_map('m%03d' % i) for i in range(600)], *[secret('s%03d' % i) for i in range(250)],
                    *[deployment('d%03d' % i, app='two') for i in range(50)],
                    *[service('n%03d' % i, app='two') for i in range(100)])
    with stage.role() as role:
        took, cpu = role.wait_applied(120), role.cpu()
        role.wait_fact('app-two', 'on', '150 objects')
        stage.note('1000 objects in %.1f s (%.2f s of a core)' % (took, cpu))
        began = stage.delete('Service', 'n050')
        stage.wait(lambda: stage.get('Service', 'n050'), 'made again')
        stage.note('repaired after %.1f s' % (time.monotonic() - began))
        for part in role.ask('apps')['apps']:
            role.ask('apps', part['name'])
        check_memory(stage, role, 'first run')
    with stage.role() as role:
        stage.note('again: %.1f s (%.2f s of a core)' % (role.wait_applied(), role.cpu()))
        stage.merge('ConfigMap', 'm123', {'data': {'key': 'changed'}})
        stage.wait(lambda: stage.get('ConfigMap', 'm123')['data']['key'] == 'one', 'repaired: it watches')
        check_memory(stage, role, 'second run')


def check_memory(stage, role, what):
    resident, proportional, highest = role.memory()
    stage.note('%s: %d KiB resident, %d at most, %d proportional' % (what, resident, highest, proportional))
    check(max(resident, proportional) <= MEMORY_KIB, '%s: more than 8 MiB: %d KiB' % (what, resident))


def case_server_gone(stage):
    """k3s killed in the middle of applying, and started again."""
    cluster = stage.cluster
    stage.make_namespace()
    stage.manifests(*many(MANY))
    with stage.role() as role:
        stage.wait(lambda: progress(role) > 40, 'some are applied')
        cluster.stop('k3s', signal.SIGKILL)
        role.wait_fact('kube-api', 'off')
        role.wait_fact('kube-applied', 'off', ' of %d objects; ' % MANY)
        check(role.ask('apps')['state'] != '', 'the consoles hear of it')
        began = time.monotonic()
        cluster.start_k3s()
        ready = time.monotonic() - began
        role.wait_fact('kube-api', 'on')
        whole(stage, role, MANY)
        stage.note('server back after %.1f s, all applied %.1f s later' % (ready, time.monotonic() - began - ready))
        cluster.stop('k3s', signal.SIGKILL)
        role.wait_fact('kube-api', 'off')
        cluster.start_k3s()
        began = stage.delete('ConfigMap', 'm007')
        stage.wait(lambda: stage.get('ConfigMap', 'm007'), 'watched again')
        stage.note('drift put right %.1f s after a restart' % (time.monotonic() - began))
        if not cluster.alone:
            cluster.wait_node()


def case_connection(stage):
    """HTTP/2 all the way, over a line that is slow, breaks off, and falls silent without an end."""
    stage.make_namespace()
    stage.manifests(*many(MANY))
    with Pipe(stage.cluster, stage.folder) as pipe:
        with stage.role(pipe.kubeconfig) as role:
            for goal in (40, 120):
                stage.wait(lambda: progress(role) > goal, '%d are applied' % goal)
                pipe.cut()
            whole(stage, role, MANY)
            pipe.stall()
            began = stage.delete('ConfigMap', 'm007')
            try:
                role.ask('apps', 'diff', 'one', deadline=25)
            except Refused as e:
                check('no answer in time' in str(e), 'says why: %s' % e)
            stage.wait(lambda: stage.get('ConfigMap', 'm007'), 'watched over a new connection')
            stage.note('a dead connection was given up after %.1f s' % (time.monotonic() - began))
        stage.manifests(*many(MANY, 'two'))
        pipe.pace, pipe.piece = 0.02, 1400
        with stage.role(pipe.kubeconfig) as role:
            whole(stage, role, MANY, 'two')
            stage.note('over 50 packets a second: %.1f s' % (time.monotonic() - role.began))
