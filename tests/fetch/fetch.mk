# Reading over HTTP with the real libraries: a musl program of init/update's files against servers that lie, break off,
# stall and redirect (Python: HTTP/1.1, with and without TLS) and one that speaks HTTP/2 (Go).

build/fetch/try: tests/fetch/try.c build/client/libinit.a
	@mkdir -p $(@D)
	@musl-gcc $(TARGET_CFLAGS) $(TARGET_LDFLAGS) -o $@ $^ $(TARGET_LDLIBS)

build/fetch/http2: tests/fetch/http2/main.go
	@mkdir -p $(@D)
	@GOTOOLCHAIN=local GO111MODULE=off GOFLAGS= GOCACHE=$${XDG_CACHE_HOME:-$$HOME/.cache}/hearth/go/build CGO_ENABLED=0 \
		go build -trimpath -ldflags '-s -w' -o $@ $<

fetch: build/fetch/try build/fetch/http2 ## the updates' HTTP reader against servers that lie, break off, stall, redirect
	@tests/fetch/run.sh

.PHONY: fetch
