// A photo shows itself, its mask or its cut-out: all by the choice above, and one by one when it is enlarged.

const VIEWS = ['photo', 'mask', 'cut-out'];
const buttons = [...document.querySelectorAll('.tile')];
const large = document.getElementById('large');
let enlarged = null; // the tile that is

function choose(view) {
  for (const button of buttons) button.dataset.view = view;
}

/** Shows a photo as large as the window. */
function enlarge(button) {
  enlarged = button;
  const frame = button.querySelector('.frame').cloneNode(true);
  large.style.setProperty('--mask', button.style.getPropertyValue('--mask'));
  large.classList.toggle('alone', Boolean(button.closest('#outliers')));
  large.querySelector('.frame').replaceWith(frame);
  large.querySelector('h2').textContent = button.querySelector('.name').textContent;
  large.dispatchEvent(new Event('opened'));
  if (!large.open) large.showModal();
  lieWhereItIsSeen();
}

/** In a page of which the report is a part, as tall as it is, the middle of the report may be out of sight. */
function lieWhereItIsSeen() {
  if (!window.frameElement) return;
  const seen = parent.innerHeight;
  document.documentElement.style.setProperty('--tall', `${seen}px`);
  large.style.margin = `${Math.max(0, -frameElement.getBoundingClientRect().top) + 0.03 * seen}px auto 0`;
}

function step(by) {
  const inOrder = [...document.querySelectorAll('.tile')];
  enlarge(inOrder[(inOrder.indexOf(enlarged) + by + inOrder.length) % inOrder.length]);
}

for (const button of buttons) button.addEventListener('click', () => enlarge(button));
document.getElementById('views').addEventListener('change', (event) => choose(event.target.value));
document.getElementById('large-views').addEventListener('change', (event) => {
  large.dataset.view = event.target.value;
});
document.getElementById('before').addEventListener('click', () => step(-1));
document.getElementById('after').addEventListener('click', () => step(1));
document.getElementById('close').addEventListener('click', () => large.close());
large.addEventListener('click', (event) => {
  if (event.target === large) large.close(); // beside the picture
});
large.addEventListener('keydown', (event) => {
  const steps = { ArrowLeft: -1, ArrowRight: 1 };
  if (event.key in steps && !event.target.matches('select, input')) step(steps[event.key]);
});
