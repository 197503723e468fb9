import os
import time

import pytest

from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.serving import sessions


def upload(folder, content, name='a.jpg', number=''):
    """Puts a file where Gradio would."""
    path = sessions.uploads(folder) / f'folder of {content}{number}' / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return str(path)


def files(folder):
    return sorted(path.read_text() for path in folder.rglob('*') if path.is_file())


def test_uploads_are_moved_to_where_nobody_can_download_them(tmp_path):
    visit = sessions.of('visitor', tmp_path)
    photos = sessions.take(visit, [upload(tmp_path, 'one', 'b 😀.jpg'), upload(tmp_path, 'two', 'a.png')])
    assert [photo.name for photo in photos] == ['b 😀.jpg', 'a.png']
    assert [photo.path.read_text() for photo in photos] == ['one', 'two']
    assert files(visit.photos) == ['one', 'two']
    assert files(sessions.uploads(tmp_path)) == []


def test_names_differ_also_where_case_does_not_count(tmp_path):
    names = ['a.jpg', 'a (2).jpg', 'a.jpg', 'A.JPG', 'a.png']
    given = [upload(tmp_path, str(number), name) for number, name in enumerate(names)]
    photos = sessions.take(sessions.of('visitor', tmp_path), given)
    assert [photo.name for photo in photos] == ['a.jpg', 'a (2).jpg', 'a (3).jpg', 'A (4).JPG', 'a.png']
    assert [photo.path.read_text() for photo in photos] == ['0', '1', '2', '3', '4']


def test_a_photo_that_is_dropped_twice_is_one_photo(tmp_path):
    visit = sessions.of('visitor', tmp_path)
    first, second = upload(tmp_path, 'one', number='1'), upload(tmp_path, 'one', number='2')
    for given in ([first, first], [first, second], [second, first]):
        (photo,) = sessions.take(visit, given)
        assert (photo.name, photo.path.read_text()) == ('a.jpg', 'one')
    other = upload(tmp_path, 'two', number='3')
    assert [photo.name for photo in sessions.take(visit, [first, second, other])] == ['a.jpg', 'a (2).jpg']


def test_photos_stay_until_they_are_given_no_longer(tmp_path):
    visit = sessions.of('visitor', tmp_path)
    given = [upload(tmp_path, content) for content in ('one', 'two')]
    before = sessions.take(visit, given)
    assert sessions.take(visit, given) == before
    assert [photo.path.read_text() for photo in sessions.take(visit, [given[1]])] == ['two']
    assert files(tmp_path) == ['two']


@pytest.mark.parametrize('path', ['gone/a.jpg', '.', '..', '../sessions'])
def test_what_is_no_uploaded_file_is_refused_and_left_alone(tmp_path, path):
    visit = sessions.of('visitor', tmp_path)
    sessions.take(sessions.of('other', tmp_path), [upload(tmp_path, 'of another')])
    with pytest.raises(UserError, match='drop them again'):
        sessions.take(visit, [str(sessions.uploads(tmp_path) / path)])
    assert files(tmp_path) == ['of another']


def test_visitors_do_not_share_photos_and_their_names_lead_nowhere(tmp_path):
    browsers = ['a', 'b', '../a', '/', '', '..', '😀', '\udcff', 'a' * 1000]
    folders = [sessions.of(session, tmp_path / 'server') for session in browsers]
    assert len(set(folders)) == len(browsers)
    for visit in folders:
        assert visit.own.parent == tmp_path / 'server' / 'sessions'
        assert visit.public.parent == sessions.uploads(tmp_path / 'server')
        assert visit.own.resolve() == visit.own


def test_nothing_is_left_of_a_visitor_who_leaves_and_all_of_the_others(tmp_path):
    visit, other = (sessions.of(session, tmp_path) for session in ('visitor', 'other'))
    for session in (visit, other):
        sessions.take(session, [upload(tmp_path, 'photo')])
        for path in (session.found / 'report.html', session.archive):
            path.parent.mkdir(parents=True)
            path.write_text('found')
    sessions.leave(visit)
    assert not visit.own.exists()
    assert not visit.public.exists()
    assert files(tmp_path) == ['found', 'found', 'photo']
    sessions.leave(visit)  # who has left already


def test_what_nobody_touches_is_deleted_after_a_while(tmp_path):
    sessions.take(sessions.of('old', tmp_path), [upload(tmp_path, 'old')])
    upload(tmp_path, 'broken off')
    (sessions.uploads(tmp_path) / 'tmp123').write_text('half')
    for path in tmp_path.rglob('*'):
        os.utime(path, (0, time.time() - 3700))
    active = sessions.of('active', tmp_path)
    sessions.take(active, [upload(tmp_path, 'new')])
    sessions.forget(tmp_path, 3600.0)
    assert files(tmp_path) == ['new']
    assert os.listdir(tmp_path / 'sessions') == [active.own.name]


def test_a_photo_may_be_old_where_what_is_found_is_new(tmp_path):
    visit = sessions.of('visitor', tmp_path)
    sessions.take(visit, [upload(tmp_path, 'photo')])
    for path in tmp_path.rglob('*'):
        os.utime(path, (0, 0))
    visit.found.mkdir()
    sessions.forget(tmp_path, 3600.0)
    assert files(tmp_path) == ['photo']


def test_files_may_vanish_meanwhile(tmp_path):
    visit = sessions.of('visitor', tmp_path)
    sessions.take(visit, [upload(tmp_path, 'photo')])
    os.symlink('gone', visit.own / 'listed, but there no longer')
    sessions.forget(tmp_path, 0.0)
    assert files(tmp_path) == ['photo']
