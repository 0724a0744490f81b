# Renders the manifests at build time; not in the image. Output: bin/kustomize.
go=yes
licence=Apache-2.0
build() { go_build kustomize sigs.k8s.io/kustomize/kustomize/v5; }
