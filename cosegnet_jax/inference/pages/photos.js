// The photos of the page and the probability of every pair of them.

const at = (id) => document.getElementById(id);
const tiles = [...at('tiles').children];
const n = tiles.length;
const names = tiles.map((tile) => tile.querySelector('.name').textContent);
const pairs = new Float32Array(Uint8Array.from(atob(at('pairs').textContent), (c) => c.charCodeAt(0)).buffer);
const merges = averageLinkage(pairs, n);
let shown = { groups: [], outliers: [], order: [] };

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
