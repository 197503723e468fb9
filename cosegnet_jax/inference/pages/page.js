// The page of a prediction: groups, outliers, null masks and the matrix follow the threshold and the person.

/** Draws everything anew, at the threshold of the slider and with what the person changed. */
function show() {
  const { groups, outliers } = edited(cut(merges, n, edits.threshold));
  shown = { groups, outliers, order: [...groups.flat(), ...outliers] };
  at('threshold').value = edits.threshold;
  at('threshold-text').textContent = edits.threshold;
  at('status').textContent = `${counted(groups.length, 'group')}, ${counted(outliers.length, 'photo')} in none`;
  at('groups').replaceChildren(...groups.flatMap(groupOf));
  at('outliers').replaceChildren(...outliers.map((i) => tiles[i]));
  at('no-groups').hidden = groups.length > 0;
  at('some-outliers').hidden = !outliers.length;
  at('no-outliers').hidden = outliers.length > 0;
  at('undo').disabled = !edits.moves.length;
  showCommand();
  drawMatrix();
}

function groupOf(members) {
  const index = shown.groups.indexOf(members);
  const mean = members.reduce((sum, i) => sum + likeness(i, members), 0) / members.length;
  const heading = element('h3', { id: `group-${index + 1}` }, `${nameOf(members)} `);
  heading.append(element('small', {}, `${members.length} photos, alike to ${mean.toFixed(2)}`));
  const field = element('input', { type: 'text', value: nameOf(members), maxLength: 60 });
  field.setAttribute('aria-label', `Name of group ${index + 1}`);
  field.addEventListener('change', () => rename(members, field.value));
  const list = element('ul', { className: 'tiles' }, ...members.map((i) => tiles[i]));
  list.setAttribute('aria-labelledby', heading.id);
  return [element('div', { className: 'heading' }, heading, field), list];
}

/** The command that writes the files as the slider has them; moves and names are of the page alone. */
function showCommand() {
  const written = Number(at('threshold').dataset.exact);
  at('as-files').hidden = !at('command').dataset.command || edits.threshold === written;
  at('command').textContent = `${at('command').dataset.command} --threshold=${edits.threshold}`;
}

function listed() {
  const lines = shown.groups.map((members) => [nameOf(members), ...members.map((i) => `  ${names[i]}`)]);
  if (shown.outliers.length) lines.push(['In no group', ...shown.outliers.map((i) => `  ${names[i]}`)]);
  return lines.flat().join('\n');
}

async function copy(text, button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    prompt('Copy this text:', text); // the browser allows no more
  }
  setTimeout(() => { button.textContent = before; }, 1500);
}

function thresholdInAddress() {
  const wanted = new URLSearchParams(location.hash.slice(1)).get('threshold');
  return wanted !== null && wanted >= 0 && wanted <= 1 ? Number(wanted) : null;
}

function setThreshold(threshold) {
  edits.threshold = threshold;
  changed();
}

at('threshold').addEventListener('input', (event) => setThreshold(Number(event.target.value)));
at('undo').addEventListener('click', () => {
  edits.moves.pop();
  changed();
});
at('copy-list').addEventListener('click', (event) => copy(listed(), event.target));
at('copy-command').addEventListener('click', (event) => copy(at('command').textContent, event.target));
addEventListener('hashchange', () => {
  if (thresholdInAddress() !== null) setThreshold(thresholdInAddress());
});

// Moving the photo that is enlarged

at('move').addEventListener('change', (event) => {
  const photo = tiles.indexOf(enlarged.closest('li'));
  move(photo, event.target.value === 'none' ? null : Number(event.target.value));
  at('large').close();
});

/** The groups that the enlarged photo could be in. */
function offerMoves() {
  const photo = tiles.indexOf(enlarged.closest('li'));
  const inside = shown.groups.find((members) => members.includes(photo));
  const options = shown.groups.filter((members) => members !== inside)
    .map((members) => element('option', { value: members[0] }, nameOf(members)));
  const others = shown.outliers.filter((i) => i !== photo)
    .map((i) => element('option', { value: i }, `a new group with ${names[i]}`));
  const aside = inside ? [element('option', { value: 'none' }, 'no group: set aside')] : [];
  const first = element('option', { value: '', disabled: true, selected: true }, 'Move to …');
  at('move').replaceChildren(first, ...options, ...aside, ...others);
}

at('large').addEventListener('opened', offerMoves);
at('move').parentElement.hidden = false;
edits.threshold = thresholdInAddress() ?? edits.threshold ?? Number(at('threshold').dataset.exact);
show();
