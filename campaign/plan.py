"""What a campaign does, in order. Commands run in the folder that `campaign.pack` made."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from pathlib import Path

Command = tuple[str, ...]

DATA, WEIGHTS, REFERENCE, SCALE = 'data', 'vgg16.npz', 'reference.npz', 'scale'  # in the packed folder
EXPORTED = 'pascal_voc_tuned-bfloat16-0'  # the run whose weights are brought home
STEPS = {'pascal_voc': 20_000, 'pascal_voc_tuned': 10_000}


@dataclasses.dataclass(frozen=True)
class Part:
    """Commands that are run one after another, until one fails."""

    name: str
    commands: tuple[Command, ...]
    seconds: int  # after which the part is stopped
    resumes: bool = False  # goes on where it was stopped, so that any time left is of use


@dataclasses.dataclass(frozen=True)
class Peer:
    """Another implementation, and the Python that has what it needs."""

    script: str
    python: str = sys.executable


@dataclasses.dataclass(frozen=True)
class Scale:
    """Everything that makes a campaign long or short; the defaults suit one large GPU."""

    data: str = 'pascal_coseg'
    image_size: int = 224
    large_size: int = 512  # of the published DOCS
    weights: str = WEIGHTS
    width: float = 1.0  # of what is compared and measured; training keeps the width of its config
    triplets_bfloat16: tuple[int, ...] = (3, 6, 12, 24, 48, 96)
    triplets_float32: tuple[int, ...] = (3, 24, 96)
    triplets_peer: tuple[int, ...] = (24, 96)
    triplets_compared: int = 12  # of DOCS and CoSegNet at both sizes
    eval_images: int = 64
    repeats: int = 20  # steps of a timed block
    splits: int = 2
    steps: dict[str, int] = dataclasses.field(default_factory=lambda: STEPS)  # by config file
    eval_every_steps: int = 2000


# Everything that a campaign does, in minutes on a CPU. Only the networks that are trained are not narrow: the
# weights that are carried there and back are as large as ever.
TRIAL = Scale(
    image_size=32,
    large_size=64,
    width=1 / 16,
    triplets_bfloat16=(3, 6),
    triplets_float32=(3,),
    triplets_peer=(3,),
    triplets_compared=3,
    eval_images=8,
    repeats=1,
    splits=1,
    steps=dict.fromkeys(STEPS, 4),
    eval_every_steps=2,
)
SCALES = {'full': Scale(), 'trial': TRIAL}


def parts(scale: Scale, folder: Path, peer: Peer | None) -> list[Part]:
    """All parts, the cheap and the telling ones first.

    Args:
        scale: Sizes and numbers.
        folder: Where runs and their exported weights go.
        peer: What to be measured against in turn, if anything.
    """
    return [
        Part('environment', (_python('-m', 'campaign.environment'),), 60),
        *_correctness(scale),
        *_benchmark(scale),
        *(_against(scale, peer) if peer else ()),
        *_compared(scale),
        *_training(scale, folder),
    ]


def reference(scale: Scale) -> Command:
    """The command that writes the numbers which correctness is tested against."""
    return _python('-m', 'campaign.correctness', *_correctness_flags(scale), f'--write={REFERENCE}')


def _correctness(scale: Scale) -> list[Part]:
    """Tolerances: of sums in another order, of a GPU's 10-bit mantissas in float32, and of bfloat16's 7."""
    check = _python('-m', 'campaign.correctness', *_correctness_flags(scale), f'--against={REFERENCE}')
    exact = ('env', 'JAX_DEFAULT_MATMUL_PRECISION=highest')
    return [
        Part('correctness-float32-exact', ((*exact, *check, '--tolerance=1e-3'),), 180),
        Part('correctness-float32', ((*check, '--tolerance=1e-2'),), 180),
        Part('correctness-bfloat16', ((*check, _dtype('bfloat16'), '--tolerance=1e-1'),), 180),
    ]


def _correctness_flags(scale: Scale) -> list[str]:
    """Nothing that rounding could turn, as the choice of a hardest negative is, and updates that go downhill.

    From random weights the summed loss of pascal_voc.py diverges within three of them.
    """
    return [
        *_config('pascal_voc', scale.image_size),
        _width(scale),
        *_read(scale),
        '--config.loss.negatives=random',
        '--config.loss.mask_reduction=mean',
        '--config.optimizer.learning_rate=1e-4',
        '--config.data.flip=False',
    ]


def _benchmark(scale: Scale) -> list[Part]:
    curve = [
        Part(f'train-{dtype}-{triplets}', (_train(scale, dtype, triplets),), 150)
        for dtype, sizes in (('bfloat16', scale.triplets_bfloat16), ('float32', scale.triplets_float32))
        for triplets in sizes
    ]

    def measure(mode: str, flag: str) -> Command:
        return _measure(mode, 'pascal_voc', scale, scale.image_size, 'bfloat16', flag)

    batch = _triplets(max(scale.triplets_bfloat16))
    anew = ('env', 'JAX_ENABLE_COMPILATION_CACHE=false')  # else nothing is compiled here
    return [
        *curve,
        Part('eval', (measure('eval', f'--config.evaluation.batch_images={scale.eval_images}'),), 150),
        Part('pairs', (measure('pairs', '--config.evaluation.batch_images=50'),), 150),
        Part('input', (measure('input', batch),), 150),
        Part('layers', (measure('layers', _triplets(scale.triplets_compared)),), 240),
        Part('compile', ((*anew, *measure('compile', batch)),), 180),
    ]


def _against(scale: Scale, peer: Peer) -> list[Part]:
    """Each in turn, at several sizes: the ratio at each one's best batch is read off the rates."""
    return [
        Part(
            f'peer-{form}-{triplets}',
            (
                (
                    *_train(scale, 'bfloat16', triplets),
                    f'--peer={peer.script}',
                    f'--peer_python={peer.python}',
                    f'--peer_args=--form {form} --triplets {triplets} --size {scale.image_size} '
                    f'--steps {scale.repeats} --warmup 3 --compile',
                    '--peer_runs=2',
                ),
            ),
            400,
        )
        for form in ('triplets', 'pairs')
        for triplets in scale.triplets_peer
    ]


