#!/usr/bin/env bash
# On Mesa's software drivers a texel costs several times as much from a sampled texture as from a storage texture.
#
# A compute kernel reads the same texels of an rgba32float texture with textureLoad(t, xy, 0) from a texture_2d<f32>, and with
# textureLoad(t, xy) from a read-only storage texture. On GPUs the first is the usual way, with caches of its own. llvmpipe makes
# each load from a sampled texture a call of a function that looks up, for each lane by itself, the size, the stride and the place
# of the level, although the level is the constant 0; a storage texture has one level, and its load is in line, with the four
# numbers of a lane in one load of 128 bits. Nothing in the API tells, and validation, results and memory are the same.
#
# Seen with Mesa 22.3.6 (LLVM 15, Vulkan, lavapipe) and wgpu-py 0.32.0, two cores of an EPYC, time from sampled textures as a
# multiple of that from storage textures, in four runs: between 2.30 and 2.40.
#
# Needs Debian's or Ubuntu's mesa-vulkan-drivers, and python3 with venv. Ends with 1 if the multiple is below 1.3 (the times are
# the best of several, so that other work on the machine hardly counts).
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check wgpu==0.32.0 numpy
cat > texels.py <<'PY'
import time

import numpy as np
import wgpu

ADAPTERS = wgpu.gpu.enumerate_adapters_sync()
SOFTWARE = [a for a in ADAPTERS if a.info["backend_type"] == "Vulkan" and "llvmpipe" in a.info["device"]]
if not SOFTWARE:
    raise SystemExit("no lavapipe here: apt install mesa-vulkan-drivers")
print(SOFTWARE[0].info["device"], SOFTWARE[0].info["description"])
device = SOFTWARE[0].request_device_sync()
WIDTH, HEIGHT = 1024, 64
texels = np.random.default_rng(0).random((HEIGHT, WIDTH, 4), np.float32)
usage = wgpu.TextureUsage.TEXTURE_BINDING | wgpu.TextureUsage.STORAGE_BINDING | wgpu.TextureUsage.COPY_DST
texture = device.create_texture(size=(WIDTH, HEIGHT, 1), format="rgba32float", usage=usage)
device.queue.write_texture({"texture": texture}, texels, {"bytes_per_row": 16 * WIDTH, "rows_per_image": HEIGHT}, (WIDTH, HEIGHT, 1))
sums = device.create_buffer(size=16 * WIDTH, usage=wgpu.BufferUsage.STORAGE | wgpu.BufferUsage.COPY_SRC)

KERNEL = """
@group(0) @binding(0) var texels: TYPE;
@group(0) @binding(1) var<storage, read_write> sums: array<vec4<f32>>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    var sum = vec4(0.0);
    for (var turn = 0u; turn < 100u; turn++) {
        for (var y = 0; y < 64; y += 4) {
            sum += LOAD(0) + LOAD(1) * 0.5 + LOAD(2) * 0.25 + LOAD(3) * 0.125;
        }
    }
    sums[id.x] = sum;
}
"""


def run(type_, level, binding):
    text = KERNEL.replace("TYPE", type_)
    for i in range(4):
        text = text.replace(f"LOAD({i})", f"textureLoad(texels, vec2(i32(id.x), y + {i}){level})")
    module = device.create_shader_module(code=text)
    layout = device.create_bind_group_layout(entries=[
        {"binding": 0, "visibility": wgpu.ShaderStage.COMPUTE, **binding},
        {"binding": 1, "visibility": wgpu.ShaderStage.COMPUTE, "buffer": {"type": "storage"}},
    ])
    pipeline = device.create_compute_pipeline(
        layout=device.create_pipeline_layout(bind_group_layouts=[layout]), compute={"module": module, "entry_point": "main"})
    group = device.create_bind_group(layout=layout, entries=[
        {"binding": 0, "resource": texture.create_view()},
        {"binding": 1, "resource": {"buffer": sums, "offset": 0, "size": sums.size}},
    ])

    def once():
        begun = time.process_time()
        encoder = device.create_command_encoder()
        work = encoder.begin_compute_pass()
        work.set_pipeline(pipeline)
        work.set_bind_group(0, group)
        work.dispatch_workgroups(WIDTH // 64)
        work.end()
        device.queue.submit([encoder.finish()])
        result = np.frombuffer(device.queue.read_buffer(sums), np.float32)
        return time.process_time() - begun, result

    once()
    times, results = zip(*(once() for _ in range(9)))
    return min(times), results[0]


sampled, of_sampled = run("texture_2d<f32>", ", 0", {"texture": {"sample_type": "unfilterable-float"}})
storage, of_storage = run(
    "texture_storage_2d<rgba32float, read>", "", {"storage_texture": {"access": "read-only", "format": "rgba32float"}})
assert np.array_equal(of_sampled, of_storage), "the two ways give different results"
print(f"sampled {sampled * 1e3:.1f} ms, storage {storage * 1e3:.1f} ms: {sampled / storage:.2f} times as long")
raise SystemExit(sampled / storage < 1.3)
PY
venv/bin/python texels.py
