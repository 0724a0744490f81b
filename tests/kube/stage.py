"""What a case of the kube role gets: a folder of manifests, a namespace, the cluster as the administrator sees it."""
import base64
import os
import shutil
import time

from cluster import Failed, until
from role import Role

SET = 'applyset-AGsTyweisKNx8PeinHyJbT4tO3RuiFSRWp79IMForUM-v1'  # KEP-3659: of kube-system/hearth-platform
PARENT = '/api/v1/namespaces/kube-system/configmaps/hearth-platform'
LABEL = 'applyset.kubernetes.io/part-of'
OTHER = 'somebody-else'  # field manager of changes that the test makes
PAUSE = 'hearth.local/pause:1'

# Kinds that the cases use: path of their collection, {} for the namespace.
PLACES = {
    'ConfigMap': '/api/v1/namespaces/{}/configmaps',
    'Secret': '/api/v1/namespaces/{}/secrets',
    'Service': '/api/v1/namespaces/{}/services',
    'PersistentVolumeClaim': '/api/v1/namespaces/{}/persistentvolumeclaims',
    'Deployment': '/apis/apps/v1/namespaces/{}/deployments',
    'Job': '/apis/batch/v1/namespaces/{}/jobs',
    'Pod': '/api/v1/namespaces/{}/pods',
    'Lamp': '/apis/test.hearth.dev/v1/namespaces/{}/lamps',
    'Namespace': '/api/v1/namespaces',
    'CustomResourceDefinition': '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
}


def check(condition, what):
    if not condition:
        raise Failed(what)


class Stage:
    """One per case; the names of its namespaces begin with the case's."""

    def __init__(self, cluster, name, folder):
        self.cluster, self.ns, self.folder = cluster, name, folder
        self.namespaces, self.notes = [], []
        os.makedirs(folder + '/manifests')
        self.settings('')

    # -- what the role reads ----------------------------------------------------------------------------------------

    def settings(self, text):
        with open(self.folder + '/settings.yaml', 'w') as f:
            f.write(text or 'site: {}\n')

    def manifests(self, *documents, **files):
        """Replaces the manifests: documents go to all.yaml, other files by their name. @ns is the case's namespace."""
        folder = self.folder + '/manifests'
        shutil.rmtree(folder)
        os.makedirs(folder)
        if documents:
            files['all'] = '---\n'.join(documents)
        for name, text in files.items():
            with open('%s/%s.yaml' % (folder, name), 'w') as f:
                f.write(text.replace('@ns', self.ns))

    def role(self, kubeconfig=None, up=None):
        return Role(self.cluster, self.folder, kubeconfig, up)

    def note(self, text):
        """A figure for the report."""
        self.notes.append(text)

    # -- the cluster ------------------------------------------------------------------------------------------------

    def make_namespace(self, name=None):
        name = name or self.ns
        self.claim_namespace(name)
        self.post('Namespace', {'metadata': {'name': name}})
        # Until the controller has made it, pods are refused.
        until(lambda: self.cluster.get('/api/v1/namespaces/%s/serviceaccounts/default' % name), 'ServiceAccount', 30)

    def claim_namespace(self, name):
        """It is deleted after the case."""
        self.namespaces.append(name)

    def place(self, kind, name='', ns=None):
        return PLACES[kind].format(ns or self.ns) + ('/' + name if name else '')

    def get(self, kind, name, ns=None):
        return self.cluster.get(self.place(kind, name, ns))

    def names(self, kind, ns=None, query=''):
        return {one['metadata']['name'] for one in self.cluster.get(self.place(kind, '', ns) + query)['items']}

    def _do(self, method, path, body=None, kind='application/json'):
        status, answer = self.cluster.api(method, path, body, kind)
        check(status in (200, 201, 202), '%s %s: %s %s' % (method, path, status, answer))
        return answer

    def post(self, kind, body, ns=None):
        return self._do('POST', '%s?fieldManager=%s' % (self.place(kind, '', ns), OTHER), body)

    def merge(self, kind, name, body, ns=None, manager=OTHER):
        """Changes fields as another manager. Gives the moment when it was done."""
        self._do('PATCH', '%s?fieldManager=%s' % (self.place(kind, name, ns), manager), body,
                 'application/merge-patch+json')
        return time.monotonic()

    def delete(self, kind, name, ns=None):
        self._do('DELETE', self.place(kind, name, ns))
        return time.monotonic()

    def wait(self, condition, what, deadline=60):
        return until(condition, what, deadline, 0.02)

    # -- the end ----------------------------------------------------------------------------------------------------

    def clear(self):
        """Takes everything of this case out of the set and the cluster; the namespaces go by themselves, later."""
        for kind in ('CustomResourceDefinition', 'Namespace'):
            for name in self.names(kind, query='?labelSelector=' + LABEL):
                self.merge(kind, name, {'metadata': {'labels': {LABEL: None}}})
        for ns in self.namespaces:
            for kind, place in PLACES.items():
                if '{}' in place and kind not in ('Pod', 'Lamp'):
                    self.cluster.api('DELETE', place.format(ns) + '?labelSelector=' + LABEL)
            self.cluster.api('DELETE', '/api/v1/namespaces/' + ns)
        self.cluster.api('DELETE', PARENT)
        self.cluster.api('DELETE', PLACES['CustomResourceDefinition'] + '/lamps.test.hearth.dev')


