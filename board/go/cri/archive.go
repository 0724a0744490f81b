package main

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"
)

// labelArchive marks a name that came from an archive of the user, with the digest of the archive's index. It is set
// last, when the layers are on the disk: a name without it is the half of an import that was cut.
const labelArchive = "hearth.dev/archive"

const (
	archiveFilesMax = 100000  // files in one archive
	indexMax        = 4 << 20 // bytes of its index
)

// userArchive is an archive of images as its index describes it.
type userArchive struct {
	path  string
	id    digest.Digest            // of the index: content-addressed, and read without reading the archive
	names map[string]digest.Digest // image names, with their manifests where the format tells them
}

// runImport imports what is not imported yet, one archive after the other; one that is bad does not hold the others.
func runImport(ctx context.Context, r *request) error {
	paths, err := filepath.Glob(filepath.Join(r.args[0], "*.tar"))
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		fmt.Fprintln(r.out, "no archives")
		return nil
	}
	sort.Strings(paths)
	c, err := connect(ctx, r)
	if err != nil {
		return err
	}
	defer c.Close()
	var faults []error
	fresh := 0
	for _, path := range paths {
		done, err := importArchive(ctx, c, path, r.out)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", path, err))
		}
		if done {
			fresh++
		}
	}
	fmt.Fprintf(r.out, "%d archives, %d of them imported now\n", len(paths), fresh)
	return errors.Join(faults...)
}

func importArchive(ctx context.Context, c *client.Client, path string, out io.Writer) (bool, error) {
	a, err := readArchive(path)
	if err != nil {
		return false, err
	}
	s := storesOf(c)
	left, err := s.unimported(ctx, a)
	if err != nil || len(left) == 0 {
		return false, err
	}
	if err := s.dropHalves(ctx, left); err != nil {
		return false, err
	}
	fmt.Fprintf(out, "importing %s: %d images\n", path, len(a.names))
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	records, err := c.Import(ctx, f, client.WithImageRefTranslator(wholeName))
	if err != nil {
		return false, err
	}
	for _, record := range records {
		if err := client.NewImage(c, record).Unpack(ctx, snapshotter); err != nil {
			return false, fmt.Errorf("%s: %w", record.Name, err)
		}
	}
	if err := s.syncLayers(ctx); err != nil {
		return false, err
	}
	return true, s.mark(ctx, a, records)
}

// unimported returns the names of the archive that are not here, or not as an import that came to its end left them.
func (s *stores) unimported(ctx context.Context, a *userArchive) (map[string]digest.Digest, error) {
	records, err := s.images.List(ctx, fmt.Sprintf("labels.%q==%q", labelArchive, a.id))
	if err != nil {
		return nil, fmt.Errorf("list of names: %w", err)
	}
	left := map[string]digest.Digest{}
	for name, target := range a.names {
		left[name] = target
	}
	for _, record := range records {
		delete(left, record.Name)
	}
	return left, nil
}

// dropHalves forgets what a cut import left under these names: its layers may lack data that never got to the disk.
func (s *stores) dropHalves(ctx context.Context, left map[string]digest.Digest) error {
	dropped := false
	for name, target := range left {
		have, err := s.images.Get(ctx, name)
		if errdefs.IsNotFound(err) || err == nil && target != "" && have.Target.Digest != target {
			continue
		}
		if err == nil {
			err = s.images.Delete(ctx, name)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		dropped = true
	}
	if !dropped {
		return nil
	}
	return s.collect(ctx)
}

// syncLayers brings what was unpacked to the disk: containerd leaves that to time, and a power cut would leave a layer
// that is committed and whose files are empty.
func (s *stores) syncLayers(ctx context.Context) error {
	var folder string
	err := s.snapshots.Walk(ctx, func(_ context.Context, info snapshots.Info) error {
		var err error
		folder, err = folderOf(info)
		return err
	})
	if err != nil || folder == "" {
		return err
	}
	f, err := os.Open(filepath.Dir(folder))
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}

func (s *stores) mark(ctx context.Context, a *userArchive, records []images.Image) error {
	marked := map[string]bool{}
	for _, record := range records {
		if _, ok := a.names[record.Name]; !ok {
			continue
		}
		record.Labels = map[string]string{labelArchive: a.id.String(), labelPinned: "pinned"}
		_, err := s.images.Update(ctx, record, "labels."+labelArchive, "labels."+labelPinned)
		if err != nil {
			return fmt.Errorf("%s: %w", record.Name, err)
		}
		marked[record.Name] = true
	}
	if len(marked) != len(a.names) {
		return fmt.Errorf("only %d of its %d images suit this machine", len(marked), len(a.names))
	}
	return nil
}

// readArchive reads the index of an OCI layout or, when there is none, of the older Docker format.
func readArchive(path string) (*userArchive, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var index, older []byte
	files := tar.NewReader(f) // skips the contents by seeking
	for n := 0; index == nil; n++ {
		head, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || n == archiveFilesMax {
			return nil, errors.Join(errors.New("no archive of images; is it compressed, or cut?"), err)
		}
		switch filepath.Clean(head.Name) {
		case "index.json":
			index, err = readBounded(files)
		case "manifest.json":
			older, err = readBounded(files)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", head.Name, err)
		}
	}
	a := &userArchive{path: path, names: map[string]digest.Digest{}}
	switch {
	case index != nil:
		a.id, err = digest.FromBytes(index), a.nameOCI(index)
	case older != nil:
		a.id, err = digest.FromBytes(older), a.nameDocker(older)
	default:
		return nil, errors.New("no archive of images: it has neither index.json nor manifest.json")
	}
	if err == nil && len(a.names) == 0 {
		err = errors.New("no image in it has a whole name (registry/name:tag); save it with one")
	}
	return a, err
}

func readBounded(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, indexMax+1))
	if err == nil && len(data) > indexMax {
		err = fmt.Errorf("larger than %d bytes", indexMax)
	}
	return data, err
}

func (a *userArchive) nameOCI(data []byte) error {
	var index ocispec.Index
	if err := json.Unmarshal(data, &index); err != nil {
		return fmt.Errorf("index.json: %w", err)
	}
	for _, m := range index.Manifests {
		name := m.Annotations[images.AnnotationImageName]
		if name == "" {
			name = wholeName(m.Annotations[ocispec.AnnotationRefName])
		}
		if name != "" {
			a.names[name] = m.Digest
		}
	}
	return nil
}

// wholeName passes a name that a pod could use; some programs write the bare tag.
func wholeName(name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	return ""
}

func (a *userArchive) nameDocker(data []byte) error {
	var list []struct{ RepoTags []string }
	if err := json.Unmarshal(data, &list); err != nil {
		return fmt.Errorf("manifest.json: %w", err)
	}
	for _, image := range list {
		for _, name := range image.RepoTags {
			whole, err := reference.ParseDockerRef(name)
			if err != nil {
				return fmt.Errorf("image name %q: %w", name, err)
			}
			a.names[whole.String()] = ""
		}
	}
	return nil
}
