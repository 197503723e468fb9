import os

import jax
import pytest

from cosegnet_jax.runtime import compilation_cache


@pytest.fixture
def without_cache(monkeypatch):
    """JAX as it is where nobody has chosen a folder."""
    before = {
        name: getattr(jax.config, name)
        for name in ('jax_compilation_cache_dir', 'jax_persistent_cache_min_compile_time_secs')
    }
    jax.config.update('jax_compilation_cache_dir', None)
    yield
    for name, value in before.items():
        jax.config.update(name, value)


def test_the_folder_is_in_the_cache_of_the_user(tmp_path, monkeypatch, without_cache):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    compilation_cache.enable()
    assert jax.config.jax_compilation_cache_dir.startswith(f'{tmp_path}/cosegnet-jax/')
    assert os.path.isdir(jax.config.jax_compilation_cache_dir)


def test_the_variable_names_a_folder_or_turns_it_off(tmp_path, monkeypatch, without_cache):
    monkeypatch.setenv(compilation_cache.VARIABLE, 'off')
    compilation_cache.enable()
    assert jax.config.jax_compilation_cache_dir is None
    monkeypatch.setenv(compilation_cache.VARIABLE, str(tmp_path / 'mine'))
    compilation_cache.enable()
    assert jax.config.jax_compilation_cache_dir.startswith(f'{tmp_path}/mine/')


def test_the_choice_of_the_user_stays(tmp_path, without_cache):
    jax.config.update('jax_compilation_cache_dir', str(tmp_path))
    compilation_cache.enable()
    assert jax.config.jax_compilation_cache_dir == str(tmp_path)


def test_a_folder_that_cannot_be_made_is_not_used(tmp_path, monkeypatch, without_cache):
    (tmp_path / 'file').touch()
    monkeypatch.setenv(compilation_cache.VARIABLE, str(tmp_path / 'file'))
    compilation_cache.enable()
    assert jax.config.jax_compilation_cache_dir is None


def test_what_was_used_least_recently_goes_first(tmp_path):
    for age, name in enumerate(['new', 'old', 'older']):
        (tmp_path / name).write_bytes(bytes(100))
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    compilation_cache.prune(tmp_path, 300)
    assert len(list(tmp_path.iterdir())) == 3
    compilation_cache.prune(tmp_path, 250)
    assert sorted(file.name for file in tmp_path.iterdir()) == ['new', 'old']
