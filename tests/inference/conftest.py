import pytest
from pictures_of_discs import save
from untrained_runs import SMALL, random_params, save_run

from cosegnet_jax.inference.cosegmenter import CoSegmenter


@pytest.fixture(scope='session')
def run_folder(tmp_path_factory):
    return save_run(tmp_path_factory.mktemp('run'), SMALL, random_params(SMALL))


@pytest.fixture(scope='session')
def segmenter(run_folder):
    return CoSegmenter.from_pretrained(run_folder)


@pytest.fixture
def photos(tmp_path):
    return save(tmp_path / 'photos', 'a/one.png', 'a/two 😀.jpg', 'b/one.png')


@pytest.fixture
def looked_at(monkeypatch):
    """How many photos were looked at."""
    seen = []
    describe = CoSegmenter.describe_seen

    def counting(self, *args):
        for one in describe(self, *args):
            seen.append(one)
            yield one

    monkeypatch.setattr(CoSegmenter, 'describe_seen', counting)
    return seen
