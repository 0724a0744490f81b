"""What the API server remembers of the boot before is not taken for what is."""
import time

from stage import check, config_map, deployment


def case_last_boot(stage, node):
    """The same pod and node, seen by a role that believes that the machine has begun since: healthy and ready they are
    only when the kubelet has told anew."""
    stage.make_namespace()
    stage.manifests(config_map('map'), deployment('web', replicas=1, app='web'))
    with stage.role() as role:
        role.wait_applied()
        role.wait_fact('app-web', 'on')
        role.wait_fact('kube-healthy', 'on', '2 of 2 apps healthy')
        role.wait_fact('node-ready', 'on')
    time.sleep(3)
    with stage.role(up=1) as role:
        role.wait_applied()
        role.wait_fact('app-one', 'on')
        role.wait_fact('app-web', 'off', 'its containers of this boot are not seen yet')
        role.wait_fact('kube-healthy', 'off', '1 of 2 apps healthy; waiting for web')
        role.wait_fact('node-ready', 'off', 'the kubelet is not heard of yet')
        time.sleep(7)
        check(role.facts['app-web'][0] == 'off', 'nothing has changed')
        stage.delete('Pod', min(stage.names('Pod')))  # its successor is of this boot
        began = time.monotonic()
        role.wait_fact('app-web', 'on')
        stage.note('healthy %.1f s after the new container was asked for' % (time.monotonic() - began))
        role.wait_fact('kube-healthy', 'on')
        role.wait_fact('node-ready', 'on')
        role.wait_log('the containers of this boot are seen')
