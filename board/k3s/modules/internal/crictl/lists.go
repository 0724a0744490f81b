package crictl

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/util/duration"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const shortID = 13

// row is a line of a list.
type row struct {
	id    string
	cells []string
}

// list prints rows the way that was asked for.
func (t *Tool) list(o *options, answer proto.Message, head string, rows []row) error {
	if o.output == "json" && !o.quiet {
		return t.json(answer)
	}
	if o.quiet {
		for _, r := range rows {
			if _, err := fmt.Fprintln(t.Out, r.id); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(t.Out, 0, 8, 4, ' ', 0)
	fmt.Fprintln(table, head)
	for _, r := range rows {
		fmt.Fprintln(table, strings.Join(r.cells, "\t"))
	}
	return table.Flush()
}

func (t *Tool) ps(ctx context.Context, o *options) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	filter := &cri.ContainerFilter{PodSandboxId: o.pod}
	if !o.all {
		filter.State = &cri.ContainerStateValue{State: cri.ContainerState_CONTAINER_RUNNING}
	}
	answer, err := t.Runtime.ListContainers(ctx, &cri.ListContainersRequest{Filter: filter})
	if err != nil {
		return err
	}
	answer.Containers = slices.DeleteFunc(answer.Containers, func(c *cri.Container) bool {
		return !strings.Contains(c.GetMetadata().GetName(), o.name)
	})
	slices.SortStableFunc(answer.Containers, func(a, b *cri.Container) int { return int(b.CreatedAt/1e6 - a.CreatedAt/1e6) })
	var rows []row
	for _, c := range answer.Containers {
		rows = append(rows, row{c.Id, []string{short(c.Id), c.GetImage().GetUserSpecifiedImage(), t.since(c.CreatedAt),
			title(c.State.String()), c.GetMetadata().GetName(), fmt.Sprint(c.GetMetadata().GetAttempt()),
			short(c.PodSandboxId), c.Labels["io.kubernetes.pod.name"], c.Labels["io.kubernetes.pod.namespace"]}})
		if last := rows[len(rows)-1].cells; last[1] == "" {
			last[1] = short(strings.TrimPrefix(c.GetImage().GetImage(), "sha256:"))
		}
	}
	return t.list(o, answer, "CONTAINER\tIMAGE\tCREATED\tSTATE\tNAME\tATTEMPT\tPOD ID\tPOD\tNAMESPACE", rows)
}

func (t *Tool) pods(ctx context.Context, o *options) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	answer, err := t.Runtime.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{})
	if err != nil {
		return err
	}
	answer.Items = slices.DeleteFunc(answer.Items, func(p *cri.PodSandbox) bool {
		m := p.GetMetadata()
		return !strings.Contains(m.GetName(), o.name) || o.space != "" && m.GetNamespace() != o.space
	})
	slices.SortStableFunc(answer.Items, func(a, b *cri.PodSandbox) int { return int(b.CreatedAt/1e6 - a.CreatedAt/1e6) })
	var rows []row
	for _, p := range answer.Items {
		handler := p.RuntimeHandler
		if handler == "" {
			handler = "(default)"
		}
		m := p.GetMetadata()
		rows = append(rows, row{p.Id, []string{short(p.Id), t.since(p.CreatedAt), title(p.State.String()), m.GetName(),
			m.GetNamespace(), fmt.Sprint(m.GetAttempt()), handler}})
	}
	return t.list(o, answer, "POD ID\tCREATED\tSTATE\tNAME\tNAMESPACE\tATTEMPT\tRUNTIME", rows)
}

func (t *Tool) images(ctx context.Context, o *options) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	answer, err := t.Images.ListImages(ctx, &cri.ListImagesRequest{})
	if err != nil {
		return err
	}
	var rows []row
	for _, image := range answer.Images {
		names := image.RepoTags
		if len(names) == 0 {
			names = []string{"<none>:<none>"}
		}
		for _, name := range names {
			at := strings.LastIndexByte(name, ':')
			cells := []string{name[:at], name[at+1:], short(strings.TrimPrefix(image.Id, "sha256:")),
				fmt.Sprintf("%.1fMB", float64(image.Size)/1e6)}
			rows = append(rows, row{image.Id, cells})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return slices.Compare(a.cells, b.cells) })
	if o.quiet { // an image of several names is one image
		rows = slices.CompactFunc(rows, func(a, b row) bool { return a.id == b.id })
	}
	return t.list(o, answer, "IMAGE\tTAG\tIMAGE ID\tSIZE", rows)
}

func (t *Tool) inspect(ctx context.Context, o *options) error {
	return each(ctx, o.args, callTime, func(ctx context.Context, id string) error {
		answer, err := t.Runtime.ContainerStatus(ctx, &cri.ContainerStatusRequest{ContainerId: id, Verbose: true})
		if err != nil {
			return err
		}
		return t.status(answer.Status, answer.Info)
	})
}

func (t *Tool) inspectp(ctx context.Context, o *options) error {
	return each(ctx, o.args, callTime, func(ctx context.Context, id string) error {
		answer, err := t.Runtime.PodSandboxStatus(ctx, &cri.PodSandboxStatusRequest{PodSandboxId: id, Verbose: true})
		if err != nil {
			return err
		}
		return t.status(answer.Status, answer.Info)
	})
}

// status prints a status and what the runtime adds to it, which is JSON in text.
func (t *Tool) status(status proto.Message, more map[string]string) error {
	text, err := protojson.Marshal(status)
	if err != nil {
		return err
	}
	whole := map[string]any{"status": json.RawMessage(text)}
	for key, value := range more {
		if json.Valid([]byte(value)) {
			whole[key] = json.RawMessage(value)
		} else {
			whole[key] = value
		}
	}
	return t.print(whole)
}

func (t *Tool) json(answer proto.Message) error {
	text, err := protojson.Marshal(answer)
	if err != nil {
		return err
	}
	return t.print(json.RawMessage(text))
}

func (t *Tool) print(value any) error {
	encoder := json.NewEncoder(t.Out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

func (t *Tool) since(nanoseconds int64) string {
	return duration.HumanDuration(t.Now().Sub(time.Unix(0, nanoseconds))) + " ago"
}

// title makes "Running" of CONTAINER_RUNNING, and "Ready" of SANDBOX_READY.
func title(state string) string {
	_, state, _ = strings.Cut(strings.ToLower(state), "_")
	if state == "" {
		return "Unknown"
	}
	return strings.ToUpper(state[:1]) + state[1:]
}

func short(id string) string { return id[:min(len(id), shortID)] }
