"""Objects that leave the set: deleted, unless something speaks against it."""
from stage import LABEL, PARENT, check, claim, config_map, deployment, namespace, secret

SHRINK = 'hearth.dev/shrink'
PRUNE = 'hearth.dev/prune: "true"'


def run_with(stage, *documents):
    """One run with these manifests up to its end. Gives what its apps say, and its state."""
    stage.manifests(*documents)
    with stage.role() as role:
        role.wait_applied()
        return role.ask('apps')['state']


def maps(*names):
    return [config_map(name) for name in names]


def case_prune(stage):
    """What left the set is deleted, of each kind and in each namespace; what others made stays, also in their set."""
    other = stage.ns + '-other'
    stage.make_namespace()
    stage.make_namespace(other)
    kept = [*maps('a', 'b', 'c', 'd', 'e'), deployment('kept')]
    stage.post('ConfigMap', {'metadata': {'name': 'plain'}})
    stage.post('ConfigMap', {'metadata': {'name': 'in-their-set', 'labels': {LABEL: 'applyset-theirs-v1'}}})
    stage.post('ConfigMap', {'metadata': {'name': 'looks-like-ours', 'labels': {'app.kubernetes.io/name': 'one'}}})
    run_with(stage, *kept, config_map('gone'), secret('gone'), config_map('gone', ns=other), deployment('gone'))
    check(stage.get('Deployment', 'gone'), 'applied')
    check(run_with(stage, *kept) == '', 'nothing is left to say')
    for kind in ('ConfigMap', 'Secret', 'Deployment'):
        stage.wait(lambda: stage.get(kind, 'gone') is None, '%s deleted' % kind)
    check(stage.get('ConfigMap', 'gone', other) is None, 'deleted in the other namespace')
    check(stage.names('ConfigMap') == {'a', 'b', 'c', 'd', 'e', 'plain', 'in-their-set', 'looks-like-ours',
                                       'kube-root-ca.crt'}, 'the others stay, not %s' % stage.names('ConfigMap'))
    kinds = stage.cluster.get(PARENT)['metadata']['annotations']['applyset.kubernetes.io/contains-group-kinds']
    check(kinds == 'ConfigMap,Deployment.apps', 'the parent lists what is left, not ' + kinds)


def case_guard(stage):
    """Never by mistake: an empty set, most of a set, and what may hold data."""
    space = stage.ns + '-space'
    stage.make_namespace()
    stage.claim_namespace(space)
    names = ['m%d' % i for i in range(8)]
    data = [claim('plain'), claim('allowed', notes=[PRUNE]), namespace(space)]
    run_with(stage, *maps(*names), *data)

    stage.manifests('# nothing\n')
    with stage.role() as role:
        text = role.wait_fact('kube-manifests', 'off')
        check('no object' in text, 'says that there is nothing, not: ' + text)
        check(text in role.state(), 'so does the state: ' + role.state())
    check(set(names) <= stage.names('ConfigMap'), 'an empty set deleted something')

    state = run_with(stage, *maps(*names[:4]), *data)
    check(state == '', 'up to half may go: ' + state)
    check(stage.names('ConfigMap') == {*names[:4], 'kube-root-ca.crt'}, 'four are deleted')

    state = run_with(stage, *maps(names[0]))
    check('4 of 5 objects left the set, too many to delete unasked' in state and SHRINK in state,
          'the guard says what to do, not: ' + state)
    check(set(names[:4]) <= stage.names('ConfigMap'), 'most of the set was deleted')
    allow(stage, state)
    run_with(stage, *maps(names[0]))
    check(stage.names('ConfigMap') == {names[0], 'kube-root-ca.crt'}, 'with leave it is deleted')
    check(stage.get('PersistentVolumeClaim', 'plain'), 'a claim without leave was deleted')
    check(stage.get('Namespace', space)['status']['phase'] == 'Active', 'a namespace without leave was deleted')
    stage.wait(lambda: leaving(stage.get('PersistentVolumeClaim', 'allowed')), 'a claim with leave goes')


def leaving(thing):
    return thing is None or thing['metadata'].get('deletionTimestamp')


def allow(stage, state):
    """Does what the message of the guard asks for: `set KEY=VALUE on ConfigMap ...`."""
    key, value = state.rsplit('set ', 1)[1].split(' ')[0].split('=')
    stage.cluster.api('PATCH', PARENT, {'metadata': {'annotations': {key: value}}}, 'application/merge-patch+json')
