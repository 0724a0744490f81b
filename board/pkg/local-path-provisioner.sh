# Makes the folders behind persistent volume claims. Output: bin/local-path-provisioner.
go=yes
licence=Apache-2.0
build() {
	version=$(go list -C "$TOP/board" -m -f '{{.Version}}' github.com/rancher/local-path-provisioner)
	go_build local-path-provisioner github.com/rancher/local-path-provisioner "-X main.VERSION=$version"
}
