# Starts containers. The one Go program here with C in it: it joins namespaces before Go's threads run.
# Output: bin/runc.
go=yes
needs=libseccomp
licence=Apache-2.0
build() {
	version=$(go list -C "$TOP/board" -m -f '{{.Version}}' github.com/opencontainers/runc)
	export CGO_ENABLED=1 CC=musl-gcc CGO_CFLAGS="-Os -g0 $MUSL_INCLUDES"
	export PKG_CONFIG_LIBDIR="$libseccomp_DIR/lib/pkgconfig"
	tags=seccomp
	go_build runc github.com/opencontainers/runc \
		"-X main.version=${version#v} -linkmode external -extldflags '-static'"
}
