"""Reads the text console off a screenshot: every 8x16 cell is compared with the kernel's own font."""
import re


def glyphs(font_file):
    data = bytes(int(x, 16) for x in re.findall(r"^\s*0x([0-9a-f]{2}),", open(font_file).read(), re.M))
    return {data[16 * c:16 * c + 16]: chr(c) for c in reversed(range(32, 127))}


def ppm(path):
    raw = open(path, "rb").read()
    m = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", raw)
    return int(m[1]), int(m[2]), raw[m.end():]


def cell(pixels, width, x, y, background):
    rows = []
    for line in range(y, y + 16):
        row = pixels[3 * (line * width + x):3 * (line * width + x + 8)]
        rows.append(sum(0x80 >> i for i in range(8) if row[3 * i:3 * i + 3] != background))
    return bytes(rows)


def read(path, font_file):
    """The screen's text, line by line; cells that are no known letter come out as '?'."""
    width, height, pixels = ppm(path)
    known, background = glyphs(font_file), pixels[-3:]
    lines = []
    for y in range(0, height - 15, 16):
        line = "".join(known.get(cell(pixels, width, x, y, background), "?") for x in range(0, width - 7, 8))
        lines.append(line.rstrip())
    return "\n".join(lines).rstrip()
