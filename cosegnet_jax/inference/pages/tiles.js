// A photo shows itself, its mask or its cut-out: each by a click on it, or all by the choice above.

const VIEWS = ['photo', 'mask', 'cut-out'];
const buttons = [...document.querySelectorAll('.tile')];

function view(button, name) {
  button.dataset.view = name;
  button.querySelector('.view').textContent = name;
}

for (const button of buttons) {
  button.addEventListener('click', () => {
    view(button, VIEWS[(VIEWS.indexOf(button.dataset.view) + 1) % VIEWS.length]);
  });
}
document.getElementById('views').addEventListener('change', (event) => {
  for (const button of buttons) view(button, event.target.value);
});
