// The rule of groups/grouping.py in the page: average linkage on 1 - probability, cut at 1 - threshold.

/** Where the pair of photos i < j stands among the pairs of n photos, row by row. */
function pairIndex(i, j, n) {
  return i * n - (i * (i + 1)) / 2 + j - i - 1;
}

/**
 * Merges clusters until one is left, by chains of nearest neighbors, in O(n²) time.
 *
 * Search order and arithmetic are those of SciPy's `linkage`, so that ties fall as they do there.
 *
 * @param {Float32Array} probabilities of each pair, in the order of pairIndex.
 * @returns {{a: number, b: number, height: number}[]} a photo of either cluster, and their mean distance.
 */
function averageLinkage(probabilities, n) {
  const distance = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      distance[i * n + j] = distance[j * n + i] = 1 - probabilities[pairIndex(i, j, n)];
    }
  }
  const size = new Int32Array(n).fill(1); // of the cluster that a photo stands for; 0 once it is merged away
  const merges = [];
  const chain = []; // each the nearest neighbor of the one before
  while (merges.length < n - 1) {
    if (!chain.length) chain.push(size.findIndex((members) => members > 0));
    const last = chain.at(-1);
    let nearest = chain.at(-2); // the one before wins ties, else the chain might go round in circles
    let height = nearest === undefined ? Infinity : distance[last * n + nearest];
    for (let i = 0; i < n; i++) {
      if (size[i] && i !== last && distance[last * n + i] < height) {
        height = distance[last * n + i];
        nearest = i;
      }
    }
    if (nearest !== chain.at(-2)) {
      chain.push(nearest);
      continue;
    }
    chain.length -= 2;
    const a = Math.min(last, nearest);
    const b = Math.max(last, nearest); // stands for both from here on
    merges.push({ a, b, height });
    for (let i = 0; i < n; i++) {
      if (!size[i] || i === a || i === b) continue;
      const mean = (size[a] * distance[a * n + i] + size[b] * distance[b * n + i]) / (size[a] + size[b]);
      distance[b * n + i] = distance[i * n + b] = mean;
    }
    size[b] += size[a];
    size[a] = 0;
  }
  return merges;
}

/**
 * @param merges of averageLinkage.
 * @returns {{groups: number[][], outliers: number[]}} the largest group first; members in order.
 */
function cut(merges, n, threshold) {
  const parent = Array.from({ length: n }, (_, i) => i);
  const root = (i) => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]];
    return i;
  };
  for (const { a, b, height } of merges) {
    if (height <= 1 - threshold) parent[root(a)] = root(b);
  }
  const clusters = new Map();
  for (let i = 0; i < n; i++) {
    if (!clusters.has(root(i))) clusters.set(root(i), []);
    clusters.get(root(i)).push(i);
  }
  const all = [...clusters.values()];
  return {
    groups: all.filter((members) => members.length > 1).sort((a, b) => b.length - a.length),
    outliers: all.filter((members) => members.length === 1).flat(),
  };
}
