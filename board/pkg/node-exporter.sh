# Metrics of the machine. Output: bin/node_exporter.
go=yes
licence=Apache-2.0
build() {
	version=$(go list -C "$TOP/board" -m -f '{{.Version}}' github.com/prometheus/node_exporter)
	go_build node_exporter github.com/prometheus/node_exporter "-X github.com/prometheus/common/version.Version=$version"
}
