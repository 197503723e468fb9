from report_pages import FOUR, ODD_NAMES, SHOWN, found, in_browser

LOOKS = """
    const looks = (place) => {
      const [image, overlay] = place.querySelectorAll('img, .overlay');
      const [gray, cut] = [getComputedStyle(image).filter, getComputedStyle(image).maskImage];
      const marked = getComputedStyle(overlay).backgroundColor !== 'rgba(0, 0, 0, 0)';
      if (getComputedStyle(image).visibility === 'hidden') return 'nothing';
      if (cut !== 'none') return 'cut-out';
      return gray === 'none' ? 'photo' : marked ? 'mask' : 'gray';
    };
    const firsts = ['#groups .tile', '#outliers .tile'].map((some) => document.querySelector(some));
"""


@in_browser
def test_photos_show_their_masks_and_their_cut_outs(write, run):
    seen = run(
        write(found(FOUR), threshold=0.7),
        LOOKS
        + """
        const both = () => firsts.map(looks);
        const seen = [both()];
        firsts[0].focus({ focusVisible: true });
        seen.push(both());
        firsts[0].blur();
        for (const view of ['mask', 'cut-out', 'photo']) {
          document.querySelector(`[name=view][value=${view}]`).click();
          seen.push(both());
        }
        return seen;""",
    )
    assert seen == [
        ['photo', 'photo'],
        ['mask', 'photo'],
        ['mask', 'gray'],
        ['cut-out', 'nothing'],
        ['photo', 'photo'],
    ]


@in_browser
def test_a_click_enlarges_a_photo_its_mask_and_its_cut_out(write, run):
    seen = run(
        write(found(FOUR), threshold=0.7),
        LOOKS
        + """
        const large = document.getElementById('large');
        const seen = [large.open];
        for (const tile of firsts) {
          tile.click();
          for (const view of ['photo', 'mask', 'cut-out']) {
            document.querySelector(`[name=large-view][value=${view}]`).click();
            seen.push(`${large.querySelector('h2').textContent} ${looks(large)}`);
          }
        }
        document.getElementById('before').click();
        seen.push(large.querySelector('h2').textContent);
        document.getElementById('close').click();
        return [...seen, large.open];""",
    )
    assert seen == [
        False,
        '0.jpg photo', '0.jpg mask', '0.jpg cut-out',
        '2.jpg photo', '2.jpg gray', '2.jpg nothing',
        '1.jpg',
        False,
    ]  # fmt: skip


@in_browser
def test_matrix_can_be_read_without_seeing_it(write, run):
    mixed = FOUR[[0, 2, 1, 3]][:, [0, 2, 1, 3]]  # the order of the groups is not that of the photos
    cells, readout, light, dark = run(
        write(found(mixed)),
        """
        const matrix = document.getElementById('matrix');
        const press = (key) => matrix.dispatchEvent(new KeyboardEvent('keydown', { key }));
        const rows = [...document.querySelectorAll('#table tr')];
        const cells = rows.map((row) => [...row.cells].map((cell) => cell.textContent));
        const level = (x, y) => matrix.getContext('2d').getImageData(x, y, 1, 1).data[0];
        const side = matrix.width / 4;
        const colors = [level(3.5 * side, side / 2), level(1.5 * side, side / 2)];
        press('ArrowDown');
        press('ArrowRight');
        return [cells, document.getElementById('readout').textContent, ...colors];""",
    )
    assert cells == [
        ['', '0.jpg', '2.jpg', '1.jpg', '3.jpg'],
        ['0.jpg', '', '0.90', '0.20', '0.10'],
        ['2.jpg', '0.90', '', '0.30', '0.10'],
        ['1.jpg', '0.20', '0.30', '', '0.60'],
        ['3.jpg', '0.10', '0.10', '0.60', ''],
    ]
    assert readout == '0.jpg and 2.jpg: 0.90'
    assert light > 200 > 60 > dark


@in_browser
def test_odd_file_names_do_nothing_in_the_browser(write, run):
    names, broken = run(
        write(found(FOUR, ODD_NAMES)), f'{SHOWN} return [shown().groups.flat(), window.broken ?? null];'
    )
    assert sorted(names) == sorted(ODD_NAMES)
    assert broken is None
