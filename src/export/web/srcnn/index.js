// SRCNN super-resolution in the browser: bicubic enlargement as MATLAB's imresize and the network's layers, in the WGSL kernels of
// srcnn-gpu on WebGPU. index.d.ts describes what is exported.

import { prepare } from './engine.js';
import { Compiled, FEATURES, Library, variantFor } from './kernels.js';
import { tables } from './plan.js';
import { bicubic, outputLength } from './resample.js';
import { resampled } from './rest.js';
import { Reader, alphaPlane, hasConstantAlpha, pixelsOf, setAlpha, sizeOf, withColorsSpread } from './pixels.js';

/** Tiles that are under way at a time. */
const SLOTS = 2;

export class Upscaler {
    #library;
    #compiled;
    #settings;
    #ownsDevice;
    /** The last size of pictures in memory, and its key. */
    #last = { key: undefined, tiles: undefined };
    /** Pictures take turns. */
    #turn = Promise.resolve();

    constructor(library, device, settings, ownsDevice) {
        this.device = device;
        this.#library = library;
        this.#compiled = new Compiled(device, library);
        this.#settings = settings;
        this.#ownsDevice = ownsDevice;
    }

    static async create({ device, base = new URL('./', import.meta.url), precision = 'f32', kernels = 'auto' } = {}) {
        if (!['f32', 'f16'].includes(precision)) throw new RangeError(`precision ${precision}: one of f32, f16`);
        if (!['auto', 'gpu', 'software'].includes(kernels)) throw new RangeError(`kernels ${kernels}: one of auto, gpu, software`);
        const opening = device === undefined ? openDevice(precision) : device;
        const [library, opened] = await Promise.all([Library.open(new URL(base, globalThis.document?.baseURI ?? globalThis.location.href)), opening]);
        return new Upscaler(library, opened, { precision, kernels }, device === undefined);
    }

    get models() {
        return this.#library.models;
    }

    license(model = this.models[0]) {
        return this.#library.networks.find((network) => network.model === model)?.license ?? '';
    }

    async prepare(width, height, { model, scale, size, tile } = {}) {
        const prepared = await this.#prepare([width, height], { model, scale, size, tile }, { whole: true, slots: 0 });
        const [w, h] = prepared.plan.result;
        return {
            width: w,
            height: h,
            record: (encoder, source, target) => {
                const groups = prepared.bindEnds(source, target);
                const pass = encoder.beginComputePass({ label: 'srcnn' });
                for (let tile = 0; tile < prepared.plan.tiles; tile++) prepared.record(pass, tile, tile, groups);
                pass.end();
            },
            destroy: () => prepared.destroy(),
        };
    }

    async #prepare(source, { model = this.models[0], scale = 2, size, tile }, { whole, slots }) {
        const axes = tables(source, { scale, size });
        const [width, height] = axes.map((table) => table.outputLength);
        const network = this.#library.nearest(model, Math.sqrt((width * height) / (source[0] * source[1])));
        const variant = variantFor(network, this.device, this.#settings);
        const kernels = await this.#compiled.variant(variant);
        return prepare(this.device, variant, kernels, axes, { tile: tile ?? variant.tile, whole, slots });
    }

    upscale(picture, options = {}) {
        const turn = this.#turn.then(() => this.#upscale(picture, options));
        this.#turn = turn.catch(() => {});
        return turn;
    }

    async upscaleToBitmap(picture, options) {
        return createImageBitmap(await this.upscale(picture, options), { premultiplyAlpha: 'none' });
    }

