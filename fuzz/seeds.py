#!/usr/bin/env python3
"""Writes a few small inputs for each target into corpus/, for the fuzzer to begin with."""

import json
import pathlib
import struct
import zlib

HERE = pathlib.Path(__file__).parent


def save(target, name, data):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def y4m():
    for name, parameters, size in [
        ("mono", "W2 H2 F25:1 Cmono", 4),
        ("420", "W4 H2 F30000:1001 It A1:1 C420mpeg2 XCOLORRANGE=FULL", 12),
        ("411", "W5 H3 Ip C411", 27),
        ("422p10", "W3 H2 Im C422p10 XYSCSS=422P10", 28),
        ("444p16", "W1 H1 C444p16", 6),
    ]:
        frame = bytes(range(size))
        stream = b"YUV4MPEG2 %s\nFRAME\n%sFRAME Ipii XTRA\n%s" % (parameters.encode(), frame, frame)
        save("y4m", name, stream)


def safetensors():
    def file(layers, dtype, code, metadata):
        header, data = {}, b""
        if metadata:
            header["__metadata__"] = metadata
        for number, shape in enumerate(layers, 1):
            for part, dims in [("weight", shape), ("bias", shape[:1])]:
                count = 1
                for n in dims:
                    count *= n
                start = len(data)
                data += struct.pack(f"<{count}{code}", *[i % 3 for i in range(count)])
                header[f"conv{number}.{part}"] = {"dtype": dtype, "shape": dims, "data_offsets": [start, len(data)]}
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        return struct.pack("<Q", len(text)) + text + data

    about = {
        "srcnn_gpu": "1",
        "architecture": "3-1",
        "filters": "2",
        "scales": "2,1.5",
        "channels": "y",
        "padding": "replicate",
        "training": "none",
        "psnr": '{"set":{"2":30.25}}',
    }
    layers = [[2, 1, 3, 3], [1, 2, 1, 1]]
    save("safetensors", "described", file(layers, "F32", "f", about))
    save("safetensors", "plain", file(layers, "F32", "f", None))
    save("safetensors", "half", file(layers, "F16", "e", None))
    save("safetensors", "double", file(layers, "F64", "d", None))
    about |= {"architecture": "1-1", "filters": "1", "channels": "rgb"}
    save("safetensors", "rgb", file([[1, 3, 1, 1], [3, 1, 1, 1]], "F32", "f", about))


def mat():
    def element(kind, data, order):
        return struct.pack(f"{order}II", kind, len(data)) + data + b"\0" * (-len(data) % 8)

    def variable(name, dims, single, order):
        count = 1
        for n in dims:
            count *= n
        code, kind, of_class = ("f", 7, 7) if single else ("d", 9, 6)
        body = element(6, struct.pack(f"{order}II", of_class, 0), order)
        body += element(5, struct.pack(f"{order}{len(dims)}i", *dims), order)
        body += element(1, name.encode(), order)
        body += element(kind, struct.pack(f"{order}{count}{code}", *range(count)), order)
        return element(14, body, order)

    def elements(single, order):
        first = [("weights_conv1", [9, 2]), ("biases_conv1", [2, 1])]
        shapes = first + [("weights_conv2", [2, 1]), ("biases_conv2", [1, 1])]
        return [variable(name, dims, single, order) for name, dims in shapes]

    # Without a header the target puts the usual one in front.
    save("mat", "double", b"".join(elements(False, "<")))
    save("mat", "single", b"".join(elements(True, "<")))
    packed = [zlib.compress(part) for part in elements(False, "<")]
    save("mat", "compressed", b"".join(struct.pack("<II", 15, len(part)) + part for part in packed))
    header = b"MATLAB 5.0".ljust(124) + b"\x01\0MI"
    save("mat", "big_endian", header + b"".join(elements(False, ">")))


def exif():
    def directory(entries, start, order):
        values = b""
        text = struct.pack(f"{order}H", len(entries))
        for tag, kind, count, data in entries:
            if len(data) > 4:
                at = start + 6 + 12 * len(entries) + len(values)
                values += data + b"\0" * (len(data) % 2)
                data = struct.pack(f"{order}I", at)
            text += struct.pack(f"{order}HHI", tag, kind, count) + data.ljust(4, b"\0")
        return text + b"\0" * 4 + values

    for name, order, magic in [("little", "<", b"II*\0"), ("big", ">", b"MM\0*")]:
        short = lambda value: struct.pack(f"{order}H", value)
        long = lambda value: struct.pack(f"{order}I", value)
        camera = (0x010F, 2, 7, b"Camera\0")
        resolution = (0x011A, 5, 1, long(72) + long(1))
        inner = [(0x9286, 7, 13, b"ASCII\0\0\0hello"), (0xA002, 4, 1, long(40)), (0xA003, 3, 1, short(30))]
        position = [(1, 2, 2, b"N\0"), (2, 5, 3, (long(1) + long(2)) * 3)]
        turned = (0x0112, 3, 1, short(6))
        parts = lambda a, b: [camera, turned, resolution, (0x8769, 4, 1, long(a)), (0x8825, 4, 1, long(b))]
        first = 8 + len(directory(parts(0, 0), 8, order))
        second = first + len(directory(inner, first, order))
        block = magic + long(8) + directory(parts(first, second), 8, order)
        block += directory(inner, first, order) + directory(position, second, order)
        save("exif", name, block)
    save("exif", "empty", b"II*\0\x08\0\0\0\0\0\0\0\0\0")


def index():
    def line(name, size, time, settings="0123456789abcdef"):
        stamp = {"size": size, "time": time}
        return json.dumps({"v": 1, "file": name, "result": stamp, "picture": stamp, "settings": settings}) + "\n"

    save("index", "one", line("a.png", 0, 1000).encode())
    save("index", "superseded", "".join(line("a.png", i, 1000) for i in range(8)).encode())
    save("index", "two", (line("a.png", 0, 1000) + line("b/c.png", 5, -1000)).encode())
    save("index", "half", (line("a.png", 0, 1000) + '{"v":1,"file":"b').encode())
    save("index", "later", b'{"v":2,"of":"a later version"}\n')


if __name__ == "__main__":
    for make in [y4m, safetensors, mat, exif, index]:
        make()
