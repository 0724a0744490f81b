#!/bin/sh
# The read-only root: fs-overlay, the program, the userland -> build/root.img (EROFS + dm-verity tree behind it) and
# build/root.env (UUID and root hash for the boot entry). No root rights, no loop device. board/root.sh [OUT-FOLDER]
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
for p in e2fsprogs/sbin/mke2fs e2fsprogs/sbin/e2fsck e2fsprogs/sbin/resize2fs \
	xfsprogs/sbin/mkfs.xfs xfsprogs/sbin/xfs_growfs xfsprogs/sbin/xfs_repair; do
	install -m 755 "build/pkg/$p" "$tree/usr/sbin/${p##*/}"
done
install -m 644 build/pkg/e2fsprogs/etc/mke2fs.conf "$tree/etc/mke2fs.conf"

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

mkfs.erofs --quiet -zlz4hc,9 -T "$EPOCH" --all-root -x-1 -U 00000000-0000-0000-0000-000000000000 \
	"$out/root.img" "$tree" >/dev/null
size=$(stat -c %s "$out/root.img")
[ $((size % 4096)) -eq 0 ] || { truncate -s $(((size / 4096 + 1) * 4096)) "$out/root.img"; size=$(stat -c %s "$out/root.img"); }
# Salt and UUID come from the content: same tree, same root hash.
digest=$(sha256sum "$out/root.img" | cut -c 1-64)
uuid=$(echo "$digest" | sed 's/^\(.\{8\}\)\(.\{4\}\).\(.\{3\}\).\(.\{3\}\)\(.\{12\}\).*/\1-\2-4\3-8\4-\5/')
hash=$(veritysetup format "$out/root.img" "$out/root.img" --hash-offset="$size" --salt="$digest" --uuid="$uuid" |
	sed -n 's/^Root hash:[[:space:]]*//p')
total=$(stat -c %s "$out/root.img")
[ "$total" -le $((SYSTEM_MIB << 20)) ] || {
	echo "the root is $((total >> 20)) MiB, the slot has $SYSTEM_MIB MiB (SYSTEM_MIB in board/board.mk)" >&2
	exit 1
}
printf 'ROOT_UUID=%s\nROOT_HASH=%s\nROOT_BYTES=%s\n' "$uuid" "$hash" "$size" >"$out/root.env"
echo "root: $((size >> 10)) KiB, with its hash tree $((total >> 10)) KiB, $uuid"