    async #upscale(picture, { onprogress = () => {}, signal, ...options }) {
        signal?.throwIfAborted();
        const source = await pixelsOf(this.device, picture);
        const rest = this.#rest(sizeOf(source), options);
        const enlargement = rest === undefined ? options : { ...options, scale: rest.step, size: undefined };
        const tiles = await this.#tilesFor(sizeOf(source), enlargement);
        const parts = hasConstantAlpha(source) ? 1 : 2;
        const run = (source, part) =>
            tiles.run(source, (done, all) => onprogress((part + done / all) / parts), signal);
        const alpha = parts === 2 ? await run(alphaPlane(source), 0) : undefined;
        const result = await run(withColorsSpread(source), parts - 1);
        if (alpha !== undefined) setAlpha(result, alpha);
        return rest === undefined ? result : resampled(result, rest.tables, signal);
    }

    /** What networks leave to bicubic interpolation: the trained scale that they enlarge by, and the tables of the rest. */
    #rest(source, { model = this.models[0], scale = 2, size }) {
        const axes = tables(source, { scale, size });
        const factors = axes.map(({ inputLength, outputLength }) => (size === undefined ? scale : outputLength / inputLength));
        const step = this.#library.step(model, Math.sqrt(factors[0] * factors[1]));
        if (step === undefined || factors.every((factor) => Math.abs(Math.log(factor / step)) < 1e-9)) return undefined;
        const table = ({ inputLength, outputLength: output }, axis) => bicubic(outputLength(inputLength, step), output, factors[axis] / step);
        return { step, tables: axes.map(table) };
    }

    /** What the last picture used, if this one has the same size. */
    async #tilesFor(source, options) {
        const key = JSON.stringify([source, options]);
        if (this.#last.key !== key) {
            this.#last.tiles?.destroy();
            this.#last = { key: undefined, tiles: undefined };
            const prepared = await this.#prepare(source, options, { whole: false, slots: SLOTS });
            this.#last = { key, tiles: new Tiles(this.device, prepared) };
        }
        return this.#last.tiles;
    }

    destroy() {
        this.#last.tiles?.destroy();
        this.#last = { key: undefined, tiles: undefined };
        this.#compiled.destroy();
        if (this.#ownsDevice) this.device.destroy();
    }
}

async function openDevice(precision) {
    if (globalThis.navigator?.gpu === undefined) {
        const why = globalThis.isSecureContext === false ? ': the page has to come by https or from localhost' : '';
        throw new Error(`this browser has no WebGPU${why}`);
    }
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (adapter === null) throw new Error('WebGPU finds no graphics adapter that it may use');
    if (precision === 'f16' && !adapter.features.has('shader-f16')) {
        throw new Error('this adapter does not compute with 16-bit floats (shader-f16)');
    }
    return adapter.requestDevice({
        requiredFeatures: FEATURES.filter((feature) => adapter.features.has(feature)),
        requiredLimits: { maxTextureDimension2D: adapter.limits.maxTextureDimension2D },
    });
}

/** Runs pictures of one size tile by tile: while the device computes one tile, the one before is read back. */
class Tiles {
    #device;
    #prepared;
    #slots;

    constructor(device, prepared) {
        this.#device = device;
        this.#prepared = prepared;
        const texture = (size, usage) => device.createTexture({ size, format: 'rgba8unorm', usage });
        const { plan } = prepared;
        this.#slots = Array.from({ length: SLOTS }, () => {
            const source = texture(plan.largestSource, GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST);
            const target = texture(plan.largest, GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_SRC);
            const reader = new Reader(device, plan.largest);
            return { source, target, reader, groups: prepared.bindEnds(source, target), reading: undefined };
        });
    }

    async run(picture, onprogress, signal) {
        const { plan } = this.#prepared;
        const result = new ImageData(...plan.result, { colorSpace: picture.colorSpace });
        let done = 0;
        try {
            for (let tile = 0; tile < plan.tiles; tile++) {
                signal?.throwIfAborted();
                const slot = this.#slots[tile % SLOTS];
                await slot.reading;
                this.#submit(picture, tile, slot, tile % SLOTS);
                const [columns, rows] = plan.tile(tile);
                slot.reading = slot.reader.read(result, [columns.start, rows.start]).then(() => onprogress(++done, plan.tiles));
            }
            await Promise.all(this.#slots.map((slot) => slot.reading));
        } finally {
            await Promise.allSettled(this.#slots.map((slot) => slot.reading));
            this.#slots.forEach((slot) => (slot.reading = undefined));
        }
        return result;
    }

    /** Uploads what a tile reads, and submits it. */
    #submit(picture, tile, { source, target, reader, groups }, list) {
        const [columns, rows] = this.#prepared.plan.tile(tile);
        const { queue } = this.#device;
        const size = [columns, rows].map(({ source }) => source.end - source.start);
        const offset = 4 * (rows.source.start * picture.width + columns.source.start);
        queue.writeTexture({ texture: source }, picture.data, { offset, bytesPerRow: 4 * picture.width }, size);
        this.#prepared.writeRegions(tile, list);
        const encoder = this.#device.createCommandEncoder({ label: 'srcnn' });
        const pass = encoder.beginComputePass({ label: 'srcnn' });
        this.#prepared.record(pass, tile, list, groups);
        pass.end();
        reader.record(encoder, target, [columns.len, rows.len]);
        queue.submit([encoder.finish()]);
    }

    destroy() {
        for (const { source, target, reader } of this.#slots) {
            source.destroy();
            target.destroy();
            reader.destroy();
        }
        this.#prepared.destroy();
    }
}
