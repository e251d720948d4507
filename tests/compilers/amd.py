"""What AMD's compiler in Mesa's RADV makes of SPIR-V kernels, without the hardware: amd.py FAMILY FILE...

Prints a line of JSON for each file: its path, vector registers, spilled vector and scalar registers, waves a SIMD, and, of the
block of the code with most multiply-adds, which is the inner loop in all kernels that matter, the number of vector
instructions, fused multiply-adds, packed ones (two products each) and moves. Without files it prints the driver's version. RADV
compiles for a card that is not there; nothing is run.
Needs Mesa's Vulkan drivers, spirv-dis and the package vulkan from PyPI.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

ICD = "/usr/share/vulkan/icd.d/radeon_icd.x86_64.json"
STATISTICS = {"VGPRs": "registers", "Spilled VGPRs": "spilled", "Spilled SGPRs": "spilled scalars", "Subgroups per SIMD": "waves"}
CAPTURE_STATISTICS = 0x40


def descriptor_types(vk, path):
    """The descriptor type of each binding, by set."""
    text = subprocess.run(["spirv-dis", "--raw-id", "--no-header", path], capture_output=True, text=True, check=True).stdout
    sampled = dict(re.findall(r"(%\d+) = OpTypeImage (?:\S+ ){5}(\d)", text))
    pointed = {name: (storage, to) for name, storage, to in re.findall(r"(%\d+) = OpTypePointer (\w+) (%\d+)", text)}
    sets = dict(re.findall(r"OpDecorate (%\d+) DescriptorSet (\d+)", text))
    numbers = dict(re.findall(r"OpDecorate (%\d+) Binding (\d+)", text))
    types = {}
    for name, pointer in re.findall(r"(%\d+) = OpVariable (%\d+) ", text):
        if name not in numbers:
            continue
        storage, to = pointed[pointer]
        if to in sampled:
            kind = vk.VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE if sampled[to] == "1" else vk.VK_DESCRIPTOR_TYPE_STORAGE_IMAGE
        elif storage == "Uniform":
            kind = vk.VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER
        else:
            kind = vk.VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
        types.setdefault(int(sets[name]), {})[int(numbers[name])] = kind
    return types


class Device:
    """A device of a family of cards."""

    def __init__(self, vk):
        self.vk = vk
        info = vk.VkApplicationInfo(apiVersion=vk.VK_MAKE_VERSION(1, 3, 0))
        self.instance = vk.vkCreateInstance(vk.VkInstanceCreateInfo(pApplicationInfo=info), None)
        physical = vk.vkEnumeratePhysicalDevices(self.instance)[0]
        driver = vk.VkPhysicalDeviceDriverProperties()
        vk.vkGetPhysicalDeviceProperties2(physical, vk.VkPhysicalDeviceProperties2(pNext=driver))
        self.driver = driver.driverInfo if isinstance(driver.driverInfo, str) else vk.ffi.string(driver.driverInfo).decode()
        self.device = self.create(physical, half=1) or self.create(physical, half=0)
        self.statistics = vk.vkGetDeviceProcAddr(self.device, "vkGetPipelineExecutableStatisticsKHR")

    def create(self, physical, half):
        """A device with or without 16-bit floats; `None` if the card has none."""
        vk = self.vk
        executables = vk.VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR(pipelineExecutableInfo=1)
        halves = vk.VkPhysicalDeviceVulkan12Features(pNext=executables, shaderFloat16=half)
        features = vk.VkPhysicalDeviceFeatures2(pNext=halves, features=vk.vkGetPhysicalDeviceFeatures(physical))
        queue = vk.VkDeviceQueueCreateInfo(queueFamilyIndex=0, queueCount=1, pQueuePriorities=[1.0])
        create = vk.VkDeviceCreateInfo(
            pNext=features, pQueueCreateInfos=[queue], ppEnabledExtensionNames=["VK_KHR_pipeline_executable_properties"]
        )
        try:
            return vk.vkCreateDevice(physical, create, None)
        except vk.VkErrorFeatureNotPresent:
            return None

    def compile(self, path):
        """The driver's own numbers about a kernel."""
        vk, types = self.vk, descriptor_types(self.vk, path)
        layouts = []
        for group in range(max(types, default=-1) + 1):
            entries = [
                vk.VkDescriptorSetLayoutBinding(
                    binding=number, descriptorType=kind, descriptorCount=1, stageFlags=vk.VK_SHADER_STAGE_COMPUTE_BIT
                )
                for number, kind in sorted(types.get(group, {}).items())
            ]
            create = vk.VkDescriptorSetLayoutCreateInfo(pBindings=entries)
            layouts.append(vk.vkCreateDescriptorSetLayout(self.device, create, None))
        layout = vk.vkCreatePipelineLayout(self.device, vk.VkPipelineLayoutCreateInfo(pSetLayouts=layouts), None)
        with open(path, "rb") as file:
            code = file.read()
        module = vk.vkCreateShaderModule(self.device, vk.VkShaderModuleCreateInfo(codeSize=len(code), pCode=code), None)
        stage = vk.VkPipelineShaderStageCreateInfo(stage=vk.VK_SHADER_STAGE_COMPUTE_BIT, module=module, pName="main")
        create = vk.VkComputePipelineCreateInfo(flags=CAPTURE_STATISTICS, stage=stage, layout=layout)
        made = vk.vkCreateComputePipelines(self.device, None, 1, create, None)
        pipeline = made[0] if hasattr(made, "__getitem__") else made
        info = vk.VkPipelineExecutableInfoKHR(pipeline=pipeline, executableIndex=0)
        found = {}
        for entry in self.statistics(self.device, info):
            name = entry.name if isinstance(entry.name, str) else vk.ffi.string(entry.name).decode()
            if name in STATISTICS:
                found[STATISTICS[name]] = entry.value.u64
        return found


