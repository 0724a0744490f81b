package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/containerd/log"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	bolt "go.etcd.io/bbolt"
)

// box is containerd's own metadata, content store and snapshotter in this process, and a root with images.
type box struct {
	*testing.T
	ctx  context.Context
	s    *stores
	dir  string // containerd's
	root string
	out  bytes.Buffer
}

func TestMain(m *testing.M) {
	_ = log.SetLevel("error") // the content store warns of file systems without fs-verity
	os.Exit(m.Run())
}

func newBox(t *testing.T) *box {
	b := &box{T: t, ctx: namespaces.WithNamespace(t.Context(), namespace), dir: t.TempDir(), root: t.TempDir()}
	sn, err := overlay.NewSnapshotter(filepath.Join(b.dir, "overlay"), overlay.WithUpperdirLabel)
	b.must(err)
	cs, err := local.NewStore(filepath.Join(b.dir, "content"))
	b.must(err)
	file, err := bolt.Open(filepath.Join(b.dir, "meta.db"), 0o600, nil)
	b.must(err)
	db := metadata.NewDB(file, cs, map[string]snapshots.Snapshotter{snapshotter: sn})
	b.must(db.Init(b.ctx))
	b.s = &stores{db.ContentStore(), db.Snapshotter(snapshotter), metadata.NewImageStore(db),
		&collector{metadata.NewLeaseManager(db), db}}
	t.Cleanup(func() { file.Close(); sn.Close() })
	return b
}

func (b *box) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// add puts an image with one file into the root.
func (b *box) add(name, text string) *rootImage {
	b.Helper()
	diff := digest.FromString("layer of " + text)
	layer := filepath.Join(b.root, "layers", diff.Encoded())
	b.must(os.MkdirAll(layer, 0o755))
	b.must(os.WriteFile(filepath.Join(layer, "file"), []byte(text), 0o644))
	config, err := json.Marshal(ocispec.Image{RootFS: ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{diff}}})
	b.must(err)
	manifest, err := json.Marshal(ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest,
		Config: ocispec.Descriptor{MediaType: ocispec.MediaTypeImageConfig, Digest: digest.FromBytes(config),
			Size: int64(len(config))},
		Layers: []ocispec.Descriptor{{MediaType: ocispec.MediaTypeImageLayer, Digest: diff, Size: 1}}})
	b.must(err)
	dir := filepath.Join(b.root, name)
	b.must(os.MkdirAll(dir, 0o755))
	for file, data := range map[string][]byte{"name": []byte("hearth.local/" + name + ":1\n"), "config.json": config,
		"manifest.json": manifest} {
		b.must(os.WriteFile(filepath.Join(dir, file), data, 0o644))
	}
	img, err := readImage(dir, filepath.Join(b.root, "layers"))
	b.must(err)
	return img
}

// register runs the command's work and returns what it said.
func (b *box) register() string {
	b.Helper()
	root, err := readRoot(b.root)
	b.must(err)
	b.out.Reset()
	b.must(b.s.register(b.ctx, root, &b.out))
	b.must(b.s.forget(b.ctx, root, &b.out))
	faults, err := b.s.lookAll(b.ctx, root)
	b.must(err)
	if len(faults) > 0 {
		b.Fatalf("still %v", faults)
	}
	return b.out.String()
}

func (b *box) says(want string) {
	b.Helper()
	if got := b.register(); !strings.Contains(got, want) {
		b.Fatalf("said %q, not %q", got, want)
	}
}

// folder is where the snapshotter has the files of an image's layer.
func (b *box) folder(img *rootImage) string {
	b.Helper()
	info, err := b.s.snapshots.Stat(b.ctx, img.chain.String())
	b.must(err)
	folder, err := folderOf(info)
	b.must(err)
	return folder
}

func (b *box) file(blob *blob) string {
	return filepath.Join(b.dir, "content", "blobs", "sha256", blob.desc.Digest.Encoded())
}

func (b *box) record(name string) (images.Image, error) { return b.s.images.Get(b.ctx, name) }
