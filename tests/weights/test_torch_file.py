"""PyTorch files, written here opcode by opcode, so that PyTorch is not needed."""

import pickle
import struct
import zipfile

import numpy as np
import pytest

from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.weights import load_vgg16
from cosegnet_jax.weights.folding import TORCHVISION, ConvWeights, fold_input
from cosegnet_jax.weights.torch_file import read_torch

TORCH_POSITIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
STORAGE_TYPES = {'f4': 'FloatStorage', 'f2': 'HalfStorage', 'i8': 'LongStorage'}


def opcodes(value):
    """Opcodes that push a plain value: those of a whole pickle but its protocol and its stop."""
    return pickle.dumps(value, protocol=2)[2:-1]


def named(module, name):
    return f'c{module}\n{name}\n'.encode()


def storage_opcodes(key, storage, view, kind=None):
    kind = kind or named('torch', STORAGE_TYPES[storage.dtype.str[1:]])
    return (
        b'('
        + opcodes('storage')
        + kind
        + b''.join(opcodes(part) for part in (key, 'cpu', storage.size, *view))
        + b'tQ'
    )


def tensor_opcodes(storage, size, stride, offset=0, rebuild='_rebuild_tensor_v2'):
    autograd = b'\x89' + named('collections', 'OrderedDict') + b')R' if rebuild.endswith('_v2') else b''
    arguments = b''.join(opcodes(part) for part in (offset, size, stride))
    return named('torch._utils', rebuild) + b'(' + storage + arguments + autograd + b'tR'


def parameter_opcodes(tensor):
    return named('torch._utils', '_rebuild_parameter') + b'(' + tensor + opcodes(True) + opcodes({}) + b'tR'


def state_pickle(tensors):
    """An OrderedDict of tensors, with the attribute _metadata that Module.state_dict gives it."""
    items = b''.join(opcodes(name) + tensor for name, tensor in tensors.items())
    state = named('collections', 'OrderedDict') + b')R(' + items + b'u'
    return b'\x80\x02' + state + opcodes({'_metadata': {}}) + b'b.'


def write_zip(path, state, storages):
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('vgg16/data.pkl', state)
        archive.writestr('vgg16/byteorder', 'little')
        for key, storage in storages.items():
            archive.writestr(f'vgg16/data/{key}', storage.tobytes())
        archive.writestr('vgg16/version', '3\n')


def write_legacy(path, state, storages):
    head = [0x1950A86A20F9469CFC6C, 1001, {'protocol_version': 1001, 'little_endian': True, 'type_sizes': {}}]
    with path.open('wb') as file:
        for value in head:
            file.write(pickle.dumps(value, protocol=2))
        file.write(state)
        file.write(pickle.dumps(list(storages), protocol=2))
        for storage in storages.values():
            file.write(struct.pack('<q', storage.size) + storage.tobytes())


def strides(shape):
    return tuple(s // 4 for s in np.empty(shape, np.float32).strides)


WRITERS = {'zip': (write_zip, ()), 'legacy': (write_legacy, (None,))}


@pytest.fixture(params=WRITERS)
def save(request, tmp_path):
    """A function that saves `{name: (storage key, storage, size, stride, offset)}` in one of the formats."""
    write, view = WRITERS[request.param]

    def save(tensors, storages=None, **options):
        pickled = {
            name: tensor_opcodes(storage_opcodes(key, storage, view), size, stride, offset, **options)
            for name, (key, storage, size, stride, offset) in tensors.items()
        }
        storages = storages or {key: storage for key, storage, *_ in tensors.values()}
        write(tmp_path / 'v.pth', state_pickle(pickled), storages)
        return tmp_path / 'v.pth'

    return save


def test_tensors_are_read_by_name_and_the_others_left(save):
    weight, bias = np.arange(24, dtype=np.float32), np.arange(5, dtype=np.float16)
    path = save(
        {
            'classifier.0.weight': ('7', np.ones(9, np.float32), (3, 3), (3, 1), 0),
            'features.0.weight': ('0', weight, (2, 3, 4), (12, 4, 1), 0),
            'features.0.bias': ('1', bias, (5,), (1,), 0),
            'features.1.num_batches_tracked': ('2', np.array([8]), (), (), 0),
        }
    )
    arrays = read_torch(path, 'features.')
    assert list(arrays) == ['features.0.weight', 'features.0.bias', 'features.1.num_batches_tracked']
    np.testing.assert_array_equal(arrays['features.0.weight'], weight.reshape(2, 3, 4))
    np.testing.assert_array_equal(arrays['features.0.bias'], bias)
    assert arrays['features.1.num_batches_tracked'] == 8


def test_tensors_may_share_a_storage_and_have_any_strides(save):
    storage = np.arange(20, dtype=np.float32)
    path = save({'a': ('0', storage, (2, 3), (1, 2), 4), 'b': ('0', storage, (4,), (5,), 1)})
    arrays = read_torch(path, '')
    np.testing.assert_array_equal(arrays['a'], storage[4:10].reshape(3, 2).T)
    np.testing.assert_array_equal(arrays['b'], storage[1::5])


def test_tensors_as_pytorch_wrote_them_before_version_0_4(save):
    path = save({'a': ('0', np.arange(6, dtype=np.float32), (6,), (1,), 0)}, rebuild='_rebuild_tensor')
    np.testing.assert_array_equal(read_torch(path, '')['a'], range(6))


def test_parameters_are_their_tensors(tmp_path):
    storage = np.arange(6, dtype=np.float32)
    tensor = tensor_opcodes(storage_opcodes('0', storage, ()), (6,), (1,))
    write_zip(tmp_path / 'v.pth', state_pickle({'a': parameter_opcodes(tensor)}), {'0': storage})
    np.testing.assert_array_equal(read_torch(tmp_path / 'v.pth', '')['a'], storage)


@pytest.mark.parametrize(
    ('size', 'stride', 'offset'),
    [
        ((7,), (1,), 0),
        ((6,), (1,), 1),
        ((3,), (-1,), 1),
        ((2,), (1,), -1),
        ((2, 2), (1, 5), 0),
        ((-1,), (1,), 0),
    ],
)
def test_views_that_leave_their_storage_are_refused(save, size, stride, offset):
    path = save({'a': ('0', np.zeros(6, np.float32), size, stride, offset)})
    with pytest.raises(ValueError, match=r'.'):
        read_torch(path, '')


def test_storages_shorter_than_announced_are_refused(save):
    tensors = {'a': ('0', np.zeros(6, np.float32), (6,), (1,), 0)}
    with pytest.raises(ValueError, match=r'not all there|another length'):
        read_torch(save(tensors, storages={'0': np.zeros(5, np.float32)}), '')


def test_only_known_types_of_numbers_are_read(tmp_path):
    storage = np.zeros(2, np.int64)
    tensor = tensor_opcodes(storage_opcodes('0', storage, (), kind=opcodes('O')), (2,), (1,))
    write_zip(tmp_path / 'v.pth', state_pickle({'a': tensor}), {'0': storage})
    with pytest.raises(ValueError, match='unknown way'):
        read_torch(tmp_path / 'v.pth', '')


def test_big_endian_file_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / 'v.pth', 'w') as archive:
        archive.writestr('vgg16/data.pkl', state_pickle({}))
        archive.writestr('vgg16/byteorder', 'big')
    with pytest.raises(ValueError, match='big-endian'):
        read_torch(tmp_path / 'v.pth', '')


