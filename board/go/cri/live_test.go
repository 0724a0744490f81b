package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestLive is run by tests/kube/images.py against a real containerd that has the images registered.
func TestLive(t *testing.T) {
	socket := os.Getenv("HEARTH_CRI_SOCKET")
	if socket == "" {
		t.Skip("HEARTH_CRI_SOCKET names no containerd")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	l := &live{t, ctx, cri.NewRuntimeServiceClient(conn), t.TempDir()}
	l.pinned(cri.NewImageServiceClient(conn))

	pod, config := l.pod("web")
	l.container(pod, config, "polite", "5", `trap 'echo bye >/log/bye; exit 0' TERM; while :; do sleep 0.1; done`)
	l.container(pod, config, "stubborn", "2", `trap '' TERM; while :; do sleep 0.1; done`)
	l.container(pod, config, "done", "5", `exit 3`)

	r := &request{socket: socket, wait: time.Second, out: &bytes.Buffer{}}
	said := l.run(runPs, r)
	for _, want := range []string{"apps/web/polite    running", "apps/web/stubborn  running",
		"apps/web/done      exited"} {
		if !strings.Contains(said, want) {
			t.Errorf("ps says %q, not %q", said, want)
		}
	}
	began := time.Now()
	said = l.run(runStop, r)
	took := time.Since(began)
	if took < 2*time.Second || took > 8*time.Second {
		t.Errorf("took %s: the stubborn one has 2 s of grace", took)
	}
	if !strings.Contains(said, "2 containers and 1 pods stopped") {
		t.Errorf("stop says %q", said)
	}
	if _, err := os.Stat(filepath.Join(l.dir, "bye")); err != nil {
		t.Error("the polite one was killed before it could end")
	}
	if said = l.run(runPs, r); strings.Contains(said, "running") {
		t.Errorf("still running: %s", said)
	}
	if said = l.run(runStop, r); !strings.Contains(said, "0 containers and 0 pods stopped") {
		t.Errorf("the second stop says %q", said)
	}
	t.Logf("stopped in %s", took.Round(time.Millisecond))
}

type live struct {
	*testing.T
	ctx     context.Context
	runtime cri.RuntimeServiceClient
	dir     string
}

func (l *live) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

func (l *live) run(command func(context.Context, *request) error, r *request) string {
	l.Helper()
	out := &bytes.Buffer{}
	r.out = out
	l.must(command(l.ctx, r))
	return out.String()
}

// pinned: the runtime interface sees the images, and that the kubelet must not free them.
func (l *live) pinned(images cri.ImageServiceClient) {
	l.Helper()
	list, err := images.ListImages(l.ctx, &cri.ListImagesRequest{})
	l.must(err)
	if len(list.GetImages()) == 0 {
		l.Fatal("the runtime interface sees no image")
	}
	for _, img := range list.GetImages() {
		if !img.GetPinned() {
			l.Errorf("%v is not pinned", img.GetRepoTags())
		}
	}
}

func (l *live) pod(name string) (string, *cri.PodSandboxConfig) {
	l.Helper()
	config := &cri.PodSandboxConfig{
		Metadata: &cri.PodSandboxMetadata{Name: name, Namespace: "apps", Uid: name},
		Linux: &cri.LinuxPodSandboxConfig{CgroupParent: "/" + os.Getenv("HEARTH_CRI_CGROUP"),
			SecurityContext: &cri.LinuxSandboxSecurityContext{NamespaceOptions: &cri.NamespaceOption{
				Network: cri.NamespaceMode_NODE, Pid: cri.NamespaceMode_CONTAINER}}},
	}
	r, err := l.runtime.RunPodSandbox(l.ctx, &cri.RunPodSandboxRequest{Config: config})
	l.must(err)
	return r.GetPodSandboxId(), config
}

func (l *live) container(pod string, config *cri.PodSandboxConfig, name, grace, script string) {
	l.Helper()
	c, err := l.runtime.CreateContainer(l.ctx, &cri.CreateContainerRequest{PodSandboxId: pod, SandboxConfig: config,
		Config: &cri.ContainerConfig{Metadata: &cri.ContainerMetadata{Name: name},
			Image:       &cri.ImageSpec{Image: "hearth.local/volume:1"},
			Command:     []string{"/bin/sh", "-c", "sleep() { busybox sleep $1; }; " + script},
			Labels:      map[string]string{labelPod: config.Metadata.Name, labelNamespace: config.Metadata.Namespace},
			Annotations: map[string]string{noteGrace: grace},
			Mounts:      []*cri.Mount{{ContainerPath: "/log", HostPath: l.dir}},
			Linux: &cri.LinuxContainerConfig{SecurityContext: &cri.LinuxContainerSecurityContext{
				NamespaceOptions: config.Linux.SecurityContext.NamespaceOptions}},
		}})
	l.must(err)
	_, err = l.runtime.StartContainer(l.ctx, &cri.StartContainerRequest{ContainerId: c.GetContainerId()})
	l.must(err)
	if name == "done" {
		time.Sleep(300 * time.Millisecond)
	}
}
