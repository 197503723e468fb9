"""Print the random splits of a config by file name, or splits that test on classes left out of training.

cosegnet list-splits --config=NAME --count=5 [--config.key=value ...] > FILE
cosegnet list-splits --config=NAME --leave_out=4 > FILE

`config.data.split_file` takes the list, so that a split stays what it was when images are added, and can be
handed to others.
"""

import dataclasses
import json

from absl import flags

from cosegnet_jax import data
from cosegnet_jax.cli import command_line
from cosegnet_jax.data import splits
from cosegnet_jax.data.batches import visible_classes

_COUNT = flags.DEFINE_integer('count', 5, 'Number of splits, from split 0 on; 5 if not given.', lower_bound=1)
_LEAVE_OUT = flags.DEFINE_integer(
    'leave_out',
    None,
    'Leave every N-th class out of training and test on it: N splits in the place of random ones.',
    lower_bound=2,
)


def main() -> None:
    """Print a list with the parts of each split."""
    config = command_line.config()
    examples = data.load(config)
    if _LEAVE_OUT.value:
        shown = visible_classes(examples.labels, examples.visible)
        listed = splits.leave_out_classes(data.draw_split(examples, config), shown, _LEAVE_OUT.value)
    else:
        configs = [
            dataclasses.replace(config, data=dataclasses.replace(config.data, split=index))
            for index in range(_COUNT.value)
        ]
        listed = [data.draw_split(examples, each) for each in configs]
    print(json.dumps([splits.listing(split, examples.filenames) for split in listed], indent=1))
