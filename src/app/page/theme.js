// Light, dark, or as the system says; remembered.
import {recolour} from './charts.js';
import {say} from './dom.js';

const order = ['auto', 'light', 'dark'];
const said = {auto: 'as the system says', light: 'light', dark: 'dark'};
const button = document.getElementById('theme');
let theme = localStorage.getItem('rowcast.theme') ?? 'auto';

function show() {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  say(button, theme[0].toUpperCase() + theme.slice(1));
  button.setAttribute('aria-label', `Colours: ${said[theme]}`);
  recolour();
}

button.addEventListener('click', () => {
  theme = order[(order.indexOf(theme) + 1) % order.length];
  localStorage.setItem('rowcast.theme', theme);
  show();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', recolour);
show();
