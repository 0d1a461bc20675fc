// Two ways to show a table that changes. Both keep the rows at once and draw them with the next frame, so that a
// transaction of a hundred thousand rows costs the page one drawing.

const COLOURS = {INSERT: 'var(--insert)', UPDATE: 'var(--update)', DELETE: 'var(--delete)'};
const grouped = new Intl.NumberFormat('en');
const calm = matchMedia('(prefers-reduced-motion: reduce)');

class Drawing {
  #asked = false;

  ask() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.draw();
    });
  }
}

/** A tile a row, in the order of the key: for small tables whose rows are updated again and again. */
export class Tiles extends Drawing {
  #options;
  #rows = new Map(); // key -> {row, element}
  #changed = new Map(); // key -> operation
  #grid = make('ul', 'tiles');

  constructor(options) {
    super();
    this.#options = options;
    this.#grid.setAttribute('aria-label', options.table);
    this.#grid.classList.toggle('large', Boolean(options.large));
    this.element = panel(options, this.#grid);
  }

  row(key) {
    return this.#rows.get(key)?.row;
  }

  apply(event) {
    const key = event.key[this.#options.key];
    if (event.op === 'DELETE') this.#rows.get(key) && (this.#rows.get(key).gone = true);
    else this.#rows.set(key, {...this.#rows.get(key), row: {...this.#rows.get(key)?.row, ...event.row}, gone: false});
    this.#changed.set(key, event.op);
    this.ask();
  }

  clear() {
    this.#rows.clear();
    this.#changed.clear();
    this.#grid.replaceChildren();
  }

  draw() {
    for (const [key, operation] of this.#changed) {
      const held = this.#rows.get(key);
      if (!held) continue;
      if (held.gone) {
        held.element?.remove();
        this.#rows.delete(key);
        continue;
      }
      held.element ??= this.#insert(key);
      held.element.lastChild.textContent = number(held.row[this.#options.value]);
      held.element.dataset.value = held.row[this.#options.value];
      flash(held.element, operation);
    }
    this.#changed.clear();
  }

  #insert(key) {
    const tile = make('li');
    tile.dataset.key = key;
    tile.append(make('span', '', `${this.#options.label} ${key}`), make('b'));
    const after = [...this.#grid.children].find((each) => Number(each.dataset.key) > key);
    this.#grid.insertBefore(tile, after ?? null);
    return tile;
  }
}

/** The latest rows, newest first: for tables that only grow, or that are too large to be shown. */
export class Latest extends Drawing {
  #options;
  #rows = []; // {key, row, operation}, newest first
  #body = make('tbody');
  #waiting = make('tr', 'none');

  constructor(options) {
    super();
    this.#options = options;
    const table = make('table');
    table.append(make('caption', 'unseen', `The latest changes of ${options.table}`));
    const head = make('tr');
    for (const column of options.columns) {
      const cell = make('th', options.hidden?.includes(column) ? 'hidden' : '', column);
      cell.scope = 'col';
      if (options.hidden?.includes(column)) cell.title = 'This user’s rules do not give this column: it is never sent';
      head.append(cell);
    }
    const headGroup = make('thead');
    headGroup.append(head);
    const none = make('td', '', 'waiting for the first change');
    none.colSpan = options.columns.length;
    this.#waiting.append(none);
    table.append(headGroup, this.#body);
    const scroller = make('div', 'scroller');
    scroller.append(table);
    this.element = panel(options, scroller);
    this.clear();
  }

  row(key) {
    return this.#rows.find((each) => each.key === key)?.row;
  }

  apply(event) {
    const key = event.key[this.#options.key];
    const known = this.#rows.findIndex((each) => each.key === key);
    if (known >= 0) this.#rows.splice(known, 1);
    this.#rows.unshift({key, row: event.row ?? event.key, operation: event.op, fresh: true});
    this.#rows.length = Math.min(this.#rows.length, this.#options.rows);
    this.ask();
  }

  clear() {
    this.#rows = [];
    this.#body.replaceChildren(this.#waiting, ...Array.from({length: this.#options.rows - 1}, () => this.#filler()));
  }

  draw() {
    const rows = this.#rows.map((held) => {
      held.element ??= this.#line(held);
      return held.element;
    });
    const fillers = Array.from({length: Math.max(0, this.#options.rows - rows.length)}, () => this.#filler());
    this.#body.replaceChildren(...rows, ...fillers);
    for (const held of this.#rows.filter(({fresh}) => fresh)) {
      held.fresh = false;
      flash(held.element, held.operation);
    }
  }

  // Keeps the page from jumping while the table fills.
  #filler() {
    const line = make('tr', 'filler');
    line.setAttribute('aria-hidden', 'true');
    for (const column of this.#options.columns) line.append(make('td', this.#options.hidden?.includes(column) ? 'hidden' : ''));
    return line;
  }

  #line({key, row, operation}) {
    const line = make('tr', operation === 'DELETE' ? 'gone' : '');
    line.dataset.key = key;
    for (const column of this.#options.columns) {
      const hidden = this.#options.hidden?.includes(column);
      const cell = make('td', hidden ? 'hidden' : '', hidden ? '' : show(row[column], column, this.#options));
      if (column === this.#options.signed) cell.classList.add(row[column] < 0 ? 'minus' : 'plus');
      line.append(cell);
    }
    return line;
  }
}

function show(value, column, {signed, time}) {
  if (value === undefined || value === null) return '';
  if (column === time) return String(value).slice(11, 19);
  if (column === signed) return (value > 0 ? '+' : '') + number(value);
  return typeof value === 'number' && !/id$/.test(column) ? number(value) : String(value);
}

function number(value) {
  return grouped.format(value).replace('-', '−');
}

function panel({table, note}, content) {
  const section = make('section', 'table');
  section.dataset.table = table;
  const heading = make('h3', '', table.replace(/^public\./, ''));
  if (note) heading.append(make('small', '', note));
  section.append(heading, content);
  return section;
}

function flash(element, operation) {
  element.animate([{backgroundColor: COLOURS[operation]}, {backgroundColor: 'transparent', offset: 1}],
    {duration: calm.matches ? 400 : 1400, easing: 'ease-out'});
  element.dataset.flashed = String(Number(element.dataset.flashed ?? 0) + 1);
}

export function make(name, className = '', text = '') {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== '') element.textContent = text;
  return element;
}
