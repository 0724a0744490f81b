package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// maxFile bounds a configuration file; real ones have a few hundred bytes.
const maxFile = 256 << 10

// entry is one key of one file.
type entry struct {
	file   string
	line   int
	key    string // without the "+"
	adds   bool   // the key ended in "+": keep what earlier files said
	isList bool
	values []string
}

func (e *entry) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s: %w", e.file, e.line, e.key, fmt.Errorf(format, args...))
}

// readFiles reads config.yaml and config.yaml.d; the former may be absent unless the user named it.
func readFiles(name string, named bool) ([]entry, error) {
	entries, err := readFile(name)
	if err != nil && (named || !errors.Is(err, fs.ErrNotExist)) {
		return nil, err
	}
	folder, err := os.ReadDir(name + ".d")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	sort.Slice(folder, func(i, j int) bool { return folder[i].Name() < folder[j].Name() })
	for _, file := range folder {
		if ext := filepath.Ext(file.Name()); ext != ".yaml" && ext != ".yml" {
			continue
		}
		more, err := readFile(filepath.Join(name+".d", file.Name()))
		if err != nil {
			return nil, err
		}
		entries = append(entries, more...)
	}
	return entries, nil
}

func readFile(name string) ([]entry, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxFile {
		return nil, fmt.Errorf("%s: longer than %d bytes", name, maxFile)
	}
	return parse(name, string(raw))
}

// parse reads the one YAML document of a file.
func parse(name, raw string) ([]entry, error) {
	decoder := yaml.NewDecoder(strings.NewReader(raw))
	var document yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, nil // an empty file
	} else if err != nil {
		return nil, named(name, err)
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		return nil, fmt.Errorf("%s:%d: a second document; a configuration file has one", name, second.Line)
	} else if !errors.Is(err, io.EOF) {
		return nil, named(name, err)
	}
	top := document.Content[0]
	if top.Kind == yaml.ScalarNode && top.Tag == "!!null" {
		return nil, nil // comments alone
	}
	if top.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: a configuration file is a list of key: value lines", name, top.Line)
	}
	return mapping(name, top)
}

func mapping(name string, top *yaml.Node) ([]entry, error) {
	var entries []entry
	seen := map[string]int{}
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		e := entry{file: name, line: key.Line, key: strings.TrimSuffix(key.Value, "+")}
		e.adds = e.key != key.Value
		if before, twice := seen[key.Value]; twice {
			return nil, e.errorf("this key stands in line %d already", before)
		}
		seen[key.Value] = key.Line
		if err := e.take(value); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// take fills in the values of a key: one scalar, or a list of them. Their text is kept as it was written (0644 stays
// 0644).
func (e *entry) take(node *yaml.Node) error {
	items := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		e.isList = true
		items = node.Content
	}
	for _, item := range items {
		if item.Kind != yaml.ScalarNode {
			e.line = item.Line
			return e.errorf("a value is one word or a list of words")
		}
		if item.Tag == "!!null" {
			e.line = item.Line
			return e.errorf("no value")
		}
		e.values = append(e.values, item.Value)
	}
	return nil
}

// named puts the file's name before the YAML reader's message, which has the line unless it is the first.
func named(name string, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if located, is := strings.CutPrefix(text, "line "); is {
		return fmt.Errorf("%s:%s", name, located)
	}
	return fmt.Errorf("%s:1: %s", name, text)
}

// apply hands the entries to the settings; what the command line gave stays.
func apply(flags *pflag.FlagSet, entries []entry, given map[string]bool) error {
	for i := range entries {
		e := &entries[i]
		flag := flags.Lookup(e.key)
		if flag == nil {
			return e.errorf("no such setting")
		}
		if e.key == "config" {
			return e.errorf("belongs on the command line")
		}
		if given[e.key] {
			continue
		}
		if err := e.give(flag.Value.(*value)); err != nil {
			return err
		}
	}
	return nil
}

func (e *entry) give(v *value) error {
	if v.reset == nil && (e.isList || e.adds) {
		return e.errorf("takes one value, not a list")
	}
	if v.reset != nil && !e.adds {
		v.reset()
	}
	for _, text := range e.values {
		if err := v.Set(text); err != nil {
			return e.errorf("%w", err)
		}
	}
	return nil
}
