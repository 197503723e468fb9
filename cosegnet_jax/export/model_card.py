"""The model card of an exported network: Markdown with the header that the Hugging Face Hub reads.

It says what the checkpoint and its evaluations say; what neither of them tells, it calls unknown.
"""

from __future__ import annotations

import dataclasses
import json
import string
from collections.abc import Callable, Sequence
from importlib import resources
from operator import itemgetter
from typing import Any, NamedTuple

import jax
import yaml

from cosegnet_jax import __version__
from cosegnet_jax.config import Config, Model
from cosegnet_jax.export.model_file import Stored
from cosegnet_jax.networks.encoders.efficientnet_lite import VARIANTS
from cosegnet_jax.networks.image_network import PartnerNetwork
from cosegnet_jax.networks.trained_network import TrainedNetwork
from cosegnet_jax.reports.finished_runs import Evaluated
from cosegnet_jax.reports.tables.score_tables import percent, ratio
from cosegnet_jax.training.run_files import Record

_TASK = 'image-segmentation'  # of those that the Hub knows
_NO_PARTNER = """The mask of a photo does not depend on the photo it is compared with: where a photo shows
  several objects, the other photo cannot choose the shared one."""
_PARTNER = """Of several objects in a photo, it keeps those that are like the objects in the rest of its
  group. StableHLO and ONNX files of this network keep all of them."""


class _Figure(NamedTuple):
    """What an evaluation found."""

    column: str  # in the table
    kind: str  # of metric, on the Hub
    name: str  # there
    of: Callable[[dict[str, Any]], float | None]  # in a document of `evaluation.results`
    shown: Callable[[float | None], str]


_FIGURES = (
    _Figure('J', 'jaccard', 'Jaccard index, gated', itemgetter('jaccard'), ratio),
    _Figure('P', 'accuracy', 'right pixels, gated', itemgetter('precision'), percent),
    _Figure('J, ungated', 'jaccard', 'Jaccard index, ungated', itemgetter('jaccard_ungated'), ratio),
    _Figure('P, ungated', 'accuracy', 'right pixels, ungated', itemgetter('precision_ungated'), percent),
    _Figure('AUC', 'roc_auc', 'AUC of the decision', lambda found: found['decision']['auc'], ratio),
)


def text(
    network: TrainedNetwork, stored: Stored, evaluations: Sequence[Evaluated], validation: Record | None
) -> str:
    """The content of README.md in an exported folder.

    Args:
        network: What is exported.
        stored: Type of its parameters in the file.
        evaluations: Those of this checkpoint, and of no other.
        validation: What the log of the run says of its validation part at this step; None where nothing.
    """
    template = string.Template(
        resources.files('cosegnet_jax.export').joinpath('model_card.md').read_text(encoding='utf-8')
    )
    header = yaml.safe_dump(_header(network, evaluations), sort_keys=False, allow_unicode=True)
    return template.substitute(
        header=header,
        dataset=network.dataset,
        side=network.config.scored_size,
        partner=_PARTNER if isinstance(network, PartnerNetwork) else _NO_PARTNER,
        facts='\n'.join(f'| {name} | {fact} |' for name, fact in _facts(network, stored).items()),
        results=_results(network, stored, evaluations, validation),
        origin=_origin(network.config.model),
        config=json.dumps(dataclasses.asdict(network.config), indent=2, ensure_ascii=False),
    )


def _header(network: TrainedNetwork, evaluations: Sequence[Evaluated]) -> dict[str, Any]:
    header = {
        'license': 'apache-2.0',
        'library_name': 'cosegnet_jax',
        'pipeline_tag': _TASK,
        'tags': ['co-segmentation', 'cosegnet', 'jax', 'flax'],
        'datasets': [network.dataset],
    }
    results = [_indexed(one) for one in evaluations if one.is_unseen]
    if results:
        header['metrics'] = sorted({metric['type'] for one in results for metric in one['metrics']})
        header['model-index'] = [{'name': f'cosegnet-{network.dataset}', 'results': results}]
    return header


def _indexed(evaluation: Evaluated) -> dict[str, Any]:
    """One evaluation as the Hub's index of results has it; figures are in [0, 1]."""
    values = [(figure, figure.of(evaluation.document)) for figure in _FIGURES]
    return {
        'task': {'type': _TASK, 'name': 'Co-segmentation'},
        'dataset': {'name': evaluation.dataset, 'type': evaluation.dataset, 'split': evaluation.part},
        'metrics': [
            {
                'type': figure.kind,
                'name': f'{figure.name}, protocol {evaluation.protocol}',
                'value': round(value, 4),
            }
            for figure, value in values
            if value is not None  # not defined, as AUC is where all pairs are of one kind
        ],
    }


