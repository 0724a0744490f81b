"""Copies of volumes on the box's own XFS: taken at the next start, put back with owner, links and limit,
what was newer kept and removed again; and one before an update, at the first start of the new version. A service stands
for k3s and the apps: it runs the scripts that k3s's start runs, says what it finds in a volume, and writes over it."""
import re

import variant
from run import check
from server import Server

SERVICE = """name: notes
description: Stands for k3s and an app
command: [/bin/sh, /usr/libexec/hearth/notes]
type: oneshot
restart: never
start-timeout: 10m
when: [data-mounted, state-mounted]
"""

APP = r"""set -eu
v=/data/volumes/utils/pvc-1_utils_notes
if ! [ -d $v ]; then
	mkdir -p $v/deep
	chmod 2750 $v/deep
	hearth quota $v 16M
	dd if=/dev/urandom of=$v/deep/big bs=1M count=8 2>/dev/null
	ln $v/deep/big $v/second
	chown 1000:2000 $v/deep/big
	echo 0 >/data/notes
	sync
fi
/usr/libexec/hearth/cluster
/usr/libexec/hearth/volumes
n=$(($(cat /data/notes) + 1))
echo "start $n: found $(cat $v/boot 2>/dev/null || echo nothing)"
echo "start $n: $(stat -c '%u:%g %h names' $v/deep/big), $(stat -c %a $v/deep)"
echo "start $n: $(hearth quota $v | sed 's/ bytes.*//')"
echo $n >$v/boot
echo $n >/data/notes
if dd if=/dev/zero of=$v/more bs=1M count=12; then echo "start $n: no limit"; fi
rm -f $v/more
sync
echo "start $n: done"
"""

FILES = {"etc/hearth/services/notes.yaml": SERVICE, "usr/libexec/hearth/notes": APP}


def found(box, n):
    """What the app found at its n-th start; that the rest of the volume is as it was made."""
    def done():
        text = box.command("logs notes")
        return text if f"start {n}: done" in text else None
    text = box.until(f"start {n} of the app", done, 300)
    check(f"start {n}: no limit" not in text, f"the volume has no limit: {text}")
    check(f"start {n}: 1000:2000 2 names, 2750" in text, f"the files are not as they were made: {text}")
    used = int(re.search(rf"start {n}: (\d+) of 16777216\n", text)[1])
    check(8 << 20 <= used < 9 << 20, f"the volume counts {used} bytes")
    return re.search(rf"start {n}: found (\w+)", text)[1]


def again(box):
    box.confirm("reboot")
    box.expect("reboot: Restarting system")
    box.prompt()


def run(case):
    server = Server()
    first = variant.make("snapshots-1", "0.1.0", FILES, image=True)
    second = variant.make("snapshots-2", "0.2.0", FILES)
    server.files["/new.hearth"] = (second / "hearth-0.2.0.hearth").read_bytes()
    box = case.vm(image=first / "hearth.img").start()
    box.prompt()
    box.running()
    check(found(box, 1) == "nothing", "the app writes for the first time")
    check("There is no copy" in box.command("snapshots"), "none is there")
    check("at the next start" in box.command("snapshots take"), "it is asked for")
    check("asked for by hand" in box.command("snapshots"), "and that is shown")
    again(box)
    check(found(box, 2) == "1", "the app goes on")
    check("every volume has a copy" in box.facts()["snapshots-taken"]["detail"], "the fact says so")
    copies = box.api("snapshots")["snapshots"]
    check([c["name"] for c in copies] == ["utils/notes"] and 8 << 20 <= copies[0]["size"] < 9 << 20, f"{copies}")
    box.confirm("snapshots restore utils/notes")
    box.expect("goes back at the next start")
    again(box)
    check(found(box, 3) == "1", "the app finds what it had before")
    text = box.command("snapshots")
    check("utils/notes:newer" in text and "put aside" in text, f"`snapshots` says:\n{text}")
    box.confirm("snapshots remove utils/notes:newer")
    box.expect("is removed")
    box.until("it is gone", lambda: ":newer" not in box.command("snapshots"))
    box.until_kept()
    box.send(f"update install http://10.0.2.2:{server.port}/new.hearth --snapshot --restart\r")
    box.expect(r"started: version 0\.2\.0")
    box.expect("reboot: Restarting system", 600)
    box.prompt()
    check(box.api("status")["slot"] == "b", "the new slot is tried")
    check(found(box, 4) == "3", "the app goes on in the new version")
    text = box.command("snapshots")
    check("before version 0.2.0" in text and "by hand" not in text, f"`snapshots` says:\n{text}")
    server.stop()
