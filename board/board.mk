# The board: every name, size and id of the disk, once. board/gen.sh turns this file into build/gen/board.h (for the
# program), the shell and python of this folder read it as it is: keep one NAME := VALUE a line.

BOARD_NAME := x86-64-efi
BOARD_VERSION := 0.1.0

# GPT, in this order. The flashed image holds esp and system-a; the first boot makes the rest and grows data.
PART_ESP := esp
PART_SYSTEM_A := system-a
PART_SYSTEM_B := system-b
PART_STATE := state
PART_DATA := data

# Mebibytes. Slots cannot change size on a box in the field, so they have room for k3s and its images.
ESP_MIB := 512
SYSTEM_MIB := 1024
STATE_MIB := 256
DATA_MIN_MIB := 512

# Partition types: UEFI specification; Discoverable Partitions (root x86-64); generic Linux data.
TYPE_ESP := c12a7328-f81f-11d2-ba4b-00a0c93ec93b
TYPE_SYSTEM := 4f68bce3-e8cd-4db1-96e7-fbcaf984b709
TYPE_LINUX := 0fc63daf-8483-4772-8e79-3d69d8477de4

# Ids of the image as flashed: fixed, so that same inputs give the same bytes.
IMAGE_DISK_GUID := 48454152-5448-4000-8000-000000000000
IMAGE_ESP_GUID := 48454152-5448-4000-8000-000000000001
IMAGE_SYSTEM_A_GUID := 48454152-5448-4000-8000-000000000002
IMAGE_ESP_SERIAL := 48454152

# File system labels.
LABEL_ESP := HEARTH
LABEL_STATE := hearth-state
LABEL_DATA := hearth-data

# Boots that a new slot gets to prove itself before the boot loader prefers the other one.
TRIAL_BOOTS := 3

# Salt of the hash tree of every image, the same for all: equal blocks of two versions must have equal hashes, because
# the tree tells an update which blocks the box has already. It hides nothing, the image is public.
VERITY_SALT := 8e722567657ab7ade16fb630dce87288b3386950a1aca2e3b56980148c797c04

# The oldest version that can take an update to this one.
MINIMUM_VERSION := 0.1.0

# Time that the clock never starts before and that all files of the image carry (seconds since 1970); the last commit's
# time is used instead when it is later.
EPOCH := 1795564800
