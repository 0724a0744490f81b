package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A manifest or configuration of ours has about 1 KiB; more than this is no such file.
const blobMax = 256 << 10

// rootImage is an image that the read-only root carries: its two small blobs, and its only layer as a folder. The
// layer's archive exists nowhere on the box.
type rootImage struct {
	name     string // hearth.local/NAME:VERSION
	manifest blob
	config   blob
	chain    digest.Digest // containerd's name for the unpacked layer
	layer    string        // the folder
}

type blob struct {
	desc   ocispec.Descriptor
	data   []byte
	labels map[string]string // what they refer to: keeps the garbage collector off it
}

// readRoot reads DIR/NAME/{name,manifest.json,config.json}, in order of names. An image with a fault is left out; all
// faults are in the error, beside the images that are whole.
func readRoot(dir string) ([]*rootImage, error) {
	metas, err := filepath.Glob(filepath.Join(dir, "*", "name"))
	if err != nil {
		return nil, err
	}
	if len(metas) == 0 {
		return nil, fmt.Errorf("%s carries no images", dir)
	}
	sort.Strings(metas)
	var images []*rootImage
	var faults []error
	for _, meta := range metas {
		img, err := readImage(filepath.Dir(meta), filepath.Join(dir, "layers"))
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", filepath.Dir(meta), err))
			continue
		}
		images = append(images, img)
	}
	return images, errors.Join(faults...)
}

func readImage(dir, layers string) (*rootImage, error) {
	name, err := readSmall(filepath.Join(dir, "name"))
	if err != nil {
		return nil, err
	}
	img := &rootImage{name: strings.TrimSpace(string(name))}
	if img.manifest.data, err = readSmall(filepath.Join(dir, "manifest.json")); err != nil {
		return nil, err
	}
	if img.config.data, err = readSmall(filepath.Join(dir, "config.json")); err != nil {
		return nil, err
	}
	return img, img.resolve(layers)
}

// resolve fills in what follows from the two blobs, checking that they belong together and that the layer is there.
func (img *rootImage) resolve(layers string) error {
	var manifest ocispec.Manifest
	if err := json.Unmarshal(img.manifest.data, &manifest); err != nil {
		return fmt.Errorf("manifest.json: %w", err)
	}
	var config ocispec.Image
	if err := json.Unmarshal(img.config.data, &config); err != nil {
		return fmt.Errorf("config.json: %w", err)
	}
	if manifest.Config.Digest != digest.FromBytes(img.config.data) {
		return errors.New("manifest.json names another configuration than config.json")
	}
	if len(manifest.Layers) != 1 || len(config.RootFS.DiffIDs) != 1 {
		return fmt.Errorf("%d layers; an image of the root has one", len(manifest.Layers))
	}
	img.chain = identity.ChainID(config.RootFS.DiffIDs)
	img.layer = filepath.Join(layers, img.chain.Encoded())
	if info, err := os.Stat(img.layer); err != nil || !info.IsDir() {
		return fmt.Errorf("the layer's folder %s is missing", img.layer)
	}

	img.config.desc = manifest.Config
	img.config.labels = map[string]string{"containerd.io/gc.ref.snapshot." + snapshotter: img.chain.String()}
	img.manifest.desc = ocispec.Descriptor{MediaType: manifest.MediaType, Size: int64(len(img.manifest.data)),
		Digest: digest.FromBytes(img.manifest.data)}
	img.manifest.labels = map[string]string{"containerd.io/gc.ref.content.config": manifest.Config.Digest.String()}
	return nil
}

func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, blobMax+1))
	if err == nil && len(data) > blobMax {
		err = fmt.Errorf("%s is larger than %d bytes", path, blobMax)
	}
	return data, err
}
