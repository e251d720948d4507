// The module's arithmetic for the cases of a test.
import { Plan, tables } from './srcnn/plan.js';
import { bicubic } from './srcnn/resample.js';

const read = async (path) => (await fetch(path)).json();
const pictures = (await read('cases.json')).map(({ source, how, schedule }) => {
    const maxTextureSide = schedule.max_texture_side;
    const plan = new Plan(schedule, tables(source, how), { tile: schedule.tile, whole: false, maxTextureSide });
    const tiles = Array.from({ length: plan.tiles }, (_, number) => ({ spans: plan.tile(number), steps: plan.steps(number) }));
    return { result: plan.result, textures: plan.layouts.textures, tiles };
});
const tablesOf = (await read('axes.json')).map(([from, to, scale]) => {
    const { taps, indices, weights } = bicubic(from, to, scale);
    return { taps, indices: [...indices], weights: [...new Uint32Array(Float32Array.from(weights).buffer)] };
});
await tell('/told', JSON.stringify({ pictures, tables: tablesOf }));
