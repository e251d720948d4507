// Bicubic interpolation as MATLAB's imresize: the taps of one axis, in 64-bit floats.

/** Samples of an axis after scaling, rounded up. */
export function outputLength(input, scale) {
    return Math.ceil(input * scale);
}

/** The cubic convolution kernel with a = -1/2. */
function cubic(x) {
    x = Math.abs(x);
    if (x <= 1) return (1.5 * x - 2.5) * x * x + 1;
    if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
    return 0;
}

/**
 * Which input samples each output sample reads, and with which weights: `[output][tap]`. Where an axis shrinks, the kernel is
 * widened; beyond an edge, the picture is mirrored.
 */
export function bicubic(inputLength, outputLength, scale) {
    const shrink = Math.min(scale, 1);
    const support = 4 / shrink;
    const candidates = Math.ceil(support) + 2;
    const period = 2 * inputLength;
    const indices = new Uint32Array(outputLength * candidates);
    const weights = new Float64Array(outputLength * candidates);
    const used = new Array(candidates).fill(false);
    for (let x = 0; x < outputLength; x++) {
        // The center of the output sample, counted from 1.
        const center = (x + 1) / scale + 0.5 * (1 - 1 / scale);
        const left = Math.floor(center - support / 2);
        const row = x * candidates;
        let sum = 0;
        for (let tap = 0; tap < candidates; tap++) {
            const at = left + tap;
            const weight = shrink * cubic(shrink * (center - at));
            const mirrored = (((at - 1) % period) + period) % period;
            indices[row + tap] = Math.min(mirrored, period - 1 - mirrored);
            weights[row + tap] = weight;
            sum += weight;
        }
        for (let tap = 0; tap < candidates; tap++) {
            weights[row + tap] /= sum;
            used[tap] ||= weights[row + tap] !== 0;
        }
    }
    return withoutEmptyTaps({ inputLength, outputLength, taps: candidates, indices, weights }, used);
}

/** Drops the taps that are zero for every output sample. */
function withoutEmptyTaps(table, used) {
    const columns = [...used.keys()].filter((tap) => used[tap]);
    const taps = columns.length;
    const indices = new Uint32Array(table.outputLength * taps);
    const weights = new Float64Array(table.outputLength * taps);
    for (let x = 0; x < table.outputLength; x++) {
        columns.forEach((tap, i) => {
            indices[x * taps + i] = table.indices[x * table.taps + tap];
            weights[x * taps + i] = table.weights[x * table.taps + tap];
        });
    }
    return { ...table, taps, indices, weights };
}

/** First input sample that the output samples `first..last` read, and the one after the last: `[start, end]`. */
export function inputRange(table, first, last) {
    let [low, high] = [Infinity, -1];
    for (let i = first * table.taps; i < last * table.taps; i++) {
        low = Math.min(low, table.indices[i]);
        high = Math.max(high, table.indices[i]);
    }
    return [low, high + 1];
}

/** The table as the kernels read it: pairs of an index and a 32-bit float. */
export function packedTaps(table) {
    const bytes = new ArrayBuffer(8 * table.indices.length);
    const [indices, weights] = [new Uint32Array(bytes), new Float32Array(bytes)];
    table.indices.forEach((index, i) => {
        indices[2 * i] = index;
        weights[2 * i + 1] = table.weights[i];
    });
    return bytes;
}

/** Factors of the valid-pixel map along one axis: taps of the filter over those inside the picture. */
export function validFactors(length, filter) {
    const radius = (filter - 1) / 2;
    const inside = (x) => Math.min(x + radius + 1, length) - Math.max(x - radius, 0);
    return Float32Array.from({ length }, (_, x) => filter / inside(x));
}
