# Container runtime: the daemon, its shim for runc, and the `ctr` client. Output: bin/.
go=yes
licence=Apache-2.0
build() {
	version=$(go list -C "$TOP/board" -m -f '{{.Version}}' github.com/containerd/containerd/v2)
	stamp="-X github.com/containerd/containerd/v2/version.Version=$version"
	# No btrfs (needs cgo), zfs and device mapper: the data partition is XFS under overlayfs.
	tags=no_btrfs,no_zfs,no_devmapper
	go_build containerd github.com/containerd/containerd/v2/cmd/containerd "$stamp"
	go_build ctr github.com/containerd/containerd/v2/cmd/ctr "$stamp"
	tags=no_grpc
	go_build containerd-shim-runc-v2 github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2 "$stamp"
}
