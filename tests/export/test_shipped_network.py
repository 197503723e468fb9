import pytest

from cosegnet_jax.export import shipped_network
from cosegnet_jax.runtime.errors import UserError


def test_an_installation_without_a_network_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped_network, 'FILE', tmp_path / 'model.safetensors')
    with pytest.raises(
        UserError, match=r'model\.safetensors: no trained network .*; name one by --model=NAME'
    ):
        shipped_network.find()
