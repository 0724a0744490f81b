package main

import (
	"context"
	"strings"
	"testing"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// fakeImages knows an image some calls after it was asked first.
type fakeImages struct {
	root  []*rootImage
	after int
	asked int
	unpin bool
}

func (f *fakeImages) ImageStatus(_ context.Context, r *cri.ImageStatusRequest, _ ...option,
) (*cri.ImageStatusResponse, error) {
	f.asked++
	for _, img := range f.root {
		if img.name == r.GetImage().GetImage() && f.asked > f.after {
			return &cri.ImageStatusResponse{Image: &cri.Image{Id: img.config.desc.Digest.String(),
				Pinned: !f.unpin}}, nil
		}
	}
	return &cri.ImageStatusResponse{}, nil
}

func TestAnnounce(t *testing.T) {
	b := newBox(t)
	b.add("one", "1")
	b.add("two", "2")
	b.register()
	root, err := readRoot(b.root)
	b.must(err)

	before := sum(b)
	known := &fakeImages{root: root}
	b.must(b.s.announce(b.ctx, known, root))
	if sum(b) != before || known.asked != 2 {
		t.Errorf("asked %d times; what is known was written again: %t", known.asked, sum(b) != before)
	}
	late := &fakeImages{root: root, after: 5}
	b.must(b.s.announce(b.ctx, late, root))
	if sum(b) == before || late.asked < 6 {
		t.Errorf("asked %d times, written again: %t", late.asked, sum(b) != before)
	}
	ctx, cancel := context.WithTimeout(b.ctx, 200*time.Millisecond)
	defer cancel()
	err = b.s.announce(ctx, &fakeImages{root: root, unpin: true}, root)
	if err == nil || !strings.Contains(err.Error(), "one:1: ") {
		t.Errorf("an image that is not pinned: %v", err)
	}
}
