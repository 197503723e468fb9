"""Every key of an experiment, with its default, its meaning and its bounds."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

from ml_collections import ConfigDict


@dataclasses.dataclass(frozen=True)
class AtLeast:
    """Lower bound of a number."""

    value: float | int


@dataclasses.dataclass(frozen=True)
class Below:
    """Excluded upper bound of a number."""

    value: float | int


@dataclasses.dataclass(frozen=True)
class OnThisMachine:
    """A file or folder; '~' is expanded, and addresses are refused."""


@dataclasses.dataclass(frozen=True)
class ReadWith:
    """The key is read only where another key has one of these values."""

    key: str  # without 'config.'
    values: tuple[Any, ...]


@dataclasses.dataclass(frozen=True)
class UnreadWith:
    """The key is not read where another key has one of these values."""

    key: str
    values: tuple[Any, ...]


Positive = Annotated[int, AtLeast(1)]
Count = Annotated[int, AtLeast(0)]
Amount = Annotated[float, AtLeast(0)]
Fraction = Annotated[float, AtLeast(0), Below(1)]
Place = Annotated[str, OnThisMachine()]

# Conditions under which keys are read.
_COSEGNET = ReadWith('model.name', ('cosegnet',))
_PYRAMID = ReadWith('model.name', ('pyramid',))
_DECIDES = ReadWith('model.name', ('cosegnet', 'pyramid'))  # with a metric and a decision network
_TRIPLETS = ReadWith('data.sampler', ('triplets',))
_BALANCED = ReadWith('data.sampler', ('balanced',))
_PAPER_DECODER = ReadWith('model.name', ('cosegnet', 'base'))
_IMAGENET = UnreadWith('model.weights', ('none',))
_NOT_SSNM = UnreadWith('evaluation.protocol', ('ssnm',))  # which has a rule of its own
_NOT_DOCS = UnreadWith('evaluation.protocol', ('docs',))  # which has no such rule


@dataclasses.dataclass(frozen=True)
class Data:
    """Which images, and which of them train."""

    name: str = 'shapes'  # 'shapes', a prepared set (docs/data.md), or any name for `root`
    root: Place = ''  # folder with images/<class>/* and masks/<class>/*.png; '' reads a prepared set
    prepared_dir: Place = ''  # folder of prepared sets; '' is ~/tensorflow_datasets
    mask_values: str = ''  # object values in masks of `root`, such as 'cow:17,car:3'; '' lets files decide
    mask_orientation: Literal['auto', 'shown', 'stored'] = 'auto'  # how to read a mask that fits both ways
    images_per_class: Annotated[int, AtLeast(10)] = 150  # size of the set 'shapes'
    split: Count = 0  # number of the random 3:1:1 split
    split_file: Place = ''  # file of `cosegnet list-splits`; '' draws the split
    sampler: Literal['triplets', 'balanced'] = 'triplets'  # balanced: K images of each of P classes
    flip: bool = True  # mirror each training image with probability 1/2
    scale_crop: Fraction = 0.0  # train on squares of (1 - scale_crop) to 1 of the side
    color: Fraction = 0.0  # largest change of brightness, contrast and saturation in training
    composite: Fraction = 0.0  # share of training images with a pasted object of another image
    placement: Literal['auto', 'device', 'host'] = 'auto'  # of training pixels; see data/placement.py
    memory_gib: Amount = 8.0  # memory for the pixels of a part of a prepared set; larger parts stay on disk


@dataclasses.dataclass(frozen=True)
class Model:
    """The network."""

    name: Literal['cosegnet', 'pyramid', 'base', 'deep_object_coseg', 'attention'] = 'cosegnet'  # the network
    tap: Annotated[Literal['f', 'cT3', 'cT6', 'cT9', 'cT11'], _COSEGNET] = 'cT9'  # read by the metric network
    encoder: Annotated[str, _DECIDES] = 'vgg16'  # or efficientnet_lite0 to 4; see docs/extending.md
    width: Annotated[float, AtLeast(1 / 64)] = 1.0  # multiplies the channels of encoder and decoder
    weights: Place = 'imagenet'  # initial weights of the encoder: 'imagenet' (downloaded), 'none', or a file
    feature_scale: Annotated[float, AtLeast(0.001), _IMAGENET] = 1.0  # factor of f; see training/state.py
    decoder_start: Annotated[Literal['he_normal', 'identity'], _PAPER_DECODER] = (
        'he_normal'  # initial weights
    )
    dtype: Literal['float32', 'bfloat16'] = 'float32'  # type of the convolutions; parameters stay float32


@dataclasses.dataclass(frozen=True)
class Loss:
    """The weights of equation 1, and how equations 2 and 3 are read."""

    w1_positive: Amount = 0.33  # weight of the mask loss in a positive pair; a negative pair has none
    w2_positive: Annotated[Amount, _DECIDES] = 0.33  # weight of the triplet loss in a positive pair
    w3_positive: Annotated[Amount, _DECIDES] = 0.33  # weight of the decision loss in a positive pair
    w2_negative: Annotated[Amount, _DECIDES] = 0.5  # weight of the triplet loss in a negative pair
    w3_negative: Annotated[Amount, _DECIDES] = 0.5  # weight of the decision loss in a negative pair
    mask_reduction: Literal['mean', 'sum'] = 'mean'  # mean or sum over the pixels of an image, in equation 2
    batch_reduction: Literal['mean', 'sum'] = 'mean'  # over the triplets of a batch and the images of a pair
    triplet_features: Annotated[Literal['fs', 'fu'], _COSEGNET] = 'fs'  # fs: embeddings; fu: tap averages
    triplet_distance: Annotated[Literal['euclidean', 'squared'], _COSEGNET] = 'euclidean'  # in equation 3
    normalize_embeddings: Annotated[bool, _COSEGNET] = False  # unit vectors in the triplet loss (FaceNet)
    margin: Annotated[Amount, _COSEGNET] = 1.0  # alpha of equation 3
    negatives: Annotated[Literal['random', 'semi_hard'], _COSEGNET] = 'random'  # how triplets get negatives
    soft_jaccard: Annotated[Amount, _PYRAMID] = 0.0  # weight of the soft Jaccard index beside cross-entropy
    contrast: Annotated[Amount, _PYRAMID] = 0.0  # weight of the contrastive loss
    temperature: Annotated[float, AtLeast(1e-3), _PYRAMID] = 0.1  # of its softmax


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """The update rule; the defaults are the paper's (§4.1)."""

    name: Literal['sgd', 'adam', 'adamw'] = 'sgd'  # the update rule
    learning_rate: Amount = 1e-05  # peak of the schedule, if there is one
    momentum: Annotated[Fraction, ReadWith('optimizer.name', ('sgd',))] = 0.9  # for sgd
    weight_decay: Amount = 0.0004  # for kernels only; part of the gradient, but decoupled for adamw
    schedule: Literal['constant', 'cosine'] = 'constant'  # cosine ends at zero
    warmup_steps: Count = 0  # steps of a linear rise from zero
    clip_norm: Amount = 0.0  # largest norm of the whole gradient; 0 does not clip
    encoder_rate: Amount = 1.0  # rate of the encoder, relative to learning_rate
    heads_rate: Annotated[Amount, _DECIDES] = 1.0  # rate of the metric and decision networks, relative
    frozen_blocks: Annotated[int, AtLeast(0), Below(6), _IMAGENET] = 0  # frozen blocks of the encoder
    frozen_steps: Count = 0  # first steps, in which no block of the encoder learns
    average: Fraction = 0.0  # decay of the average of weights that is scored and kept; 0 keeps the last


