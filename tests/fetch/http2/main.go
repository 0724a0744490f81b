// A server of one file over HTTP/2 and TLS: main FOLDER, where cert.pem and key.pem are. Prints its address, runs until
// its standard input ends.
//
//	/file       8 MiB, with ranges and an ETag; byte i is i*7 + i/256
//	/gather?n=N no answer until N requests of this path are here at the same time
//	/stats      "PROTOCOL CONNECTIONS MOST-AT-A-TIME"
//	/silent     the headers of the file, half of it, and then nothing
//	/reset?n=N  the first N answers end with a reset in the middle
package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

const size = 8 << 20

var (
	lock               sync.Mutex
	file               []byte
	connections        int
	here, most, resets int
	full               = make(chan struct{})
	once               sync.Once
)

func serveFile(w http.ResponseWriter, r *http.Request) {
	lock.Lock()
	here++
	most = max(most, here)
	lock.Unlock()
	w.Header().Set("ETag", `"one"`)
	http.ServeContent(w, r, "file", time.Time{}, bytes.NewReader(file))
	lock.Lock()
	here--
	lock.Unlock()
}

func number(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("n"))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return n
}

func gather(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Range") == "bytes=0-0" { // the first one comes alone
		serveFile(w, r)
		return
	}
	lock.Lock()
	here++
	if here == number(r) {
		once.Do(func() { close(full) })
	}
	lock.Unlock()
	<-full
	lock.Lock()
	here--
	lock.Unlock()
	serveFile(w, r)
}

func silent(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("ETag", `"one"`)
	w.Header().Set("Content-Length", strconv.Itoa(size))
	w.Write(file[:size/2])
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

type short struct {
	http.ResponseWriter
	left int
}

func (s *short) Write(p []byte) (int, error) {
	if s.left -= len(p); s.left < 0 {
		panic(http.ErrAbortHandler)
	}
	return s.ResponseWriter.Write(p)
}

func reset(w http.ResponseWriter, r *http.Request) {
	lock.Lock()
	resets++
	lie := resets <= number(r)
	lock.Unlock()
	if lie {
		w = &short{w, 200000}
	}
	w.Header().Set("ETag", `"one"`)
	http.ServeContent(w, r, "file", time.Time{}, bytes.NewReader(file))
}

func stats(w http.ResponseWriter, r *http.Request) {
	lock.Lock()
	defer lock.Unlock()
	fmt.Fprintf(w, "%s %d %d", r.Proto, connections, most)
}

func main() {
	file = make([]byte, size)
	for i := range file {
		file[i] = byte(i*7 + i/256)
	}
	folder := os.Args[1]
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem"))
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/file", serveFile)
	http.HandleFunc("/gather", gather)
	http.HandleFunc("/silent", silent)
	http.HandleFunc("/reset", reset)
	http.HandleFunc("/stats", stats)
	server := &http.Server{
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}},
		ConnState: func(_ net.Conn, s http.ConnState) {
			lock.Lock()
			defer lock.Unlock()
			if s == http.StateNew {
				connections++
			}
		},
	}
	go func() { log.Fatal(server.ServeTLS(listener, "", "")) }()
	fmt.Printf("https://%s\n", listener.Addr())
	io.Copy(io.Discard, os.Stdin)
}
