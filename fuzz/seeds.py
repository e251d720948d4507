#!/usr/bin/env python3
"""Writes a few small inputs for each target into corpus/, for the fuzzer to begin with."""

import io
import json
import pathlib
import struct
import zipfile
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


def pytorch():
    def text(word):
        return b"X" + struct.pack("<I", len(word)) + word.encode()

    def numbers(values):
        return b"(" + b"".join(b"K" + bytes([n]) for n in values) + b"t"

    def tensor(key, shape, old):
        count, strides = 1, []
        for n in reversed(shape):
            strides.insert(0, count)
            count *= n
        storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(str(key)) + text("cpu")
        storage += b"K" + bytes([count]) + (b"N" if old else b"") + b"tQ"
        view = storage + b"K\0" + numbers(shape) + numbers(strides)
        return b"ctorch._utils\n_rebuild_tensor_v2\n(" + view + b"\x89ccollections\nOrderedDict\n)RtR", count

    shapes = [("conv1.weight", [2, 1, 3, 3]), ("conv1.bias", [2]), ("conv2.weight", [1, 2, 1, 1]), ("conv2.bias", [1])]
    for old in [False, True]:
        items, storages = b"", []
        for key, (name, shape) in enumerate(shapes):
            value, count = tensor(key, shape, old)
            items += text(name) + value
            storages.append(struct.pack(f"<{count}f", *range(count)))
        body = b"\x80\x02ccollections\nOrderedDict\n)Rq\0(" + items + b"u."
        if not old:
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as archive:
                archive.writestr("net/data.pkl", body)
                archive.writestr("net/byteorder", "little")
                for key, data in enumerate(storages):
                    archive.writestr(f"net/data/{key}", data)
            save("pytorch", "zip", packed.getvalue())
            continue
        front = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}."
        keys = b"\x80\x02](" + b"".join(text(str(key)) for key in range(len(storages))) + b"e."
        data = b"".join(struct.pack("<Q", len(data) // 4) + data for data in storages)
        save("pytorch", "pickles", front + body + keys + data)


def onnx():
    def field(number, data):
        if isinstance(data, int):
            return bytes([number << 3, data])
        data = data.encode() if isinstance(data, str) else data
        return bytes([number << 3 | 2, len(data) & 127 | 128, len(data) >> 7]) + data

    def node(op, inputs, output, attributes=b""):
        return field(1, b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, op) + attributes)

    def tensor(name, shape):
        count = 1
        for n in shape:
            count *= n
        raw = struct.pack(f"<{count}f", *range(count))
        return field(5, b"".join(field(1, n) for n in shape) + field(2, 1) + field(8, name) + field(9, raw))

    pads = field(5, field(1, "pads") + b"".join(field(8, 1) for _ in range(4)) + b"\xa0\x01\x07")
    graph = node("Conv", ["x", "w1", "b1"], "c1", pads) + node("Relu", ["c1"], "r1")
    graph += node("Conv", ["r1", "w2", "b2"], "y")
    for name, shape in [("w1", [2, 1, 3, 3]), ("b1", [2]), ("w2", [1, 2, 1, 1]), ("b2", [1])]:
        graph += tensor(name, shape)
    graph += field(11, field(1, "x")) + field(12, field(1, "y"))
    # The target puts the version in front.
    save("onnx", "foreign", field(7, graph))
    about = {"srcnn_gpu": "1", "scales": "2", "padding": "zero"}
    entries = b"".join(field(14, field(1, key) + field(2, value)) for key, value in about.items())
    save("onnx", "described", field(7, graph) + entries)


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
    for make in [y4m, safetensors, mat, pytorch, onnx, exif, index]:
        make()
