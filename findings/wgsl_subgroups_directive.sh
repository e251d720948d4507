#!/usr/bin/env bash
# One WGSL text cannot serve both compilers when a kernel shuffles values in a subgroup.
#
# The standard wants `enable subgroups;` before subgroupShuffle is used. Chromium's compiler (Tint, from the npm package webgpu)
# insists on it. naga 30, which wgpu 30 compiles WGSL with, knows the directive, calls it not yet supported and refuses the
# file; without the directive it takes the built-in functions. So a text for both has to be changed on the way to one of them.
#
# Seen with naga 30.0.0 (rustc 1.95.0) and webgpu 0.6.2 (Node.js 20.20):
#   without the directive: naga accepts, Tint refuses ("cannot call built-in function 'subgroupShuffle' without extension")
#   with the directive:    naga refuses ("not yet supported"), Tint accepts
#
# Needs cargo, node and npm. Ends with 1 if one of the four answers is another one.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > without.wgsl <<'WGSL'
@group(0) @binding(0) var<storage, read_write> values: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    values[id.x] = subgroupShuffle(values[id.x], 0u);
}
WGSL
{ echo 'enable subgroups;'; cat without.wgsl; } > with.wgsl

cargo new --quiet --vcs none parse
cd parse
cargo add --quiet naga@=30.0.0 --features wgsl-in
cat > src/main.rs <<'RUST'
fn main() {
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).unwrap();
        match naga::front::wgsl::parse_str(&text) {
            Ok(_) => println!("naga {path} accepts"),
            Err(error) => println!("naga {path} refuses: {}", error.emit_to_string(&text).lines().next().unwrap()),
        }
    }
}
RUST
cargo build --quiet
cd ..
parse/target/debug/parse without.wgsl with.wgsl | tee told

npm install --silent --no-audit --no-fund --prefix . webgpu@0.6.2
cat > tint.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { create } from 'webgpu';
const gpu = create(['backend=null']);
const adapter = await gpu.requestAdapter();
const device = await adapter.requestDevice({ requiredFeatures: ['subgroups'] });
for (const path of process.argv.slice(2)) {
  device.pushErrorScope('validation');
  const { messages } = await device.createShaderModule({ code: readFileSync(path, 'utf8') }).getCompilationInfo();
  await device.popErrorScope();
  const error = messages.find(({ type }) => type === 'error');
  console.log(`Tint ${path} ${error ? `refuses: ${error.message.split('\n')[0]}` : 'accepts'}`);
}
device.destroy();
JS
node tint.mjs without.wgsl with.wgsl | tee -a told

for answer in 'naga without.wgsl accepts' 'naga with.wgsl refuses' 'Tint without.wgsl refuses' 'Tint with.wgsl accepts'; do
    grep -q "^$answer" told || { echo "changed: no longer '$answer'"; exit 1; }
done
echo "as it was"
