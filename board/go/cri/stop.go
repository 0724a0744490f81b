package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	// Kept back from the deadline: what takes longer is killed, and the pods' sandboxes have to end too.
	stopReserve = 5 * time.Second
	killTime    = 10 * time.Second // for a kill, after the grace
	tellEvery   = 5 * time.Second
)

func runStop(ctx context.Context, r *request) error {
	rt, closer, err := dial(ctx, r)
	if err != nil {
		return err
	}
	defer closer()
	return stopAll(ctx, rt, r.out, tellEvery)
}

// stopAll stops every running container with the grace of its pod, all at once, then every sandbox. The context's
// deadline bounds it all; what does not stop is in the error.
func stopAll(ctx context.Context, rt runtime, out io.Writer, every time.Duration) error {
	list, err := rt.ListContainers(ctx, runningOnly())
	if err != nil {
		return fmt.Errorf("list of containers: %w", err)
	}
	containers := newCrowd(out, every)
	for _, c := range list.GetContainers() {
		grace := fitting(ctx, graceOf(c))
		containers.add(nameOf(c), func() error {
			step, cancel := context.WithTimeout(ctx, grace+killTime)
			defer cancel()
			_, err := rt.StopContainer(step, &cri.StopContainerRequest{ContainerId: c.GetId(),
				Timeout: int64(grace / time.Second)})
			return err
		})
	}
	errContainers := containers.wait()

	pods, err := rt.ListPodSandbox(ctx, readyOnly())
	if err != nil {
		return errors.Join(errContainers, fmt.Errorf("list of pods: %w", err))
	}
	sandboxes := newCrowd(out, every)
	for _, p := range pods.GetItems() {
		sandboxes.add("pod "+p.GetMetadata().GetNamespace()+"/"+p.GetMetadata().GetName(), func() error {
			_, err := rt.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: p.GetId()})
			return err
		})
	}
	errPods := sandboxes.wait()
	fmt.Fprintf(out, "%d containers and %d pods stopped\n", containers.done, sandboxes.done)
	return errors.Join(errContainers, errPods)
}

// fitting is the grace, cut to what the deadline leaves.
func fitting(ctx context.Context, grace time.Duration) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		grace = min(grace, time.Until(end)-stopReserve)
	}
	return max(grace, 0)
}

// crowd runs jobs at once and says from time to time which ones it waits for.
type crowd struct {
	out   io.Writer
	every time.Duration
	began time.Time
	group sync.WaitGroup

	mu      sync.Mutex
	waiting []string
	failed  []error
	done    int
}

func newCrowd(out io.Writer, every time.Duration) *crowd {
	return &crowd{out: out, every: every, began: time.Now()}
}

func (c *crowd) add(name string, job func() error) {
	c.mu.Lock()
	c.waiting = append(c.waiting, name)
	c.mu.Unlock()
	c.group.Go(func() {
		err := job()
		c.mu.Lock()
		defer c.mu.Unlock()
		at := slices.Index(c.waiting, name)
		c.waiting = slices.Delete(c.waiting, at, at+1)
		if err != nil {
			c.failed = append(c.failed, fmt.Errorf("%s: %w", name, err))
			return
		}
		c.done++
	})
}

func (c *crowd) wait() error {
	end := make(chan struct{})
	go func() {
		c.group.Wait()
		close(end)
	}()
	tick := time.NewTicker(c.every)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return errors.Join(c.failed...)
		case <-tick.C:
			c.tell()
		}
	}
}

func (c *crowd) tell() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) > 0 {
		fmt.Fprintf(c.out, "waiting for %s (%s)\n", strings.Join(c.waiting, ", "),
			time.Since(c.began).Round(time.Second))
	}
}
