// One size of picture on a device: its textures, bind groups and regions, and the dispatches of its tiles.

import { Plan, REGION_BYTES, REGION_SPACING, packedRegions } from './plan.js';
import { packedTaps, validFactors } from './resample.js';

/** Half of a tile's side is tried as long as memory runs out and it is longer than this. */
const SMALLEST_TILE = 16;

/** Prepares a size; halves its tiles while the device's memory does not suffice. */
export async function prepare(device, schedule, kernels, tables, { tile, whole, slots }) {
    for (;;) {
        device.pushErrorScope('out-of-memory');
        device.pushErrorScope('validation');
        let [prepared, refused] = [undefined, undefined];
        try {
            prepared = new Prepared(device, schedule, kernels, tables, { tile, whole, slots });
        } catch (error) {
            refused = error;
        }
        const failed = [await device.popErrorScope(), await device.popErrorScope()].find((error) => error !== null);
        if (refused !== undefined) throw refused;
        if (failed === undefined) return prepared;
        prepared.destroy();
        if (tile <= SMALLEST_TILE) throw new Error(failed.message);
        tile = Math.max(SMALLEST_TILE, tile >> 1);
    }
}

/** Everything on the device for pictures of one size. */
class Prepared {
    #device;
    #schedule;
    #kernels;
    #owned = [];
    #resources = new Map();
    #validMaps;
    #regions;
    /** Regions of a tile. */
    #list;
    /** Bind groups of the kernels that read no source and write no target, by kernel and chunk. */
    #groups;

    constructor(device, schedule, kernels, tables, { tile, whole, slots }) {
        this.#device = device;
        this.#schedule = schedule;
        this.#kernels = kernels;
        const maxTextureSide = Math.min(schedule.max_texture_side, device.limits.maxTextureDimension2D);
        this.plan = new Plan(schedule, tables, { tile, whole, maxTextureSide });
        this.#list = this.plan.steps(0).length;
        const storage = GPUBufferUsage.STORAGE;
        ['taps.columns', 'taps.rows'].forEach((name, axis) => {
            this.#resources.set(name, { buffer: this.#buffer(packedTaps(tables[axis]), storage) });
        });
        this.#validMaps = schedule.filters.map((filter) => {
            const normalized = schedule.padding === 'normalized';
            const factors = normalized
                ? tables.flatMap((table) => [...validFactors(table.outputLength, filter)])
                : [1, 1, 1, 1];
            return { buffer: this.#buffer(Float32Array.from(factors).buffer, storage) };
        });
        const usage = GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.STORAGE_BINDING;
        schedule.textures.forEach(({ name, format }, i) => {
            const texture = device.createTexture({ label: `srcnn.${name}`, size: this.plan.layouts.textures[i], format, usage });
            this.#owned.push(texture);
            this.#resources.set(name, texture.createView());
        });
        this.#regions = device.createBuffer({
            label: 'srcnn.regions',
            size: (whole ? this.plan.tiles : slots) * this.#list * REGION_SPACING,
            usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
        });
        this.#owned.push(this.#regions);
        this.#resources.set('region', { buffer: this.#regions, size: REGION_BYTES });
        this.#groups = kernels.map((_, kernel) => (this.#isEnd(kernel) ? undefined : this.#bind(kernel, this.#resources)));
        for (let tile = 0; whole && tile < this.plan.tiles; tile++) this.writeRegions(tile, tile);
    }

    /** Whether a kernel reads the source or writes the target. */
    #isEnd(kernel) {
        return this.#schedule.kernels[kernel].bindings.some(({ resource }) => ['source', 'target'].includes(resource));
    }

    #buffer(contents, usage) {
        const buffer = this.#device.createBuffer({ size: contents.byteLength, usage, mappedAtCreation: true });
        new Uint8Array(buffer.getMappedRange()).set(new Uint8Array(contents));
        buffer.unmap();
        this.#owned.push(buffer);
        return buffer;
    }

    /** The bind groups of a kernel, one for each chunk of its filters. */
    #bind(kernel, resources) {
        const { bindings, pass, weights } = this.#schedule.kernels[kernel];
        const compiled = this.#kernels[kernel];
        return (pass?.chunks ?? [undefined]).map((chunk) => {
            const resource = (name) => {
                if (name === 'valid_map') return this.#validMaps[pass.layer];
                if (name !== 'weights') return resources.get(name);
                if (weights.texture !== null) return compiled.weights.createView();
                return { buffer: compiled.weights, offset: chunk.offset, size: weights.binding };
            };
            const entries = bindings.map(({ resource: name }, binding) => ({ binding, resource: resource(name) }));
            return this.#device.createBindGroup({ layout: compiled.layout, entries });
        });
    }

    /** Binds the textures that tiles are read from and written to. */
    bindEnds(source, target) {
        const resources = new Map(this.#resources);
        resources.set('source', source.createView());
        resources.set('target', target.createView());
        return this.#groups.map((groups, kernel) => groups ?? this.#bind(kernel, resources));
    }

    /** Writes the regions of a tile to a list, before whatever is submitted next. */
    writeRegions(tile, list) {
        const regions = packedRegions(this.plan.steps(tile));
        this.#device.queue.writeBuffer(this.#regions, list * this.#list * REGION_SPACING, regions);
    }

    /** Records a tile, whose regions are in a list, with what `bindEnds` returned. */
    record(pass, tile, list, groups) {
        this.plan.steps(tile).forEach(({ kernel, chunk, workgroups }, i) => {
            pass.setPipeline(this.#kernels[kernel].pipeline);
            pass.setBindGroup(0, groups[kernel][chunk], [(list * this.#list + i) * REGION_SPACING]);
            pass.dispatchWorkgroups(...workgroups);
        });
    }

    destroy() {
        this.#owned.forEach((one) => one.destroy());
        this.#owned = [];
    }
}
