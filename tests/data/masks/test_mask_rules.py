import numpy as np
import pytest

from cosegnet_jax.data.masks.mask_rules import parse, select
from cosegnet_jax.runtime.errors import UserError


@pytest.mark.parametrize(
    ('text', 'name', 'numbers'),
    [
        ('1', 'cow', [1]),
        ('1,3-5', 'cow', [1, 3, 4, 5]),
        ('nonzero', 'cow', [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (' 2 , 9 ', 'cow', [2, 9]),
        ('0', 'cow', [0]),
        ('cow:7,car:3', 'cow', [7]),
        ('cow:7,car:3,cow:8', 'cow', [7, 8]),
        ('cow:7,car:3', 'car', [3]),
        ('9,car:3', 'cow', [9]),
        ('a:b:4', 'a:b', [4]),
    ],
)
def test_numbers_of_a_class(text, name, numbers):
    inside = select(np.arange(10).reshape(2, 5), parse(text).of(name))
    np.testing.assert_array_equal(np.flatnonzero(inside), numbers)


def test_without_numbers_each_file_decides():
    assert parse('').of('cow') is None


def test_a_class_without_a_number_is_an_error():
    with pytest.raises(UserError, match='names no number of the class car; add car:NUMBER'):
        parse('cow:7').of('car')


@pytest.mark.parametrize('text', ['x', '5-3', '-1', '1.5', 'cow:', 'cow:all', '1;2', 'NONZERO'])
def test_what_is_no_number_is_an_error(text):
    with pytest.raises(UserError, match='is no number; give numbers such as 1 or 3-5'):
        parse(text)


def test_ranges_reach_beyond_the_type_of_the_mask():
    assert select(np.array([[0, 255]], np.uint8), parse('nonzero').of('')).tolist() == [[False, True]]
    assert select(np.array([[0, 255]], np.uint8), parse('300-400').of('')).tolist() == [[False, False]]
