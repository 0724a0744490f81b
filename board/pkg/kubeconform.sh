# Checks the manifests against Kubernetes' schemas; not in the image. Output: bin/kubeconform.
go=yes
licence=Apache-2.0
build() { go_build kubeconform github.com/yannh/kubeconform/cmd/kubeconform; }
