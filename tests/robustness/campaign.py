"""The standing campaign: damaged inputs, kills, full disks and many visitors at once.

PYTHONPATH=.:tests/support python tests/robustness/campaign.py [--parts=photos,models,…] [--scale=1.0]

Prints a line of JSON for each part: what was tried, and how often a value was wrong, a traceback was shown, a
photo was dropped in silence, or an ending differed. All of these should be 0. `make campaign` runs it whole,
and the tests run a little of it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import damaged_networks
import damaged_photos
import full_disk
import fuzzing
import kills
import texts
import visitors

PARTS = {
    'photos': damaged_photos.run,
    'models': damaged_networks.models,
    'checkpoints': damaged_networks.checkpoints,
    'texts': texts.run,
    'fuzzing': fuzzing.run,
    'kills': kills.run,
    'full_disk': full_disk.run,
    'visitors': visitors.run,
}


def main() -> None:
    """Runs the parts one after another."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--parts', default=','.join(PARTS), help='with commas between')
    parser.add_argument('--scale', type=float, default=1.0, help='share of the whole size')
    args = parser.parse_args()
    for name in args.parts.split(','):
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix='campaign-', ignore_cleanup_errors=True) as folder:
            figures = PARTS[name](args.scale, Path(folder) / name)
        seconds = round(time.monotonic() - began)
        print(json.dumps({'part': name, 'scale': args.scale, **figures, 'seconds': seconds}), flush=True)


if __name__ == '__main__':
    main()
