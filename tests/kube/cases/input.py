"""What the role refuses to read, and says where it is wrong."""
from stage import check, config_map, secret

BAD = (  # file, its text, words of the message
    ('broken', config_map('one') + ' }: [\n', 'broken.yaml:10'),
    ('tab', config_map('one').replace('  key', '\tkey'), 'tab.yaml:9'),
    ('nameless', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: @ns}\n', 'nameless.yaml:'),
    ('twice', config_map('one') + '---\n' + config_map('one'), 'twice.yaml:11'),
    ('wave', config_map('one', notes=['argocd.argoproj.io/sync-wave: "soon"']), 'wave.yaml:'),
    ('variable', '# a comment\n' + config_map('one', '${site.name}'), 'variable.yaml:10: ${site.name} is not set'),
)


def case_bad_manifests(stage):
    """Broken files are named with their line and nothing of any file is applied; an unknown kind holds nobody else."""
    stage.make_namespace()
    for name, text, words in BAD:
        stage.manifests(aaa=config_map('good'), **{name: text})
        with stage.role() as role:
            told = role.wait_fact('kube-manifests', 'off')
            check(words in told, '%s: %r in %r' % (name, words, told))
            check(told in role.state(), name + ': the state says it, too')
            role.wait_fact('kube-applied', 'off', 'the manifests cannot be used')
            role.wait_fact('kube-api', 'on')  # everything it would do has begun
            role.wait_fact('node-ready', 'off' if stage.cluster.alone else 'on')
        check(stage.get('ConfigMap', 'good') is None, name + ': half of it was applied')
    values(stage)
    unknown(stage)


def values(stage):
    """A value of the settings, in YAML and in text that only looks like a variable."""
    stage.settings('site:\n  name: my.home\n  empty: ""\n')
    stage.manifests(config_map('good', 'http://${site.name}/ ${OTHER} $${site.name}'))
    with stage.role() as role:
        role.wait_applied()
        text = stage.get('ConfigMap', 'good')['data']['key']
        check(text == 'http://my.home/ ${OTHER} $${site.name}', 'filled in: ' + text)
    stage.manifests(config_map('good', '${site.empty}'))
    with stage.role() as role:
        role.wait_fact('kube-manifests', 'off', '${site.empty} is not set')


def unknown(stage):
    """Kinds and fields that the server does not know; both are told, the rest is applied."""
    stage.manifests(config_map('good', 'two'), secret('other'),
                    config_map('wish').replace('v1\nkind: ConfigMap', 'wish.test/v1\nkind: Wish'),
                    config_map('bent', app='bent').replace('key: "one"', 'key: {deep: 1}'))
    with stage.role() as role:
        told = role.wait_fact('app-one', 'off', 'Wish case-bad-manifests/wish: ')
        check('wish.test' in told, 'the kind is named: ' + told)
        role.wait_fact('app-bent', 'off', 'ConfigMap case-bad-manifests/bent: ')
        role.wait_fact('kube-applied', 'off', '2 of 4 objects')
        check(stage.get('ConfigMap', 'good')['data']['key'] == 'two', 'the others are applied')
        check(stage.get('ConfigMap', 'bent') is None, 'nothing of the bent one')
