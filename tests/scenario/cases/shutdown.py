"""The ordered end, from every door."""
import signal

from box import RESTARTED, SLEEP, STUBBORN, SWITCHED_OFF, check, service, traced, until


def case_order(make):
    box = make({'a': traced('a'), 'b': traced('b', requires=['a']), 'c': traced('c', after=['b'])})
    box.wait_ready('a', 'b', 'c')
    until(lambda: len(box.trace()) == 3, 'all up')
    check('reboot' in box.ctl('reboot')['message'], 'the command says what it does')
    check(box.wait() == RESTARTED, 'end is %s' % box.status)
    check(box.trace() == ['a up', 'b up', 'c up', 'c down', 'b down', 'a down'], box.trace())
    console = box.read('/dev/console')
    for words in ('stopping the services', 'ending what is left', 'unmounting the disks', 'the kernel takes over'):
        check(words in console, 'the console says "%s"' % words)


def case_stubborn_service(make):
    box = make({'a': service('a', STUBBORN, stop_timeout='300ms')})
    box.wait_ready('a')
    until(lambda: box.trace() == ['up'], 'the trap is set')
    box.ctl('poweroff')
    check(box.wait() == SWITCHED_OFF, 'end is %s' % box.status)


def case_left_over_processes(make):
    box = make({'a': service('a', '(trap "" TERM HUP; exec sleep 3600) & ' + SLEEP)})
    box.wait_ready('a')
    box.ctl('reboot')
    check(box.wait() == RESTARTED, 'end is %s' % box.status)


def ends_with(make, number, expected, words):
    box = make({'a': service('a', SLEEP)})
    box.wait_ready('a')
    box.signal(number)
    check(box.wait() == expected, 'end is %s' % box.status)
    check(words in box.read('/dev/kmsg'), 'the log says "%s"' % words)


def case_signal_int(make):
    ends_with(make, signal.SIGINT, RESTARTED, 'asked for by Ctrl-Alt-Del')


def case_signal_term(make):
    ends_with(make, signal.SIGTERM, RESTARTED, 'asked for by signal TERM')


def case_signal_usr1(make):
    ends_with(make, signal.SIGUSR1, SWITCHED_OFF, 'halt: asked for by signal USR1')


def case_signal_usr2(make):
    ends_with(make, signal.SIGUSR2, SWITCHED_OFF, 'power-off: asked for by signal USR2')


def case_signal_pwr(make):
    ends_with(make, signal.SIGPWR, SWITCHED_OFF, 'power-off: asked for by signal PWR')


def case_signal_rtmin_4(make):
    ends_with(make, 34 + 4, SWITCHED_OFF, 'power-off: asked for by signal RTMIN+4')


def case_signal_rtmin_5(make):
    ends_with(make, 34 + 5, RESTARTED, 'reboot: asked for by signal RTMIN+5')


def case_second_ctrl_alt_del_hurries(make):
    box = make({'a': service('a', STUBBORN, stop_timeout='50s')})
    box.wait_ready('a')
    until(lambda: box.trace() == ['up'], 'the trap is set')
    box.signal(signal.SIGINT)
    until(lambda: 'stopping the services' in box.read('/dev/console'), 'the shutdown begins')
    box.signal(signal.SIGINT)
    check(box.wait() == RESTARTED, 'end is %s' % box.status)
    check('not waiting any longer' in box.read('/dev/console'), 'the console says so')


def case_seven_ctrl_alt_dels_force(make):
    box = make({'a': service('a', SLEEP)})
    box.wait_ready('a')

    def pressed(n):
        # A signal that is pending already is not queued again, so wait until PID 1 took it.
        with open('/proc/%d/status' % box.pid) as f:
            pending = [l for l in f if l.startswith(('SigPnd', 'ShdPnd'))]
        return all(int(l.split()[1], 16) & 2 == 0 for l in pending)
    try:
        for n in range(7):
            box.signal(signal.SIGINT)
            until(lambda: pressed(n), 'the signal is taken')
    except OSError:
        pass  # it is gone already
    check(box.wait() == RESTARTED, 'end is %s' % box.status)


def case_commands_during_shutdown(make):
    box = make({'a': service('a', STUBBORN, stop_timeout='1s'),
                'b': service('b', SLEEP)})
    box.wait_ready('a', 'b')
    until(lambda: box.trace() == ['up'], 'the trap is set')
    box.ctl('reboot')
    check(box.ask('status')['system'] == 'stopping', box.ask('status')['system'])
    box.ctl('poweroff')  # a later request changes how it ends
    check(box.wait() == SWITCHED_OFF, 'end is %s' % box.status)
