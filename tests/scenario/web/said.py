"""What the stand-in for PID 1 answers: a box as it might be."""

STATUS = {
    "name": "hearth-3f2a", "version": "0.1.0", "kernel": "6.12.57", "slot": "system-a", "system": "running",
    "detail": "", "boots": 7, "uptime_ms": 275_460_000, "time": "2026-11-25T17:31:08Z", "time_synced": True,
    "url": "https://192.168.1.23/", "last_shutdown": "reboot asked for on the console", "cpus": 4,
    "interfaces": [
        {"name": "eth0", "mac": "52:54:00:12:34:56", "up": True,
         "addresses": ["192.168.1.23/24", "fd00::5054:ff:fe12:3456/64"]},
        {"name": "eth1", "mac": "52:54:00:12:34:57", "up": False, "addresses": []}],
    "memory": {"total": 8_192_000_000, "available": 5_910_000_000}, "load": "0.42",
    "disks": [{"name": "data", "path": "/data", "total": 498_000_000_000, "free": 411_000_000_000},
              {"name": "state", "path": "/state", "total": 246_000_000, "free": 231_000_000}],
    "services": {"total": 10, "ready": 9, "failed": 0},
    "kubernetes": {"inside": "k3s v1.36.4+k3s1, the official release",
                   "state": "the node is ready; 8 of 8 apps healthy"},
    "stages": [{"name": n, "state": "done", "detail": "", "ms": m} for n, m in
               (("mounts", 12), ("cgroups", 3), ("clock", 1), ("control", 2), ("services", 9), ("state", 410),
                ("settings", 6), ("data", 380), ("network", 1204), ("time", 2210))],
    "waiting": "", "problems": [],
}
SERVICES = {"services": [
    {"name": n, "description": d, "state": s, "detail": t, "since_ms": a, "restarts": r, "pid": p, "memory": m}
    for n, d, s, t, a, r, p, m in (
        ("cert", "key and certificate of the HTTPS console", "done", "", 275_400_000, 0, 0, 0),
        ("console-screen", "screen and line editor on tty1", "ready", "", 275_458_000, 0, 131, 372_736),
        ("console-serial", "screen and line editor on ttyS0", "ready", "", 275_458_000, 0, 130, 368_640),
        ("klog", "the kernel's log", "ready", "", 275_459_000, 0, 121, 192_512),
        ("log", "writes the logs of all services", "ready", "", 275_459_000, 0, 120, 274_432),
        ("network", "interfaces and DHCP", "ready", "", 275_430_000, 0, 140, 512_000),
        ("scrub", "reads the whole root once", "starting", "block 41 208 of 262 144", 61_000, 0, 155, 1_204_224),
        ("storage", "disks and file systems", "done", "", 275_420_000, 0, 0, 0),
        ("time", "clock from the network", "ready", "", 275_410_000, 1, 151, 229_376),
        ("web", "HTTPS console", "ready", "", 275_400_000, 2, 160, 2_104_320))]}
FACTS = {"facts": [{"name": "network-up", "value": "on", "detail": "eth0 192.168.1.23", "age_ms": 275_000_000}]}
APPS = {"apps": [{"name": "transmission", "status": "healthy", "objects": 5, "ready": 5, "message": ""}],
        "revision": "00112233445566778899aabbccddeeff", "state": ""}
PODS = {"pods": [{"namespace": "htpc", "name": "transmission-5d8f6b7c9-abcde", "status": "Running", "ready": "1/1",
                  "restarts": 0, "age": 7300, "ip": "10.42.0.7"}]}
SLOTS = {"running": "a", "slots": [
    {"slot": "a", "running": True, "state": "good", "left": 0, "generation": 7, "version": "0.1.0"},
    {"slot": "b", "running": False, "state": "bad", "left": 0, "generation": 8, "version": "0.2.0"}]}
BOOTS = {"boots": [
    {"time": t, "slot": s, "version": v, "kind": k, "reason": r, "uptime": u, "well": w} for t, s, v, k, r, u, w in (
        ("2026-11-22T13:00:01Z", "b", "0.2.0", "health-gate",
         "slot b: waiting for node-ready, app-transmission after 15 min", 911, False),
        ("2026-11-22T12:44:20Z", "a", "0.1.0", "update", "the update to 0.2.0", 86_400, True),
        ("2026-11-21T12:40:02Z", "a", "0.1.0", "power-loss", "power loss, or a crash that left no trace", 7_260, True),
        ("2026-11-20T09:00:00Z", "a", "0.1.0", "asked", "reboot asked for by a command", 300, True))]}
SNAPSHOTS = {"snapshots": [
    {"name": n, "volume": "pvc-1_" + n.replace("/", "_"), "taken": "2026-11-22T12:45:02Z", "size": size,
     "why": "before the update to 0.2.0", "restore": back} for n, size, back in (
         ("htpc/transmission", 1_204_000_000, False), ("utils/pocketbase", 8_450_000, True))]}
UPDATE = {"message": "no update is under way", "state": "idle"}


def event(seq):
    kinds = (("system", "hearth", "0.1.0 starts, boot 7"), ("stage", "state", "done after 410 ms"),
             ("fact", "network-up", "on: eth0 192.168.1.23"), ("service", "web", "ready"),
             ("service", "time", "exited with status 1 after 3 s; started again"),
             ("problem", "settings", "/state/settings.yaml:4: unknown key 'hostnam'; did you mean 'hostname'?"))
    kind, name, text = kinds[seq % len(kinds)]
    return {"seq": seq, "time": "2026-11-25T17:31:08Z", "ms": 2000 + 900 * seq,
            "kind": kind, "name": name, "text": text}
