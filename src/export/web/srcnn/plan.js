// Tiles, textures and regions of a picture: the arithmetic of srcnn-gpu's src/upscaler/plan.rs, layouts.rs and steps.rs, which
// have to give the same.

import { bicubic, inputRange, outputLength } from './resample.js';

/** Convolutions read up to this many texels and rows past the last plane. */
const SLACK = [24, 4];
/** Longest axis of a result. */
const MAX_AXIS = 2 ** 30;

/** Bytes of a packed region. */
export const REGION_BYTES = 112;
/** Bytes from one region to the next: what dynamic offsets are multiples of. */
export const REGION_SPACING = 256;

/** Width and height of the enlarged picture, and the tables of its columns and rows. */
export function tables([width, height], { scale, size }) {
    if (!(width >= 1 && height >= 1)) throw new RangeError('an empty picture: each axis needs at least one pixel');
    if (size === undefined && !(scale > 0 && Number.isFinite(scale))) {
        throw new RangeError(`scale ${scale} is not a positive number`);
    }
    return [width, height].map((input, axis) => {
        const output = size === undefined ? outputLength(input, scale) : size[axis];
        if (!(Number.isInteger(output) && output >= 1 && output <= MAX_AXIS)) {
            throw new RangeError(`a result with an axis of ${output} pixels: each must be 1 to ${MAX_AXIS}`);
        }
        return bicubic(input, output, size === undefined ? scale : output / input);
    });
}

function radius(schedule) {
    return schedule.filters.reduce((sum, filter) => sum + (filter - 1) / 2, 0);
}

/** Cuts one axis into spans that read `margin` pixels more than the receptive radius. */
function spans(table, radius, margin, valid, tile) {
    const shift = valid ? radius : 0;
    const result = table.outputLength - 2 * shift;
    const found = [];
    for (let start = 0; start < result; start += tile) {
        const len = Math.min(tile, result - start);
        const first = start + shift;
        const low = Math.max(first - radius - margin, 0);
        const high = Math.min(first + len + radius + margin, table.outputLength);
        const [begin, end] = inputRange(table, low, high);
        found.push({ start, len, first, source: { start: begin, end } });
    }
    return found;
}

/** Planes of `columns` x `rows` pixels in a texture: 4 pixels of a row in a texel, planes side by side. */
function planeLayout(planes, columns, rows, maxTextureSide) {
    const texels = Math.ceil(columns / 4);
    const across = Math.min(Math.max(Math.floor((maxTextureSide - SLACK[0]) / texels), 1), planes);
    return { planes, across, texels, rows };
}

function layoutSize({ planes, across, texels, rows }) {
    return [across * texels + SLACK[0], Math.ceil(planes / across) * rows + SLACK[1]];
}

/** The passes over maps. */
export function passesOf(schedule) {
    return schedule.kernels.filter((kernel) => kernel.pass !== null);
}

/** Layouts of all textures, and their sizes in the order of `schedule.textures`. */
function layouts(schedule, [columns, rows], sourceRows, maxTextureSide) {
    const passes = passesOf(schedule);
    const margins = schedule.units.map((unit) => 2 * (unit - 1));
    const map = (planes, reach) =>
        planeLayout(planes, columns + margins[0] + 2 * reach, rows + margins[1] + 2 * reach, maxTextureSide);
    const maps = [map(schedule.planes, radius(schedule)), ...passes.map(({ pass }) => map(pass.planes, pass.reach))];
    const horizontal = planeLayout(schedule.planes, 4 * maps[0].texels, sourceRows, maxTextureSide);
    const hidden = (parity) => {
        const sizes = maps.slice(1, -1).filter((_, i) => i % 2 === parity).map(layoutSize);
        return sizes.reduce((a, b) => [Math.max(a[0], b[0]), Math.max(a[1], b[1])], [1, 1]);
    };
    const textures = [horizontal, maps[0]].map(layoutSize).concat([hidden(0), hidden(1), layoutSize(maps.at(-1))]);
    return { horizontal, maps, textures };
}

/** How a picture is cut into tiles of at most `tile` pixels, and what is dispatched for each. */
export class Plan {
    constructor(schedule, tables, { tile, whole, maxTextureSide }) {
        const valid = schedule.padding === 'valid';
        const margin = schedule.units.map((unit) => unit - 1);
        this.schedule = schedule;
        this.taps = tables.map((table) => table.taps);
        this.picture = tables.map((table) => table.outputLength);
        this.radius = radius(schedule);
        if (valid && this.picture.some((length) => length <= 2 * this.radius)) {
            throw new RangeError(`a picture of ${this.picture.join('x')} is smaller than the network's receptive field`);
        }
        this.result = this.picture.map((length) => length - (valid ? 2 * this.radius : 0));
        [this.columns, this.rows] = tables.map((table, axis) => spans(table, this.radius, margin[axis], valid, tile));
        this.whole = whole;
        const largest = (of) => [this.columns, this.rows].map((spans) => Math.max(...spans.map(of)));
        this.largest = largest((span) => span.len);
        this.largestSource = largest((span) => span.source.end - span.source.start);
        this.layouts = layouts(schedule, this.largest, this.largestSource[1], maxTextureSide);
    }

