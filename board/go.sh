# Go's pins and caches, for the build (board/pkg.sh) and the tests of Go code; to be sourced. $CACHE is the cache folder.
# One module for all Go programs, so that what they share (Kubernetes' client libraries above all) is compiled once.
GOTOOLCHAIN=local
GOFLAGS='-mod=readonly -buildvcs=false -modcacherw -trimpath'
GOMODCACHE=$CACHE/go/mod
GOCACHE=$CACHE/go/build
CGO_ENABLED=0
export GOTOOLCHAIN GOFLAGS GOMODCACHE GOCACHE CGO_ENABLED
unset GOOS GOARCH GOAMD64 GOPATH GOBIN GOEXPERIMENT GOWORK
