import pytest
from untrained_runs import SMALL, random_params, save_run


@pytest.fixture(scope='session')
def run_folder(tmp_path_factory):
    return save_run(tmp_path_factory.mktemp('run'), SMALL, random_params(SMALL))
