// The module of `export web` against onnxruntime-web's WebGPU backend with the exported ONNX file: one page, one adapter, one
// picture, in turns. The runtime gets luminance alone, with --enlarged also once what is enlarged before; the module does all, in color.
//
//     node benches/peers/browser/run.mjs target/release/srcnn-gpu [--gpu] [--model small] [--size 640x360] [--repeat 5] [--enlarged] [--kernels]
//
// --kernels times the module's own kernels beside each other instead. onnxruntime-web is installed into a temporary folder. WebGPU runs in software (SwiftShader) unless --gpu is given. CHROMIUM names
// the browser.

import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const RUNTIME = 'onnxruntime-web@1.30.0';
const TYPES = {
    '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.json': 'application/json', '.wasm': 'application/wasm',
};

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
        gpu: { type: 'boolean' },
        enlarged: { type: 'boolean' },
        kernels: { type: 'boolean' },
        model: { type: 'string', default: 'small' },
        size: { type: 'string', default: '640x360' },
        repeat: { type: 'string', default: '5' },
    },
});
const program = resolve(positionals[0] ?? 'target/release/srcnn-gpu');
const folder = mkdtempSync(join(tmpdir(), 'srcnn-browser-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

execFileSync(program, ['export', 'web', '-m', values.model, '-o', join(folder, 'site')]);
for (const enlarges of ['bicubic', 'none']) {
    execFileSync(program, ['export', 'onnx', '-m', values.model, '-s', '2', '--with', enlarges, '-o', join(folder, 'site', `${enlarges}.onnx`)]);
}
execFileSync('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', RUNTIME], { stdio: 'ignore' });
cpSync(join(dirname(fileURLToPath(import.meta.url)), 'page.html'), join(folder, 'site', 'bench.html'));
cpSync(join(folder, 'node_modules', 'onnxruntime-web', 'dist'), join(folder, 'site', 'ort'), { recursive: true });

let browser;
const server = createServer((request, response) => {
    // What WebAssembly needs for threads.
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    const path = new URL(request.url, 'http://localhost').pathname;
    if (request.method === 'POST') {
        let text = '';
        request.on('data', (part) => (text += part));
        request.on('end', () => {
            response.end();
            if (path === '/said') return console.error(text);
            tell(JSON.parse(text));
            browser.removeAllListeners('exit');
            browser.kill();
            server.close();
            process.exit(0);
        });
        return;
    }
    try {
        const bytes = readFileSync(join(folder, 'site', path));
        response.writeHead(200, { 'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(bytes);
    } catch {
        response.writeHead(404).end();
    }
});

function tell({ adapter, error, difference, results }) {
    if (error !== undefined) throw new Error(error);
    console.log(`${adapter}, ${values.model} network, ${values.size} by 2, grey picture, ${values.repeat} runs in turns`);
    const median = (times) => [...times].sort((a, b) => a - b)[times.length >> 1];
    for (const { name, first, times } of results) {
        const ratio = median(times) / median(results[0].times);
        console.log(
            `${name.padEnd(44)} median ${median(times).toFixed(0)} ms, fastest ${Math.min(...times).toFixed(0)} ms, `
            + `${ratio.toFixed(1)} times ours; compiling, with a small picture ${first.toFixed(0)} ms`,
        );
    }
    console.log(`the first two differ by at most ${difference.toFixed(2)} steps of 8 bits`);
}

server.listen(0, '127.0.0.1', () => {
    const adapter = values.gpu ? [] : ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
    const flags = ['enlarged', 'kernels'].filter((name) => values[name]).map((name) => `&${name}`).join('');
    browser = spawn(process.env.CHROMIUM ?? 'chromium', [
        '--headless', '--no-sandbox', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
        '--disable-quic', ...adapter, `--user-data-dir=${join(folder, 'profile')}`,
        `http://127.0.0.1:${server.address().port}/bench.html?size=${values.size}&repeat=${values.repeat}${flags}`,
    ], { stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    browser.stderr.on('data', (part) => (log = (log + part).slice(-4000)));
    browser.on('exit', (code, signal) => {
        console.error(`the browser ended by itself: ${signal ?? code}\n${log}`);
        process.exit(1);
    });
});
