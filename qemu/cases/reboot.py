"""The second boot keeps identity, state and logs of the first, and knows why the first one ended."""
import ssl

from run import check


def run(case):
    box = case.vm().start()
    box.prompt()
    first = box.running()
    certificate = ssl.get_server_certificate(("127.0.0.1", box.port))
    box.confirm("reboot")
    box.prompt()
    second = box.running()
    check(second["boots"] == first["boots"] + 1, f"boots: {first['boots']}, then {second['boots']}")
    check(second["name"] == first["name"], f"name: {first['name']}, then {second['name']}")
    check(ssl.get_server_certificate(("127.0.0.1", box.port)) == certificate, "the certificate changed")
    check("reboot asked for" in second["last_shutdown"], f"last: {second['last_shutdown']}")
    kernel = box.command("logs klog -n 5000", 120)
    check(kernel.count("Linux version") == 2, "the kernel log does not hold both boots")
