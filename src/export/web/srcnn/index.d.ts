/// <reference types="@webgpu/types" />

/** What can be enlarged. Pixels of ImageData are taken as they are; of everything else, what the browser decodes. */
export type Picture =
    | ImageData | ImageBitmap | HTMLImageElement | HTMLVideoElement | HTMLCanvasElement | OffscreenCanvas | VideoFrame;

export interface CreateOptions {
    /**
     * A device of the page's own. Without it, one is opened. With the features `subgroups` and `shader-f16`, where the adapter
     * has them, more kernels can be chosen from.
     */
    device?: GPUDevice;
    /** Where networks.json, kernels and weights lie; beside this module if not given. */
    base?: string | URL;
    /** Precision of the hidden layers. `f16` needs the feature `shader-f16`. Default: `f32`. */
    precision?: 'f32' | 'f16';
    /** The kind of adapter whose kernels run. Results differ in the last bits. Default: `auto`, by the adapter. */
    kernels?: 'auto' | 'gpu' | 'software';
}

export interface Enlargement {
    /** Which of `Upscaler.models`; the first one if not given. Of its networks, the one that suits the scale is taken. */
    model?: string;
    /**
     * Factor of both sides, any number above 1; sizes are rounded up. Networks enlarge by a scale that they were trained for, and
     * bicubic interpolation does the rest: 1.5 is 2 and shrinking. `prepare` leaves all of it to the network, so the scales that
     * it was trained for suit it best. Default: 2.
     */
    scale?: number;
    /** Width and height of the result, in place of `scale`. */
    size?: [number, number];
    /** Longest side of a tile in pixels of the result. Tiles have no seams. */
    tile?: number;
}

export interface UpscaleOptions extends Enlargement {
    /** Told the part that is done, from 0 to 1. */
    onprogress?: (done: number) => void;
    /** Stops the work between two tiles. */
    signal?: AbortSignal;
}

/** Bicubic enlargement and network for pictures of one size, from texture to texture. */
export interface Prepared {
    /** Width and height of the result. */
    readonly width: number;
    readonly height: number;
    /**
     * Records everything into one compute pass.
     *
     * `source` has at least the prepared size, the usage TEXTURE_BINDING, and a format whose values are floats and not sRGB:
     * red, green, blue and alpha, gamma-encoded as in files. `target` has at least the result's size, the format `rgba8unorm` and
     * the usage STORAGE_BINDING. Alpha is bicubic.
     */
    record(encoder: GPUCommandEncoder, source: GPUTexture, target: GPUTexture): void;
    destroy(): void;
}

export class Upscaler {
    static create(options?: CreateOptions): Promise<Upscaler>;

    readonly device: GPUDevice;
    /** Names of the models that were exported. */
    readonly models: string[];
    /** Terms of a model; empty if unknown. */
    license(model?: string): string;

    /**
     * Enlarges a picture, tile by tile: memory on the device does not depend on its size. Alpha goes through the network too, unless
     * it is the same everywhere. Pictures take turns; calls may overlap.
     *
     * Rejects with a RangeError for sizes out of range and unknown models, with the signal's reason when it is aborted, and with
     * an Error for what the device refuses.
     */
    upscale(picture: Picture, options?: UpscaleOptions): Promise<ImageData>;
    /** The same as an ImageBitmap. */
    upscaleToBitmap(picture: Picture, options?: UpscaleOptions): Promise<ImageBitmap>;
    /** Makes everything for pictures of one size whose source and result are textures. Rejects as `upscale`. */
    prepare(width: number, height: number, options?: Enlargement): Promise<Prepared>;

    /** Frees what is on the device, and the device if it was opened here. */
    destroy(): void;
}
