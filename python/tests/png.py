"""PNG files of 8 and 16 bits from and to arrays, by the standard library: what other readers make of 16 bits differs."""

import struct
import zlib

import numpy as np

COLORS = {1: 0, 2: 4, 3: 2, 4: 6}
CHANNELS = {kind: count for count, kind in COLORS.items()}


def write(path, array):
    height, width = array.shape[:2]
    channels = 1 if array.ndim == 2 else array.shape[2]
    bits = 8 * array.itemsize
    rows = array.astype(array.dtype.newbyteorder(">")).reshape(height, -1)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, bits, COLORS[channels], 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for name, content in [(b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]:
            checksum = zlib.crc32(name + content)
            file.write(struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum))


def read(path):
    content = path.read_bytes()
    at, data, header = 8, b"", None
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        name, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        header = struct.unpack(">IIBBBBB", body) if name == b"IHDR" else header
        data += body if name == b"IDAT" else b""
        at += 12 + length
    width, height, bits, color, *_ = header
    channels = CHANNELS[color]
    step = channels * bits // 8
    stride = width * step
    lines = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, stride + 1)
    result = np.zeros((height, stride), np.uint8)
    above = [0] * stride
    for y, (kind, *line) in enumerate(lines.tolist()):
        for x in range(stride):
            left, up = (line[x - step] if x >= step else 0), above[x]
            corner = above[x - step] if x >= step else 0
            line[x] = (line[x] + predicted(kind, left, up, corner)) % 256
        result[y] = above = line
    samples = result.view(">u2").astype(np.uint16) if bits == 16 else result
    return samples.reshape((height, width) if channels == 1 else (height, width, channels))


def predicted(kind, left, up, corner):
    if kind == 4:
        distances = [abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)]
        return (left, up, corner)[distances.index(min(distances))]
    return (0, left, up, (left + up) // 2)[kind]
