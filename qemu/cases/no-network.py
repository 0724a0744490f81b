"""Without a network cable everything else is up and says what is missing; a cable that comes late is picked up."""
from run import check


def run(case):
    box = case.vm(direct=True, image=case.booted(), link=False).start()
    box.prompt()
    text = box.until("the serial console tells of the missing cable", lambda: (t := box.command("status")) and
                     "no cable" in t and t, 200)
    check("https://" not in text, f"a URL without an address:\n{text}")
    services = box.command("services")
    for name in ("web", "log", "network"):
        check(name in services, f"{name} is not listed:\n{services}")
    box.set_link(True)
    status = box.api("status", 180)
    check(status["url"] == "https://10.0.2.15/", f"after the cable came: {status['url']}")
    box.until("a late network heals the boot", lambda: box.api("status")["system"] == "running", 120)
