package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/k3s-io/kine/pkg/drivers/sqlite"
	"github.com/k3s-io/kine/pkg/endpoint"
)

// startDatastore opens the SQLite file and serves etcd's protocol on a socket until storeCtx ends; storeStopped is done
// once the file has been closed.
func (s *cluster) startDatastore() error {
	file := s.Server("db/state.db")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	_, err := endpoint.Listen(s.storeCtx, endpoint.Config{
		Listener: "unix://" + s.Server("kine.sock"),
		// Without these parameters (a busy time-out, write-ahead log) the start fails with SQLITE_BUSY.
		Endpoint:            "sqlite://" + file + "?" + sqlite.DefaultParams,
		WaitGroup:           &s.storeStopped,
		EmulatedETCDVersion: "3.6.14", // the version whose client the API server has; it asks for it
		NotifyInterval:      5 * time.Second,
		CompactInterval:     5 * time.Minute,
		CompactTimeout:      5 * time.Second,
		CompactMinRetain:    1000,
		CompactBatchSize:    1000,
		PollBatchSize:       500,
	})
	if err != nil {
		return fmt.Errorf("datastore %s: %w", file, err)
	}
	return nil
}
