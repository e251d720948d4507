// Pictures as pixels with straight alpha, and what enlarging has to do about alpha.

/** How far, in pixels, colors under transparent pixels influence visible pixels of the result, with a margin. */
const REACH = 12;
/** Rows that are copied at a time. */
const BAND = 1024;

/** Width and height of anything that can be drawn. */
export function sizeOf(picture) {
    const width = picture.naturalWidth || picture.videoWidth || picture.displayWidth || picture.width;
    const height = picture.naturalHeight || picture.videoHeight || picture.displayHeight || picture.height;
    return [width, height];
}

/** The pixels of an ImageData, ImageBitmap, canvas, image or video frame, as ImageData. */
export async function pixelsOf(device, picture) {
    if (picture instanceof ImageData) return picture;
    const [width, height] = sizeOf(picture);
    // Workers have no such elements.
    const isElement = globalThis.HTMLImageElement !== undefined && picture instanceof HTMLImageElement;
    const drawn = isElement ? await createImageBitmap(picture, { premultiplyAlpha: 'none' }) : picture;
    const result = new ImageData(width, height);
    const columns = Math.min(width, device.limits.maxTextureDimension2D);
    const usage = GPUTextureUsage.COPY_DST | GPUTextureUsage.COPY_SRC | GPUTextureUsage.RENDER_ATTACHMENT;
    const texture = device.createTexture({ size: [columns, Math.min(height, BAND)], format: 'rgba8unorm', usage });
    const reader = new Reader(device, [columns, Math.min(height, BAND)]);
    try {
        for (let y = 0; y < height; y += BAND) {
            for (let x = 0; x < width; x += columns) {
                const size = [Math.min(columns, width - x), Math.min(BAND, height - y)];
                device.queue.copyExternalImageToTexture(
                    { source: drawn, origin: [x, y] },
                    { texture, premultipliedAlpha: false },
                    size,
                );
                const encoder = device.createCommandEncoder();
                reader.record(encoder, texture, size);
                device.queue.submit([encoder.finish()]);
                await reader.read(result, [x, y]);
            }
        }
    } finally {
        texture.destroy();
        reader.destroy();
        if (drawn !== picture) drawn.close();
    }
    return result;
}

/** Copies textures to pictures in memory. */
export class Reader {
    #buffer;
    #stride;
    #size;

    /** For parts of up to this size. */
    constructor(device, [width, height]) {
        this.#stride = Math.ceil((4 * width) / 256) * 256;
        const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
        this.#buffer = device.createBuffer({ label: 'srcnn.readback', size: this.#stride * height, usage });
    }

    /** Records the copy of a texture's upper left part. */
    record(encoder, texture, size) {
        this.#size = size;
        const buffer = { buffer: this.#buffer, bytesPerRow: this.#stride, rowsPerImage: size[1] };
        encoder.copyTextureToBuffer({ texture }, buffer, size);
    }

    /** Waits for the copy that was submitted last, and puts it into a picture. */
    async read(picture, [x, y]) {
        const [width, height] = this.#size;
        await this.#buffer.mapAsync(GPUMapMode.READ, 0, this.#stride * height);
        const rows = new Uint8Array(this.#buffer.getMappedRange(0, this.#stride * height));
        for (let row = 0; row < height; row++) {
            const start = row * this.#stride;
            picture.data.set(rows.subarray(start, start + 4 * width), 4 * ((y + row) * picture.width + x));
        }
        this.#buffer.unmap();
    }

    destroy() {
        this.#buffer.destroy();
    }
}

/** Whether all pixels have the same alpha. */
export function hasConstantAlpha({ data }) {
    for (let i = 7; i < data.length; i += 4) {
        if (data[i] !== data[3]) return false;
    }
    return true;
}

/** Alpha as a grey picture. */
export function alphaPlane({ data, width, height }) {
    const plane = new ImageData(width, height);
    for (let i = 0; i < data.length; i += 4) {
        plane.data.fill(data[i + 3], i, i + 3);
        plane.data[i + 3] = 255;
    }
    return plane;
}

/**
 * Replaces alpha by a grey picture, except in pixels that interpolation left fully transparent or fully opaque: a network's
 * small errors are invisible on soft edges, but visible in flat areas.
 */
export function setAlpha({ data }, plane) {
    for (let i = 0; i < data.length; i += 4) {
        const alpha = data[i + 3];
        if (alpha > 0 && alpha < 255) data[i + 3] = plane.data[i + 1];
    }
}

/**
 * The picture with colors near visible pixels given to fully transparent ones: their own, often black, would show as a fringe
 * along the edges of the result.
 */
export function withColorsSpread(picture) {
    const { width, height } = picture;
    const known = Uint8Array.from({ length: width * height }, (_, i) => (picture.data[4 * i + 3] > 0 ? 1 : 0));
    if (!known.includes(0) || !known.includes(1)) return picture;
    const result = new ImageData(picture.data.slice(), width, height, { colorSpace: picture.colorSpace });
    const around = (at) => {
        const [x, y] = [at % width, Math.floor(at / width)];
        const found = [];
        for (let row = Math.max(y - 1, 0); row <= Math.min(y + 1, height - 1); row++) {
            for (let column = Math.max(x - 1, 0); column <= Math.min(x + 1, width - 1); column++) {
                found.push(row * width + column);
            }
        }
        return found;
    };
    let front = [...known.keys()].filter((at) => known[at] === 0 && around(at).some((next) => known[next] === 1));
    for (let step = 0; step < REACH; step++) {
        // The whole front at once, so that the result does not depend on the order of its pixels.
        for (const at of front) {
            const neighbors = around(at).filter((next) => known[next] === 1);
            for (let channel = 0; channel < 3; channel++) {
                const sum = neighbors.reduce((sum, next) => sum + result.data[4 * next + channel], 0);
                result.data[4 * at + channel] = Math.floor(sum / neighbors.length + 0.5);
            }
        }
        front.forEach((at) => (known[at] = 1));
        front = [...new Set(front.flatMap(around))].filter((at) => known[at] === 0);
    }
    return result;
}
