"""What commands leave in their folders, to be compared bit for bit."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

# The tiny training of the campaign.
TRAIN = (
    '--config=shapes',
    '--config.image_size=32',
    '--config.data.images_per_class=10',
    '--config.data.placement=device',
    '--config.model.width=0.015625',
    '--config.train.batch_classes=2',
    '--config.train.batch_images_per_class=2',
    '--config.train.steps=12',
    '--config.optimizer.warmup_steps=2',
    '--config.train.eval_every_steps=6',
    '--config.train.save_every_steps=3',
    '--config.train.log_every_steps=1',
)


def of_prediction(out: Path) -> dict[str, str]:
    """Hashes of all files; those that hold states of inodes or only the order of writing are left out."""
    return {
        path.relative_to(out).as_posix(): _hash(path)
        for path in sorted(out.rglob('*'))
        if path.is_file() and path.name not in ('keys.json', 'written.jsonl')
    }


def of_training(workdir: Path) -> dict[str, str]:
    """Hashes of the parameters of every checkpoint, of the config, and of the metrics without the speed."""
    import jax

    from cosegnet_jax.runtime import mesh
    from cosegnet_jax.training import checkpoints

    found = {'config.json': _hash(workdir / 'config.json')}
    records = [json.loads(line) for line in (workdir / 'metrics.jsonl').read_text().splitlines()]
    kept = [{key: value for key, value in one.items() if not key.endswith('_per_s')} for one in records]
    found['metrics.jsonl'] = hashlib.sha256(json.dumps(kept).encode()).hexdigest()
    with checkpoints.manager(workdir, read_only=True) as manager:
        steps = sorted(manager.all_steps())
    for step in steps:
        trained = checkpoints.load_network(workdir, None, mesh.data_mesh(), step)
        digest = hashlib.sha256()
        for leaf in jax.tree.leaves(trained.params):
            digest.update(memoryview(jax.device_get(leaf)).cast('B'))
        found[f'step {step}'] = digest.hexdigest()
    return found


def of_preparation(data_dir: Path) -> dict[str, str]:
    """Hashes of all files of the sets in a folder."""
    return {
        path.relative_to(data_dir).as_posix(): _hash(path)
        for path in sorted(data_dir.rglob('*'))
        if path.is_file()
    }


def differences(found: dict[str, str], expected: dict[str, str]) -> list[str]:
    """The names under which two endings differ."""
    return sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
