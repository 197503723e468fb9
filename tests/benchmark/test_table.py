from cosegnet_jax.benchmark.table import markdown


def test_a_table_has_a_column_for_each_row_and_a_line_for_each_key():
    rows = [
        {'mode': 'pairs', 'images': 50, 'anew_s': 12.34567},
        {'mode': 'pairs', 'images': 100, 'peer_ratios': [1.0, 2.5], 'peer': {'form': 'pairs', 'gib': None}},
    ]
    assert markdown(rows) == (
        '|  |  |  |\n'
        '| --- | --- | --- |\n'
        '| mode | pairs | pairs |\n'
        '| images | 50 | 100 |\n'
        '| anew_s | 12.35 |  |\n'
        '| peer_ratios |  | 1, 2.5 |\n'
        '| peer.form |  | pairs |\n'
        '| peer.gib |  |  |'
    )
