package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func runPs(ctx context.Context, r *request) error {
	rt, closer, err := dial(ctx, r)
	if err != nil {
		return err
	}
	defer closer()
	list, err := rt.ListContainers(ctx, &cri.ListContainersRequest{})
	if err != nil {
		return fmt.Errorf("list of containers: %w", err)
	}
	table := tabwriter.NewWriter(r.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tSTATE\tRESTARTS\tSINCE")
	for _, c := range newest(list.GetContainers()) {
		state := strings.ToLower(strings.TrimPrefix(c.GetState().String(), "CONTAINER_"))
		since := time.Unix(0, c.GetCreatedAt()).UTC().Format(time.RFC3339)
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\n", nameOf(c), state, c.GetMetadata().GetAttempt(), since)
	}
	return table.Flush()
}

// newest keeps the last attempt of each container, in order of names.
func newest(all []*cri.Container) []*cri.Container {
	last := map[string]*cri.Container{}
	for _, c := range all {
		if old := last[nameOf(c)]; old == nil || old.GetCreatedAt() < c.GetCreatedAt() {
			last[nameOf(c)] = c
		}
	}
	kept := make([]*cri.Container, 0, len(last))
	for _, c := range last {
		kept = append(kept, c)
	}
	slices.SortFunc(kept, func(a, b *cri.Container) int { return cmp.Compare(nameOf(a), nameOf(b)) })
	return kept
}
