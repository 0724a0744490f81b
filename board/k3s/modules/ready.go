package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/klog/v2"

	"hearth/k3s/modules/internal/plan"
)

const (
	apiPoll   = 100 * time.Millisecond
	apiReport = 15 * time.Second // how often the log says that it is still being waited for
	readyLine = "READY=1\n"      // Hearth's readiness protocol: once, on the descriptor NOTIFY_FD, which is then closed
)

// takeNotify takes the descriptor to say "ready" on, or nil, and keeps it from the programs that the server runs.
func takeNotify() *os.File {
	const variable = "NOTIFY_FD"
	fd, err := strconv.ParseUint(os.Getenv(variable), 10, 15)
	os.Unsetenv(variable)
	if err != nil || fd <= 2 {
		return nil
	}
	syscall.CloseOnExec(int(fd))
	return os.NewFile(uintptr(fd), "readiness")
}

// awaitAPI waits for /readyz to say 200, then lets everybody know.
func (s *cluster) awaitAPI(notify *os.File) error {
	client, err := s.apiClient()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	url := fmt.Sprintf("%s/readyz", s.apiURL())
	began := time.Now()
	report := began.Add(apiReport)
	answers := false
	var last error
	for {
		known, missing := probe(client, url)
		if known && !answers {
			answers = true
			klog.Infof("the API server answers, %s after its start", time.Since(began).Round(time.Millisecond))
			close(s.holds[plan.APIAnswers])
		}
		if missing == nil {
			break
		}
		last = missing
		if time.Now().After(report) {
			klog.Warningf("the API server is not ready after %s: %v", time.Since(began).Round(time.Second), missing)
			report = time.Now().Add(apiReport)
		}
		if !s.pause(apiPoll) {
			return nil
		}
	}
	took := time.Since(began).Round(time.Millisecond)
	klog.Infof("the API server is ready, %s after its start; last it lacked: %v", took, last)
	close(s.holds[plan.APIReady])
	if notify != nil {
		_, err := notify.WriteString(readyLine)
		if err := errors.Join(err, notify.Close()); err != nil {
			klog.Warningf("saying ready: %v", err)
		}
	}
	return nil
}

// probe says whether the API server knows us, and what is missing for a 200.
func probe(client *http.Client, url string) (known bool, missing error) {
	response, err := client.Get(url)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	known = response.StatusCode != http.StatusUnauthorized && response.StatusCode != http.StatusForbidden
	text, err := io.ReadAll(io.LimitReader(response.Body, 16<<10))
	if err != nil || response.StatusCode == http.StatusOK {
		return known, err
	}
	var checks []string
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, "[-]") {
			checks = append(checks, line)
		}
	}
	return known, fmt.Errorf("%s: %s", response.Status, strings.Join(checks, "; "))
}

func (s *cluster) apiURL() string { return fmt.Sprintf("https://127.0.0.1:%d", s.Port) }

func (s *cluster) apiClient() (*http.Client, error) {
	base := s.Server("tls/client-supervisor")
	certificate, err := tls.LoadX509KeyPair(base+".crt", base+".key")
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(s.Server("tls/server-ca.crt"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{certificate}}}
	return &http.Client{Timeout: 10 * time.Second, Transport: transport}, nil
}

// pause waits; false means that the server is stopping.
func (s *cluster) pause(duration time.Duration) bool {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}
