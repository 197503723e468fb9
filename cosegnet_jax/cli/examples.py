"""Draw pictures to try a network on.

cosegnet examples FOLDER

Draws three boats, three cars and three planes, and writes them to FOLDER as photos. They are nobody's
photos, and free to share.
"""

from cosegnet_jax.cli import command_line
from cosegnet_jax.data import scenes
from cosegnet_jax.runtime.errors import UserError


def main() -> None:
    """Writes the pictures to the folder of the command line."""
    if len(command_line.words()) != 1:
        raise UserError('FOLDER is missing; name a folder for the pictures: cosegnet examples FOLDER')
    folder = command_line.writable('folder', command_line.words()[0])
    files = scenes.write(folder)
    print(f'{len(files)} pictures are in {folder}. Find what they share:  cosegnet predict {folder}')
