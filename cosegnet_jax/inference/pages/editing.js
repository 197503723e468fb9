// What a person changes by hand: photos moved and set aside, groups named. Kept in the browser.

const KEPT_AS = `cosegnet ${location.pathname} ${names.length} ${names[0]} ${names.at(-1)}`;
const empty = () => ({ threshold: null, moves: [], titles: {} });
let edits = restored();

function restored() {
  try {
    const found = { ...empty(), ...JSON.parse(localStorage.getItem(KEPT_AS)) };
    const known = (photo) => Number.isInteger(photo) && photo >= 0 && photo < n;
    const sound = found.moves.every(({ photo, beside }) => known(photo) && (beside === null || known(beside)));
    return sound ? found : empty();
  } catch {
    return empty(); // nothing is kept, or the browser keeps nothing for this page
  }
}

function keep() {
  try {
    localStorage.setItem(KEPT_AS, JSON.stringify(edits));
  } catch {
    // The page works without.
  }
}

/** The groups after all moves: each takes a photo to the group of another one, or to none. */
function edited({ groups, outliers }) {
  const sets = [...groups, ...outliers.map((i) => [i])].map((members) => [...members]);
  const holding = (photo) => sets.find((members) => members.includes(photo));
  for (const { photo, beside } of edits.moves) {
    const from = holding(photo);
    if (beside !== null && from.includes(beside)) continue;
    from.splice(from.indexOf(photo), 1);
    if (beside === null) sets.push([photo]);
    else holding(beside).push(photo);
  }
  return {
    groups: sets.filter((members) => members.length > 1).map(sorted).sort((a, b) => b.length - a.length),
    outliers: sets.filter((members) => members.length === 1).flat().sort((a, b) => a - b),
  };
}

/** Mean probability that a photo shares an object with the others of a group. */
function likeness(photo, members) {
  const others = members.filter((i) => i !== photo);
  return others.reduce((sum, i) => sum + probability(photo, i), 0) / Math.max(others.length, 1);
}

/** The photos most like the others first. */
function sorted(members) {
  const values = new Map(members.map((i) => [i, likeness(i, members)]));
  return [...members].sort((a, b) => values.get(b) - values.get(a) || a - b);
}

/** The name that a person gave a group, known by one of its photos; else its number. */
function nameOf(members) {
  const titled = members.find((i) => edits.titles[i]);
  return titled === undefined ? `Group ${shown.groups.indexOf(members) + 1}` : edits.titles[titled];
}

function rename(members, title) {
  for (const i of members) delete edits.titles[i];
  if (title.trim()) edits.titles[members[0]] = title.trim();
  changed();
}

function move(photo, beside) {
  edits.moves.push({ photo, beside });
  changed();
}

function changed() {
  keep();
  show();
}
