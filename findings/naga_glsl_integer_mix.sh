#!/usr/bin/env bash
# naga writes GLSL that its own #version line does not allow: mix() of integers, where WGSL selects between integer vectors.
#
# GLSL 4.30 has mix() with a vector of booleans for floats only. For integers it came with GLSL 4.50, or earlier with the
# extension GL_EXT_shader_integer_mix. naga turns each select() with a vector of conditions into mix(), whatever is selected,
# and names neither the extension nor a later version. It reports no error; the compiler that gets the text does.
# A select of single integers is safe (it becomes `? :`), and so is one of float vectors. But the word select need not even
# be there: countLeadingZeros of a vector of signed integers is written with the same mix().
#
# Seen with naga 30.0.0 (rustc 1.95.0) and glslangValidator 11:12.0.0 (Debian 12):
#   float vectors, single integers                     accepted as GLSL 4.30
#   integer vectors, unsigned vectors, leading zeros   refused ("'mix' : required extension not requested:
#                                                      GL_EXT_shader_integer_mix"), accepted once the extension is required
#
# Needs cargo and glslangValidator (Debian's package glslang-tools). Ends with 1 if one of the answers is another one.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cargo new --quiet --vcs none write
cd write
cargo add --quiet naga@=30.0.0 --features wgsl-in,glsl-out
cat > src/main.rs <<'RUST'
use naga::back::glsl;
use naga::valid::{Capabilities, ValidationFlags, Validator};

fn main() {
    let text = std::io::read_to_string(std::io::stdin()).unwrap();
    let module = naga::front::wgsl::parse_str(&text).unwrap();
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(&module).unwrap();
    let options = glsl::Options { version: glsl::Version::Desktop(430), ..Default::default() };
    let entry = "main".to_string();
    let pipeline = glsl::PipelineOptions { shader_stage: naga::ShaderStage::Compute, entry_point: entry, multiview: None };
    let mut out = String::new();
    let policies = naga::proc::BoundsCheckPolicies::default();
    glsl::Writer::new(&mut out, &module, &info, &options, &pipeline, policies).unwrap().write().unwrap();
    print!("{out}");
}
RUST
nice cargo build --quiet
cd ..

changed=0
# what is computed; the type of the values; the expression of WGSL; the answers without and with the extension
ask() {
    write/target/debug/write > "$1.comp" <<WGSL
@group(0) @binding(0) var<storage, read_write> values: array<$2>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let value = values[id.x];
    values[id.x] = $3;
}
WGSL
    sed 's/^#version .*/&\n#extension GL_EXT_shader_integer_mix : require/' "$1.comp" > "$1-extension.comp"
    grep '^    .*\[id.x\] = ' "$1.comp" | sed "s/^ *[^=]*=/$1:/"
    for name in "$1" "$1-extension"; do
        if glslangValidator "$name.comp" > told; then
            answer=accepts
        elif grep -q "'mix' : required extension not requested: GL_EXT_shader_integer_mix" told; then
            answer=refuses
        else
            answer=other
            cat told
        fi
        echo "    $name.comp: $answer"
        case "$name" in *-extension) expected="$5" ;; *) expected="$4" ;; esac
        [ "$answer" = "$expected" ] || { echo "changed: no longer '$expected'"; changed=1; }
    done
}
ask floats vec4f 'select(value, vec4f(0), value < vec4f(0))' accepts accepts
ask single i32 'select(value, 0, value < 0)' accepts accepts
ask integers vec4i 'select(value, vec4i(0), value < vec4i(0))' refuses accepts
ask unsigned vec4u 'select(value, vec4u(9), value > vec4u(9))' refuses accepts
ask zeros vec4i 'countLeadingZeros(value)' refuses accepts
[ "$changed" = 0 ] || exit 1
echo "as it was"
