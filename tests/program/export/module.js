// Uses the module without the page, and tells its results.
import { Upscaler } from './srcnn/index.js';

const pixels = async (path) => {
    const bitmap = await createImageBitmap(await (await fetch(path)).blob(), { premultiplyAlpha: 'none' });
    return bitmap;
};
const equal = (a, b) => a.width === b.width && a.height === b.height && a.data.every((value, i) => value === b.data[i]);
const reason = async (promise) => promise.then(() => 'nothing', (error) => error.message);

const upscaler = await Upscaler.create();
const [opaque, clear] = [await pixels('opaque.png'), await pixels('clear.png')];
const results = {};
for (const [model, name, picture, scale] of [
    ['small', 'opaque', opaque, 2], ['small', 'opaque', opaque, 1.3], ['small', 'clear', clear, 3],
    ['rgb', 'opaque', opaque, 2], ['valid', 'opaque', opaque, 2.5], ['large', 'opaque', opaque, 2],
]) {
    const result = await upscaler.upscale(picture, { model, scale });
    results[`${model}_${name}_x${scale}`] = result;
    await tell(`/files/${model}_${name}_x${scale}`, result.data);
}
// The kernels that graphics cards run.
const gpu = await Upscaler.create({ kernels: 'gpu' });
for (const model of ['small', 'large']) {
    await tell(`/files/${model}_opaque_x2_gpu`, (await gpu.upscale(opaque, { model, scale: 2 })).data);
}
// Every kernel that the adapter has the features for is accepted.
const { networks } = await (await fetch('srcnn/networks.json')).json();
const kernels = new Map(networks.flatMap(({ variants }) => variants.flatMap((variant) => variant.kernels)).map((kernel) => [kernel.file, kernel]));
const faults = [];
let compiled = 0;
for (const { file, features } of kernels.values()) {
    if (!features.every((feature) => gpu.device.features.has(feature))) continue;
    const code = await (await fetch(`srcnn/${file}`)).text();
    const { messages } = await gpu.device.createShaderModule({ code }).getCompilationInfo();
    faults.push(...messages.filter(({ type }) => type === 'error').map(({ message }) => `${file}: ${message}`));
    compiled++;
}
const expected = results.small_opaque_x2;

const progress = [];
// 106 x 76 pixels in tiles of 64.
const tiled = await upscaler.upscale(opaque, { tile: 64, onprogress: (done) => progress.push(done) });
const bitmap = await upscaler.upscaleToBitmap(opaque, { scale: 2 });
const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
canvas.getContext('2d').drawImage(bitmap, 0, 0);
const drawn = canvas.getContext('2d').getImageData(0, 0, bitmap.width, bitmap.height);

// From texture to texture, on a device of the page's own.
const adapter = await navigator.gpu.requestAdapter();
const device = await adapter.requestDevice();
const own = await Upscaler.create({ device, base: 'srcnn/' });
const prepared = await own.prepare(53, 38, { scale: 2, tile: 64 });
const texture = (size, usage) => device.createTexture({ size, format: 'rgba8unorm', usage });
const source = texture([53, 38], GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST | GPUTextureUsage.RENDER_ATTACHMENT);
const target = texture([prepared.width, prepared.height], GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_SRC);
device.queue.copyExternalImageToTexture({ source: opaque }, { texture: source }, [53, 38]);
const stride = 512;
const buffer = device.createBuffer({ size: stride * prepared.height, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
const encoder = device.createCommandEncoder();
prepared.record(encoder, source, target);
encoder.copyTextureToBuffer({ texture: target }, { buffer, bytesPerRow: stride }, [prepared.width, prepared.height]);
device.queue.submit([encoder.finish()]);
await buffer.mapAsync(GPUMapMode.READ);
const rows = new Uint8Array(buffer.getMappedRange());
const recorded = new ImageData(prepared.width, prepared.height);
for (let y = 0; y < prepared.height; y++) {
    recorded.data.set(rows.subarray(y * stride, y * stride + 4 * prepared.width), 4 * y * prepared.width);
}
// Without subgroups, sums come in another order.
const plain = await own.upscale(opaque, { scale: 2 });

const [first, second] = await Promise.all([upscaler.upscale(opaque, { scale: 2 }), upscaler.upscale(opaque, { scale: 1.3 })]);
const stopping = new AbortController();
const stopped = upscaler.upscale(opaque, { tile: 16, signal: stopping.signal, onprogress: () => stopping.abort() });
const aborted = await stopped.then(() => 'nothing', (error) => error.name);
const refused = {
    model: await reason(upscaler.upscale(opaque, { model: 'nothing' })),
    scale: await reason(upscaler.upscale(opaque, { scale: 0 })),
    f16: await reason(Upscaler.create({ precision: 'f16' })),
};
await tell('/told', JSON.stringify({
    models: upscaler.models,
    tiles: equal(tiled, expected),
    bitmap: equal(drawn, expected),
    textures: equal(recorded, plain),
    overlapping: equal(first, expected) && equal(second, results['small_opaque_x1.3']),
    differs: !equal(expected, results.large_opaque_x2),
    progress, aborted, refused, faults, compiled,
}));
