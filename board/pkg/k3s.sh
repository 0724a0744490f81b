# Kubernetes in one program: the official k3s, or the same assembled from its modules (board/k3s/choose.sh). Output:
# bin/k3s, and `kube`, one line that says which one it is.
go=yes
licence=Apache-2.0
inputs=board/k3s
variant=$(board/k3s/choose.sh) || exit 1
build() {
	# shellcheck disable=SC2086 # words
	set -- $variant
	case $1 in
	modules)
		stamp=''
		for p in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
			stamp="$stamp -X $p.gitVersion=$2 -X $p.gitTreeState=clean -X $p.buildDate=2026-01-01T00:00:00Z"
		done
		go_build k3s ./k3s/modules "$stamp"
		echo "k3s $2, assembled from its modules" >"$OUT/kube"
		;;
	release) install -D -m 755 "$CACHE/files/$3" "$OUT/bin/k3s" && echo "k3s $2, the official release" >"$OUT/kube" ;;
	file) install -D -m 755 "$CACHE/files/$2" "$OUT/bin/k3s" && echo "k3s of another build, SHA-256 $2" >"$OUT/kube" ;;
	esac
}
