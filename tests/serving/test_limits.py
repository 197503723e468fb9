import pytest

from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.serving.limits import Limits, check

LIMITS = Limits(photos=3, megabytes=0.5, megapixels=2.0)


@pytest.fixture
def files(tmp_path):
    def files(*sizes):
        paths = [tmp_path / f'{number}.jpg' for number in range(len(sizes))]
        for path, size in zip(paths, sizes, strict=True):
            path.write_bytes(b'0' * size)
        return paths

    return files


def test_what_is_within_the_bounds_passes_to_the_last_byte(files):
    check(files(100_000, 400_000), LIMITS)
    check(files(1, 2, 3), LIMITS)


@pytest.mark.parametrize(
    ('sizes', 'message'),
    [
        ([], '0 photos, and a pair takes two: drop more'),
        ([5], '1 photo, and a pair takes two: drop more'),
        ([1, 1, 1, 1], '4 photos, and 3 are taken at most: remove some'),
        ([100_000, 400_001], r'photos of 0\.5 MB together, and 0\.5 MB are taken at most: remove some'),
    ],
)
def test_what_is_not_is_told_in_one_line(files, sizes, message):
    with pytest.raises(UserError, match=f'^{message}$'):
        check(files(*sizes), LIMITS)


def test_visitors_are_told_of_the_bounds():
    assert str(LIMITS) == '3 photos, 0.5 MB together and 2 megapixels each'
    assert (LIMITS.bytes, LIMITS.pixels) == (500_000, 2_000_000)
