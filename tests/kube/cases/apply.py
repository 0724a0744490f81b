"""Order, ownership and the marks that the role leaves on what it applies."""
from stage import LABEL, LAMPS, PARENT, SET, check, config_map, deployment, lamp, namespace, secret

GATE = 'hearth.test/gate'


def revision(thing):
    return int(thing['metadata']['resourceVersion'])


def open_gate(stage, node):
    stage.cluster.api('PATCH', '/api/v1/nodes/' + node, {'metadata': {'labels': {GATE: 'open'}}},
                      'application/merge-patch+json')


def case_apply(stage, node):
    """Waves, with one that has to wait; a CRD and its object in one set; the labels of the set."""
    stage.claim_namespace(stage.ns)
    gate = '      nodeSelector: {%s: open}\n' % GATE
    stage.manifests(config_map('second', wave=2, app='two'), LAMPS, lamp('one'), secret('pass'),
                    deployment('first', replicas=1, wave=1, more_spec=gate), namespace('@ns'))
    with stage.role() as role:
        role.wait_fact('app-one', 'off', 'Deployment case-apply/first: available: 0/1')
        role.wait_fact('kube-applied', 'off', 'wave 1')
        check(stage.get('ConfigMap', 'second') is None, 'wave 2 came before wave 1 was healthy')
        check(role.ask('apps')['wave'] == 1, 'the wave is told')
        apps = {app['name']: app['status'] for app in role.ask('apps')['apps']}
        check(apps == {'one': 'progressing', 'two': 'progressing', 'platform': 'healthy'}, 'apps are %s' % apps)
        open_gate(stage, node)
        role.wait_applied()
        first, second = stage.get('Deployment', 'first'), stage.get('ConfigMap', 'second')
        check(revision(first) < revision(second), 'wave 2 came after the last change of wave 1')
        role.wait_fact('app-one', 'on', '4 objects')
        role.wait_fact('app-two', 'on', '1 objects')
        role.wait_fact('node-ready', 'on', 'the node is ready')
        check_marks(stage)
        check(role.ask('apps', 'two')['objects'][0]['status'] == 'current', 'the object is current')


def check_marks(stage):
    for kind, name in (('Deployment', 'first'), ('ConfigMap', 'second'), ('Lamp', 'one'), ('Namespace', stage.ns)):
        metadata = stage.get(kind, name)['metadata']
        check(metadata['labels'].get(LABEL) == SET, '%s %s carries the label of the set' % (kind, name))
        ways = {(entry['manager'], entry['operation']) for entry in metadata['managedFields']}
        check(('hearth', 'Apply') in ways, '%s %s was applied by hearth, not %s' % (kind, name, ways))
    parent = stage.cluster.get(PARENT)['metadata']
    check(parent['labels'].get('applyset.kubernetes.io/id') == SET, 'the parent carries the id of the set')
    kinds = parent['annotations']['applyset.kubernetes.io/contains-group-kinds'].split(',')
    check(kinds == ['ConfigMap', 'CustomResourceDefinition.apiextensions.k8s.io', 'Deployment.apps',
                    'Lamp.test.hearth.dev', 'Namespace', 'Secret'], 'the kinds of the set, not %s' % kinds)
    check(parent['annotations']['applyset.kubernetes.io/tooling'].startswith('hearth/'), 'the tool is named')
    check(stage.ns in parent['annotations']['applyset.kubernetes.io/additional-namespaces'], 'the namespace is named')


def case_conflict(stage):
    """Fields of others: an object that somebody else made is left alone and its manager named, unless the manifest
    says so; of an object of ours a field is taken back."""
    stage.make_namespace()
    for name in ('theirs', 'forced'):
        stage.post('ConfigMap', {'metadata': {'name': name}, 'data': {'key': 'theirs', 'more': 'kept'}})
    stage.manifests(config_map('theirs'), config_map('forced', notes=['hearth.dev/force: "true"']), config_map('ours'))
    with stage.role() as role:
        role.wait_fact('app-one', 'off', 'ConfigMap case-conflict/theirs: not ours, left alone: '
                                         'conflict with somebody-else on .data.key')
        role.wait_fact('kube-applied', 'off', '2 of 3 objects')
        stage.wait(lambda: stage.get('ConfigMap', 'forced')['data'] == {'key': 'one', 'more': 'kept'}, 'forced')
        check(stage.get('ConfigMap', 'theirs')['data']['key'] == 'theirs', 'what is not ours was changed')
        check(role.object('one', 'ConfigMap', 'theirs')['status'] == 'failed', 'the consoles show it as failed')
        stage.wait(lambda: stage.get('ConfigMap', 'ours'), 'the others are applied')
        since = role.log_size()
        stage.merge('ConfigMap', 'ours', {'data': {'key': 'stolen', 'extra': 'theirs'}})
        stage.wait(lambda: stage.get('ConfigMap', 'ours')['data'] == {'key': 'one', 'extra': 'theirs'}, 'taken back')
        role.wait_log('taken back from somebody-else on .data.key', since=since)
        # What stood in the way goes: the next run takes it as its own.
        stage.delete('ConfigMap', 'theirs')
    with stage.role() as role:
        role.wait_applied()
        check(stage.get('ConfigMap', 'theirs')['data'] == {'key': 'one'}, 'made by us')
