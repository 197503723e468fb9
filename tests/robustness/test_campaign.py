"""A little of each part of the campaign. Its figures are counts of what must not happen."""

import campaign
import pytest

FAULTS = (
    'wrong_values', 'tracebacks', 'silent_drops', 'sound_photos_skipped', 'not_in_one_line', 'differences',
    'failures', 'half_written', 'mixed_or_missing_results', 'left_on_disk', 'left_after_the_end', 'status',
)  # fmt: skip
SLOW = ('photos', 'checkpoints', 'full_disk', 'fuzzing', 'kills', 'visitors')
PARTS = [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in campaign.PARTS]


@pytest.mark.parametrize('part', PARTS)
@pytest.mark.filterwarnings('ignore')  # of libraries about damaged files
def test_a_little_of_the_campaign_finds_no_fault(part, tmp_path):
    if part == 'visitors':
        pytest.importorskip('gradio', reason="needs Gradio: pip install 'cosegnet-jax[serve]'")
    figures = campaign.PARTS[part](0.04, tmp_path / part)
    if isinstance(figures.get('skipped'), str):
        pytest.skip(figures['skipped'])
    tried = [figures.get(key, 0) for key in ('inputs', 'kills', 'full', 'visitors')]
    assert max(tried) > 0, figures
    assert {fault: figures[fault] for fault in FAULTS if figures.get(fault)} == {}, figures
