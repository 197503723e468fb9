"""What the tests of the models of pairs share."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx


def photos(count: int) -> jax.Array:
    return jnp.asarray(np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3), np.uint8))


def filled(build):
    """The model with He-normal kernels as drawn by NumPy, which needs no compilation, and random biases.

    Zero biases would hide one that is added in the wrong place.
    """
    rng = np.random.default_rng(0)
    graph, shapes = nnx.split(nnx.eval_shape(build))

    def draw(p):
        std = np.sqrt(2 / np.prod(p.shape[:-1])) if len(p.shape) > 1 else 0.1
        return jnp.asarray(rng.normal(0, std, p.shape), jnp.float32)

    return nnx.merge(graph, jax.tree.map(draw, shapes))


def pick(description, rows):
    return jax.tree.map(lambda x: x[jnp.asarray(rows)], description)


def see(model):
    """Description of two images, their masks given each other, and their masks given themselves."""

    @jax.jit
    def run(images):
        seen = model.describe(images)
        return seen, model.pair_masks(pick(seen, [0, 1, 0, 1]), pick(seen, [1, 0, 0, 1]))

    seen, masks = run(photos(2))
    return seen, masks[:2], masks[2:]


def unreached(model) -> list[tuple]:
    """Paths of the parameters that get no gradient from the masks of a pair."""

    @nnx.jit
    @nnx.grad
    def gradients(model, images):
        seen = model.describe(images)
        return (model.pair_masks(seen, pick(seen, [1, 0])) ** 2).mean()

    paths = nnx.to_flat_state(gradients(model, photos(2)))
    assert len(paths) > 26
    return [path for path, gradient in paths if not np.abs(gradient[...]).max() > 0]


def parameters(build) -> dict[tuple, tuple[int, ...]]:
    """Shape of every parameter."""
    return {path: p.shape for path, p in nnx.to_flat_state(nnx.state(nnx.eval_shape(build), nnx.Param))}


def count(build) -> int:
    return sum(int(np.prod(shape)) for shape in parameters(build).values())


def trace(build, height: int, width: int):
    """Description and masks of abstract images."""

    def run(images):
        model = build()
        seen = model.describe(images)
        return seen, model.pair_masks(seen, seen)

    return nnx.eval_shape(run, jax.ShapeDtypeStruct((2, height, width, 3), jnp.uint8))


def check_convolution(ours, plain, shapes) -> None:
    """Value and gradients of two forms of a convolution, in float64, on inputs of `shapes`."""
    rng = np.random.default_rng(0)

    def run(form, inputs, cotangent):
        value, transpose = jax.vjp(form, *inputs)
        return value, *transpose(cotangent)

    with jax.enable_x64(True):
        inputs = [jnp.asarray(rng.normal(size=shape)) for shape in shapes]
        cotangent = jnp.asarray(rng.normal(size=jax.eval_shape(plain, *inputs).shape))
        got, want = (jax.jit(run, static_argnums=0)(form, inputs, cotangent) for form in (ours, plain))
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-11)
