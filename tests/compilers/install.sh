#!/usr/bin/env bash
# Fetches the compilers that check.py looks for into a folder: tests/compilers/install.sh FOLDER. As root on Debian or Ubuntu it
# installs the packages it needs; without that, what can be had is there, and check.py says what it skips.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
folder="${1:?name a folder}"
mkdir -p "$folder"
cd "$folder"

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    packages=(spirv-tools glslang-tools wine64 gcc-mingw-w64-x86-64 mesa-vulkan-drivers libvulkan1 python3-venv)
    dpkg -s "${packages[@]}" >/dev/null 2>&1 || {
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
    }
fi
if command -v npm >/dev/null && [ ! -d node_modules/webgpu ]; then
    # Dawn for Node.js: Tint, and the Windows compilers of its Windows build.
    npm install --silent --no-audit --no-fund --prefix . webgpu@0.6.2 || echo "npm cannot fetch webgpu: no Tint, no DXC"
fi
if [ -d node_modules/webgpu ] && command -v x86_64-w64-mingw32-gcc >/dev/null; then
    cp node_modules/webgpu/dist/win32-x64/{dxcompiler,d3dcompiler_47}.dll .
    x86_64-w64-mingw32-gcc -O1 -o hlsl.exe "$here/hlsl.c"
    # The first start makes Wine's folder; two at once would disturb each other.
    for wine in /usr/lib/wine/wine64 /usr/bin/wine64; do
        [ -x "$wine" ] && [ ! -d wine ] && WINEPREFIX="$PWD/wine" WINEDEBUG=-all "$wine" hlsl.exe >/dev/null 2>&1 || true
    done
fi
if [ ! -d python ]; then
    python3 -m venv python && python/bin/pip install --quiet --disable-pip-version-check vulkan==1.3.275.1 ||
        { rm -rf python; echo "pip cannot fetch the Vulkan bindings: no RADV"; }
fi
