# The API client with its real libraries: a musl program of init/kube's files against a small TLS server (Go), over
# HTTP/2 and HTTP/1.1, with answers that are late, cut, endless or none.

build/client/libinit.a: $(filter-out build/init/main.o,$(INIT_OBJ))
	@mkdir -p $(@D)
	@rm -f $@
	@$(AR) rcs $@ $^

build/client/try: tests/client/try.c build/client/libinit.a
	@musl-gcc $(TARGET_CFLAGS) $(TARGET_LDFLAGS) -o $@ $^ $(TARGET_LDLIBS)

build/client/server: tests/client/server/main.go
	@mkdir -p $(@D)
	@GOTOOLCHAIN=local GO111MODULE=off GOFLAGS= GOCACHE=$${XDG_CACHE_HOME:-$$HOME/.cache}/hearth/go/build CGO_ENABLED=0 \
		go build -trimpath -ldflags '-s -w' -o $@ $<

client: build/client/try build/client/server ## the API client over TLS and HTTP/2 against a server that misbehaves
	@tests/client/run.sh

.PHONY: client
