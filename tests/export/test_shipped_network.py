import pytest

from cosegnet_jax import CoSegmenter
from cosegnet_jax.export import model_file, shipped_network
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
