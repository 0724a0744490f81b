package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// fakeRuntime has containers that end after a time, or with the kill, or never.
type fakeRuntime struct {
	mu         sync.Mutex
	containers []*cri.Container
	ends       map[string]time.Duration // by id; -1: only the kill ends it; -2: nothing does
	order      []string                 // what was stopped, in order
	grace      map[string]int64
	err        error
}

func (f *fakeRuntime) add(id, grace string, ends time.Duration) {
	f.containers = append(f.containers, &cri.Container{Id: id, Metadata: &cri.ContainerMetadata{Name: id},
		Labels:      map[string]string{labelPod: "pod", labelNamespace: "ns"},
		Annotations: map[string]string{noteGrace: grace}})
	if f.ends == nil {
		f.ends, f.grace = map[string]time.Duration{}, map[string]int64{}
	}
	f.ends[id] = ends
}

func (f *fakeRuntime) ListContainers(context.Context, *cri.ListContainersRequest, ...option,
) (*cri.ListContainersResponse, error) {
	return &cri.ListContainersResponse{Containers: f.containers}, f.err
}

func (f *fakeRuntime) StopContainer(ctx context.Context, r *cri.StopContainerRequest, _ ...option,
) (*cri.StopContainerResponse, error) {
	f.mu.Lock()
	ends := f.ends[r.ContainerId]
	f.grace[r.ContainerId] = r.Timeout
	f.mu.Unlock()
	if ends == -1 {
		ends = time.Duration(r.Timeout) * time.Second
	}
	if ends == -2 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	time.Sleep(ends)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.order = append(f.order, r.ContainerId)
	return &cri.StopContainerResponse{}, nil
}

func (f *fakeRuntime) ListPodSandbox(context.Context, *cri.ListPodSandboxRequest, ...option,
) (*cri.ListPodSandboxResponse, error) {
	return &cri.ListPodSandboxResponse{Items: []*cri.PodSandbox{{Id: "sandbox",
		Metadata: &cri.PodSandboxMetadata{Name: "pod", Namespace: "ns"}}}}, nil
}

func (f *fakeRuntime) StopPodSandbox(context.Context, *cri.StopPodSandboxRequest, ...option,
) (*cri.StopPodSandboxResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.order = append(f.order, "sandbox")
	return &cri.StopPodSandboxResponse{}, nil
}

func TestStopAllAtOnceThenPods(t *testing.T) {
	f := &fakeRuntime{}
	f.add("slow", "20", 60*time.Millisecond)
	f.add("quick", "10", time.Millisecond)
	f.add("stubborn", "0", -1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	began := time.Now()
	if err := stopAll(ctx, f, &out, 20*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %s: not at once", took)
	}
	if len(f.order) != 4 || f.order[2] != "slow" || f.order[3] != "sandbox" {
		t.Errorf("order %v", f.order)
	}
	if f.grace["slow"] != 20 || f.grace["quick"] != 10 || f.grace["stubborn"] != 0 {
		t.Errorf("grace %v", f.grace)
	}
	for _, want := range []string{"waiting for ns/pod/slow (", "3 containers and 1 pods stopped"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("said %q, not %q", out.String(), want)
		}
	}
}

func TestStopNamesWhatDoesNotStop(t *testing.T) {
	f := &fakeRuntime{}
	f.add("good", "0", 0)
	f.add("stuck", "0", -2)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var out bytes.Buffer
	err := stopAll(ctx, f, &out, time.Hour)
	if err == nil || !strings.Contains(err.Error(), "ns/pod/stuck") || strings.Contains(err.Error(), "good") {
		t.Errorf("error is %v", err)
	}
	if !strings.Contains(out.String(), "1 containers and 1 pods stopped") {
		t.Errorf("said %q", out.String())
	}
	f.err = errors.New("gone")
	if err := stopAll(ctx, f, &out, time.Hour); err == nil || !strings.Contains(err.Error(), "list of containers: gone") {
		t.Errorf("error is %v", err)
	}
}

func TestGrace(t *testing.T) {
	for _, c := range []struct {
		notes map[string]string
		want  time.Duration
	}{
		{nil, 30 * time.Second},
		{map[string]string{noteGrace: "7"}, 7 * time.Second},
		{map[string]string{noteGrace: "7", noteDeletion: "2"}, 2 * time.Second},
		{map[string]string{noteGrace: "-1"}, 30 * time.Second},
		{map[string]string{noteGrace: "99999999999"}, 30 * time.Second},
	} {
		if got := graceOf(&cri.Container{Annotations: c.notes}); got != c.want {
			t.Errorf("%v: %s, not %s", c.notes, got, c.want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if got := fitting(ctx, time.Minute).Round(time.Second); got != 15*time.Second {
		t.Errorf("cut to %s, not 15s", got)
	}
	if got := fitting(ctx, time.Second); got != time.Second {
		t.Errorf("cut to %s, not 1s", got)
	}
	ctx, cancel = context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if got := fitting(ctx, time.Minute); got != 0 {
		t.Errorf("cut to %s, not 0", got)
	}
}

func TestNewest(t *testing.T) {
	container := func(name string, attempt uint32, at int64) *cri.Container {
		return &cri.Container{Metadata: &cri.ContainerMetadata{Name: name, Attempt: attempt}, CreatedAt: at}
	}
	got := newest([]*cri.Container{container("b", 1, 20), container("a", 0, 5), container("b", 2, 30),
		container("b", 0, 10)})
	if len(got) != 2 || got[0].GetMetadata().GetName() != "a" || got[1].GetMetadata().GetAttempt() != 2 {
		t.Errorf("%v", got)
	}
}