def inner_loop(listing):
    """Counts of instructions in the block with most products, in the last listing that the driver printed."""
    blocks = []
    for line in listing[listing.rfind("disasm:") :].splitlines():
        if re.match(r"\s*BB\d+:", line):
            blocks.append({"vector": 0, "fma": 0, "packed": 0, "moves": 0})
        elif blocks and (found := re.match(r"\s+(v_[a-z0-9_]+)", line)):
            name, counts = found[1], blocks[-1]
            counts["vector"] += 1
            if re.match(r"v_pk_(fma|mad|mac|fmac)_f16", name):
                counts["packed"] += 1
            elif re.match(r"v_(dual_)?(fma|mad|mac|fmac)", name) and "_f" in name.removeprefix("v_f"):
                counts["fma"] += 1
            elif name.startswith(("v_mov", "v_perm", "v_pack", "v_lshrrev_b32", "v_and_b32")):
                counts["moves"] += 1
    return max(blocks, key=lambda counts: (counts["fma"] + 2 * counts["packed"], counts["vector"]), default={})


def main():
    family, paths = sys.argv[1], sys.argv[2:]
    os.environ.update(
        RADV_FORCE_FAMILY=family,
        RADV_DEBUG="shaders,nocache",
        MESA_SHADER_CACHE_DISABLE="true",
        VK_DRIVER_FILES=ICD,
        VK_ICD_FILENAMES=ICD,
    )
    import vulkan

    device = Device(vulkan)
    if not paths:
        print(device.driver)
    for path in paths:
        # The driver writes its listing to the standard error stream.
        with tempfile.TemporaryFile() as listing:
            kept = os.dup(2)
            os.dup2(listing.fileno(), 2)
            try:
                found = device.compile(path)
            finally:
                os.dup2(kept, 2)
                os.close(kept)
            listing.seek(0)
            text = listing.read().decode(errors="replace")
        print(json.dumps({"path": path, **found, **inner_loop(text)}), flush=True)


if __name__ == "__main__":
    main()
