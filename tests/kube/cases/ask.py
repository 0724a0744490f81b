"""What the role answers to the consoles, and apps that are paused."""
import os
import re

from cluster import until
from role import Refused
from stage import PARENT, check, config_map, deployment, secret, service


def refused(role, *words):
    try:
        answer = role.ask(*words)
    except Refused as e:
        return str(e)
    raise AssertionError('%s is answered with %s' % (' '.join(words), answer))


def case_answers(stage, node):
    """apps, apps NAME, apps diff, the history, pods, logs; and what is refused."""
    stage.make_namespace()
    stage.manifests(config_map('map'), secret('pass', 'first'), deployment('web', replicas=1, app='web'))
    with stage.role() as role:
        role.wait_applied()
        role.wait_fact('app-web', 'on')
        apps = role.ask('apps')
        check([(app['name'], app['status'], app['objects'], app['ready']) for app in apps['apps']] ==
              [('one', 'healthy', 2, 2), ('web', 'healthy', 1, 1)], 'apps are %s' % apps)
        check(re.fullmatch('[0-9a-f]{32}', apps['revision']) and apps['state'] == '', 'revision and state: %s' % apps)
        one = role.ask('apps', 'one')
        check([(thing['kind'], thing['name'], thing['status']) for thing in one['objects']] ==
              [('Secret', 'pass', 'current'), ('ConfigMap', 'map', 'current')], 'objects are %s' % one)
        check([entry['revision'] for entry in one['history']] == [apps['revision']], 'history: %s' % one['history'])
        check(re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ', one['history'][0]['time']), 'with its time')
        pods(stage, role)
        for words, text in ((('apps', 'nobody'), "no app 'nobody'"), (('apps', 'pause', 'nobody'), "no app 'nobody'"),
                            (('logs', 'pod/nobody'), 'no such pod'), (('logs', 'web'), 'logs pod/NAME'),
                            (('pods', 'all'), 'knows'), (('dance',), 'knows')):
            told = refused(role, *words)
            check(text in told, '%s: %r in %r' % (' '.join(words), text, told))
        first = apps['revision']
    diff(stage)
    stage.manifests(config_map('map', 'two'), secret('pass', 'first'), deployment('web', replicas=1, app='web'))
    with stage.role() as role:
        role.wait_applied()
        second = role.ask('apps')['revision']
        check([entry['revision'] for entry in role.ask('apps', 'one')['history']] == [second, first], 'newest first')
    with stage.role() as role:
        role.wait_applied()
        check(len(role.ask('apps', 'one')['history']) == 2, 'the same revision again adds nothing')


def pods(stage, role):
    def mine():
        return [pod for pod in role.ask('pods')['pods'] if pod['namespace'] == stage.ns]
    until(lambda: [(pod['status'], pod['ready']) for pod in mine()] == [('Running', '1/1')], 'a pod that runs', 60)
    path = role.ask('logs', 'pod/' + mine()[0]['name'])['path']
    inside = stage.cluster.work + '/log/' + path.removeprefix('/var/log/')
    check(path.startswith('/var/log/pods/%s_' % stage.ns) and os.path.exists(inside), 'the log is at ' + path)


def diff(stage):
    """With the app paused nothing is put right while it is looked at."""
    with stage.role() as role:
        role.wait_applied()
        check(role.ask('apps', 'diff', 'one') == {'name': 'one', 'diff': []}, 'no difference')
        role.ask('apps', 'pause', 'one')
        stage.merge('ConfigMap', 'map', {'data': {'key': 'changed', 'theirs': 'kept'}})
        stage.merge('Secret', 'pass', {'data': {'key': 'c2Vjb25k'}})
        rows = role.ask('apps', 'diff', 'one')['diff']
        check({'object': 'ConfigMap %s/map' % stage.ns, 'field': '.data.key', 'want': 'one', 'is': 'changed'} in rows,
              'the change is shown: %s' % rows)
        check('c2Vjb25k' not in str(rows) and 'second' not in str(rows) and '(secret)' in str(rows), 'and no secret')
        check(stage.get('ConfigMap', 'map')['data']['key'] == 'changed', 'looking changes nothing')
        stage.delete('ConfigMap', 'map')
        rows = role.ask('apps', 'diff', 'one')['diff']
        check(any('map' in row['object'] and row['is'] == 'not there' for row in rows), 'one that is gone: %s' % rows)
        role.ask('apps', 'resume', 'one')
        stage.wait(lambda: stage.get('ConfigMap', 'map'), 'put right')


def case_pause(stage):
    """A paused app is neither repaired, applied nor pruned, also after the role and the box were started anew; others
    are; resuming puts everything right."""
    stage.make_namespace()
    paused, other = [config_map('p%d' % i, app='held') for i in range(3)], [config_map('other'), service('net')]
    stage.manifests(*paused, *other)
    with stage.role() as role:
        role.wait_applied()
        check(role.ask('apps', 'pause', 'held')['message'] == 'held: paused', 'says so')
        drift(stage, role)
        apps = {app['name']: app['status'] for app in role.ask('apps')['apps']}
        check(apps == {'held': 'paused', 'one': 'healthy'}, 'it shows as paused: %s' % apps)
        role.kill()
    check(stage.cluster.get(PARENT)['metadata']['annotations']['hearth.dev/paused'] == 'held', 'written down')
    stage.manifests(*[config_map('p%d' % i, 'new', app='held') for i in range(2)], *other)  # p2 has left the set
    with stage.role() as role:
        role.wait_applied()
        drift(stage, role)
        check(stage.get('ConfigMap', 'p0')['data']['key'] == 'changed', 'not applied')
        check(stage.get('ConfigMap', 'p2'), 'pruned')
        check(role.ask('apps', 'resume', 'held')['message'] == 'held: resumed', 'says so')
        stage.wait(lambda: stage.get('ConfigMap', 'p0')['data']['key'] == 'new', 'put right')
        stage.wait(lambda: stage.get('ConfigMap', 'p1'), 'put right')
        stage.wait(lambda: stage.get('ConfigMap', 'p2') is None, 'pruned now')
        role.wait_fact('app-held', 'on', '2 objects')


def drift(stage, role):
    """Changes an object of the paused app, then one of another, which is put right later."""
    since = role.log_size()
    stage.merge('ConfigMap', 'p0', {'data': {'key': 'changed'}})
    if stage.get('ConfigMap', 'p1'):
        stage.delete('ConfigMap', 'p1')
    stage.merge('ConfigMap', 'other', {'data': {'key': 'changed'}})
    role.wait_log('ConfigMap case-pause/other: taken back', since=since)
    check(stage.get('ConfigMap', 'p0')['data']['key'] == 'changed', 'an object of a paused app was put right')
    check(stage.get('ConfigMap', 'p1') is None, 'an object of a paused app was made again')
