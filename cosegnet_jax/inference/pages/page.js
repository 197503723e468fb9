// The page of a prediction: groups, outliers, null masks and the matrix follow the threshold.

const FEW = 40; // photos whose names fit beside the matrix, and whose table can still be read
const MATRIX_SIDE = 600; // pixels, unless there are more photos
const LARGEST_CELL = 30;
const COLORS = [[248, 250, 252], [96, 165, 250], [23, 37, 84]]; // of probability 0, 1/2 and 1
const OUTLINE = 'rgb(255 140 0)';

const at = (id) => document.getElementById(id);
const tiles = [...at('tiles').children];
const n = tiles.length;
const names = tiles.map((tile) => tile.querySelector('.name').textContent);
const pairs = new Float32Array(Uint8Array.from(atob(at('pairs').textContent), (c) => c.charCodeAt(0)).buffer);
const merges = averageLinkage(pairs, n);
const colors = new OffscreenCanvas(Math.max(n, 1), Math.max(n, 1)); // the matrix, a pixel each
let shown = { groups: [], outliers: [], order: [] };
let read = null; // row and column of the cell that is read out

function probability(i, j) {
  return i === j ? 1 : pairs[pairIndex(Math.min(i, j), Math.max(i, j), n)];
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

// Groups

function regroup(threshold) {
  at('threshold').value = threshold;
  at('threshold-text').textContent = threshold;
  const { groups, outliers } = cut(merges, n, threshold);
  shown = { groups, outliers, order: [...groups.flat(), ...outliers] };
  at('status').textContent = `${counted(groups.length, 'group')}, ${counted(outliers.length, 'outlier')}`;
  at('groups').replaceChildren(...groups.flatMap(groupOf));
  at('outliers').replaceChildren(...outliers.map((i) => tiles[i]));
  at('no-groups').hidden = groups.length > 0;
  at('some-outliers').hidden = !outliers.length;
  at('no-outliers').hidden = outliers.length > 0;
  read = null;
  paint();
  draw();
  label();
  at('table').replaceChildren(...(n <= FEW ? [table()] : []));
}

function groupOf(members, index) {
  let sum = 0;
  for (const i of members) for (const j of members) if (i < j) sum += probability(i, j);
  const mean = sum / ((members.length * (members.length - 1)) / 2);
  const heading = element('h3', { id: `group-${index + 1}` }, `Group ${index + 1} `);
  heading.append(element('small', {}, `${members.length} photos, mean probability ${mean.toFixed(2)}`));
  const list = element('ul', { className: 'tiles' }, ...members.map((i) => tiles[i]));
  list.setAttribute('aria-labeledby', heading.id);
  return [heading, list];
}

function thresholdInAddress() {
  const wanted = new URLSearchParams(location.hash.slice(1)).get('threshold');
  return wanted !== null && wanted >= 0 && wanted <= 1 ? Number(wanted) : null;
}

at('threshold').addEventListener('input', (event) => regroup(Number(event.target.value)));
addEventListener('hashchange', () => {
  if (thresholdInAddress() !== null) regroup(thresholdInAddress());
});

// The matrix

function color(value) {
  const place = value * (COLORS.length - 1);
  const below = Math.min(Math.floor(place), COLORS.length - 2);
  return COLORS[below].map((low, i) => low + (place - below) * (COLORS[below + 1][i] - low));
}

function paint() {
  const context = colors.getContext('2d');
  const image = context.createImageData(colors.width, colors.height);
  const pixels = new Uint32Array(image.data.buffer); // a million of them for 1,000 photos
  const scale = Uint32Array.from({ length: 256 }, (_, level) => {
    const [red, green, blue] = color(level / 255);
    return (255 << 24) | (blue << 16) | (green << 8) | red;
  });
  let pixel = 0;
  for (const i of shown.order) {
    for (const j of shown.order) pixels[pixel++] = scale[Math.round(255 * probability(i, j))];
  }
  context.putImageData(image, 0, 0);
}

function draw() {
  const canvas = at('matrix');
  const context = canvas.getContext('2d');
  const cell = canvas.width / n;
  context.imageSmoothingEnabled = false;
  context.drawImage(colors, 0, 0, canvas.width, canvas.height);
  context.strokeStyle = OUTLINE;
  context.lineWidth = 2;
  let start = 0;
  for (const { length } of shown.groups) {
    context.strokeRect(start * cell + 1, start * cell + 1, length * cell - 2, length * cell - 2);
    start += length;
  }
  if (read) context.strokeRect(read.column * cell - 1, read.row * cell - 1, cell + 2, cell + 2);
}

/** Beside the matrix: each photo, or each group where there are too many photos. */
function label() {
  const photos = shown.order.map((i) => [names[i], 1]);
  const groups = shown.groups.map((members, i) => [`Group ${i + 1}`, members.length]);
  const rows = n <= FEW ? photos : [...groups, ['Outliers', shown.outliers.length]];
  at('rows').replaceChildren(...rows.map(([text, count]) => {
    const line = element('li', { title: text }, element('bdi', {}, text));
    line.style.height = `${(count * at('matrix').width) / n}px`;
    return line;
  }));
}

function table() {
  const heading = (i, scope) => element('th', { scope }, element('bdi', {}, names[i]));
  const head = element('tr', {}, element('td'), ...shown.order.map((i) => heading(i, 'col')));
  const body = shown.order.map((i) => {
    const cells = shown.order.map((j) => element('td', {}, i === j ? '' : probability(i, j).toFixed(2)));
    return element('tr', {}, heading(i, 'row'), ...cells);
  });
  return element(
    'table', {},
    element('caption', {}, 'Probability that two photos share an object, in the order of the groups'),
    element('thead', {}, head), element('tbody', {}, ...body),
  );
}

function readOut(row, column) {
  const inside = (place) => Math.max(0, Math.min(n - 1, place));
  read = { row: inside(row), column: inside(column) };
  const [i, j] = [shown.order[read.row], shown.order[read.column]];
  at('readout').textContent =
    i === j ? `${names[i]}, with itself` : `${names[i]} and ${names[j]}: ${probability(i, j).toFixed(2)}`;
  draw();
}

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
at('matrix').addEventListener('pointermove', (event) => {
  const cell = event.target.clientWidth / n;
  readOut(Math.floor(event.offsetY / cell), Math.floor(event.offsetX / cell));
});
at('matrix').addEventListener('keydown', (event) => {
  if (!(event.key in STEPS)) return;
  event.preventDefault();
  const [down, right] = read ? STEPS[event.key] : [0, 0];
  readOut((read?.row ?? 0) + down, (read?.column ?? 0) + right);
});

const cell = Math.max(1, Math.min(LARGEST_CELL, Math.floor(MATRIX_SIDE / n)));
at('matrix').width = at('matrix').height = n * cell;
at('scale').style.background = `linear-gradient(to right, ${COLORS.map((c) => `rgb(${c.join(' ')})`)})`;
at('as-table').hidden = n > FEW;
regroup(thresholdInAddress() ?? Number(at('threshold').dataset.exact));
