import pytest
from untrained_runs import SMALL, random_params, save_run

from cosegnet_jax import CoSegmenter
from cosegnet_jax.export import model_file
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.training import checkpoints


@pytest.fixture(scope='session')
def run_folder(tmp_path_factory):
    return save_run(tmp_path_factory.mktemp('run'), SMALL, random_params(SMALL))


@pytest.fixture(scope='session')
def network(run_folder):
    trained = checkpoints.load_network(run_folder, None, meshes.data_mesh(), None)
    return model_file.release(trained)


@pytest.fixture(scope='session')
def segmenter(run_folder):
    return CoSegmenter.from_pretrained(run_folder)
