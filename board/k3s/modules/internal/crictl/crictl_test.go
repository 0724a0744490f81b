package crictl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// runtime has two containers, one of them running, in one pod.
type runtime struct {
	cri.RuntimeServiceClient
	cri.ImageServiceClient
	log   string
	asked []string
	state cri.ContainerState
}

const idA, idB, idPod = "aaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbb", "cccccccccccccccccccc"

func (r *runtime) ListContainers(_ context.Context, q *cri.ListContainersRequest, _ ...grpc.CallOption,
) (*cri.ListContainersResponse, error) {
	labels := map[string]string{"io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": "site"}
	image := &cri.ImageSpec{Image: "sha256:dddddddddddddddddddd", UserSpecifiedImage: "hearth.local/web:1"}
	all := []*cri.Container{
		{Id: idA, PodSandboxId: idPod, Metadata: &cri.ContainerMetadata{Name: "setup"}, Image: image, Labels: labels,
			State: cri.ContainerState_CONTAINER_EXITED, CreatedAt: now.Add(-time.Hour).UnixNano()},
		{Id: idB, PodSandboxId: idPod, Metadata: &cri.ContainerMetadata{Name: "web", Attempt: 2}, Labels: labels,
			Image: &cri.ImageSpec{Image: "sha256:dddddddddddddddddddd"},
			State: cri.ContainerState_CONTAINER_RUNNING, CreatedAt: now.Add(-5 * time.Minute).UnixNano()},
	}
	if q.Filter.State != nil {
		all = all[1:]
	}
	return &cri.ListContainersResponse{Containers: all}, nil
}

func (r *runtime) ListPodSandbox(context.Context, *cri.ListPodSandboxRequest, ...grpc.CallOption,
) (*cri.ListPodSandboxResponse, error) {
	return &cri.ListPodSandboxResponse{Items: []*cri.PodSandbox{{Id: idPod, CreatedAt: now.Add(-2 * time.Hour).UnixNano(),
		Metadata: &cri.PodSandboxMetadata{Name: "web-0", Namespace: "site"}}}}, nil
}

func (r *runtime) ListImages(context.Context, *cri.ListImagesRequest, ...grpc.CallOption,
) (*cri.ListImagesResponse, error) {
	return &cri.ListImagesResponse{Images: []*cri.Image{
		{Id: "sha256:eeeeeeeeeeeeeeeeeeee", RepoTags: []string{"localhost:5000/web:1", "localhost:5000/web:2"}, Size: 12345678},
		{Id: "sha256:ffffffffffffffffffff"}}}, nil
}

func (r *runtime) ContainerStatus(_ context.Context, q *cri.ContainerStatusRequest, _ ...grpc.CallOption,
) (*cri.ContainerStatusResponse, error) {
	if q.ContainerId != idA && q.ContainerId != idB {
		return nil, errors.New("no such container")
	}
	state := r.state
	if q.ContainerId == idA {
		state = cri.ContainerState_CONTAINER_EXITED
	}
	return &cri.ContainerStatusResponse{Status: &cri.ContainerStatus{Id: q.ContainerId, State: state, LogPath: r.log},
		Info: map[string]string{"info": `{"pid":17}`, "note": "not JSON"}}, nil
}

func (r *runtime) PodSandboxStatus(_ context.Context, q *cri.PodSandboxStatusRequest, _ ...grpc.CallOption,
) (*cri.PodSandboxStatusResponse, error) {
	return &cri.PodSandboxStatusResponse{Status: &cri.PodSandboxStatus{Id: q.PodSandboxId}}, nil
}

func (r *runtime) StopContainer(_ context.Context, q *cri.StopContainerRequest, _ ...grpc.CallOption,
) (*cri.StopContainerResponse, error) {
	r.asked = append(r.asked, fmt.Sprintf("stop %.1s %d", q.ContainerId, q.Timeout))
	return &cri.StopContainerResponse{}, nil
}

func (r *runtime) RemoveContainer(_ context.Context, q *cri.RemoveContainerRequest, _ ...grpc.CallOption,
) (*cri.RemoveContainerResponse, error) {
	r.asked = append(r.asked, fmt.Sprintf("rm %.1s", q.ContainerId))
	return &cri.RemoveContainerResponse{}, nil
}

