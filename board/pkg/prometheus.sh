# Metrics store of the platform, with service discovery of Kubernetes alone. Output: bin/prometheus.
go=yes
licence=Apache-2.0
build() {
	version=$(go list -C "$TOP/board" -m -f '{{.Version}}' github.com/prometheus/prometheus)
	tags=remove_all_sd,enable_kubernetes_sd
	go_build prometheus github.com/prometheus/prometheus/cmd/prometheus \
		"-X github.com/prometheus/common/version.Version=$version"
}
