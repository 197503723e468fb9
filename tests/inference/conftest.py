import pytest
from untrained_runs import SMALL, random_params, save_run

from cosegnet_jax.inference.cosegmenter import CoSegmenter


@pytest.fixture(scope='session')
def run_folder(tmp_path_factory):
    return save_run(tmp_path_factory.mktemp('run'), SMALL, random_params(SMALL))


@pytest.fixture(scope='session')
def segmenter(run_folder):
    return CoSegmenter.from_pretrained(run_folder)