@dataclasses.dataclass(frozen=True)
class Train:
    """How long, and what is done on the way. Everything counts steps of the optimizer."""

    batch_triplets: Annotated[Positive, _TRIPLETS] = 3  # triplets per step over all devices
    batch_classes: Annotated[int, AtLeast(2), _BALANCED] = 4  # P: classes per step over all devices
    batch_images_per_class: Annotated[int, AtLeast(2), _BALANCED] = 4  # K: images of a class
    steps: Positive = 10000  # steps that train the whole network
    log_every_steps: Positive = 10  # steps between two lines of metrics.jsonl
    eval_every_steps: Positive = 500  # steps between two validations; each also saves a checkpoint
    save_every_steps: Positive = 500  # steps between two checkpoints without validation
    views: Annotated[Count, _PYRAMID] = 0  # stored views of each image; see training/views.py; 0 stores none
    partner_steps: Annotated[Count, _PYRAMID] = 0  # steps of the partner head alone, at each evaluation
    calibrate: Annotated[bool, _PYRAMID] = False  # fit decisions and masks to the validation part
    stop_after_evals: Count = 0  # evaluations without a better validation score; 0 never stops early
    heads_steps: Annotated[Count, _COSEGNET, UnreadWith('optimizer.heads_rate', (0.0,))] = (
        0  # final steps for only the metric and decision networks; see training/heads_phase.py
    )

    @property
    def last_step(self) -> int:
        """Number of the step that a run ends with, counted from 1."""
        return self.steps + self.heads_steps


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The protocol of the reported numbers."""

    part: Literal['test', 'validation', 'train', 'all'] = 'test'  # part of the set to score
    protocol: Literal['cosegnet', 'docs', 'ssnm'] = 'cosegnet'  # see evaluation/published_protocols.py
    image_size: Count = 0  # side at which photos are scored and predicted; 0: as in training
    batch_images: Positive = 16  # images per batch over all devices
    mask_threshold: Annotated[Fraction, _NOT_SSNM] = 0.5  # lowest probability of object pixels
    decision_threshold: Fraction = 0.5  # lowest probability of pairs that share an object
    empty_truth: Annotated[Literal['one', 'zero', 'skip'], _NOT_DOCS] = 'one'  # Jaccard of two empty masks
    outlier_truth: Literal['empty', 'object'] = 'empty'  # true mask beside an outlier of the class
    symmetric: Annotated[bool, _DECIDES] = True  # average the decision over both orders of a pair


@dataclasses.dataclass(frozen=True)
class Config:
    """One experiment."""

    seed: Annotated[int, AtLeast(0), Below(2**32)] = 0  # of weights, splits and batches
    image_size: Annotated[int, AtLeast(32)] = 224  # images are resized to this side; a multiple of 32
    data: Data = Data()
    model: Model = Model()
    loss: Loss = Loss()
    optimizer: Optimizer = Optimizer()
    train: Train = Train()
    evaluation: Evaluation = Evaluation()

    @property
    def scored_size(self) -> int:
        """Side in pixels at which photos are scored and predicted."""
        return self.evaluation.image_size or self.image_size


def default() -> ConfigDict:
    """Return every key at its default: the paper's network, losses and optimizer on the embedded data set.

    A config file starts from it; `configs/pascal_voc.py` is the paper's experiment.
    """
    return ConfigDict(dataclasses.asdict(Config()))
