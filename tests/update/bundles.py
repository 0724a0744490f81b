"""Small bundles: an image that looks like EROFS to whoever asks for its size, with a real hash tree, signed by keys
made here. Everything may be made wrong on purpose."""
import hashlib
import os
import random
import re
import struct
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, TOP + '/board')

from bundle import KERNEL_PIECE, hashes, header  # noqa: E402

BLOCK = 4096
PIECE = KERNEL_PIECE  # of uki.hashes
CREATED = 1795564800
MEMBERS = ('root.verity', 'uki.hashes', 'uki.efi', 'root.erofs')
SALT = re.search(r'^VERITY_SALT := (\w+)$', open(TOP + '/board/board.mk').read(), re.M).group(1)


def run(*words):
    p = subprocess.run(words, capture_output=True, check=False)
    if p.returncode:
        raise OSError('%s: %s' % (' '.join(words), p.stderr.decode()))
    return p.stdout


def blocks(count, seed, step=0):
    """Blocks that are all different; two seeds have none in common."""
    chance = random.Random(seed)
    return [chance.randbytes(BLOCK - 8) + struct.pack('<II', i + step, seed) for i in range(count)]


def image(parts):
    """The blocks, the first of them with the superblock of an EROFS of that size (linux/erofs_fs.h)."""
    first = bytearray(parts[0])
    head = struct.pack('<II4xB', 0xE0F5E1E2, 0, 12).ljust(36, b'\0') + struct.pack('<I', len(parts))
    first[1024:1152] = head.ljust(128, b'\0')
    return bytes(first) + b''.join(parts[1:])


class Keys:
    """folder/private.pem, and folder/keys/current.pem as a box has it; or those of the build."""

    def __init__(self, folder, build=False):
        self.private, self.folder, self.text = folder + '/private.pem', folder + '/keys', folder + '/signed.text'
        os.makedirs(self.folder)
        if build:
            self.private = run(TOP + '/board/keys.sh', 'private').decode().strip()
            return
        run('openssl', 'ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', self.private)
        run('openssl', 'pkey', '-in', self.private, '-pubout', '-out', self.folder + '/current.pem')

    def sign(self, text):
        with open(self.text, 'wb') as f:
            f.write(text)
        return run('openssl', 'dgst', '-sha256', '-sign', self.private, self.text)


class Bundle:
    """data: the image. tree, hashes (of uki), uki, text, sig: bytes; what is changed before pack() comes out so."""

    def __init__(self, folder, keys, data, version='0.2.0', uki=b'MZ new kernel ' * 20000, **manifest):
        self.keys, self.data, self.uki, self.version = keys, data, uki, version
        self.hashes = hashes(uki)
        path = folder + '/image'
        with open(path, 'wb') as f:
            f.write(data)
        said = run('veritysetup', 'format', path, path, '--hash-offset=%d' % len(data), '--salt=' + SALT,
                   '--uuid=01234567-89ab-4cde-8f01-23456789abcd').decode()
        self.root = re.search(r'Root hash:\s*(\w+)', said).group(1)
        with open(path, 'rb') as f:
            f.seek(len(data))
            self.tree = f.read()
        self.manifest = {'format': 2, 'board': 'x86-64-efi', 'version': version, 'build': 'abc123', 'created': CREATED,
                         'minimum': '0.1.0', 'kubernetes': 'none', 'changes': '"Better, and more of it"', **manifest}
        self.seal()

    def slot(self):
        return self.data + self.tree

    def seal(self):
        """The manifest and its signature, from what is there now."""
        lines = ['%s: %s' % row for row in self.manifest.items()]
        lines += ['root: {hash: %s, uuid: 01234567-89ab-4cde-8f01-23456789abcd, salt: %s, blocks: %d}' %
                  (self.root, SALT, len(self.data) // BLOCK), 'members:']
        for name, part in self.members():
            lines.append('  %s: {size: %d, sha256: %s}' % (name, len(part), hashlib.sha256(part).hexdigest()))
        self.text = ('\n'.join(lines) + '\n').encode()
        self.sig = self.keys.sign(self.text)
        return self

    def members(self):
        return zip(MEMBERS, (self.tree, self.hashes, self.uki, self.data))

    def rows(self):
        return [('manifest.yaml', self.text), ('manifest.sig', self.sig), *self.members()]

    def pack(self, rows=None):
        out = b''
        for name, part in self.rows() if rows is None else rows:
            out += header(name, len(part), CREATED) + part + bytes(-len(part) % 512)
        return out + bytes(1024)

    def at(self, name):
        """Where a member's bytes begin."""
        at = 0
        for one, part in self.rows():
            at += 512
            if one == name:
                return at
            at += len(part) + -len(part) % 512
        raise KeyError(name)