    get tiles() {
        return this.columns.length * this.rows.length;
    }

    /** Columns and rows of a tile; tiles are numbered row by row. */
    tile(number) {
        return [this.columns[number % this.columns.length], this.rows[Math.floor(number / this.columns.length)]];
    }

    /** The dispatches of a tile, in order. */
    steps(number) {
        const spans = this.tile(number);
        const { maps, horizontal } = this.layouts;
        const full = this.#around(spans, this.radius);
        const start = spans.map((span) => span.source.start);
        const resampled = { ...full, source_start: start };
        const columns = {
            ...resampled,
            size: [full.size[0], spans[1].source.end - spans[1].source.start],
            host_texel: this.#at(start),
            terms: this.taps[0],
            output: horizontal,
        };
        const rows = { ...resampled, terms: this.taps[1], input: horizontal, output: maps[0] };
        const steps = [this.#step(0, columns), this.#step(1, rows)];
        let before = full.origin;
        passesOf(this.schedule).forEach(({ pass }, i) => {
            const around = this.#around(spans, pass.reach);
            const region = {
                ...around,
                input_margin: minus(around.origin, before),
                terms: pass.terms,
                input: maps[i],
                output: maps[i + 1],
            };
            before = around.origin;
            pass.chunks.forEach((chunk, number) => {
                steps.push(this.#step(2 + i, { ...region, first_filter: chunk.first_filter }, number, chunk.groups));
            });
        });
        steps.push(this.#toTarget(spans, full, before));
        return steps;
    }

    /** Position of a picture's texel in the host's texture. */
    #at(texel) {
        return this.whole ? texel : [0, 0];
    }

    #step(kernel, region, chunk = 0, groups = 1, size = region.size) {
        const { covers } = this.schedule.kernels[kernel];
        const workgroups = [Math.ceil(size[0] / covers[0]), Math.ceil(size[1] / covers[1]), groups];
        return { kernel, chunk, workgroups, region };
    }

    /** The region that extends a tile by `reach` on each side, and on to where passes may begin and end. */
    #around(spans, reach) {
        const { units, unit_radius } = this.schedule;
        const before = Math.max(reach - unit_radius, 0);
        const origin = spans.map(({ first }, axis) => {
            const unit = units[axis];
            return unit > 1 ? Math.floor((first - reach + before) / unit) * unit - before : first - reach;
        });
        const end = spans.map(({ first, len }, axis) => {
            const [unit, end] = [units[axis], first + len + reach];
            return unit > 1 ? Math.ceil((end - before) / unit) * unit + before : end;
        });
        return { ...NOTHING, origin, size: minus(end, origin), picture: this.picture };
    }

    /** From the network's planes, which begin at `origin`, and the bicubic ones of `full`, to the target. */
    #toTarget(spans, full, origin) {
        const first = spans.map((span) => span.first);
        const region = {
            ...full,
            origin: first,
            size: spans.map((span) => span.len),
            host_texel: this.#at(spans.map((span) => span.start)),
            input_margin: minus(first, origin),
            bicubic_margin: minus(first, full.origin),
            input: this.layouts.maps.at(-1),
            bicubic: this.layouts.maps[0],
        };
        // Invocations start at whole texels of the network's planes.
        const size = [region.size[0] + (region.input_margin[0] % 4), region.size[1]];
        return this.#step(this.schedule.kernels.length - 1, region, 0, 1, size);
    }
}

const NO_PLANES = { planes: 0, across: 0, texels: 0, rows: 0 };
const NOTHING = {
    origin: [0, 0],
    size: [0, 0],
    picture: [0, 0],
    host_texel: [0, 0],
    source_start: [0, 0],
    input_margin: [0, 0],
    bicubic_margin: [0, 0],
    first_filter: 0,
    terms: 0,
    input: NO_PLANES,
    output: NO_PLANES,
    bicubic: NO_PLANES,
};

function minus(a, b) {
    return [a[0] - b[0], a[1] - b[1]];
}

/** The uniforms of all steps, each at a multiple of `REGION_SPACING`. */
export function packedRegions(steps) {
    const words = new Int32Array((steps.length * REGION_SPACING) / 4);
    steps.forEach(({ region }, i) => {
        const layout = ({ planes, across, texels, rows }) => [planes, across, texels, rows];
        const fields = [
            ...region.origin, ...region.size, ...region.picture, ...region.host_texel, ...region.source_start,
            ...region.input_margin, ...region.bicubic_margin, region.first_filter, region.terms,
            ...layout(region.input), ...layout(region.output), ...layout(region.bicubic),
        ];
        words.set(fields, (i * REGION_SPACING) / 4);
    });
    return words;
}
