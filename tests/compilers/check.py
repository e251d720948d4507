#!/usr/bin/env python3
"""Puts every kernel through the compilers of GPUs that are not here.

    python3 tests/compilers/check.py target/release/srcnn-gpu [--update] [--table] [--fxc] [--only TEXT]

The program writes its kernels (`shaders --training`, for 9-1-5, 9-5-5 and what 9-5-5-5 adds); then Tint (Chromium's WebGPU), spirv-val, glslang, DXC
(Direct3D 12, under Wine) and AMD's compiler (Mesa's RADV, for four families of cards) take them. Nothing is run. A kernel that one
of them refuses is an error, and so are other registers, spills or instructions of the inner loop on AMD than amd.csv has:
--update writes that file anew, for a change that is meant; with --only, the lines of these kernels. It holds for one version of
Mesa; with another one, only spilled registers where that one has none are errors. --table prints its figures, --fxc the seconds that
FXC takes, the compiler that Direct3D 12 has where DXC's library is missing.

Compilers are looked for in the folder named by COMPILERS, else in target/compilers; `install.sh` fills it. One that is not there is
skipped, and the last line says so.
"""

import argparse
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent
FAMILIES = ("navi21", "gfx1100", "vega10", "polaris10")
# Radeons of these families have no packed half-precision arithmetic.
WITHOUT_HALF = ("polaris10",)
# Filter sizes and counts, and what the names of the kernels hold that are checked: of a deeper network those that the others have not.
NETWORKS = (("9-1-5", "64-32", ""), ("9-5-5", "64-32", ""), ("9-5-5-5", "64-32-32", "conv_winograd_layer"))
FIGURES = ("registers", "spilled", "spilled scalars", "waves", "vector", "fma", "packed", "moves")


def export(program, folder):
    """The kernels of all networks in all languages: {language: {variant: path}}."""
    kernels = {}
    for language in ("wgsl", "spirv", "hlsl", "glsl"):
        for network, filters, part in NETWORKS:
            to = folder / language / network
            command = [program, "shaders", "--language", language, "-o", to, "--arch", network, "--filters", filters, "--training"]
            written = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
            names = {f"{network}/{pathlib.Path(path).stem}": path for path in written}
            kernels.setdefault(language, {}).update({name: path for name, path in names.items() if part in name})
    return kernels


def lines(command, paths, **options):
    """What a command prints about the files given to it, in two processes."""
    half = (len(paths) + 1) // 2
    with ThreadPoolExecutor(2) as pool:
        parts = [part for part in (paths[:half], paths[half:]) if part]
        run = lambda part: subprocess.run([*command, *part], capture_output=True, text=True, **options)
        done = list(pool.map(run, parts))
    for one in done:
        if one.returncode:
            raise SystemExit(f"error: {command[0]} failed: {(one.stdout + one.stderr)[-2000:]}")
    return [line for one in done for line in one.stdout.splitlines()]


def tint(kernels, compilers):
    """Kernels that Tint refuses, with its message."""
    names = {path: name for name, path in kernels["wgsl"].items()}
    command = ["node", HERE / "tint.mjs"]
    told = [json.loads(line) for line in lines(command, list(names), env={**os.environ, "COMPILERS": str(compilers)})]
    assert len(told) == len(names), "Tint gave no answer for some kernels"
    return len(told), [f"{names[one['path']]}: {one['error']}" for one in told if one["error"]]


def one_by_one(command, kernels):
    """Kernels that a command refuses, which takes one file."""
    refused = []
    with ThreadPoolExecutor(2) as pool:
        run = lambda item: (item[0], subprocess.run([*command, item[1]], capture_output=True, text=True))
        for name, done in pool.map(run, kernels.items()):
            if done.returncode:
                refused.append(f"{name}: {(done.stdout + done.stderr).strip().splitlines()[-1]}")
    return len(kernels), refused


def windows(library, kernels, compilers):
    """(name, seconds, bytes, message) of each HLSL file by a Windows compiler. Its model follows from the kernel."""
    models = {}
    for name, path in kernels["hlsl"].items():
        text = pathlib.Path(path).read_text()
        half, subgroups = "float16_t" in text or "half" in text, "WaveReadLaneAt" in text
        stage = "ps" if "SV_Target" in text else "cs"
        if library == "d3dcompiler_47.dll":
            model = None if half or subgroups else f"{stage}_5_1"
        else:
            model = f"{stage}_6_2" if half else f"{stage}_6_0"
        if model:
            models.setdefault(model, {})[path] = name
    environment = {
        **os.environ,
        "WINEPREFIX": str(compilers / "wine"),
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "d3dcompiler_47=n",
    }
    found = []
    for model, names in models.items():
        command = [wine(), compilers / "hlsl.exe", library, model]
        for line in lines(command, list(names), env=environment, cwd=compilers):
            path, seconds, size, message = line.rstrip("\r").split("\t", 3)
            found.append((names[path], float(seconds), int(size), message))
    return found


def wine():
    """Debian keeps it away from PATH."""
    places = [pathlib.Path(place) for place in ("/usr/lib/wine/wine64", "/usr/bin/wine64", "/usr/bin/wine")]
    return next((place for place in places if place.exists()), None)


def dxc(kernels, compilers):
    """Kernels that DXC refuses."""
    found = windows("dxcompiler.dll", kernels, compilers)
    return len(found), [f"{name}: {message}" for name, _, size, message in found if size == 0]