// do runs one command line.
func do(t *testing.T, r *runtime, words string) (out, err string, failed error) {
	t.Helper()
	var o, e bytes.Buffer
	tool := &Tool{r, r, &o, &e, func() time.Time { return now }, func(context.Context, time.Duration) error { return nil }}
	c, options, problem := parse(strings.Fields(words))
	if problem != nil {
		t.Fatalf("%s: %v", words, problem)
	}
	failed = c.run(tool, context.Background(), options)
	return o.String(), e.String(), failed
}

func TestLists(t *testing.T) {
	for words, want := range map[string]string{
		"ps": "CONTAINER IMAGE CREATED STATE NAME ATTEMPT POD ID POD NAMESPACE\n" +
			"bbbbbbbbbbbbb ddddddddddddd 5m ago Running web 2 ccccccccccccc web-0 site\n",
		"ps -aq":              idB + "\n" + idA + "\n",
		"ps -a --name set -q": idA + "\n",
		"pods": "POD ID CREATED STATE NAME NAMESPACE ATTEMPT RUNTIME\n" +
			"ccccccccccccc 120m ago Ready web-0 site 0 (default)\n",
		"pods --namespace other -q": "",
		"images": "IMAGE TAG IMAGE ID SIZE\n<none> <none> fffffffffffff 0.0MB\n" +
			"localhost:5000/web 1 eeeeeeeeeeeee 12.3MB\nlocalhost:5000/web 2 eeeeeeeeeeeee 12.3MB\n",
		"images -q": "sha256:ffffffffffffffffffff\nsha256:eeeeeeeeeeeeeeeeeeee\n",
	} {
		out, _, err := do(t, &runtime{}, words)
		var lines []string
		for _, line := range strings.SplitAfter(out, "\n") {
			if fields := strings.Fields(line); len(fields) > 0 {
				lines = append(lines, strings.Join(fields, " ")+"\n")
			}
		}
		if got := strings.Join(lines, ""); got != want || err != nil {
			t.Errorf("%s: %v\n%swant\n%s", words, err, got, want)
		}
	}
}

func TestJSON(t *testing.T) {
	for words, want := range map[string]string{
		"ps -o json": `{"containers":[{"id":"` + idB, "inspect " + idB: `{"info":{"pid":17},"note":"not JSON","status":{`,
		"inspectp " + idPod: `{"status":{"id":"` + idPod + `"}}`, "images -o json": `{"images":[{"id":"sha256:e`,
	} {
		out, _, err := do(t, &runtime{}, words)
		var flat bytes.Buffer
		if bad := json.Compact(&flat, []byte(out)); bad != nil || err != nil || !strings.HasPrefix(flat.String(), want) {
			t.Errorf("%s: %v, %v\n%s", words, err, bad, out)
		}
	}
}

func TestStopAndRemove(t *testing.T) {
	for words, want := range map[string]string{
		"stop -t 5 " + idA + " " + idB: "stop a 5, stop b 5",
		"stop " + idB:                  "stop b 0",
		"rm " + idA:                    "rm a",
		"rm -f " + idB:                 "rm b",
		"rm " + idB + " x " + idA:      "rm a", // running; not there
	} {
		r := &runtime{state: cri.ContainerState_CONTAINER_RUNNING}
		_, _, err := do(t, r, words)
		if got := strings.Join(r.asked, ", "); got != want {
			t.Errorf("%s: %s, want %s (%v)", words, got, want, err)
		}
		if strings.Contains(words, " x ") && (err == nil || !strings.Contains(err.Error(), "it is running") ||
			!strings.Contains(err.Error(), "x: no such container")) {
			t.Errorf("%s: %v", words, err)
		}
	}
}

const logText = "2026-05-01T12:00:00.1Z stdout F one\n2026-05-01T12:00:00.2Z stderr F bad\n" +
	"2026-05-01T12:00:00.3Z stdout P two, \n2026-05-01T12:00:00.4Z stdout F and more\n2026-05-01T12:00:00.5Z stdout F \n"

