// The page: takes a picture by file, drop or paste, enlarges it, and shows it beside the original.

import { Slider } from './slider.js';
import { Upscaler } from './srcnn/index.js';

const at = (id) => document.getElementById(id);
const slider = new Slider(at('slider'));
/** The picture, its name without extension, and its result; the run under way. */
let [picture, name, result, stopping] = [undefined, '', undefined, undefined];
let upscaler;

function tell(text, isError = false) {
    at('status').textContent = text;
    at('status').classList.toggle('error', isError);
}

/** Takes over a file's picture. Profiles are converted to the screen's sRGB, and orientation is applied. */
async function open(file, title) {
    let opened;
    try {
        opened = await createImageBitmap(file, { premultiplyAlpha: 'none' });
    } catch {
        tell(`${title} is not a picture that this browser can read.`, true);
        return;
    }
    [picture, name] = [opened, title.replace(/\.[^.]*$/, '')];
    await enlarge();
}

async function enlarge() {
    if (picture === undefined || upscaler === undefined) return;
    stopping?.abort();
    const own = (stopping = new AbortController());
    const [source, scale, model] = [picture, Number(at('scale').value), at('model').value];
    at('progress').value = 0;
    at('work').hidden = false;
    tell(`Enlarging ${source.width} x ${source.height} pixels ${scale} times ..`);
    const started = performance.now();
    try {
        const large = await upscaler.upscale(source, {
            scale,
            model,
            signal: own.signal,
            onprogress: (done) => (at('progress').value = done),
        });
        slider.show(source, large);
        result = { large, name: `${name}_x${scale}.png` };
        at('result').hidden = false;
        at('about').textContent = `${result.name}, ${large.width} x ${large.height} pixels`;
        tell(`Done in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
        document.dispatchEvent(new CustomEvent('enlarged'));
    } catch (error) {
        // A run that another one has taken the place of says nothing.
        if (stopping !== own) return;
        if (own.signal.aborted) tell('Stopped.');
        else tell(error.message, true);
    } finally {
        if (stopping === own) {
            at('work').hidden = true;
            stopping = undefined;
        }
    }
}

async function download() {
    const canvas = new OffscreenCanvas(result.large.width, result.large.height);
    canvas.getContext('2d').putImageData(result.large, 0, 0);
    const address = URL.createObjectURL(await canvas.convertToBlob({ type: 'image/png' }));
    const link = document.createElement('a');
    [link.href, link.download] = [address, result.name];
    link.click();
    // The browser has begun to save by then.
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function fileIn(transfer) {
    return [...transfer.files].find((file) => file.type.startsWith('image/'));
}

function take(transfer) {
    const file = fileIn(transfer);
    if (file !== undefined) open(file, file.name);
    else if (transfer.files.length > 0) tell(`${transfer.files[0].name} is not a picture.`, true);
}

at('file').addEventListener('change', () => take(at('file')));
document.addEventListener('paste', (event) => take(event.clipboardData));
document.addEventListener('dragover', (event) => {
    event.preventDefault();
    document.body.classList.add('over');
});
document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) document.body.classList.remove('over');
});
document.addEventListener('drop', (event) => {
    event.preventDefault();
    document.body.classList.remove('over');
    take(event.dataTransfer);
});
at('controls').addEventListener('submit', (event) => event.preventDefault());
at('scale').addEventListener('change', enlarge);
at('model').addEventListener('change', enlarge);
at('stop').addEventListener('click', () => stopping?.abort());
at('actual').addEventListener('change', () => at('stage').classList.toggle('actual', at('actual').checked));
at('download').addEventListener('click', () => download().catch((error) => tell(`The picture cannot be saved: ${error.message}`, true)));
at('sample').addEventListener('click', async () => open(await (await fetch('sample.png')).blob(), 'sample.png'));

try {
    upscaler = await Upscaler.create();
    at('model').replaceChildren(...upscaler.models.map((model) => new Option(model)));
    const terms = upscaler.models.map((model) => [model, upscaler.license(model)]).filter(([, license]) => license !== '');
    at('terms').textContent = terms.map(([model, license]) => `Network ${model}: ${license}.`).join(' ');
    tell('Ready.');
    upscaler.device.lost.then(({ message, reason }) => {
        if (reason !== 'destroyed') tell(`The graphics device was lost: ${message} Reload the page to go on.`, true);
    });
    await enlarge();
} catch (error) {
    for (const control of at('controls').querySelectorAll('input, select, button')) control.disabled = true;
    tell(`${error.message}. The page needs a current Chrome, Edge, Safari or Firefox with WebGPU.`, true);
}
