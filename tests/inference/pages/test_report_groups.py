import json
from importlib import resources

import numpy as np
from report_pages import FOUR, SHOWN, found, in_browser, symmetric

from cosegnet_jax.inference.groups.grouping import group
from cosegnet_jax.inference.pages.report_page import write_report

CLUSTERING = resources.files('cosegnet_jax.inference.pages').joinpath('clustering.js').read_text()


def distinct(rng, n):
    return rng.random((n, n))


def tied(rng, n):
    return rng.random((n, n)).round(1)


def certain(rng, n):
    return rng.random((n, n)) < 0.7


def clustered(rng, n):
    kinds = rng.integers(0, 4, n)
    return np.where(kinds == kinds[:, None], rng.beta(6, 2, (n, n)), rng.beta(2, 6, (n, n)))


@in_browser
def test_groups_are_those_of_scipy(run):
    rng = np.random.default_rng(0)
    matrices = [
        symmetric(draw(rng, n))
        for draw in (distinct, tied, certain, clustered)
        for n in (2, 3, 9, 40, 40, 40)
    ]
    thresholds = [0.0, 0.1, 0.25, 0.3, 0.4, 0.437, 0.5, 0.6, 0.7, 0.9, 1.0]
    cases = [{'n': len(p), 'pairs': p[np.triu_indices(len(p), 1)].tolist()} for p in matrices]
    body = f"""
        return {json.dumps(cases)}.map(({{ n, pairs }}) => {{
          const merges = averageLinkage(Float32Array.from(pairs), n);
          return {thresholds}.map((threshold) => cut(merges, n, threshold));
        }});"""
    answers = run('<body></body>', CLUSTERING + body)
    expected = [[group(p, threshold)._asdict() for threshold in thresholds] for p in matrices]
    assert answers == expected
    assert len({len(some['groups']) for case in expected for some in case}) > 5


@in_browser
def test_thousand_photos_are_grouped_again_in_less_than_a_second(write, run):
    body = """
        const start = performance.now();
        averageLinkage(Float32Array.from({ length: 499500 }, Math.random), 1000); // as when the page opens
        const slider = document.getElementById('threshold');
        slider.value = 0.6;
        slider.dispatchEvent(new Event('input'));
        const time = performance.now() - start;
        return [document.querySelectorAll('#groups .tile, #outliers .tile').length, time];"""
    probabilities = symmetric(clustered(np.random.default_rng(0), 1000))
    count, milliseconds = run(write(found(probabilities)), CLUSTERING + body)
    assert count == 1000
    assert milliseconds < 1000


@in_browser
def test_threshold_regroups_the_page(write, run):
    first, second = run(
        write(found(FOUR), threshold=0.437),
        SHOWN
        + """
        const before = shown();
        const slider = document.getElementById('threshold');
        slider.value = 0.7;
        slider.dispatchEvent(new Event('input'));
        return [before, shown()];""",
    )
    assert first == {
        'groups': [['0.jpg', '1.jpg'], ['2.jpg', '3.jpg']],
        'outliers': [],
        'status': '2 groups, 0 photos in none',
        'threshold': '0.437',
        'nulls': 0,
    }
    assert second == {
        'groups': [['0.jpg', '1.jpg']],
        'outliers': ['2.jpg', '3.jpg'],
        'status': '1 group, 2 photos in none',
        'threshold': '0.7',
        'nulls': 2,
    }


@in_browser
def test_address_may_give_the_threshold(write, run):
    at_first, too_high, in_the_end = run(
        write(found(FOUR)),
        SHOWN
        + """
        const seen = [shown().status];
        for (const fragment of ['threshold=1.5', 'threshold=0.1']) {
          location.hash = fragment;
          dispatchEvent(new Event('hashchange')); // the browser's own comes later
          seen.push(shown().status);
        }
        return seen;""",
        fragment='threshold=0.7',
    )
    assert at_first == too_high == '1 group, 2 photos in none'
    assert in_the_end == '1 group, 0 photos in none'


EDIT = (
    SHOWN
    + """
    const put = (photo, value) => {
      [...document.querySelectorAll('.tile')].find((tile) => tile.textContent.includes(photo)).click();
      const select = document.getElementById('move');
      const option = [...select.options].find((one) => one.textContent.includes(value));
      select.value = option.value;
      select.dispatchEvent(new Event('change'));
    };
    const groups = () => [shown().groups, shown().outliers];
"""
)


@in_browser
def test_photos_can_be_moved_and_set_aside_and_that_is_undone(write, run):
    seen = run(
        write(found(FOUR)),
        EDIT
        + """
        const seen = [];
        for (const [photo, to] of [['3.jpg', 'set aside'], ['1.jpg', 'set aside'], ['3.jpg', 'with 1.jpg']]) {
          put(photo, to);
          seen.push(groups());
        }
        for (let i = 0; i < 3; i++) document.getElementById('undo').click();
        return [...seen, groups(), document.getElementById('undo').disabled];""",
    )
    assert seen == [
        [[['0.jpg', '1.jpg']], ['2.jpg', '3.jpg']],
        [[], ['0.jpg', '1.jpg', '2.jpg', '3.jpg']],
        [[['1.jpg', '3.jpg']], ['0.jpg', '2.jpg']],
        [[['0.jpg', '1.jpg'], ['2.jpg', '3.jpg']], []],
        True,
    ]


@in_browser
def test_photos_most_like_the_others_come_first(write, run):
    probabilities = symmetric(np.array([[1, 0.6, 0.7], [0, 1, 0.9], [0, 0, 1]]))
    groups = run(write(found(probabilities)), SHOWN + 'return shown().groups;')
    assert groups == [['2.jpg', '1.jpg', '0.jpg']]


@in_browser
def test_the_command_that_writes_the_files_so_is_shown_where_they_are_not(tmp_path, run):
    write_report(
        tmp_path / 'a.html', found(FOUR), threshold=0.5, title='', command="cosegnet predict 'my photos'"
    )
    seen = run(
        (tmp_path / 'a.html').read_text(),
        """
        const slider = document.getElementById('threshold');
        const said = () => [document.getElementById('as-files').hidden,
          document.getElementById('command').textContent];
        const seen = [said()[0]];
        for (const value of [0.7, 0.5]) {
          slider.value = value;
          slider.dispatchEvent(new Event('input'));
          seen.push(said());
        }
        return seen;""",
    )
    assert seen[:2] == [True, [False, "cosegnet predict 'my photos' --threshold=0.7"]]
    assert seen[2][0]