class Touch:
    """Makes a file when unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return exec, (f'open({str(self.path)!r}, "w").close()',)


@pytest.mark.parametrize('protocol', [0, 2, 4])
@pytest.mark.parametrize('write', [write_zip, write_legacy])
def test_code_in_a_file_is_refused_and_not_run(write, protocol, tmp_path):
    trace = tmp_path / 'trace'
    malice = pickle.dumps({'features.0.weight': Touch(trace)}, protocol=protocol)
    pickle.loads(malice)
    assert trace.exists()  # it is the real thing
    trace.unlink()
    write(tmp_path / 'v.pth', malice, {})
    with pytest.raises(UserError, match=r'v\.pth cannot be read .*asks for (__builtin__|builtins)\.exec'):
        load_vgg16(str(tmp_path / 'v.pth'))
    assert not trace.exists()


def test_code_in_the_head_of_a_legacy_file_is_not_run_either(tmp_path):
    trace = tmp_path / 'trace'
    (tmp_path / 'v.pth').write_bytes(pickle.dumps(Touch(trace), protocol=2))
    with pytest.raises(UserError, match='asks for'):
        load_vgg16(str(tmp_path / 'v.pth'))
    assert not trace.exists()


@pytest.mark.parametrize('rest', [10, 200, 0.5, -5])
def test_truncated_file(save, rest, tmp_path):
    path = save({'features.0.weight': ('0', np.zeros(5000, np.float32), (5000,), (1,), 0)})
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * rest) if 0 < rest < 1 else rest])
    with pytest.raises(UserError, match=r'v\.pth cannot be read'):
        load_vgg16(str(path))


def vgg16_tensors(caffe_weights):
    """torchvision's names and axes; layers of zeros are one zero repeated."""
    tensors = {}
    for i, (kernel, bias) in zip(TORCH_POSITIONS, caffe_weights.values(), strict=True):
        for kind, array in (('weight', kernel.transpose(3, 2, 0, 1)), ('bias', bias)):
            storage = array.ravel() if array.any() else np.zeros(1, np.float32)
            stride = strides(array.shape) if array.any() else (0,) * array.ndim
            tensors[f'features.{i}.{kind}'] = (f'{i}{kind}', storage, array.shape, stride, 0)
    return tensors


def test_vgg16_of_torchvision(save, caffe_weights):
    loaded = load_vgg16(str(save(vgg16_tensors(caffe_weights))))
    assert list(loaded) == list(caffe_weights)
    np.testing.assert_array_equal(loaded['conv3_2']['kernel'], caffe_weights['conv3_2'][0])
    np.testing.assert_array_equal(loaded['conv3_2']['bias'], caffe_weights['conv3_2'][1])
    first = fold_input(ConvWeights(*caffe_weights['conv1_1']), TORCHVISION)
    np.testing.assert_array_equal(loaded['conv1_1']['kernel'], first.kernel)
    np.testing.assert_array_equal(loaded['conv1_1']['bias'], first.bias)


def test_batch_norm_makes_another_network(save, caffe_weights):
    norm = {'features.1.running_mean': ('n', np.zeros(64, np.float32), (64,), (1,), 0)}
    with pytest.raises(
        UserError,
        match=r"'features\.1\.running_mean' too: pass float weights of VGG16, the network without BatchNorm",
    ):
        load_vgg16(str(save(vgg16_tensors(caffe_weights) | norm)))
