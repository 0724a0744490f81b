#!/bin/sh
# The floor of `make bench-kube`, as PID 1 after tests/bench/floor.c has opened the root and mounted the disks: what
# nobody can leave out between there and running pods. The same containerd, k3s, images and manifests as the product's;
# no supervision, no checks, no logs on the disk, no consoles, no time service, no certificate of its own.
# The manifests are applied by kubectl in the box when there is /state/floor-applies, else by whoever measures.
#
# Says on the console "FLOOR mark SECONDS" (since the kernel's start) and the administrator's kubeconfig; on the word
# "stop" it ends pods, k3s and containerd in order and powers off.
set -u
export PATH=/usr/bin:/usr/sbin:/bin:/sbin HOME=/root KUBECONFIG=/etc/rancher/k3s/k3s.yaml
say() {
	read -r up _ </proc/uptime
	echo "FLOOR $1 $up"
}
share() { # FOLDER-OF-DATA PLACE
	mkdir -p "/data/$1" "$2"
	mount -o bind "/data/$1" "$2"
}

say script
hostname hearth-floor
mkdir -p /var/lib /var/log /var/tmp /var/cache /run/lock /run/floor
ln -s /run /var/run
read -r controllers </sys/fs/cgroup/cgroup.controllers
for controller in $controllers; do
	echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control
done
share pod-logs /var/log/pods
share containerd /var/lib/containerd
share k3s /var/lib/rancher/k3s
share k3s-etc /etc/rancher
share kubelet /var/lib/kubelet
share cni /var/lib/cni
ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2
echo 'nameserver 10.0.2.3' >/run/resolv.conf
say machine

mkdir -p /sys/fs/cgroup/shims
containerd --config /etc/containerd/config.toml >/run/floor/containerd.log 2>&1 &
containerd=$!
hearth-cri ps --wait 280s --deadline 290s >/dev/null
say containerd
hearth-cri images /usr/share/hearth/images >/run/floor/images.log 2>&1
say images

# k3s says READY on the descriptor when /readyz says 200. The product's own script: it only writes the configuration,
# makes the node's address and starts the program.
mknod /run/floor/ready p
NOTIFY_FD=9 /usr/libexec/hearth/k3s 9<>/run/floor/ready >/run/floor/k3s.log 2>&1 &
k3s=$!
(
	until [ -s "$KUBECONFIG" ]; do sleep 1; done
	echo "FLOOR kubeconfig"
	cat "$KUBECONFIG"
	echo
	echo "FLOOR end"
) &
read -r _ </run/floor/ready
say api

apply() {
	# The values of the site, then until everything is taken: the first try may find kinds that are not there yet.
	mkdir -p /tmp/manifests
	for file in /usr/share/hearth/manifests/*.yaml; do
		# shellcheck disable=SC2016 # the manifests' own dollar signs
		sed 's/${site\.timezone}/UTC/; s/${site\.domain}/home.arpa/' "$file" >"/tmp/manifests/${file##*/}"
	done
	until kubectl apply --server-side -f /tmp/manifests >/run/floor/kubectl.log 2>&1; do
		tail -n 1 /run/floor/kubectl.log
		sleep 1
	done
	say applied
}
if [ -e /state/floor-applies ]; then apply; fi

while read -r word; do
	case $word in
	log) tail -n 40 /run/floor/*.log ;;
	stop) break ;;
	esac
done
kill "$k3s"
wait "$k3s"
hearth-cri stop --deadline 90s >/dev/null 2>&1
kill "$containerd"
wait "$containerd"
sync
echo u >/proc/sysrq-trigger
say stopped
echo o >/proc/sysrq-trigger
sleep 60
