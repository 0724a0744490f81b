"""No network at all, from the first boot on: everything comes up all the same."""
import kube

BAD = ("progressing", "degraded", "failed", "unknown", "waiting")


def run(case):
    # Without a cable nothing reaches the box but the serial line: it has to say it all.
    box = kube.Box(case, link=False).boot()

    def all_healthy():
        text = box.vm.command("apps", 120)
        return "healthy" in text and not any(word in text for word in BAD)
    box.vm.until("every app is healthy", all_healthy, kube.UP)
