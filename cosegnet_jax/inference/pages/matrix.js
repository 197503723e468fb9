// The matrix of probabilities, in the order in which the photos are shown.

const FEW = 40; // photos whose names fit beside the matrix, and whose table can still be read
const MATRIX_SIDE = 600; // pixels, unless there are more photos
const LARGEST_CELL = 30;
const COLORS = [[248, 250, 252], [96, 165, 250], [23, 37, 84]]; // of probability 0, 1/2 and 1
const OUTLINE = 'rgb(255 140 0)';
const colors = new OffscreenCanvas(Math.max(n, 1), Math.max(n, 1)); // the matrix, a pixel each
let read = null; // row and column of the cell that is read out

function drawMatrix() {
  read = null;
  paint();
  draw();
  label();
  at('table').replaceChildren(...(n <= FEW ? [table()] : []));
}

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
  const groups = shown.groups.map((members, i) => [nameOf(members), members.length]);
  const rows = n <= FEW ? photos : [...groups, ['Set aside', shown.outliers.length]];
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
for (const kind of ['pointerdown', 'pointermove']) { // a finger only taps
  at('matrix').addEventListener(kind, (event) => {
    const cell = event.target.clientWidth / n;
    readOut(Math.floor(event.offsetY / cell), Math.floor(event.offsetX / cell));
  });
}
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
