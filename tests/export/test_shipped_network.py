import pytest

from cosegnet_jax import CoSegmenter
from cosegnet_jax.export import model_file, shipped_network
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError


def test_an_installation_without_a_network_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped_network, 'FILE', tmp_path / 'model.safetensors')
    with pytest.raises(
        UserError, match=r'model\.safetensors: no trained network .*; name one by --model=NAME'
    ):
        shipped_network.find()


def test_it_is_what_is_used_where_none_is_named(tmp_path, monkeypatch, network):
    monkeypatch.setattr(shipped_network, 'FILE', tmp_path / 'model.safetensors')
    model_file.write(shipped_network.FILE, network, 'float16')
    shipped = CoSegmenter.from_pretrained().network
    assert shipped.fingerprint() == CoSegmenter.from_pretrained(shipped_network.FILE).network.fingerprint()
    assert shipped.dataset == network.dataset


def test_the_network_that_ships_is_small_and_its_card_is_beside_it():
    file = shipped_network.find()
    assert file.stat().st_size < 16 * 2**20
    shipped = model_file.read(file, meshes.data_mesh())
    assert (shipped.config.model.name, shipped.config.scored_size) == ('pyramid', 320)
    card = file.with_name('README.md').read_text(encoding='utf-8')
    assert f'| trained on | {shipped.images} images of {shipped.dataset} |' in card
    assert f'{shipped.step} steps of {shipped.config.optimizer.name}' in card
