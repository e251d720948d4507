# Runs the exported files NAME.onnx on the luminance of small.y4m in each runtime that is installed, and compares with what
# the program made of it, NAME.y4m. Prints a line for each: runtime, name, largest difference, pixels that differ, pixels.
import glob
import numpy
import onnx
import onnxruntime


def luma(name):
    data = open(name, "rb").read()
    end = data.index(b"\n")
    words = data[:end].split()
    width, height = (int(next(w[1:] for w in words[1:] if w[:1] == letter)) for letter in (b"W", b"H"))
    start = data.index(b"\n", end + 1) + 1
    return numpy.frombuffer(data, numpy.uint8, width * height, start).reshape(height, width)


def runtimes(name):
    session = onnxruntime.InferenceSession(name, providers=["CPUExecutionProvider"])
    yield "onnxruntime", lambda x: session.run(None, {"input": x})[0]
    try:
        import openvino
    except ImportError:
        return
    model = openvino.compile_model(name, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    yield "openvino", lambda x: model(x)[0]


small = luma("small.y4m").astype(numpy.float32)[None, None] / numpy.float32(255)
for name in sorted(glob.glob("*.onnx")):
    onnx.checker.check_model(onnx.load(name), full_check=True)
    expected = luma(name.replace(".onnx", ".y4m")).astype(int)
    for runtime, run in runtimes(name):
        found = numpy.clip(numpy.rint(run(small)[0, 0] * 255), 0, 255).astype(int)
        assert found.shape == expected.shape, (name, runtime, found.shape, expected.shape)
        off = abs(found - expected)
        print(runtime, name, off.max(), (off > 0).sum(), off.size)
