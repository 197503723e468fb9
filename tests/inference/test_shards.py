import json

import pytest
from pictures_of_discs import save

from cosegnet_jax.inference import cache, collection, describing, prediction, shards
from cosegnet_jax.inference.settings import Settings
from cosegnet_jax.inference.shards import Shard
from cosegnet_jax.runtime.errors import UserError


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Seven photos, of which one cannot be read; a part holds two."""
    monkeypatch.setattr(shards, 'PART', 2)
    folder = save(tmp_path / 'photos', *(f'{number}.png' for number in range(6)))
    (folder / '3 text.png').write_text('no photo at all')
    return collection.find([str(folder)]).photos


@pytest.fixture
def looked_at(monkeypatch):
    """Names of the photos that were looked at."""
    names = []
    describe_photos = describing.describe_photos

    def noting(segmenter, photos, bar):
        names.extend(photo.name for photo in photos)
        yield from describe_photos(segmenter, photos, bar)

    for module in (shards, prediction):
        monkeypatch.setattr(module, 'describe_photos', noting)
    return names


def merge(photos, segmenter, out, settings):
    shards.collect(photos, out)
    prediction.check(photos, segmenter, out)
    return prediction.predict(photos, segmenter, out, settings)


def written(out):
    """Every file for people, and what is in it."""
    files = (path for path in out.rglob('*') if path.is_file() and cache.FOLDER not in path.parts)
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize('neighbors', [0, 2])
@pytest.mark.parametrize('count', [1, 3, 9])
def test_shards_give_what_one_process_gives(tmp_path, segmenter, photos, count, neighbors):
    settings = Settings(0.0, neighbors=neighbors, keep_outliers=True)
    alone, together = tmp_path / 'alone', tmp_path / 'together'
    alone.mkdir()
    prediction.predict(photos, segmenter, alone, settings)
    for number in reversed(range(count)):
        shards.describe_share(photos, segmenter, together, Shard(number, count))
    merge(photos, segmenter, together, settings)
    assert written(together) == written(alone)
    assert json.loads((together / 'pairs.json').read_text())['skipped'][0]['name'] == '3 text.png'


def test_merging_looks_only_at_what_no_shard_could_read(tmp_path, segmenter, photos, looked_at):
    for number in range(2):
        shards.describe_share(photos, segmenter, tmp_path / 'out', Shard(number, 2))
    assert sorted(looked_at) == [photo.name for photo in photos]
    looked_at.clear()
    merge(photos, segmenter, tmp_path / 'out', Settings())
    assert looked_at == ['3 text.png']


def test_a_killed_shard_goes_on_after_its_last_part(tmp_path, segmenter, photos, looked_at, monkeypatch):
    to_bytes, left = cache.to_bytes, iter(range(3))

    def killed(described):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return to_bytes(described)

    with monkeypatch.context() as patch:
        patch.setattr(cache, 'to_bytes', killed)
        with pytest.raises(KeyboardInterrupt):
            shards.describe_share(photos, segmenter, tmp_path / 'out', Shard(0, 1))
    with pytest.raises(UserError, match=r'not finished: --shard=0/1; run these again$'):
        shards.collect(photos, tmp_path / 'out')
    looked_at.clear()
    skipped = shards.describe_share(photos, segmenter, tmp_path / 'out', Shard(0, 1))
    assert looked_at == [photo.name for photo in photos[4:]]
    assert [one.name for one in skipped] == ['3 text.png']
    looked_at.clear()
    assert shards.describe_share(photos, segmenter, tmp_path / 'out', Shard(0, 1)) == skipped
    assert looked_at == []


def test_a_photo_that_changed_after_its_shard_is_looked_at_again(tmp_path, segmenter, photos, looked_at):
    shards.describe_share(photos, segmenter, tmp_path / 'out', Shard(0, 1))
    photos[0].path.write_bytes(photos[1].path.read_bytes() + b' ')
    looked_at.clear()
    merge(photos, segmenter, tmp_path / 'out', Settings())
    assert sorted(looked_at) == ['0.png', '3 text.png']


def test_what_is_not_whole_is_refused(tmp_path, segmenter, photos):
    out = tmp_path / 'out'
    with pytest.raises(UserError, match='holds no shards; run cosegnet predict --shard=I/N for every I'):
        shards.collect(photos, out)
    shards.describe_share(photos, segmenter, out, Shard(1, 3))
    with pytest.raises(UserError, match='not finished: --shard=0/3, --shard=2/3; run these again'):
        shards.collect(photos, out)
    shards.describe_share(photos, segmenter, out, Shard(0, 1))
    with pytest.raises(UserError, match=r'shards of 1 and 3; .* delete the folders of the others'):
        shards.collect(photos, out)


def test_a_damaged_part_is_refused_by_name(tmp_path, segmenter, photos):
    shards.describe_share(photos, segmenter, tmp_path / 'out', Shard(0, 1))
    part = next((tmp_path / 'out').rglob('*.zip'))
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(UserError, match=rf'{part.name}: damaged; delete it, and run its shard again'):
        shards.collect(photos, tmp_path / 'out')


@pytest.mark.parametrize('text', ['', '1', '2/2', '0/0', '-1/2', '1/2/3', 'a/b'])
def test_a_shard_is_a_number_below_a_count(text):
    with pytest.raises(UserError, match=f'^--shard={text}: must be I/N'):
        shards.parse(text)
    assert shards.parse('1/4') == Shard(1, 4)
