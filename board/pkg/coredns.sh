# DNS of the cluster: CoreDNS with the plugins that a home cluster uses (board/go/coredns). Output: bin/coredns.
go=yes
licence=Apache-2.0
inputs=board/go/coredns
build() { go_build coredns ./go/coredns; }