def _compared(scale: Scale) -> list[Part]:
    """Time of an epoch of DOCS and CoSegNet at equal and at native sizes."""
    return [
        Part(
            f'epoch-{config}-{size}',
            (_measure('train', config, scale, size, 'bfloat16', _triplets(scale.triplets_compared)),),
            150,
        )
        for config in ('pascal_voc', 'docs')
        for size in (scale.image_size, scale.large_size)
    ]


def _training(scale: Scale, folder: Path) -> list[Part]:
    """Every recipe in bfloat16 on several splits, and in float32 on the first: do the curves agree?"""
    runs = [(config, 'bfloat16', split) for split in range(scale.splits) for config in scale.steps]
    runs += [(config, 'float32', 0) for config in scale.steps]
    found = []
    for config, dtype, split in runs:
        name = f'{config}-{dtype}-{split}'
        flags = [
            *_config(config, scale.image_size),
            *_read(scale),
            f'--workdir={folder / "runs" / name}',
            f'--config.model.weights={scale.weights}',
            f'--config.data.split={split}',
            _dtype(dtype),
        ]
        steps = [
            f'--config.train.steps={scale.steps[config]}',
            f'--config.train.eval_every_steps={scale.eval_every_steps}',
            f'--config.train.save_every_steps={scale.eval_every_steps}',
            '--config.train.log_every_steps=50',
        ]
        commands = [_python('train.py', *flags, *steps), _python('eval.py', *flags)]
        if name == EXPORTED:  # in the same part, so that it is never done before training is
            commands.append(_python('-m', 'campaign.half', *flags, f'--weights={folder / "weights"}'))
        found.append(Part(f'run-{name}', tuple(commands), 400, resumes=True))
    return found


def _train(scale: Scale, dtype: str, triplets: int) -> Command:
    return _measure('train', 'pascal_voc', scale, scale.image_size, dtype, _triplets(triplets))


def _measure(mode: str, config: str, scale: Scale, size: int, dtype: str, *more: str) -> Command:
    flags = [*_config(config, size), _width(scale), _dtype(dtype), f'--repeats={scale.repeats}', *more]
    return _python('benchmark.py', f'--mode={mode}', *flags)


def _config(name: str, size: int) -> list[str]:
    return [f'--config=configs/{name}.py', f'--config.image_size={size}']


def _width(scale: Scale) -> str:
    return f'--config.model.width={scale.width}'


def _read(scale: Scale) -> list[str]:
    """From the devices' memory: from the host it takes TensorFlow."""
    return [
        f'--config.data.name={scale.data}',
        f'--config.data.prepared_dir={DATA}',
        '--config.data.placement=device',
    ]


def _dtype(name: str) -> str:
    return f'--config.model.dtype={name}'


def _triplets(count: int) -> str:
    return f'--config.train.batch_triplets={count}'


def _python(*arguments: str) -> Command:
    return (sys.executable, *arguments)


def shown(command: Command) -> str:
    """A command as one would type it."""
    return shlex.join(command)
