# CPU and memory of pods and nodes for `kubectl top`. Output: bin/metrics-server.
go=yes
licence=Apache-2.0
build() { go_build metrics-server sigs.k8s.io/metrics-server/cmd/metrics-server; }
