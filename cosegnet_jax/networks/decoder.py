"""The decoder: five nearest-neighbor interpolations and thirteen convT layers (§3.1), cut at the tap."""

from __future__ import annotations

import jax
from flax import nnx
from jaxtyping import Array, Float

from cosegnet_jax.networks.layers import Conv3x3, scaled

# Channels of cT1 … cT13. cT9 with 256 at 56×56 is the paper's; the widths of cT10-cT12 are inferred
# (fidelity row 2).
CHANNELS = (512, 512, 512, 512, 512, 512, 256, 256, 256, 128, 128, 64, 1)
# Layers that nearest-neighbor interpolation (NNI) precedes.
UPSAMPLED = (1, 4, 7, 10, 12)
# Taps that the metric network may read (Table 6), and the number of convT layers before each.
TAPS = {'f': 0, 'cT3': 3, 'cT6': 6, 'cT9': 9, 'cT11': 11}


class Decoder(nnx.Module):
    """Feature map f to mask logits, in two halves that meet at the tap.

    Args:
        cin: Channels of f: the last map of the encoder, or two of them in CoSegNet-base.
        tap: Key of TAPS. All pairs train the layers before it; positive pairs alone train those after it
            (§3.5).
        width: Multiplies the channels of every layer but the last.
        rngs: Source of the He-normal initial weights.
    """

    def __init__(self, cin: int, *, tap: str, width: float, rngs: nnx.Rngs):
        # 512 for f of VGG16, cT3 and cT6, 256 for cT9, 128 for cT11, at width 1.
        self.tap_channels = cin if tap == 'f' else scaled(CHANNELS[TAPS[tap] - 1], width)
        layers = {}
        for number, channels in enumerate(CHANNELS, 1):
            cout = channels if number == len(CHANNELS) else scaled(channels, width)
            layers[f'cT{number}'] = Conv3x3(cin, cout, upsample=number in UPSAMPLED, rngs=rngs)
            cin = cout
        self.layers = nnx.Dict(layers)
        self.tap = tap

    def to_tap(self, f: Float[Array, 'n h w c']) -> Float[Array, 'n h2 w2 c2']:
        """Apply the layers up to the tap, each followed by ReLU."""
        for number in range(1, TAPS[self.tap] + 1):
            f = jax.nn.relu(self.layers[f'cT{number}'](f))
        return f

    def from_tap(self, x: Float[Array, 'n h w c']) -> Float[Array, 'n h2 w2']:
        """Apply the layers after the tap, to one logit per pixel; ReLU after each but the last."""
        for number in range(TAPS[self.tap] + 1, len(CHANNELS)):
            x = jax.nn.relu(self.layers[f'cT{number}'](x))
        return self.layers[f'cT{len(CHANNELS)}'](x)[..., 0]
