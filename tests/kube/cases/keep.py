"""Objects that are changed behind the role's back, or cannot be changed at all."""
import time

from stage import LABEL, check, config_map, deployment, job, secret, service

PROMISE = 5.0  # seconds within which drift is put right
DEADLINE = 30  # on a machine that is busy with other things


def repaired(stage, began, what, condition):
    stage.wait(condition, what, DEADLINE)
    return time.monotonic() - began


def case_drift(stage):
    """Seven ways to change what is ours; how long each lasted."""
    stage.make_namespace()
    stage.manifests(config_map('map'), secret('pass'), deployment('web'), service('net'), config_map('gone'),
                    config_map('label'), config_map('extra'), job('work'))
    with stage.role() as role:
        role.wait_applied()
        get, took = stage.get, {}
        uid = get('ConfigMap', 'gone')['metadata']['uid']
        began = stage.merge('ConfigMap', 'map', {'data': {'key': 'changed'}})
        took['value'] = repaired(stage, began, 'value', lambda: get('ConfigMap', 'map')['data']['key'] == 'one')
        role.wait_log('ConfigMap case-drift/map: changed by somebody-else')
        began = stage.merge('ConfigMap', 'map', {'data': {'key': None}})
        took['field gone'] = repaired(stage, began, 'field', lambda: get('ConfigMap', 'map').get('data'))
        began = stage.merge('Deployment', 'web', {'spec': {'replicas': 3}}, manager='kubectl-scale')
        took['replicas'] = repaired(stage, began, 'replicas', lambda: get('Deployment', 'web')['spec']['replicas'] == 0)
        began = stage.delete('ConfigMap', 'gone')
        took['deleted'] = repaired(stage, began, 'made again', lambda: get('ConfigMap', 'gone'))
        check(get('ConfigMap', 'gone')['metadata']['uid'] != uid, 'it is a new one')
        role.wait_log('ConfigMap case-drift/gone: was deleted; made again')
        began = stage.delete('Deployment', 'web')
        took['app deleted'] = repaired(stage, began, 'made again', lambda: get('Deployment', 'web'))
        labels = {'app.kubernetes.io/name': 'stolen'}
        began = stage.merge('ConfigMap', 'label', {'metadata': {'labels': labels}})
        took['label'] = repaired(stage, began, 'label', lambda: labels_of(get('ConfigMap', 'label'))
                                 ['app.kubernetes.io/name'] == 'one')
        began = stage.merge('ConfigMap', 'label', {'metadata': {'labels': {LABEL: None}}})
        took['label of the set'] = repaired(stage, began, 'label',
                                            lambda: LABEL in labels_of(get('ConfigMap', 'label')))
        stage.note('repaired after at most %.1f s (%s)' % max((seconds, what) for what, seconds in took.items()))
        check(max(took.values()) < PROMISE, 'not within %g s: %s' % (PROMISE, took))
        leave_alone(stage, role)


def leave_alone(stage, role):
    """A field of somebody else's is no drift."""
    stage.merge('ConfigMap', 'extra', {'data': {'theirs': 'stays'}})
    since = role.log_size()
    stage.delete('ConfigMap', 'gone')
    role.wait_log('gone: was deleted; made again', since=since)  # later than the other event
    check(stage.get('ConfigMap', 'extra')['data'] == {'key': 'one', 'theirs': 'stays'}, 'a field of others was taken')
    with open(role.log) as f:
        check('ConfigMap case-drift/extra' not in f.read(), 'it counts as drift')


def labels_of(thing):
    return thing['metadata'].get('labels', {})


def case_immutable(stage):
    """A Job is replaced, anything else when it says so, and else reported; a replacement is not half done."""
    stage.make_namespace()
    replace = ['hearth.dev/replace: "true"']

    def manifests(word, address):
        stage.manifests(job('work', word), service('net', address), job('held', word),
                        deployment('web', selector=word, notes=replace))
    manifests('one', '10.43.77.1')
    with stage.role() as role:
        role.wait_applied()
    old = {kind: stage.get(kind, name)['metadata']['uid'] for kind, name in (('Job', 'work'), ('Deployment', 'web'))}
    stage.merge('Job', 'held', {'metadata': {'finalizers': ['test.hearth.dev/hold']}})
    manifests('two', '10.43.77.2')
    with stage.role() as role:
        text = role.wait_fact('app-one', 'off', 'Service case-immutable/net')
        check('may not change once set' in text, 'says why, not: ' + text)
        stage.wait(lambda: replaced(stage, 'Job', 'work', old), 'the Job is replaced')
        stage.wait(lambda: replaced(stage, 'Deployment', 'web', old), 'so is what asks for it')
        check(word_of(stage.get('Job', 'work')) == 'two', 'by the new one')
        check(stage.get('Service', 'net')['spec']['clusterIP'] == '10.43.77.1', 'the Service was touched')
        role.wait_log('Job case-immutable/work: cannot be changed; replaced')
        stage.wait(lambda: stage.get('Job', 'held')['metadata'].get('deletionTimestamp'), 'the held one is going')
        role.kill()  # between the two halves of the replacement
    stage.merge('Job', 'held', {'metadata': {'finalizers': None}})
    with stage.role() as role:
        stage.wait(lambda: stage.get('Job', 'held') and word_of(stage.get('Job', 'held')) == 'two', 'made again')
        role.wait_fact('kube-applied', 'off', '3 of 4 objects')


def word_of(thing):
    return thing['spec']['template']['spec']['containers'][0]['env'][0]['value']


def replaced(stage, kind, name, old):
    thing = stage.get(kind, name)
    return thing and thing['metadata']['uid'] != old[kind]
