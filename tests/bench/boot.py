#!/usr/bin/env python3
"""`make bench-boot`: where the time of a boot goes, how large things are, what each role costs in memory.

The floor is tests/bench/floor.c as /init of the same machine: same verity root, same file systems, then a shell.
Both are booted in turn, ROUNDS times; medians are printed. Times inside the machine are CLOCK_BOOTTIME."""
import pathlib
import re
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "qemu"))
import disk  # noqa: E402
import run  # noqa: E402
import vm  # noqa: E402

ROUNDS = 5
GOALS = {"hearth": 2048, "init": 512, "roles": 12 * 1024}  # KiB
RATIO = 1.3

MEMORY = """name: memory
description: prints what every process of hearth uses
command:
  - /bin/sh
  - -c
  - |
    for p in /proc/[0-9]*; do
      [ "$(readlink $p/exe)" = /usr/bin/hearth ] || continue
      set -- $(tr '\\0' ' ' <$p/cmdline)
      echo "role $2 pss $(awk '/^Pss:/ {print $2}' $p/smaps_rollup)" \
        "private $(awk '/^Private/ {n += $2} END {print n}' $p/smaps_rollup)"
    done
type: oneshot
enabled: false
"""


def floor_initrd():
    out = vm.BUILD / "bench" / "floor.initrd"
    make = "python3 board/cpio.py build/bench/floor | zstd -q -19"
    out.write_bytes(subprocess.run(make, shell=True, cwd=vm.TOP, capture_output=True, check=True).stdout)
    return out


def boot_floor(case, n, image, initrd):
    box = case.vm(f"floor{n}", direct=True, image=image, initrd=initrd).start()
    start = float(box.expect(r"FLOOR start (\d+)\n", 120)[1])
    shell = float(box.expect(r"FLOOR shell ([\d.]+)\n", 60)[1]) * 1000
    box.kill()
    return {"kernel": start, "console": shell - start}


def boot_hearth(case, n, image):
    box = case.vm(f"hearth{n}", direct=True, image=image).start()
    status, events = box.running(), box.api("events?from=1")["events"]
    box.kill()
    at = {name: next(e["ms"] for e in events if e["name"] == name and e["text"].startswith(text))
          for name, text in (("console-serial", "ready"), ("network", "done"))}
    start = status["stage1_ms"]
    return {"kernel": start, "stage 1": status["init_ms"] - start, "console": at["console-serial"] - start,
            "network": at["network"] - start}


def power_on(case):
    """From power on, through firmware and boot loader, seen from outside."""
    box = case.vm("power", image=case.booted())
    marks, start = {}, time.monotonic()
    box.start()
    for name, pattern in (("boot loader", r"BdsDxe: starting"), ("PID 1", r"hearth: mounts"), ("prompt", None)):
        if pattern:
            box.expect(pattern, 120)
        else:
            box.send("\r")
            box.prompt()
        marks[name] = time.monotonic() - start
    box.kill()
    return marks


def memory(case):
    box = case.vm("memory", direct=True, image=case.booted())
    disk.put(box.disk, MEMORY, "/services/memory.yaml")
    box.start()
    box.running()
    box.until("the page answers", lambda: box.get("/")[0] == 200)
    box.send("start memory\r")
    text = box.until("the figures", lambda: (t := box.command("logs memory -n 40")) and "role web pss" in t and t)
    box.kill()
    rows = re.finditer(r"role (\w+) pss (\d+) private (\d+)", text)
    return [(m[1], int(m[2]), int(m[3])) for m in rows]


def median(rounds, key):
    return statistics.median(r[key] for r in rounds)


def main():
    case = run.Case("bench-boot")
    try:
        image, initrd = case.booted(), floor_initrd()
        ours, floors = [], []
        for n in range(ROUNDS):
            print(f"round {n + 1} of {ROUNDS} ...", flush=True)
            floors.append(boot_floor(case, n, image, initrd))
            ours.append(boot_hearth(case, n, image))
        marks, roles = power_on(case), memory(case)
    finally:
        case.close()
    print(f"\nPower on to prompt, {vm.accel()}, one boot through firmware, seconds from power on:")
    for name, at in marks.items():
        print(f"  {name:<14} {at:6.1f}")
    print(f"\nInside, without firmware, medians of {ROUNDS} interleaved boots, ms:")
    print(f"  kernel to /init        {median(ours, 'kernel'):6.0f}   floor {median(floors, 'kernel'):6.0f}")
    print(f"  /init to stage 2       {median(ours, 'stage 1'):6.0f}")
    print(f"  /init to the consoles  {median(ours, 'console'):6.0f}   floor {median(floors, 'console'):6.0f}   "
          f"ratio {median(ours, 'console') / median(floors, 'console'):.2f} (goal {RATIO})")
    print(f"  /init to an address    {median(ours, 'network'):6.0f}")
    sizes = {"hearth": vm.BUILD / "hearth", "kernel": vm.BUILD / "pkg/linux/bzImage", "root": vm.BUILD / "root.img",
             "initramfs": vm.BUILD / "image/initrd"}
    print("\nSizes, KiB:")
    for name, path in sizes.items():
        goal = f"   goal {GOALS[name]}" if name in GOALS else ""
        print(f"  {name:<14} {path.stat().st_size / 1024:8.0f}{goal}")
    print(f"  {'image':<14} {vm.IMAGE.stat().st_size / 1024:8.0f}   written {vm.IMAGE.stat().st_blocks / 2:.0f}")
    print("\nMemory, KiB:           PSS   private")
    for name, pss, private in roles:
        goal = f"   goal {GOALS['init']} private" if name == "init" else ""
        print(f"  {name:<14} {pss:10} {private:9}{goal}")
    print(f"  {'all roles':<14} {sum(r[1] for r in roles):10}             goal {GOALS['roles']}")


if __name__ == "__main__":
    main()