def amd(kernels, compilers):
    """{(kernel, family): figures} of the compute kernels that GPUs are sent, with one padding: the others differ outside the inner loop."""
    software = ("-subgroup8", "conv_winograd", "training-software")
    left_out = ("-zero", "-normalized", "render_from_planes", *software)
    names = {path: name for name, path in kernels["spirv"].items() if not any(part in name for part in left_out)}
    table = {}
    for family in FAMILIES:
        paths = [path for path in names if not (family in WITHOUT_HALF and names[path].endswith("f16"))]
        command = [compilers / "python/bin/python", HERE / "amd.py", family]
        for line in lines(command, paths):
            told = json.loads(line)
            table[names[told["path"]], family] = {figure: told.get(figure, 0) for figure in FIGURES}
    return table


def driver(compilers):
    """The version of Mesa."""
    command = [compilers / "python/bin/python", HERE / "amd.py", FAMILIES[0]]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def stored():
    """The version of Mesa that amd.csv is for, and its figures."""
    with (HERE / "amd.csv").open(newline="") as file:
        version = file.readline().removeprefix("# ").strip()
        rows = list(csv.DictReader(file))
    return version, {(row["kernel"], row["family"]): {figure: int(row[figure]) for figure in FIGURES} for row in rows}


def store(version, table):
    """Writes amd.csv."""
    with (HERE / "amd.csv").open("w", newline="") as file:
        print(f"# {version}", file=file)
        writer = csv.DictWriter(file, ("kernel", "family", *FIGURES), lineterminator="\n")
        writer.writeheader()
        for (kernel, family), figures in sorted(table.items()):
            writer.writerow({"kernel": kernel, "family": family, **figures})


def differences(table, before, same_driver):
    """Kernels whose figures are others than before; with another driver, those that spill and did not."""
    for key in sorted(table.keys() | before.keys()):
        now, then = table.get(key), before.get(key)
        spills = now and then and now["spilled"] > 0 == then["spilled"]
        if spills or same_driver and now != then:
            yield f"{key[0]} on {key[1]}: {told(then)} before, {told(now)} now"


def told(figures):
    return "none" if figures is None else " ".join(f"{name}={value}" for name, value in figures.items() if value)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--fxc", action="store_true")
    parser.add_argument("--only", default="", help="kernels whose names hold this text")
    arguments = parser.parse_args()
    compilers = pathlib.Path(os.environ.get("COMPILERS", "target/compilers")).resolve()
    problems, skipped = [], []
    with tempfile.TemporaryDirectory() as folder:
        kernels = export(arguments.program.resolve(), pathlib.Path(folder))
        if arguments.only:
            kernels = {
                language: {name: path for name, path in names.items() if arguments.only in name}
                for language, names in kernels.items()
            }
        present = {
            "Tint": (compilers / "node_modules/webgpu").exists(),
            "spirv-val": runs("spirv-val"),
            "glslang": runs("glslangValidator"),
            "DXC": wine() is not None and (compilers / "dxcompiler.dll").exists() and (compilers / "hlsl.exe").exists(),
            "RADV": (compilers / "python").exists() and pathlib.Path("/usr/share/vulkan/icd.d/radeon_icd.x86_64.json").exists(),
        }
        checks = {
            "Tint": lambda: tint(kernels, compilers),
            "spirv-val": lambda: one_by_one(["spirv-val", "--target-env", "vulkan1.1"], kernels["spirv"]),
            # Files end in comp or frag.
            "glslang": lambda: one_by_one(["glslangValidator"], kernels["glsl"]),
            "DXC": lambda: dxc(kernels, compilers),
        }
        for name, check in checks.items():
            if not present[name]:
                skipped.append(name)
                continue
            count, refused = check()
            print(f"{name}: {count - len(refused)} kernels passed, {len(refused)} refused", flush=True)
            problems += [f"{name}: {one}" for one in refused]
        if arguments.fxc:
            found = windows("d3dcompiler_47.dll", kernels, compilers)
            for name, seconds, size, message in sorted(found, key=lambda one: -one[1]):
                print(f"FXC {seconds:8.2f} s {size:8} bytes {name} {message}")
        if not present["RADV"]:
            skipped.append("RADV")
        else:
            table = amd(kernels, compilers)
            if arguments.table:
                for (kernel, family), figures in sorted(table.items()):
                    print(family, kernel, told(figures))
            here = driver(compilers)
            version, before = stored()
            if arguments.update:
                kept = {key: figures for key, figures in before.items() if arguments.only not in key[0]}
                store(here, {**kept, **table})
                version, before = stored()
            before = {key: figures for key, figures in before.items() if arguments.only in key[0]}
            changed = list(differences(table, before, here == version))
            print(f"RADV, {here}: {len(table)} kernels for {len(FAMILIES)} families, "
                  f"{len(changed)} with other figures than amd.csv, which is for {version}")
            problems += [f"RADV: {one}" for one in changed]
    for problem in problems:
        print(problem, file=sys.stderr)
    print("all compilers were there" if not skipped else f"skipped, not there: {', '.join(skipped)}")
    sys.exit(1 if problems else 0)


def runs(program):
    """Whether a program is on PATH."""
    return any((pathlib.Path(folder) / program).exists() for folder in os.environ["PATH"].split(os.pathsep))


if __name__ == "__main__":
    main()
