package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/yaml"

	"hearth/k3s/modules/internal/plan"
)

// The folder server/manifests is looked at like k3s does it: every 15 s, and only files that have changed are read.
// What failed is tried again, first soon, since a first start lacks ServiceAccounts and the like for some seconds.
const (
	addonLook     = 15 * time.Second
	addonRetry    = time.Second
	addonSoon     = 30               // so many times at most
	addonCall     = 30 * time.Second // for one object
	maxAddonFiles = 256
	maxAddonSize  = 4 << 20
	addonManager  = "deploy@k3s" // field manager
)

// stamp tells whether a file is another one than before.
type stamp struct {
	modified time.Time
	size     int64
}

// applier applies manifest files.
type applier struct {
	client dynamic.Interface
	mapper *restmapper.DeferredDiscoveryRESTMapper
}

// addons keeps server/manifests applied while the server runs.
func (s *cluster) addons() error {
	if !s.await(plan.APIReady) {
		return nil
	}
	a, err := s.newApplier()
	if err != nil {
		return err
	}
	applied := map[string]stamp{}
	for soon := addonSoon; ; soon-- {
		wait := addonLook
		if s.applyChanged(a, applied) > 0 && soon > 0 {
			wait = addonRetry
		}
		if !s.pause(wait) {
			return nil
		}
	}
}

// applyChanged applies the files that are new, changed or failed before, and says how many failed.
func (s *cluster) applyChanged(a *applier, applied map[string]stamp) int {
	files, err := s.manifests()
	if err != nil {
		klog.Warningf("add-ons: %v", err)
		return 1
	}
	failed := 0
	for path, now := range files {
		if applied[path] == now {
			continue
		}
		if err := a.file(s.ctx, path); err != nil {
			klog.Warningf("add-on %s: %v", path, err)
			a.mapper.Reset() // it may need a kind that has come since
			failed++
			continue
		}
		applied[path] = now
		klog.Infof("add-on %s applied", path)
	}
	return failed
}

// manifests lists the folder, without what the user has disabled by a file's or a folder's name.
func (s *cluster) manifests() (map[string]stamp, error) {
	files := map[string]stamp{}
	root := s.Server("manifests")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		ext := filepath.Ext(path)
		if path != root && s.IsDisabled(strings.TrimSuffix(entry.Name(), ext)) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if entry.IsDir() || (ext != ".yaml" && ext != ".yml" && ext != ".json") {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if len(files) == maxAddonFiles {
			return fmt.Errorf("%s: more than %d files", root, maxAddonFiles)
		}
		files[path] = stamp{info.ModTime(), info.Size()}
		return nil
	})
	return files, err
}

func (s *cluster) newApplier() (*applier, error) {
	config, err := s.clientConfig()
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	discoverer, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	return &applier{client, restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(discoverer))}, nil
}

func (s *cluster) clientConfig() (*rest.Config, error) {
	return clientcmd.BuildConfigFromFlags("", s.Server("cred/supervisor.kubeconfig"))
}

// file applies every object of a file, as far as it gets; the errors are joined.
func (a *applier) file(ctx context.Context, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxAddonSize+1))
	if err != nil {
		return err
	}
	if len(text) > maxAddonSize {
		return fmt.Errorf("longer than %d bytes", maxAddonSize)
	}
	var failed []error
	for reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text))); ; {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return errors.Join(failed...)
		} else if err != nil {
			return errors.Join(append(failed, err)...)
		}
		if err := a.document(ctx, document); err != nil {
			failed = append(failed, err)
		}
	}
}

func (a *applier) document(ctx context.Context, text []byte) error {
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(text, &object.Object); err != nil {
		return err
	}
	if len(object.Object) == 0 {
		return nil
	}
	if object.GetName() == "" {
		return fmt.Errorf("a %s without a name", object.GetKind())
	}
	err := a.object(ctx, object)
	if err != nil {
		return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
	}
	return nil
}

func (a *applier) object(ctx context.Context, object *unstructured.Unstructured) error {
	kind := object.GroupVersionKind()
	mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return err
	}
	var resource dynamic.ResourceInterface = a.client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		namespace := object.GetNamespace()
		if namespace == "" {
			namespace = metav1.NamespaceDefault
		}
		resource = a.client.Resource(mapping.Resource).Namespace(namespace)
	}
	body, err := object.MarshalJSON()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, addonCall)
	defer cancel()
	force := true
	_, err = resource.Patch(ctx, object.GetName(), types.ApplyPatchType, body,
		metav1.PatchOptions{FieldManager: addonManager, Force: &force})
	return err
}
