# Writes a three-layer network as state dicts in all forms that PyTorch has, as checkpoints and as safetensors.
import collections
import torch

torch.manual_seed(1)


class Conv(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, 8, 9, padding=4)
        self.conv2 = torch.nn.Conv2d(8, 4, 1)
        self.conv3 = torch.nn.Conv2d(4, 1, 5, padding=2)


class Words(torch.nn.Module):
    def __init__(self, of):
        super().__init__()
        self.features = torch.nn.Sequential(of.conv1, torch.nn.ReLU())
        self.map = torch.nn.Sequential(of.conv2, torch.nn.ReLU())
        self.reconstruction = of.conv3


conv = Conv()
places = torch.nn.Sequential(conv.conv1, torch.nn.ReLU(), conv.conv2, torch.nn.ReLU(), conv.conv3)
modules = {"conv": conv, "words": Words(conv), "places": places, "parallel": torch.nn.DataParallel(Words(conv))}
for name, module in modules.items():
    for form, new in [("zip", True), ("legacy", False)]:
        torch.save(module.state_dict(), f"{name}_{form}.pth", _use_new_zipfile_serialization=new)
# As ONNX; by default the weights go to a file beside it.
try:
    torch.onnx.export(places, (torch.rand(1, 1, 20, 20),), "exported.onnx", verbose=False)
except ImportError:
    pass
# A checkpoint with an optimizer that has run.
optimizer = torch.optim.Adam(conv.parameters())
places(torch.rand(1, 1, 20, 20)).sum().backward()
before = collections.OrderedDict((k, v.clone()) for k, v in conv.state_dict().items())
optimizer.step()
checkpoint = {"epoch": 3, "best_psnr": 30.5, "optimizer": optimizer.state_dict(), "note": None}
for form, new in [("zip", True), ("legacy", False)]:
    torch.save({**checkpoint, "state_dict": before}, f"checkpoint_{form}.pth", _use_new_zipfile_serialization=new)
torch.save({"model": before, "history": [1, 2.5, True]}, "protocol4.pth", pickle_protocol=4)
torch.save({k: torch.nn.Parameter(v) for k, v in before.items()}, "parameters.pth")
# Views: layouts in which neighbors do not lie side by side.
torch.save({k: v.to(memory_format=torch.channels_last) if v.dim() == 4 else v for k, v in before.items()}, "views.pth")
for kind in ["float16", "bfloat16", "float64"]:
    torch.save({k: v.to(getattr(torch, kind)) for k, v in before.items()}, f"{kind}.pth")
# Refused.
torch.save(conv, "whole.pth")


class Hostile:
    def __reduce__(self):
        return print, ("this must not run",)


torch.save({"state_dict": before, "extra": Hostile()}, "hostile.pth")
# What they stand for.
with open("expected.txt", "w") as out:
    for value in before.values():
        print(" ".join(str(v) for v in value.flatten().view(torch.int32).tolist()), file=out)
try:
    from safetensors.torch import save_file
    save_file(dict(Words(conv).state_dict()), "words.safetensors")
except ImportError:
    pass
