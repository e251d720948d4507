"""Processes and threads: fork, Ctrl-C, the GIL, memory."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from conftest import picture

import srcnn_gpu

is_posix = pytest.mark.skipif(os.name != "posix", reason="forks and signals of POSIX")


@is_posix
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forks_are_told(upscaler):
    small = picture(8, 8)
    network = srcnn_gpu.Upscaler()
    network.upscale(small, 2)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            network.upscale(small, 2)
        except srcnn_gpu.ForkError as error:
            code = 0 if "made by process" in str(error) else 2
        finally:
            # To let go of it must not wait for the driver.
            del network
            os._exit(code)
    for _ in range(300):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            break
        time.sleep(0.1)
    else:
        os.kill(child, signal.SIGKILL)
        pytest.fail("the child hangs")
    assert os.waitstatus_to_exitcode(status) == 0
    network.upscale(small, 2)


INTERRUPTED = """
import sys, time, numpy, srcnn_gpu
network = srcnn_gpu.Upscaler(tile=64)
picture = numpy.random.default_rng(0).integers(0, 256, (2000, 2000, 3), numpy.uint8)
network.upscale(picture[:40, :40], 3)
print("ready", flush=True)
try:
    network.upscale(picture, 3)
except KeyboardInterrupt:
    assert network.upscale(picture[:40, :40], 3).shape == (120, 120, 3)
    print("stopped", flush=True)
"""


@is_posix
def test_ctrl_c_ends_a_long_picture(upscaler):
    child = subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    time.sleep(0.7)
    begun = time.monotonic()
    child.send_signal(signal.SIGINT)
    assert child.stdout.readline() == "stopped\n"
    assert time.monotonic() - begun < 5
    assert child.wait(30) == 0


def test_the_gil_is_released(upscaler):
    small = picture(160, 160, 3)
    upscaler.upscale(small, 3)
    count, done = 0, threading.Event()

    def work():
        upscaler.upscale(small, 3)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not done.is_set():
        count += 1
        time.sleep(0.0005)
    thread.join()
    assert count > 5


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_memory_stays(upscaler):
    pictures = [picture(64 + size, 80, 3, np.uint8) for size in range(2)]

    def rounds(count):
        for index in range(count):
            upscaler.upscale(pictures[index % 2], 3)
            upscaler.upscale(pictures[index % 2][..., 0].astype(np.float32) / 255, 2)
        return resident()

    before = rounds(40)
    # A picture's result alone is 46 KB; a leak of it would be 7 MB.
    assert rounds(150) - before < 4 << 20
