#!/usr/bin/env python3
"""Makes a unified kernel image: uki.py STUB OUT NAME=FILE...

Adds each file as a PE section to systemd's EFI stub (UAPI group, Unified Kernel Image specification). Written out
here because it is short and gives the same bytes every time. Each section ends with a piece of an update (zeros behind
it), so that one that is the same in two builds has the same pieces, wherever it begins."""
import array
import struct
import sys

PIECE = 16384  # KERNEL_PIECE of init/update/kernel.h


def align(n, to):
    return (n + to - 1) // to * to


def checksum(pe, at):
    """Of a PE image (PE format, CheckSum): the sum of its 16-bit words with the carries added again, and its length.
    Our boot loader starts no image that has another one at `at` (board/pkg/systemd-boot.patch)."""
    words = array.array("H", bytes(pe[:at]) + bytes(4) + bytes(pe[at + 4:]) + bytes(len(pe) % 2))
    total = sum(words)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total + len(pe)


def main():
    stub, out, *sections = sys.argv[1:]
    pe = bytearray(open(stub, "rb").read())
    head = struct.unpack_from("<I", pe, 0x3c)[0]
    if pe[head:head + 4] != b"PE\0\0":
        sys.exit(f"uki: {stub} is no PE file")
    count, opt_size = struct.unpack_from("<H12xH", pe, head + 6)
    opt = head + 24
    section_align, file_align = struct.unpack_from("<II", pe, opt + 32)
    headers_size = struct.unpack_from("<I", pe, opt + 60)[0]
    table = opt + opt_size
    rows = [struct.unpack_from("<8sIIII", pe, table + 40 * i) for i in range(count)]
    if table + 40 * (count + len(sections)) > headers_size:
        sys.exit("uki: no room for more section headers in the stub")
    address = max(align(r[2] + r[1], section_align) for r in rows)
    for spec in sections:
        name, file = spec.split("=", 1)
        data = open(file, "rb").read()
        offset = align(len(pe), file_align)
        size = align(offset + len(data), PIECE) - offset
        pe += bytes(offset - len(pe)) + data + bytes(size - len(data))
        # Initialized data, readable.
        struct.pack_into("<8sIIIIIIHHI", pe, table + 40 * count, name.encode(), len(data), address, size, offset,
                         0, 0, 0, 0, 0x40000040)
        address = align(address + size, section_align)
        count += 1
    struct.pack_into("<H", pe, head + 6, count)
    struct.pack_into("<I", pe, opt + 56, address)  # SizeOfImage
    struct.pack_into("<I", pe, opt + 64, checksum(pe, opt + 64))
    open(out, "wb").write(pe)


if __name__ == "__main__":
    main()
