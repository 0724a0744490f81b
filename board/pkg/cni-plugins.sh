# Network of pods: the CNI plugins that the bridge network of one node uses. Output: bin/.
go=yes
licence=Apache-2.0
build() {
	module=github.com/containernetworking/plugins
	version=$(go list -C "$TOP/board" -m -f '{{.Version}}' $module)
	for p in main/bridge main/loopback ipam/host-local meta/portmap meta/bandwidth meta/firewall; do
		go_build "${p#*/}" "$module/plugins/$p" "-X $module/pkg/utils/buildversion.BuildVersion=$version"
	done
}