# -- manifests ------------------------------------------------------------------------------------------------------

def head(kind, name, app='one', wave=None, ns='@ns', notes=(), version='v1'):
    lines = ['apiVersion: ' + version, 'kind: ' + kind, 'metadata:', '  name: ' + name, '  labels:',
             '    app.kubernetes.io/name: ' + app]
    lines += ['  namespace: ' + ns] if ns else []
    notes = list(notes) + (['argocd.argoproj.io/sync-wave: "%d"' % wave] if wave is not None else [])
    lines += ['  annotations:'] + ['    ' + note for note in notes] if notes else []
    return '\n'.join(lines) + '\n'


def config_map(name, value='one', **more):
    return head('ConfigMap', name, **more) + 'data:\n  key: "%s"\n' % value


def secret(name, value='one', **more):
    return head('Secret', name, **more) + 'data:\n  key: "%s"\n' % base64.b64encode(value.encode()).decode()


def deployment(name, replicas=0, more_spec='', selector=None, **more):
    return head('Deployment', name, version='apps/v1', **more) + '''spec:
  replicas: %d
  selector: {matchLabels: {pod: %s}}
  template:
    metadata: {labels: {pod: %s}}
    spec:
      terminationGracePeriodSeconds: 0
%s      containers:
      - {name: main, image: "%s", imagePullPolicy: Never}
''' % (replicas, selector or name, selector or name, more_spec, PAUSE)


def job(name, word='one', **more):
    """Suspended: no pod is needed to see what becomes of it."""
    return head('Job', name, version='batch/v1', **more) + '''spec:
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers:
      - {name: main, image: "%s", imagePullPolicy: Never, env: [{name: WORD, value: %s}]}
''' % (PAUSE, word)


def service(name, address=None, **more):
    return head('Service', name, **more) + 'spec:\n  ports: [{port: 80}]\n' + \
        ('  clusterIP: %s\n' % address if address else '')


def claim(name, **more):
    return head('PersistentVolumeClaim', name, **more) + '''spec:
  accessModes: [ReadWriteOnce]
  storageClassName: none
  resources: {requests: {storage: 1Mi}}
'''


def namespace(name, **more):
    return head('Namespace', name, ns=None, **more)


LAMPS = '''apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: lamps.test.hearth.dev
spec:
  group: test.hearth.dev
  scope: Namespaced
  names: {kind: Lamp, plural: lamps, singular: lamp}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {color: {type: string}}}}
'''


def lamp(name, color='red', **more):
    return head('Lamp', name, version='test.hearth.dev/v1', **more) + 'spec: {color: %s}\n' % color
