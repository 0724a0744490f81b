// A stand-in for the API server: TLS with client certificates, HTTP/2 (or -http1), and answers that misbehave on request.
//
//	server [-http1] [-stranger] [-mute] FOLDER   writes FOLDER/kubeconfig, then serves until its standard input ends
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

type connKey struct{}

var (
	mu          sync.Mutex
	connections int
	gathered    = sync.NewCond(&mu)
	waiting     int
)

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// issue makes a certificate that parent signs (or itself, when parent is nil).
func issue(name string, parent *tls.Certificate) tls.Certificate {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	t := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: parent == nil,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	by, signer := t, key
	if parent != nil {
		by, signer = parent.Leaf, parent.PrivateKey.(*ecdsa.PrivateKey)
	}
	der := must(x509.CreateCertificate(rand.Reader, t, by, key.Public(), signer))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: must(x509.ParseCertificate(der))}
}

func block(kind string, der []byte) string {
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func kubeconfig(url string, ca, client tls.Certificate) string {
	key := must(x509.MarshalECPrivateKey(client.PrivateKey.(*ecdsa.PrivateKey)))
	return fmt.Sprintf(`apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: %s
    server: %s
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
users:
- name: default
  user:
    client-certificate-data: %s
    client-key-data: %s
`, block("CERTIFICATE", ca.Certificate[0]), url, block("CERTIFICATE", client.Certificate[0]), block("EC PRIVATE KEY", key))
}

func number(r *http.Request, name string) int {
	n, _ := strconv.Atoi(r.URL.Query().Get(name))
	return n
}

// muteFirst takes the first connection and never says a word on it.
type muteFirst struct {
	net.Listener
	muted net.Conn
}

func (l *muteFirst) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil || l.muted != nil {
		return c, err
	}
	l.muted = c
	return l.Listener.Accept()
}

// gather answers when n requests are here at the same time: they can be, only if they are in flight together.
func gather(w http.ResponseWriter, r *http.Request) {
	mu.Lock()
	waiting++
	for n := number(r, "n"); waiting < n; {
		gathered.Wait()
	}
	gathered.Broadcast()
	mu.Unlock()
	fmt.Fprint(w, "together")
}

// watch sends lines, then ends in order, breaks off, or is silent until the client goes.
func watch(w http.ResponseWriter, r *http.Request) {
	for i := range number(r, "lines") {
		fmt.Fprintf(w, "{\"line\":%d,\"fill\":\"%s\"}\n", i, strings.Repeat("x", number(r, "size")))
		w.(http.Flusher).Flush()
	}
	switch r.URL.Query().Get("end") {
	case "break":
		io.WriteString(w, `{"half`)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	case "silent":
		<-r.Context().Done()
	}
}

func fill(w http.ResponseWriter, r *http.Request) {
	chunk := []byte(strings.Repeat("y", 1000))
	for n := number(r, "bytes"); n > 0; n -= len(chunk) {
		w.Write(chunk)
	}
}

func status(w http.ResponseWriter, r *http.Request) {
	if after := r.URL.Query().Get("after"); after != "" {
		w.Header().Set("Retry-After", after)
	}
	w.WriteHeader(number(r, "code"))
	io.WriteString(w, `{"kind":"Status"}`)
}

func discovery(kinds string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"`+r.URL.Path[1:]+`-1"`)
		if !strings.Contains(r.Header.Get("Accept"), "as=APIGroupDiscoveryList") {
			w.WriteHeader(http.StatusNotAcceptable)
		} else if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
		} else {
			fmt.Fprintf(w, `{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","items":[%s]}`, kinds)
		}
	}
}

func routes() {
	http.HandleFunc("/gather", gather)
	http.HandleFunc("/watch", watch)
	http.HandleFunc("/fill", fill)
	http.HandleFunc("/status", status)
	http.HandleFunc("/silent", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	http.HandleFunc("/cut", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, "half of it")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	http.HandleFunc("/drop", func(_ http.ResponseWriter, r *http.Request) {
		r.Context().Value(connKey{}).(*tls.Conn).NetConn().Close()
	})
	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.Header.Get("Content-Type"), r.TLS.PeerCertificates[0].Subject.CommonName, body)
	})
	http.HandleFunc("/stats", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(w, "%s %d", r.Proto, connections)
	})
	http.HandleFunc("/api", discovery(`{"metadata":{},"versions":[{"version":"v1","resources":[{"resource":"pods",
		"responseKind":{"group":"","version":"v1","kind":"Pod"},"scope":"Namespaced","verbs":["get","list","watch"]}]}]}`))
	http.HandleFunc("/apis", discovery(`{"metadata":{"name":"apps"},"versions":[{"version":"v1","resources":[{
		"resource":"deployments","responseKind":{"group":"apps","version":"v1","kind":"Deployment"},
		"scope":"Namespaced","verbs":["patch"]}]}]}`))
}

func main() {
	http1 := flag.Bool("http1", false, "HTTP/1.1 only")
	mute := flag.Bool("mute", false, "the first connection is never answered")
	stranger := flag.Bool("stranger", false, "the client's certificate is from somebody else")
	flag.Parse()
	log.SetOutput(io.Discard) // broken connections are what it is for
	ca := issue("test authority", nil)
	signer := &ca
	if *stranger {
		other := issue("other authority", nil)
		signer = &other
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.Leaf)
	config := &tls.Config{Certificates: []tls.Certificate{issue("server", &ca)}, ClientCAs: pool,
		ClientAuth: tls.RequireAndVerifyClientCert, NextProtos: []string{"h2", "http/1.1"}}
	if *http1 {
		config.NextProtos = config.NextProtos[1:]
	}
	routes()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	text := kubeconfig("https://"+l.Addr().String(), ca, issue("system:admin", signer))
	if *mute {
		l = &muteFirst{Listener: l}
	}
	s := &http.Server{TLSConfig: config, ConnContext: func(ctx context.Context, c net.Conn) context.Context {
		mu.Lock()
		defer mu.Unlock()
		connections++
		return context.WithValue(ctx, connKey{}, c)
	}}
	must(0, os.WriteFile(filepath.Join(flag.Arg(0), "kubeconfig"), []byte(text), 0o600))
	go s.Serve(tls.NewListener(l, config))
	io.Copy(io.Discard, os.Stdin)
}
