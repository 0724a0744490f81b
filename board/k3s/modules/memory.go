package main

import (
	"errors"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/klog/v2"

	"hearth/k3s/modules/internal/plan"
	"hearth/k3s/modules/internal/procmaps"
)

// settledPercent is how much the heap may grow between two collections once the start is over. Idle with one pod the
// process had 227 MB of anonymous memory with Go's 100, and 195 MB with 40, for the same CPU time: little is allocated
// when nothing happens. During the start it would cost a fifth more. Less is no gain: of 215 MB with seven pods 96 are
// alive, 26 stacks, and 55 the free parts of spans that the start left, which no setting and no limit gives back.
const settledPercent = 40

// settleAfter are the times, from one to the next, at which the start's leftovers are given back: when a quick start is
// over, and twice more for slow machines, where pods are still being started then.
var settleAfter = []time.Duration{2 * time.Minute, 5 * time.Minute, 10 * time.Minute}

// refill is how long after that the program is read without what lies around a page that is touched. What an idle
// server needs is back by then: 52 MB natively with seven pods, 75 MB when the neighbours come along.
const refill = 2 * time.Minute

// settle gives back what only the start needed. GOGC in the environment wins.
func (s *cluster) settle() error {
	if os.Getenv("GOGC") != "" || !s.await(plan.APIReady) {
		return nil
	}
	for _, wait := range settleAfter {
		if !s.pause(wait) {
			return nil
		}
		debug.SetGCPercent(settledPercent)
		before := resident()
		debug.FreeOSMemory()
		// The program's own pages come back from the file where they are touched again.
		if err := errors.Join(adviseProgram(unix.MADV_RANDOM), adviseProgram(unix.MADV_PAGEOUT)); err != nil {
			klog.Warningf("giving back the start's code: %v", err)
		}
		klog.Infof("memory after the start: was %s, is %s", before, resident())
		if !s.pause(refill) {
			return nil
		}
		if err := adviseProgram(unix.MADV_NORMAL); err != nil {
			klog.Warningf("reading the program as usual: %v", err)
		}
	}
	klog.Infof("memory at rest: %s", resident())
	return nil
}

// adviseProgram tells the kernel how the program's own pages are used.
func adviseProgram(advice uintptr) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return err
	}
	var failed error
	for _, r := range procmaps.ReadOnly(string(maps), program) {
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, r.Start, r.Length, advice); errno != 0 {
			failed = errno
		}
	}
	return failed
}

// resident says how much memory the process has, for the log.
func resident() procmaps.Memory {
	status, _ := os.ReadFile("/proc/self/status")
	return procmaps.Resident(string(status))
}
