"""The power-cut battery: a run of the machine is recorded write by write, then judged as cut off at any of them."""
