import {Meters} from './meters.js';
import {make} from './tables.js';
import {User} from './user.js';

const $ = (id) => document.getElementById(id);

async function start() {
  const [demo, rules] = await Promise.all([
    fetch('demo.json').then((answer) => answer.json()),
    fetch('rules.yaml').then((answer) => answer.text()),
  ]);
  $('version').textContent = demo.version;
  const meters = new Meters();
  const pulse = pulses();
  const users = demo.users.map((about) => new User(about, rules, meters, pulse));
  $('users').replaceChildren(...users.map(({element}) => element));
  users.forEach((user) => user.start());
  suggest(demo);
}

function suggest({psql, suggestions}) {
  $('psql').textContent = psql;
  $('suggestions').replaceChildren(...suggestions.map(({sql, says}, index) => {
    const item = make('li');
    const code = make('code', '', sql);
    code.id = `suggestion-${index}`;
    const copy = make('button', 'quiet copy', 'Copy');
    copy.type = 'button';
    copy.dataset.copies = code.id;
    item.append(code, make('span', '', says), copy);
    return item;
  }));
  $('byhand').hidden = false;
  document.addEventListener('click', async ({target}) => {
    if (!target.dataset?.copies) return;
    await navigator.clipboard.writeText($(target.dataset.copies).textContent);
    target.textContent = 'Copied';
    setTimeout(() => (target.textContent = 'Copy'), 1500);
  });
}

// A light that runs along the flow when something has arrived, at most twice a second.
function pulses() {
  const lights = [...document.querySelectorAll('.flow .wire i')];
  let last = 0;
  return () => {
    const now = performance.now();
    if (now - last < 500 || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    last = now;
    lights.forEach((light, index) =>
      light.animate([{left: '0%', opacity: 0}, {opacity: 1, offset: 0.2}, {opacity: 1, offset: 0.8}, {left: '100%', opacity: 0}],
        {duration: 320, delay: index * 120, easing: 'ease-in-out'}));
  };
}

// Auto, light, dark: the choice is kept.
function themes() {
  const names = {auto: 'Auto', light: 'Light', dark: 'Dark'};
  const order = Object.keys(names);
  const show = (theme) => {
    if (theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    $('theme-name').textContent = names[theme];
    $('theme').setAttribute('aria-label', `Colours: ${theme === 'auto' ? 'as the system says' : theme}`);
  };
  let theme = order.includes(localStorage.theme) ? localStorage.theme : 'auto';
  show(theme);
  $('theme').addEventListener('click', () => {
    theme = order[(order.indexOf(theme) + 1) % order.length];
    localStorage.theme = theme;
    show(theme);
  });
}

themes();
start().catch((error) => {
  $('problem').textContent = `The page could not start: ${error.message}. Is the demo still running?`;
  $('problem').hidden = false;
});
