package cni

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// maxLease bounds what is read of a lease: host-local writes a sandbox's id and an interface's name.
const maxLease = 512

// Sweep frees the addresses of sandboxes that are no more and says how many. host-local keeps one file per address,
// named by it, whose first line is the sandbox's id; a power cut can leave files of sandboxes that the container
// runtime never learned of, or empty ones. It must run while nobody makes sandboxes.
func Sweep(leases string, alive map[string]bool) (int, error) {
	folder := filepath.Join(leases, Name)
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	unlock, err := lock(filepath.Join(folder, "lock"))
	if err != nil {
		return 0, err
	}
	defer unlock()
	freed := 0
	for _, entry := range entries {
		if _, err := netip.ParseAddr(entry.Name()); err != nil {
			continue // the lock, last_reserved_ip.*
		}
		path := filepath.Join(folder, entry.Name())
		id, err := holder(path)
		if err != nil {
			return freed, err
		}
		if alive[id] {
			continue
		}
		if err := os.Remove(path); err != nil {
			return freed, err
		}
		freed++
	}
	return freed, nil
}

func holder(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text := make([]byte, maxLease)
	n, _ := file.Read(text) // an unreadable lease is nobody's
	id, _, _ := strings.Cut(string(text[:n]), "\n")
	return strings.TrimSpace(id), nil
}

// lock takes host-local's own lock.
func lock(path string) (func(), error) {
	file, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX); err != nil {
		file.Close()
		return nil, err
	}
	return func() { file.Close() }, nil
}
