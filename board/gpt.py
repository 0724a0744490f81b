#!/usr/bin/env python3
"""Writes the disk image: gpt.py OUT ESP-IMAGE ROOT-IMAGE. Partitions, sizes and ids come from board.mk.
The file is sparse; it ends right behind system-a and the backup table, the first boot moves that to the disk's end."""
import struct
import sys
import uuid
import zlib

import board

SECTOR, ENTRIES, MIB = 512, 128, 1 << 20


def entry(kind, guid, first, last, name):
    return struct.pack("<16s16sQQQ72s", uuid.UUID(kind).bytes_le, uuid.UUID(guid).bytes_le, first, last, 0,
                       name.encode("utf-16-le"))


def header(lba, other, table_lba, total, disk, table):
    first, last = 2 + ENTRIES * 128 // SECTOR, total - 2 - ENTRIES * 128 // SECTOR
    def pack(crc):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, lba, other, first, last, disk,
                           table_lba, ENTRIES, 128, zlib.crc32(table))
    return pack(zlib.crc32(pack(0))).ljust(SECTOR, b"\0")


def protective_mbr(total):
    part = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xee, b"\xff\xff\xff", 1, min(total - 1, 0xffffffff))
    return bytes(446) + part + bytes(48) + b"\x55\xaa"


def copy_sparse(out, at, file):
    with open(file, "rb") as src:
        while block := src.read(MIB):
            if block.strip(b"\0"):
                out.seek(at)
                out.write(block)
            at += len(block)


def main():
    out, esp, root = sys.argv[1:]
    b = board.values()
    esp_first = MIB // SECTOR
    root_first = esp_first + int(b["ESP_MIB"]) * MIB // SECTOR
    end = root_first + int(b["SYSTEM_MIB"]) * MIB // SECTOR
    total = end + MIB // SECTOR
    table = (entry(b["TYPE_ESP"], b["IMAGE_ESP_GUID"], esp_first, root_first - 1, b["PART_ESP"]) +
             entry(b["TYPE_SYSTEM"], b["IMAGE_SYSTEM_A_GUID"], root_first, end - 1, b["PART_SYSTEM_A"]))
    table = table.ljust(ENTRIES * 128, b"\0")
    disk = uuid.UUID(b["IMAGE_DISK_GUID"]).bytes_le
    with open(out, "wb") as f:
        f.truncate(total * SECTOR)
        f.write(protective_mbr(total) + header(1, total - 1, 2, total, disk, table) + table)
        copy_sparse(f, esp_first * SECTOR, esp)
        copy_sparse(f, root_first * SECTOR, root)
        f.seek((total - 1) * SECTOR - len(table))
        f.write(table + header(total - 1, 1, total - 1 - len(table) // SECTOR, total, disk, table))


if __name__ == "__main__":
    main()