func TestLogs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "0.log")
	if err := os.WriteFile(path, []byte(logText), 0o600); err != nil {
		t.Fatal(err)
	}
	for words, want := range map[string][2]string{
		"logs " + idB:              {"one\ntwo, and more\n\n", "bad\n"},
		"logs --tail 2 " + idB:     {"and more\n\n", ""},
		"logs --tail=0 " + idB:     {"", ""},
		"logs --tail 99 " + idB:    {"one\ntwo, and more\n\n", "bad\n"},
		"logs -f --tail 1 " + idA:  {"\n", ""}, // has ended
		"logs --tail 5 -f " + idA:  {"one\ntwo, and more\n\n", "bad\n"},
		"logs --tail 4 -f  " + idA: {"two, and more\n\n", "bad\n"},
	} {
		out, err, failed := do(t, &runtime{log: path}, words)
		if failed != nil || out != want[0] || err != want[1] {
			t.Errorf("%s: %q and %q, %v", words, out, err, failed)
		}
	}
	if _, _, err := do(t, &runtime{log: path + "x"}, "logs "+idB); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a log that is gone: %v", err)
	}
}

func TestLongTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "0.log")
	line := "2026-05-01T12:00:00Z stdout F " + strings.Repeat("x", 1000) + "\n"
	if err := os.WriteFile(path, []byte(strings.Repeat(line, 200)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, err := do(t, &runtime{log: path}, "logs --tail 150 "+idB)
	if want := strings.Repeat(strings.Repeat("x", 1000)+"\n", 150); out != want || err != nil {
		t.Errorf("%d characters, want %d: %v", len(out), len(want), err)
	}
}

// TestFollow has a line written in two pieces, then a new file of the same name, then the container's end.
func TestFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "0.log")
	write := func(text string) {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = f.WriteString(text)
			f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write("T stdout F one\nT stdo")
	r := &runtime{log: path, state: cri.ContainerState_CONTAINER_RUNNING}
	steps := []func(){
		func() { write("ut F two\n") },
		func() {},
		func() {
			if err := os.Rename(path, path+".1"); err != nil {
				t.Fatal(err)
			}
		},
		func() { write("T stdout F three\n") },
		func() { r.state = cri.ContainerState_CONTAINER_EXITED; write("T stdout F four\n") },
	}
	var out bytes.Buffer
	tool := &Tool{r, r, &out, &out, time.Now, func(context.Context, time.Duration) error {
		if len(steps) == 0 {
			return errors.New("it does not end")
		}
		steps[0]()
		steps = steps[1:]
		return nil
	}}
	err := tool.logs(context.Background(), &options{args: []string{idB}, follow: true, tail: -1})
	if out.String() != "one\ntwo\nthree\nfour\n" || err != nil || len(steps) > 0 {
		t.Errorf("%q, %v, %d steps left", out.String(), err, len(steps))
	}
}

func TestWords(t *testing.T) {
	for _, words := range []string{"nonsense", "inspect", "logs", "logs a b", "ps x", "ps -o yaml", "ps --nonsense"} {
		if _, _, err := parse(strings.Fields(words)); err == nil {
			t.Errorf("%s: no error", words)
		}
	}
	for _, words := range [][]string{nil, {"help"}, {"-h"}, {"--help"}} {
		var out bytes.Buffer
		if err := Run(context.Background(), "unix:///nowhere", words, &out, &out); err != nil || !strings.Contains(out.String(), "inspectp ID...") {
			t.Errorf("%q: %v, %s", words, err, out.String())
		}
	}
	if err := Run(context.Background(), "", []string{"nonsense"}, nil, nil); !errors.Is(err, ErrUsage) {
		t.Errorf("%v", err)
	}
}

func TestSocket(t *testing.T) {
	for _, words := range []string{"-r /nowhere/a ps", "--runtime-endpoint=unix:///nowhere/a ps", "ps"} {
		t.Setenv("CONTAINER_RUNTIME_ENDPOINT", "/nowhere/b")
		want := "/nowhere/a"
		if words == "ps" {
			want = "/nowhere/b"
		}
		var out bytes.Buffer
		err := Run(context.Background(), "unix:///nowhere/c", strings.Fields(words), &out, &out)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", words, err)
		}
	}
}
