"""What `make bench-update` installs: the image of this checkout as it would be in another release, made by the build's
own scripts, and an image of a size that no box has, made up.

The other release has the program of another commit (so its page, too), another version, and one Go program with another
line in it. Everything lies below build/bench/update/, on the disk that is measured."""
import os
import pathlib
import shutil
import struct
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(TOP / "board"), str(TOP / "tests/update")]
import bundle  # noqa: E402
import bundles  # noqa: E402

BUILD = TOP / "build"
WORK = BUILD / "bench" / "update"
BLOCK = 4096
GO = """CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/hearth
. board/go.sh
go build -C board -tags netgo,osusergo -ldflags "-s -w -buildid=" -o "$0" ./go/cri"""


class Failed(Exception):
    pass


def run(*words, cwd=TOP):
    """What it prints."""
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{' '.join(map(str, words))}: {done.stdout[-500:]}{done.stderr[-1500:]}")
    return done.stdout


# -- a program from other sources -----------------------------------------------------------------------------------


def unpack(folder, commit, *paths):
    text = subprocess.run(["git", "archive", commit, *paths], cwd=TOP, capture_output=True)
    if text.returncode:
        raise Failed(f"git archive {commit}: {text.stderr.decode().strip()}; name another commit: BASE=COMMIT")
    subprocess.run(["tar", "-x", "-C", folder], input=text.stdout, check=True)


def sources(name, base="HEAD", **values):
    """A folder with the last commit's tree, but init/ of another one and other values in board.mk; build/hearth there
    is built. What the packages gave is shared."""
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "build").mkdir(parents=True)
    unpack(folder, "HEAD")
    shutil.rmtree(folder / "init")
    unpack(folder, base, "init")
    board = folder / "board/board.mk"
    board.write_text("".join(f"{key} := {values.get(key, value)}\n" for key, value in
                             (line.split(" := ", 1) for line in board.read_text().splitlines() if " := " in line)))
    (folder / "build/pkg").symlink_to(BUILD / "pkg")
    shutil.copy(BUILD / "sources.lock", folder / "build")
    run("make", "-j2", "build/hearth", cwd=folder)
    return folder


# -- another release ------------------------------------------------------------------------------------------------


def change_go(folder):
    """Another line in the main function of hearth-cri."""
    main = folder / "board/go/cri/main.go"
    text = main.read_text()
    at = text.index("func main() {\n") + len("func main() {\n")
    main.write_text(text[:at] + '\t_, _ = os.Stdout.WriteString("")\n' + text[at:])
    out = folder / "build/hearth-cri"
    run("sh", "-c", GO, out, cwd=folder)
    return out


def put(root, path, source):
    """The files of the root are links to the build's: never written, only replaced."""
    (root / path).unlink()
    shutil.copy(source, root / path)


def other_release(base, version="0.2.0"):
    """The folder of it: root.img, uki.efi, a bundle."""
    folder, made = WORK / "new", sources("src", base, BOARD_VERSION=version)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    run("cp", "-al", BUILD / "root", folder / "root")
    put(folder / "root", "usr/bin/hearth", made / "build/hearth")
    put(folder / "root", "usr/bin/hearth-cri", change_go(made))
    release = made / "build/os-release"
    release.write_text((BUILD / "root/usr/lib/os-release").read_text().replace("0.1.0", version))
    put(folder / "root", "usr/lib/os-release", release)
    run("board/seal.sh", folder)
    run("board/uki.sh", folder, cwd=made)  # with the program that was made there
    run("board/bundle.sh", folder)
    return folder


def bundle_of(folder):
    return next(folder.glob("*.hearth"))


# -- bytes that differ ----------------------------------------------------------------------------------------------


def blocks(path, start=0, end=None, size=BLOCK):
    with open(path, "rb") as f:
        f.seek(start)
        left = (end or path.stat().st_size) - start
        while left > 0:
            block = f.read(min(size, left))
            left -= len(block)
            yield block


def missing(new, old):
    """Bytes in blocks that the old one has nowhere."""
    there = {hash(block) for block in old}
    return sum(len(block) for block in new if hash(block) not in there)


def image_bytes(folder):
    return int(bundle.variables(folder / "root.env")["ROOT_BYTES"])


def differing(new, entry_block=BLOCK, old=BUILD):
    """{part: bytes of the new build that the old one has not}, counted from the files alone."""
    ends = image_bytes(new), image_bytes(old)
    images = [folder / "root.img" for folder in (new, old)]
    return {"image": missing(blocks(images[0], 0, ends[0]), blocks(images[1], 0, ends[1])),
            "hash tree": missing(blocks(images[0], ends[0]), blocks(images[1], ends[1])),
            "boot entry": missing(*(blocks(folder / "uki.efi", size=entry_block) for folder in (new, old)))}


# -- a size that no box has -----------------------------------------------------------------------------------------


def made_up(mib, version="0.2.0"):
    """A folder as other_release makes one: an image of that size with nothing in it but zeros, and a program whose
    slots have room for it (hearth). running.img is as large, with other hashes for all of its blocks."""
    made = sources("large", SYSTEM_MIB=mib + mib // 64)
    folder, size = WORK / "made-up", mib << 20
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "root/usr/share/hearth").mkdir(parents=True)
    (folder / "root/usr/lib").mkdir()
    (folder / "root/usr/lib/os-release").write_text(f"VERSION_ID={version}\nBUILD_ID=made-up\n")
    for name in ("kube", "build-epoch"):
        shutil.copy(BUILD / "root/usr/share/hearth" / name, folder / "root/usr/share/hearth")
    shutil.copy(BUILD / "uki.efi", folder)
    first = bytearray(bundles.image([bytes(BLOCK)]))
    struct.pack_into("<I", first, 1024 + 36, size // BLOCK)
    image, running = folder / "root.img", folder / "running.img"
    for path in (image, running):
        path.write_bytes(first)
        os.truncate(path, size)
    uuid = "01234567-89ab-4cde-8f01-23456789abcd"
    said = run("veritysetup", "format", image, image, f"--hash-offset={size}", f"--salt={bundles.SALT}",
               f"--uuid={uuid}")
    root = next(line.split()[-1] for line in said.splitlines() if line.startswith("Root hash"))
    (folder / "root.env").write_text(f"ROOT_UUID={uuid}\nROOT_HASH={root}\nROOT_BYTES={size}\n")
    with open(image, "rb") as f, open(running, "r+b") as out:
        f.seek(size)
        out.seek(size)
        out.write(f.read(BLOCK) + os.urandom(image.stat().st_size - size - BLOCK))
    target = folder / "made-up.hearth"
    run("python3", "board/bundle.py", folder, run("board/keys.sh", "private").strip(), target)
    run("fallocate", "--dig-holes", target)
    shutil.copy(made / "build/hearth", folder / "hearth")
    return folder
