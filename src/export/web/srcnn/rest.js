// What bicubic interpolation does to a network's result, where the factor is between those that networks were trained for.

import { inputRange } from './resample.js';

/** Rows between two looks at what else the page has to do. */
const ROWS = 64;

/** The pixels of a picture, resampled by the tables of its columns and rows: columns first, rounded once. */
export async function resampled(picture, [columns, rows], signal) {
    const result = new ImageData(columns.outputLength, rows.outputLength, { colorSpace: picture.colorSpace });
    const stride = 4 * columns.outputLength;
    /** Rows whose columns are resampled. */
    const across = new Map();
    const sums = new Float64Array(stride);
    for (let y = 0; y < rows.outputLength; y++) {
        if (y % ROWS === ROWS - 1) {
            await new Promise((resolve) => setTimeout(resolve));
            signal?.throwIfAborted();
        }
        const [first] = inputRange(rows, y, y + 1);
        for (const row of across.keys()) if (row < first) across.delete(row);
        sums.fill(0);
        for (let tap = y * rows.taps; tap < (y + 1) * rows.taps; tap++) {
            const row = rows.indices[tap];
            if (!across.has(row)) across.set(row, resampledRow(picture, row, columns));
            const [samples, weight] = [across.get(row), rows.weights[tap]];
            for (let i = 0; i < stride; i++) sums[i] += weight * samples[i];
        }
        for (let i = 0; i < stride; i++) result.data[y * stride + i] = Math.floor(sums[i] + 0.5);
    }
    return result;
}

function resampledRow(picture, y, { outputLength, taps, indices, weights }) {
    const start = 4 * picture.width * y;
    const samples = new Float64Array(4 * outputLength);
    for (let x = 0; x < outputLength; x++) {
        for (let tap = x * taps; tap < (x + 1) * taps; tap++) {
            const at = start + 4 * indices[tap];
            for (let channel = 0; channel < 4; channel++) samples[4 * x + channel] += weights[tap] * picture.data[at + channel];
        }
    }
    return samples;
}
