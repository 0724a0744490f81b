package main

import (
	"context"
	"fmt"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// The kubelet does not ask containerd's metadata which images there are but the runtime interface, which keeps a list
// in memory. It reads an image when containerd starts, unless that is damaged then, and when its name is written.

type imageRuntime interface {
	ImageStatus(context.Context, *cri.ImageStatusRequest, ...option) (*cri.ImageStatusResponse, error)
}

// unknown returns the images that the runtime interface does not have, or not as they are, or as free to take away.
func unknown(ctx context.Context, rt imageRuntime, root []*rootImage) ([]*rootImage, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var list []*rootImage
	for _, img := range root {
		r, err := rt.ImageStatus(ctx, &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: img.name}})
		if err != nil {
			return nil, fmt.Errorf("%s: status: %w", img.name, err)
		}
		if r.GetImage().GetId() != img.config.desc.Digest.String() || !r.GetImage().GetPinned() {
			list = append(list, img)
		}
	}
	return list, nil
}

// announce makes the runtime interface read what it does not know, by writing the names again, and waits for it.
func (s *stores) announce(ctx context.Context, rt imageRuntime, root []*rootImage) error {
	list, err := unknown(ctx, rt, root)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	for _, img := range list {
		if _, err := s.images.Update(ctx, recordOf(img), "target"); err != nil {
			return fmt.Errorf("%s: %w", img.name, err)
		}
	}
	for len(list) > 0 {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: the runtime interface does not get to know it", list[0].name)
		case <-time.After(50 * time.Millisecond):
		}
		if list, err = unknown(ctx, rt, list); err != nil {
			return err
		}
	}
	return nil
}