def _facts(network: TrainedNetwork, stored: Stored) -> dict[str, str]:
    config, model = network.config, network.config.model
    count = sum(leaf.size for leaf in jax.tree.leaves(network.params))
    return {
        'network': _network(model),
        'parameters': f'{count:,}, stored as {stored}; convolutions computed in {model.dtype}',
        'photos': f'RGB, squashed to {config.scored_size} × {config.scored_size} pixels',
        'trained on': f'{network.images} images of {network.dataset}',
        'encoder began with': _beginning(model),
        'training': f'{_steps(network.step, config)}; configuration below',
        'exported by': f'cosegnet_jax {__version__}',
    }


def _steps(step: int, config: Config) -> str:
    done = f'{min(step, config.train.steps)} steps of {config.optimizer.name}'
    alone = step - config.train.steps
    return f'{done}, and {alone} of the metric and the decision network alone' if alone > 0 else done


def _network(model: Model) -> str:
    decoder = 'a pyramid decoder' if model.name == 'pyramid' else f'metric network at {model.tap}'
    return f'CoSegNet, encoder {model.encoder}, {decoder}, width {model.width:g}'


def _beginning(model: Model) -> str:
    known = {'none': 'random numbers', 'imagenet': f'the ImageNet weights of {model.encoder}'}
    return known.get(model.weights, f'weights of {model.encoder} from a file, {model.weights}')


_PUBLISHED = {
    'vgg16': (
        'The encoder began with VGG16 of the Visual Geometry Group, Oxford, published under a Creative '
        'Commons Attribution License.'
    ),
    **{
        f'efficientnet_lite{n}': (
            f'The encoder began with EfficientNet-Lite{n} of Google, published under the Apache License 2.0, '
            'as converted by timm.'
        )
        for n in VARIANTS
    },
}


def _origin(model: Model) -> str:
    weights = model.weights
    if weights == 'none':
        return ''
    if weights == 'imagenet' and model.encoder in _PUBLISHED:
        return _PUBLISHED[model.encoder]
    return f'The terms of the weights that the encoder began with, {weights}, are not known to this card.'


def _results(
    network: TrainedNetwork, stored: Stored, evaluations: Sequence[Evaluated], validation: Record | None
) -> str:
    measured = 'not known'
    if validation is not None:
        gated, ungated = (validation.get(f'validation_{key}') for key in ('jaccard', 'jaccard_ungated'))
        measured = f'J {ratio(gated)}, ungated {ratio(ungated)}'
    return _RESULTS.format(
        table=_table(evaluations) if evaluations else f'Step {network.step} has not been evaluated.\n',
        rounded=f' We measured the parameters before they were rounded to {stored}.'
        * bool(evaluations and stored != 'float32'),
        validation=measured,
    )


def _table(evaluations: Sequence[Evaluated]) -> str:
    rows = [('scored on', *(figure.column for figure in _FIGURES)), ('---',) * (1 + len(_FIGURES))]
    for one in evaluations:
        seen = '' if one.is_unseen else ' (**seen in training**)'
        images = f'{one.dataset}, {one.part}, {one.document["images"]} images, protocol {one.protocol}{seen}'
        rows.append((images, *(figure.shown(figure.of(one.document)) for figure in _FIGURES)))
    return ''.join(f'| {" | ".join(row)} |\n' for row in rows)


_RESULTS = """{table}
J is the Jaccard index of the masks, P the percentage of right pixels, which the paper calls precision; both
over pairs of photos that share an object. A mask is gated, that is empty where the network takes the pair for
one that shares nothing, unless the column says ungated. AUC measures that decision. Do not compare
figures under different protocols.{rounded}

On the validation part, by which a checkpoint is chosen, while training: {validation}."""


def tables(card: str) -> list[list[list[str]]]:
    """The tables of a card, each its rows of cells: what the network is, and how well it does.

    The first row of a table has the headings of its columns.
    """
    found: list[list[list[str]]] = []
    inside = False
    for line in card.splitlines():
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        if not line.startswith('|'):
            inside = False
        elif not inside:
            inside = True
            found.append([cells])
        elif set(line) - set('|- '):  # not the rule below the headings
            found[-1].append(cells)
    return found
