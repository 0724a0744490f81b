"""The folders of a box that shell scripts of the image read and write, made up below one of our own."""
import os
import shutil
import tempfile

from box import TOP

BUSYBOX = TOP + '/build/pkg/busybox/bin/busybox'


class Folders:
    def __init__(self, name):
        self.root = tempfile.mkdtemp(prefix=f'hearth-{name}-')

    def make(self, folders, applets):
        for folder in (*folders, 'bin'):
            os.makedirs(f'{self.root}/{folder}', exist_ok=True)
        for applet in applets:
            os.symlink(BUSYBOX, f'{self.root}/bin/{applet}')

    def __enter__(self):
        return self

    def __exit__(self, *why):
        shutil.rmtree(self.root)

    def put(self, path, text):
        os.makedirs(os.path.dirname(f'{self.root}/{path}'), exist_ok=True)
        with open(f'{self.root}/{path}', 'w') as f:
            f.write(text)

    def get(self, path):
        try:
            with open(f'{self.root}/{path}') as f:
                return f.read().strip()
        except FileNotFoundError:
            return None

    def entries(self, slot, *names):
        """What the boot partition has, and which slot runs."""
        shutil.rmtree(self.root + '/boot/EFI/Linux')
        os.makedirs(self.root + '/boot/EFI/Linux')
        for name in names:
            self.put('boot/EFI/Linux/' + name, '')
        self.put('run/hearth/slot', slot + '\n')
