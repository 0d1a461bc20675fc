// Elements without markup: whatever is a text stays one. The page's policy (Trusted Types) refuses everything else.

const svgNames = new Set(['svg', 'path', 'rect', 'line', 'circle', 'polyline', 'title']);

/** h('p', {class: 'note', onclick: f}, 'text', child): an element. What is null or false is left out. */
export function h(name, attributes = {}, ...children) {
  const made = svgNames.has(name) ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (key === 'style') for (const [property, each] of Object.entries(value)) made.style.setProperty(property, each);
    else if (key === 'value' || key === 'checked' || key === 'disabled') made[key] = value;
    else made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.flat().filter((each) => each !== null && each !== undefined && each !== false));
  return made;
}

/** Sets a text, and touches nothing where it is there already: selections and screen readers stay in peace. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Brings the children of an element in line with items: each keeps its own as long as its key is there, and so its focus. */
export function keep(parent, items, keyOf, make, update = () => {}) {
  const had = parent.kept ?? new Map();
  const now = new Map();
  let at = parent.firstElementChild;
  if (had.size === 0) parent.replaceChildren(), (at = null);
  for (const item of items) {
    const key = keyOf(item);
    const child = had.get(key) ?? make(item);
    had.delete(key);
    now.set(key, child);
    update(child, item);
    if (child === at) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
  }
  for (const gone of had.values()) gone.remove();
  parent.kept = now;
}

/** A cell for each value, an element or a text. */
export const row = (cells, attributes = {}) => h('tr', attributes, cells.map((each) => (each instanceof HTMLTableCellElement ? each : h('td', {}, each))));

export function table(caption, heads, body, {hidden = true, ...attributes} = {}) {
  return h('div', {class: 'scroller', role: 'group', 'aria-label': caption, tabindex: '0'},
    h('table', attributes,
      h('caption', {class: hidden ? 'unseen' : null}, caption),
      h('thead', {}, h('tr', {}, heads.map((head) => {
        const {text, number} = typeof head === 'string' ? {text: head} : head;
        return h('th', {scope: 'col', class: number ? 'number' : null}, text);
      }))),
      body));
}

export function toast(text, kind = 'good') {
  const made = h('p', {class: `toast ${kind}`}, text);
  document.getElementById('toasts').append(made);
  setTimeout(() => made.remove(), 8000);
}

/** A form in a dialog: what `act` gives when it is sent, or undefined. An error stays in the dialog. */
export function ask({title, content, action, danger = false, act}) {
  return new Promise((resolve) => {
    const refusal = h('p', {class: 'refusal', role: 'alert'});
    const button = h('button', {type: 'submit', class: danger ? 'danger' : 'primary'}, action);
    let given;
    const form = h('form', {
      onsubmit: async (event) => {
        event.preventDefault();
        say(refusal, '');
        button.disabled = true;
        try {
          given = await act(new FormData(form));
          dialog.close();
        } catch (error) {
          say(refusal, error.message);
        }
        button.disabled = false;
      },
    }, h('h2', {id: 'dialog-title'}, title), content, refusal,
    h('div', {class: 'actions'}, h('button', {type: 'button', class: 'quiet', onclick: () => dialog.close()}, act ? 'Cancel' : 'Close'), act && button));
    const dialog = h('dialog', {'aria-labelledby': 'dialog-title', onclose: () => (dialog.remove(), resolve(given))}, form);
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A command with a button that copies it. */
export function command(text) {
  const code = h('code', {}, text);
  const button = h('button', {type: 'button', class: 'quiet', onclick: async () => {
    await navigator.clipboard?.writeText(text).then(() => toast('Copied'), () => getSelection().selectAllChildren(code));
  }}, 'Copy');
  return h('div', {class: 'command'}, code, button);
}
