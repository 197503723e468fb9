"""Evaluations of runs that were never trained: documents with figures of choice."""

import dataclasses
from pathlib import Path

from cosegnet_jax import config as configs
from cosegnet_jax.evaluation import published
from cosegnet_jax.evaluation.protocol import Protocol
from cosegnet_jax.evaluation.results import result_name, write_json
from cosegnet_jax.reports.finished_runs import Evaluated


def document(
    dataset='pascal_voc10', part='test', protocol='cosegnet', *, model='cosegnet', tap='cT9', split=0,
    trained_on='pascal_voc10', steps=100, classes=('cat', 'dog'), decided_by='the decision network',
    **figures,
):  # fmt: skip
    """What an evaluation leaves; `figures` are precision, jaccard, …, auc, null_mask_rate."""
    config = configs.Config(
        data=configs.Data(name=trained_on, split=split),
        model=configs.Model(name=model, tap=tap),
        train=configs.Train(steps=steps),
    )
    scores = {'precision': 0.8, 'jaccard': 0.4, 'precision_ungated': 0.85, 'jaccard_ungated': 0.45}
    decision = {'balanced_accuracy': 0.7, 'auc': 0.75, 'null_mask_rate': 0.6, 'threshold': 0.5}
    scores |= {key: figures[key] for key in figures.keys() & scores.keys()}
    decision |= {key: figures[key] for key in figures.keys() & decision.keys()}
    assert figures.keys() <= scores.keys() | decision.keys()
    return {
        'dataset': dataset,
        'split': part,
        'step': steps,
        'images': 20,
        'pairs': 90,
        **scores,
        'decision': decision | {'positive_pairs': 90, 'negative_pairs': 100},
        'probabilities': {'negative': [60, 40], 'positive': [30, 60]},
        'per_class': {name: {'pairs': 45, **scores} for name in classes},
        'protocol': Protocol(64, protocol, split=split).as_dict() | {'decided_by': decided_by},
        'training': {
            'dataset': trained_on,
            'scored_photos_seen': 20 if _seen(dataset, part, trained_on) else 0,
            'config': dataclasses.asdict(config),
        },
    }


def _seen(dataset, part, trained_on):
    if dataset == trained_on:
        return part != 'test'
    return published.data_set(dataset) is not None and published.data_set(dataset) == published.data_set(
        trained_on
    )


def evaluated(name='run', **choices):
    """One such evaluation, which is in no file."""
    made = document(**choices)
    return Evaluated(Path(name), Path(name) / 'eval' / 'results.json', made)


def write(folder, made):
    """Leaves a document where an evaluation of the run in `folder` does."""
    name = result_name(made['dataset'], made['split'], made['protocol']['name'])
    file = folder / 'eval' / f'{name}.json'
    write_json(file, made)
    return file
