"""Writes an OCI archive of one uncompressed layer, the same bytes for the same input."""
import hashlib
import io
import json
import os
import tarfile

KIND = 'application/vnd.oci.image.'


def layer(files):
    """files: {path inside: file here}; every file gets mode 755."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as tar:
        folders = set()
        for path in sorted(files):
            parts = path.strip('/').split('/')
            for depth in range(1, len(parts)):
                folder = '/'.join(parts[:depth])
                if folder not in folders:
                    folders.add(folder)
                    tar.addfile(entry(folder, tarfile.DIRTYPE, 0o755))
            info = entry('/'.join(parts), tarfile.REGTYPE, 0o755)
            info.size = os.path.getsize(files[path])
            with open(files[path], 'rb') as f:
                tar.addfile(info, f)
        tar.addfile(entry('tmp', tarfile.DIRTYPE, 0o1777))
    return out.getvalue()


def entry(name, kind, mode):
    info = tarfile.TarInfo(name)
    info.type, info.mode = kind, mode
    return info


def write_archive(archive, name, entrypoint, files):
    blobs = {}

    def put(data, kind):
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        return {'mediaType': KIND + kind, 'digest': 'sha256:' + digest, 'size': len(data)}

    def put_json(value, kind):
        return put(json.dumps(value, sort_keys=True).encode(), kind)

    content = put(layer(files), 'layer.v1.tar')
    config = put_json({'architecture': 'amd64', 'os': 'linux', 'history': [],
                       'config': {'Entrypoint': entrypoint, 'Env': ['PATH=/bin']},
                       'rootfs': {'type': 'layers', 'diff_ids': [content['digest']]}}, 'config.v1+json')
    manifest = put_json({'schemaVersion': 2, 'mediaType': KIND + 'manifest.v1+json', 'config': config,
                         'layers': [content]}, 'manifest.v1+json')
    manifest['annotations'] = {'io.containerd.image.name': name,
                               'org.opencontainers.image.ref.name': name.split(':')[-1]}
    manifest['platform'] = {'architecture': 'amd64', 'os': 'linux'}
    index = {'schemaVersion': 2, 'mediaType': KIND + 'index.v1+json', 'manifests': [manifest]}
    with tarfile.open(archive, 'w') as tar:
        members = {'oci-layout': b'{"imageLayoutVersion":"1.0.0"}', 'index.json': json.dumps(index).encode()}
        members.update(('blobs/sha256/' + digest, data) for digest, data in blobs.items())
        for path, data in members.items():
            info = entry(path, tarfile.REGTYPE, 0o644)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
