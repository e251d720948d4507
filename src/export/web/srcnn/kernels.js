// The networks' data, which variant suits a device, and its kernels and weights on the device.

/** What a device is opened with where the adapter has it. */
export const FEATURES = ['subgroups', 'shader-f16'];

/** Up to this factor, the rest of an enlargement may be one, where a network for a larger scale would take more work for nothing. */
const REST = 1.1;

/** Reads the data that lie beside the module. */
export class Library {
    #base;
    #files = new Map();

    constructor(base, networks) {
        this.#base = base;
        this.networks = networks;
    }

    static async open(base) {
        const library = new Library(base, []);
        const { version, networks } = JSON.parse(new TextDecoder().decode(await library.bytes('networks.json')));
        if (version !== 1) throw new Error(`networks.json has version ${version}, but this module reads version 1`);
        library.networks = networks;
        return library;
    }

    /** Names of the models, the first one being the default. */
    get models() {
        return [...new Set(this.networks.map((network) => network.model))];
    }

    #of(model) {
        const own = this.networks.filter((network) => network.model === model);
        if (own.length === 0) throw new RangeError(`no model ${model}; there are ${this.models.join(', ')}`);
        return own;
    }

    /**
     * By which trained scale a model's networks enlarge; the rest is bicubic interpolation's. Undefined where a network does all of it: if
     * none says what it was trained for, or if they crop.
     */
    step(model, factor) {
        const crops = ({ variants }) => variants.some(({ padding }) => padding === 'valid');
        const scales = this.#of(model).filter((network) => !crops(network)).flatMap(({ scales }) => scales);
        const above = scales.filter((scale) => scale > 1).sort((a, b) => a - b);
        return above.find((scale) => scale * REST >= factor) ?? above.at(-1);
    }

    /** The network of a model that was trained for the nearest scale, as a ratio. */
    nearest(model, scale) {
        const own = this.#of(model);
        const distance = ({ scales }) => Math.min(...scales.map((trained) => Math.abs(Math.log(trained / scale))));
        return own.reduce((best, other) => (distance(other) < distance(best) ? other : best));
    }

    bytes(path) {
        if (!this.#files.has(path)) {
            const read = async () => {
                const response = await fetch(new URL(path, this.#base));
                if (!response.ok) throw new Error(`${response.url}: ${response.status} ${response.statusText}`);
                return response.arrayBuffer();
            };
            const reading = read();
            // A file that could not be read is asked for again the next time.
            reading.catch(() => this.#files.delete(path));
            this.#files.set(path, reading);
        }
        return this.#files.get(path);
    }
}

/** Whether a device computes on the processor, and the size of its subgroups if all have the same. */
function kindOf(device) {
    const info = device.adapterInfo ?? {};
    const software = info.isFallbackAdapter || info.architecture === 'swiftshader';
    const fixed = info.subgroupMinSize === info.subgroupMaxSize && device.features.has('subgroups');
    return { software, subgroup: fixed ? info.subgroupMinSize : undefined };
}

/** The variant of a network for a device, in a precision. */
export function variantFor(network, device, { precision, kernels }) {
    const { software: found, subgroup } = kindOf(device);
    const software = kernels === 'auto' ? found : kernels === 'software';
    const suits = (variant) =>
        variant.precision === precision &&
        (variant.subgroup === null || variant.subgroup === subgroup) &&
        variant.kernels.every((kernel) => kernel.features.every((feature) => device.features.has(feature)));
    const suiting = network.variants.filter(suits);
    // In half precision there are kernels for GPUs alone.
    const best = suiting.find((variant) => variant.software === software) ?? suiting[0];
    if (best === undefined) throw new Error(`this device does not compute in ${precision}: it lacks 16-bit floats (shader-f16)`);
    return best;
}

/** Compiled kernels and uploaded weights of one device, each once. */
export class Compiled {
    #device;
    #library;
    #pipelines = new Map();
    #weights = new Map();

    constructor(device, library) {
        this.#device = device;
        this.#library = library;
    }

    /** The kernels of a variant: pipeline, layout of the bind group, and weights. */
    variant(variant) {
        return Promise.all(variant.kernels.map(async (kernel) => {
            const [compiled, weights] = await Promise.all([this.#pipeline(kernel), this.#weightsOf(kernel)]);
            return { ...compiled, weights };
        }));
    }

    #pipeline(kernel) {
        const key = JSON.stringify([kernel.file, kernel.constants, kernel.bindings]);
        return remembered(this.#pipelines, key, () => this.#compile(kernel));
    }

    async #compile(kernel) {
        const device = this.#device;
        const label = `srcnn.${kernel.name}`;
        const code = new TextDecoder().decode(await this.#library.bytes(kernel.file));
        const entries = kernel.bindings.map(({ resource, ...entry }, binding) => {
            return { binding, visibility: GPUShaderStage.COMPUTE, ...entry };
        });
        const layout = device.createBindGroupLayout({ label, entries });
        const pipeline = await device.createComputePipelineAsync({
            label,
            layout: device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
            compute: {
                module: device.createShaderModule({ label, code }),
                entryPoint: 'main',
                constants: kernel.constants,
            },
        });
        return { layout, pipeline };
    }

    #weightsOf({ weights }) {
        if (weights === null) return undefined;
        return remembered(this.#weights, weights.file, async () => {
            const bytes = await this.#library.bytes(weights.file);
            const device = this.#device;
            if (weights.texture !== null) {
                const [width, height] = weights.texture;
                const usage = GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST;
                const texture = device.createTexture({ size: weights.texture, format: 'rgba32float', usage });
                device.queue.writeTexture({ texture }, bytes, { bytesPerRow: 16 * width, rowsPerImage: height }, [width, height]);
                return texture;
            }
            // One file may be read through a uniform by one kernel and as storage by another.
            const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.STORAGE;
            const buffer = device.createBuffer({ size: bytes.byteLength, usage, mappedAtCreation: true });
            new Uint8Array(buffer.getMappedRange()).set(new Uint8Array(bytes));
            buffer.unmap();
            return buffer;
        });
    }

    destroy() {
        for (const weights of this.#weights.values()) weights.then((one) => one.destroy(), () => {});
        this.#weights.clear();
        this.#pipelines.clear();
    }
}

/** The value of a key, made if it is not there; one that could not be made is made again the next time. */
function remembered(map, key, make) {
    if (!map.has(key)) {
        const made = make();
        made.catch(() => map.delete(key));
        map.set(key, made);
    }
    return map.get(key);
}
