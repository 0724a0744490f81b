# Our companion of containerd: images of the root, ordered stop of pods (board/go/cri). Output: bin/hearth-cri.
go=yes
licence=Apache-2.0
inputs=board/go/cri
build() { go_build hearth-cri ./go/cri; }
