// Puts WGSL files through Tint, the compiler of Chromium's WebGPU: node tint.mjs FILE...
// Prints a line of JSON for each file: its path, and the first error or null. The npm package webgpu has to be found; nothing
// is run on any adapter.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const packages = createRequire(process.env.COMPILERS ? `${process.env.COMPILERS}/` : import.meta.url);
const { create } = await import(packages.resolve('webgpu'));
// Kept in a variable to the end: the adapter does not keep it alive.
const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
const adapter = await gpu.requestAdapter();
const wanted = ['subgroups', 'shader-f16', 'float32-filterable', 'texture-formats-tier1', 'texture-formats-tier2'];
const device = await adapter.requestDevice({ requiredFeatures: wanted.filter((name) => adapter.features.has(name)) });
for (const path of process.argv.slice(2)) {
  device.pushErrorScope('validation');
  const code = readFileSync(path, 'utf8');
  const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
  await device.popErrorScope();
  const error = messages.find(({ type }) => type === 'error');
  console.log(JSON.stringify({ path, error: error ? `line ${error.lineNum}: ${error.message}` : null }));
}
device.destroy();
