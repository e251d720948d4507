#!/usr/bin/env bash
# AMD's compiler in Mesa (ACO, the RADV driver) takes sums of 16 bits apart at the head of a loop, two moves for each pair.
#
# A kernel adds products to four f16vec4, two of which an instruction handles at once (v_pk_fma_f16). When these sums live on
# from turn to turn of a loop, each pair of them is split into two registers where the loop begins and put together again in
# every turn: with four products a turn, half as many moves as multiply-adds. The fewer products a turn has, the more of the gain
# of half precision goes into moves, and nothing tells so.
# Sums that begin from nothing in each turn and are added to sums of 32 bits are never split, and the additions become mixed
# multiply-adds (v_fma_mix_f32), which cost no conversion.
#
# Seen with Mesa 22.3.6 for navi21, a Radeon RX 6800 that need not be there; vector instructions of a turn of 64 products:
#   sums carried in 16 bits     32 packed multiply-adds, 16 moves
#   fresh in each turn          24 packed multiply-adds and 8 packed products, 16 mixed multiply-adds, 0 moves
#
# Needs Debian's or Ubuntu's mesa-vulkan-drivers, libvulkan1, glslang-tools, and python3 with venv; on another version of Mesa it
# says which. Ends with 1 if one of these counts is another one.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check vulkan==1.3.275.1

cat > sums.comp <<'GLSL'
#version 450
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_EXT_shader_16bit_storage : require
layout(local_size_x = 64) in;
layout(std430, binding = 0) readonly buffer Pixels { f16vec4 pixels[]; };
layout(std430, binding = 1) readonly buffer Weights { f16vec4 weights[]; };
layout(std430, binding = 2) writeonly buffer Sums { vec4 sums[]; };
layout(std430, binding = 3) readonly buffer Length { uint turns; };

#ifdef CARRIED
#define SUM f16vec4
#else
#define SUM vec4
#endif

void main() {
    uint lane = gl_GlobalInvocationID.x;
    SUM a = SUM(0), b = SUM(0), c = SUM(0), d = SUM(0);
    for (uint turn = 0; turn < turns; turn++) {
        uint at = 4 * turn;
        f16vec4 p0 = pixels[at * 64 + lane], p1 = pixels[(at + 1) * 64 + lane];
        f16vec4 p2 = pixels[(at + 2) * 64 + lane], p3 = pixels[(at + 3) * 64 + lane];
        f16vec4 w0 = weights[at], w1 = weights[at + 1], w2 = weights[at + 2], w3 = weights[at + 3];
#ifdef CARRIED
#define PRODUCTS(s, v) s = s + p0 * w0.v + p1 * w1.v + p2 * w2.v + p3 * w3.v
#else
#define PRODUCTS(s, v) s += vec4(p0 * w0.v + p1 * w1.v + p2 * w2.v + p3 * w3.v)
#endif
        PRODUCTS(a, x);
        PRODUCTS(b, y);
        PRODUCTS(c, z);
        PRODUCTS(d, w);
    }
    sums[4 * lane] = vec4(a);
    sums[4 * lane + 1] = vec4(b);
    sums[4 * lane + 2] = vec4(c);
    sums[4 * lane + 3] = vec4(d);
}
GLSL
glslangValidator -V -DCARRIED sums.comp -o carried.spv >/dev/null
glslangValidator -V sums.comp -o fresh.spv >/dev/null

cat > count.py <<'PYTHON'
import collections, os, re, sys, vulkan as vk

instance = vk.vkCreateInstance(vk.VkInstanceCreateInfo(pApplicationInfo=vk.VkApplicationInfo(apiVersion=vk.VK_MAKE_VERSION(1, 3, 0))), None)
card = vk.vkEnumeratePhysicalDevices(instance)[0]
driver = vk.VkPhysicalDeviceDriverProperties()
vk.vkGetPhysicalDeviceProperties2(card, vk.VkPhysicalDeviceProperties2(pNext=driver))
half = vk.VkPhysicalDeviceVulkan12Features(shaderFloat16=1)
storage = vk.VkPhysicalDeviceVulkan11Features(pNext=half, storageBuffer16BitAccess=1)
device = vk.vkCreateDevice(card, vk.VkDeviceCreateInfo(
    pNext=vk.VkPhysicalDeviceFeatures2(pNext=storage, features=vk.VkPhysicalDeviceFeatures()),
    pQueueCreateInfos=[vk.VkDeviceQueueCreateInfo(queueFamilyIndex=0, queueCount=1, pQueuePriorities=[1.0])]), None)
bindings = [vk.VkDescriptorSetLayoutBinding(binding=n, descriptorType=vk.VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
            descriptorCount=1, stageFlags=vk.VK_SHADER_STAGE_COMPUTE_BIT) for n in range(4)]
layout = vk.vkCreatePipelineLayout(device, vk.VkPipelineLayoutCreateInfo(
    pSetLayouts=[vk.vkCreateDescriptorSetLayout(device, vk.VkDescriptorSetLayoutCreateInfo(pBindings=bindings), None)]), None)
code = open(sys.argv[1], 'rb').read()
module = vk.vkCreateShaderModule(device, vk.VkShaderModuleCreateInfo(codeSize=len(code), pCode=code), None)
stage = vk.VkPipelineShaderStageCreateInfo(stage=vk.VK_SHADER_STAGE_COMPUTE_BIT, module=module, pName='main')
listing = open('listing', 'w+')
os.dup2(listing.fileno(), 2)
vk.vkCreateComputePipelines(device, None, 1, vk.VkComputePipelineCreateInfo(stage=stage, layout=layout), None)
text = open('listing').read()
turn = max((collections.Counter(re.findall(r'^\s+(v_\w+)', block, re.M)) for block in
            re.split(r'^BB\d+:', text[text.rfind('disasm:'):], flags=re.M)), key=lambda count: count['v_pk_fma_f16'])
moves = sum(count for name, count in turn.items() if name.startswith(('v_mov', 'v_perm', 'v_pack', 'v_and', 'v_lshrrev_b32', 'v_alignbyte')))
name = driver.driverInfo if isinstance(driver.driverInfo, str) else vk.ffi.string(driver.driverInfo).decode()
print(f"{name}, {sys.argv[1].removesuffix('.spv')}: {turn['v_pk_fma_f16']} packed, {turn['v_pk_mul_f16']} products, "
      f"{turn['v_fma_mix_f32']} mixed, {moves} moves")
PYTHON

icd="$(compgen -G '/usr/share/vulkan/icd.d/radeon_icd*.json' | head -1)"
for kernel in carried fresh; do
    env RADV_FORCE_FAMILY=navi21 RADV_DEBUG=shaders,nocache MESA_SHADER_CACHE_DISABLE=true VK_DRIVER_FILES="$icd" \
        VK_ICD_FILENAMES="$icd" venv/bin/python count.py "$kernel.spv"
done | tee told

for answer in 'Mesa 22.3.6, carried: 32 packed, 0 products, 0 mixed, 16 moves' \
    'Mesa 22.3.6, fresh: 24 packed, 8 products, 16 mixed, 0 moves'; do
    grep -qx "$answer" told || { echo "changed: no longer '$answer'"; exit 1; }
done
echo "as it was"
