"""A broken service file: the box boots without it, and serial line, screen and API say file, line and why."""
import disk
from run import check

BROKEN = """name: broken
description: has a key that does not exist
comand: [/bin/true]
"""
WHERE = r"/state/services/broken\.yaml:3: .*comand"


def run(case):
    box = case.vm(image=case.booted())
    disk.put(box.disk, BROKEN, "/services/broken.yaml")
    disk.put(box.disk, "name: good\ncommand: [/bin/sleep, '100000']\n", "/services/good.yaml")
    disk.put(box.disk, "hostname: Not A Name\n", "/settings.yaml")
    box.start()
    box.expect(WHERE)
    box.at = 0
    box.expect(r"/state/settings\.yaml:1: ")
    box.prompt()
    status = box.settled()
    check(any("/state/services/broken.yaml:3:" in p and "command" in p for p in status["problems"]),
          f"problems in the API: {status['problems']}")
    services = box.services()
    check("broken" not in services, "the broken service is there")
    check(services["good"]["state"] == "ready", f"the good one beside it: {services['good']}")
    check(services["web"]["state"] == "ready", "the shipped ones run")
    box.at = 0
    screen = box.expect_screen(r"broken\.yaml:3")
    check("comand" in screen.replace("\n", ""), f"the screen says what is wrong:\n{screen}")
