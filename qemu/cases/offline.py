"""No network at all, from the first boot on: everything comes up all the same."""
import kube


def run(case):
    box = kube.Box(case, link=False).boot()
    # Without a cable nothing reaches the box but the serial line: it has to say it all.
    def all_healthy():
        text = box.vm.command("apps", 120)
        return "healthy" in text and not any(w in text for w in ("progressing", "degraded", "failed", "unknown", "waiting"))
    box.vm.until("every app is healthy", all_healthy, kube.UP)
