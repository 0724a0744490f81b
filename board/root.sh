#!/bin/sh
# The read-only root: fs-overlay, the program, the userland -> build/root, and packed by board/seal.sh.
# board/root.sh [OUT-FOLDER]
set -eu
cd "$(dirname "$0")/.."
out=${1:-build}
tree=$out/root
. board/vars.sh
umask 022
rm -rf "$tree" "$out/root.img"
mkdir -p "$tree"
cp -R fs-overlay/. "$tree/"

# Mount points, and folders that git cannot hold empty.
for d in dev proc sys run tmp var state data boot bin sbin usr/bin usr/sbin usr/lib usr/share/hearth mnt root; do
	mkdir -p "$tree/$d"
done
install -m 755 build/hearth "$tree/usr/bin/hearth"
ln -s ../usr/bin/hearth "$tree/sbin/init"
install -m 755 build/pkg/busybox/bin/busybox "$tree/bin/busybox"
while read -r applet; do
	ln -s busybox "$tree/bin/$applet"
done <build/pkg/busybox/applets
for p in dosfstools/sbin/fsck.fat dosfstools/sbin/mkfs.fat e2fsprogs/sbin/mke2fs e2fsprogs/sbin/e2fsck e2fsprogs/sbin/resize2fs \
	xfsprogs/sbin/mkfs.xfs xfsprogs/sbin/xfs_growfs xfsprogs/sbin/xfs_repair; do
	install -m 755 "build/pkg/$p" "$tree/usr/sbin/${p##*/}"
done
install -m 644 build/pkg/e2fsprogs/etc/mke2fs.conf "$tree/etc/mke2fs.conf"
mkdir -p "$tree/etc/ssl"
cp -R build/pkg/ca-certificates/etc/ssl/certs "$tree/etc/ssl/" # whom updates over https believe

# What the boot partition is repaired from.
install -D -m 644 build/pkg/systemd-boot/efi/systemd-bootx64.efi "$tree/usr/share/hearth/esp/BOOTX64.EFI"
install -m 644 board/loader.conf "$tree/usr/share/hearth/esp/loader.conf"

# Kubernetes, the container runtime, and what they run on the host.
mkdir -p "$tree/etc/rancher" "$tree/usr/lib/cni" "$tree/usr/share/hearth/manifests" "$tree/etc/containerd/certs.d"
cp build/pkg/k3s/bin/k3s build/pkg/containerd/bin/* build/pkg/runc/bin/runc build/pkg/hearth-cri/bin/hearth-cri "$tree/usr/bin/"
ln -s k3s "$tree/usr/bin/kubectl"
ln -s k3s "$tree/usr/bin/crictl"
cp build/pkg/k3s/kube "$tree/usr/share/hearth/kube"
cp build/pkg/cni-plugins/bin/* "$tree/usr/lib/cni/"
cp -P build/pkg/iptables/sbin/* build/pkg/ipset/sbin/* "$tree/usr/sbin/"
cp build/manifests/*.yaml "$tree/usr/share/hearth/manifests/"
cp -R build/images/root/. "$tree/"

cat >"$tree/usr/lib/os-release" <<END
NAME=Hearth
ID=hearth
VERSION_ID=$BOARD_VERSION
BUILD_ID=$BUILD_ID
PRETTY_NAME="Hearth $BOARD_VERSION"
END
ln -s ../usr/lib/os-release "$tree/etc/os-release"
echo "$EPOCH" >"$tree/usr/share/hearth/build-epoch"
board/keys.sh public "$tree/etc/hearth/update-keys"
python3 board/sbom.py >"$tree/usr/share/hearth/sbom.cdx.json"

# Everything of the box is static: a program that wants a loader would only fail. What is in images is their own matter.
layers=$tree/usr/share/hearth/images/layers
find "$tree" -path "$layers" -prune -o -type f -perm -100 -print | while read -r f; do
	! readelf -l "$f" 2>/dev/null | grep -q 'Requesting program interpreter' || { echo "$f is not static" >&2 && exit 1; }
done

# One mode for all, whatever the umask of the checkout was.
find "$tree" -path "$layers" -prune -o -type d -exec chmod 755 {} +
find "$tree" -path "$layers" -prune -o -type f -perm -100 -exec chmod 755 {} +
find "$tree" -path "$layers" -prune -o -type f ! -perm -100 -exec chmod 644 {} +
chmod 1777 "$tree/tmp"

board/seal.sh "$out"
