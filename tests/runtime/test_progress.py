from cosegnet_jax.runtime import progress


def test_where_there_is_no_terminal_lines_say_how_far_it_is(capsys, monkeypatch):
    monkeypatch.setattr(progress, '_LINE_EVERY_S', 0.0)
    with progress.Progress('Finding objects', 3, 'photos', done=1) as bar:
        bar.update()
        bar.restart_clock()
        bar.update()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == 'Finding objects: 1 of 3 photos'
    assert lines[-1].startswith('Finding objects: 3 of 3 photos, ')
    assert all('photos/s' not in line for line in lines[:-1])  # nothing is promised before the clock starts


def test_few_lines_are_printed(capsys):
    with progress.Progress('Finding objects', 1000, 'photos') as bar:
        for _ in range(1000):
            bar.update()
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_silence(capsys):
    with progress.Progress('Training', 2, 'steps', silent=True) as bar:
        bar.update()
        bar.restart_clock()
    assert capsys.readouterr().err == ''
