package main

import (
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/klog/v2"

	"hearth/k3s/modules/internal/plan"
	"hearth/k3s/modules/internal/procmaps"
)

const (
	// settleAfter is when the start is over for sure, also on a slow machine with many pods.
	settleAfter = 2 * time.Minute
	// settledPercent is how much the heap may grow between two collections from then on. Idle with one pod the process
	// had 227 MB of anonymous memory with Go's 100, and 195 MB with 40, for the same CPU time: little is allocated when
	// nothing happens. During the start it would cost a fifth more.
	settledPercent = 40
)

// settle gives back, once, what only the start needed: the garbage it left, and the program's pages in memory, which
// were 136 MB and are 75 MB after that. Those come back from the file where they are touched again. GOGC in the
// environment wins.
func (s *cluster) settle() error {
	if os.Getenv("GOGC") != "" || !s.await(plan.APIReady) || !s.pause(settleAfter) {
		return nil
	}
	debug.SetGCPercent(settledPercent)
	debug.FreeOSMemory()
	program, err := os.Executable()
	if err != nil {
		return err
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return err
	}
	for _, r := range procmaps.ReadOnly(string(maps), program) {
		if _, _, failed := unix.Syscall(unix.SYS_MADVISE, r.Start, r.Length, unix.MADV_PAGEOUT); failed != 0 {
			klog.Infof("giving back the start's code: %v", failed)
		}
	}
	return nil
}
