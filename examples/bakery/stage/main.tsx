// The stage: two browsers side by side, each with a network to spoil, and how the bakery's page was made live.
import {StrictMode, useEffect, useRef, useState} from 'react';
import {createRoot} from 'react-dom/client';
import type {Network} from './inside.js';
import './main.css';

declare const HAND_URL: string;
declare const SOURCES: {readonly [path: string]: string};

type Version = 'before' | 'after';

const networks: {readonly [network in Network]: string} = {
  'everything': 'works',
  'no WebSockets': 'blocks WebSockets',
  'no streams either': 'blocks streams too',
  'nothing': 'is gone',
};

interface Viewed { readonly title: string; readonly asked: number; readonly told: number }
const unseen: Viewed = {title: '', asked: 0, told: 0};

const whole = new Intl.NumberFormat('en', {maximumFractionDigits: 0});
const bytes = (count: number) => (count < 10_000 ? `${whole.format(count)} bytes` : `${whole.format(count / 1000)} KB`);

function Browser({name, user, seen}: {readonly name: string; readonly user: number; readonly seen: number | undefined}) {
  const [version, setVersion] = useState<Version>('after');
  const [network, setNetwork] = useState<Network>('everything');
  const [viewed, setViewed] = useState(unseen);
  const frame = useRef<HTMLIFrameElement>(null);
  const page = () => frame.current?.contentWindow?.inside;

  useEffect(() => {
    const timer = setInterval(() => {
      const inside = page();
      if (!inside) return;
      const now = frame.current!.contentWindow!.performance.now();
      setViewed({title: frame.current!.contentDocument!.title, asked: inside.asked.filter((at) => at > now - 60_000).length, told: inside.told});
    }, 500);
    return () => clearInterval(timer);
  }, []);

  const show = (wanted: Version) => {
    if (wanted === version) return;
    setVersion(wanted);
    setViewed(unseen);
    // Who is signed in stays.
    frame.current!.contentWindow!.location.replace(`${wanted}/${frame.current!.contentWindow!.location.hash}`);
  };
  const spoil = (wanted: Network) => {
    setNetwork(wanted);
    page()?.spoil(wanted);
  };

  return (
    <article className="browser" aria-label={name} data-browser={name}>
      <header>
        <span className="dots" aria-hidden="true"><i /><i /><i /></span>
        <b>{viewed.title || 'Corner Bakery'}</b>
        <div className="versions" role="group" aria-label="The page">
          <button type="button" aria-pressed={version === 'before'} onClick={() => show('before')}>before</button>
          <button type="button" aria-pressed={version === 'after'} onClick={() => show('after')}>after</button>
        </div>
      </header>
      <iframe ref={frame} src={`after/#${user}`} title={`${name}: Corner Bakery`} onLoad={() => page()?.spoil(network)} />
      <footer>
        <label>The network <select value={network} onChange={({target}) => spoil(target.value as Network)}>
          {Object.entries(networks).map(([value, says]) => <option key={value} value={value}>{says}</option>)}
        </select></label>
        <dl>
          <div><dt>requests a minute</dt><dd className="asked">{viewed.asked} ×</dd></div>
          <div><dt>told by rowcast</dt><dd className="told">{version === 'after' ? bytes(viewed.told) : '–'}</dd></div>
          <div><dt>SQL seen after</dt><dd className="seen">{seen === undefined ? '–' : `${whole.format(seen)} ms`}</dd></div>
        </dl>
      </footer>
    </article>
  );
}

interface Offer { readonly psql: string; readonly statements: readonly {readonly sql: string; readonly says: string}[] }

function Terminal({onRun}: {readonly onRun: () => void}) {
  const [offer, setOffer] = useState<Offer>();
  const [chosen, choose] = useState(0);
  const [said, say] = useState('');
  useEffect(() => void fetch(`${HAND_URL}/`).then((answer) => answer.json()).then(setOffer, (error: Error) => say(error.message)), []);
  if (!offer) return <p role="alert" className="terminal">{said}</p>;

  const run = async () => {
    onRun();
    const answer = await fetch(`${HAND_URL}/${chosen}`, {method: 'POST'});
    const {rowCount, message} = await answer.json() as {rowCount?: number; message?: string};
    say(message ?? `${rowCount} ${rowCount === 1 ? 'row' : 'rows'}`);
  };
  return (
    <form className="terminal" aria-label="Somebody with psql" onSubmit={(event) => (event.preventDefault(), void run().catch((error: Error) => say(error.message)))}>
      <label>
        <span className="prompt">bakery=&gt;</span>
        <select aria-label="Statement" value={chosen} onChange={({target}) => (choose(Number(target.value)), say(''))}>
          {offer.statements.map(({sql}, index) => <option key={sql} value={index}>{sql};</option>)}
        </select>
      </label>
      <button>Run</button>
      <output>{said || offer.statements[chosen]!.says}</output>
      <p>Somebody writes past the page and its server: a cron job, a colleague. You can, too: <code>{offer.psql}</code></p>
    </form>
  );
}

const Source = ({path, says}: {readonly path: string; readonly says: string}) =>
  <figure>
    <figcaption><b>{path}</b> <span>{says}</span></figcaption>
    <pre><code>{SOURCES[path]}</code></pre>
  </figure>;

const themes = {auto: 'Auto', light: 'Light', dark: 'Dark'} as const;
type Theme = keyof typeof themes;

function Theme() {
  const [theme, setTheme] = useState<Theme>(() => (localStorage['theme'] in themes ? localStorage['theme'] as Theme : 'auto'));
  useEffect(() => {
    localStorage['theme'] = theme;
    if (theme === 'auto') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }, [theme]);
  return (
    <label className="theme">Colours <select value={theme} onChange={({target}) => setTheme(target.value as Theme)}>
      {Object.entries(themes).map(([value, name]) => <option key={value} value={value}>{name}</option>)}
    </select></label>
  );
}

function Stage() {
  const [seen, setSeen] = useState<readonly (number | undefined)[]>([]);
  // What is written now: when does each of the browsers show it?
  const watch = () => {
    setSeen([]);
    document.querySelectorAll('iframe').forEach((frame, index) =>
      void frame.contentWindow?.inside?.seen().then((time) => setSeen((all) => Object.assign([...all], {[index]: time}))));
  };
  return <>
    <header className="top">
      <span className="brand"><img src="mark.svg" alt="" width="30" height="30" />rowcast</span>
      <Theme />
    </header>
    <main>
      <section className="lead">
        <h1>An ordinary app, and the same app <em>live</em>.</h1>
        <p>The bakery is a small app of React, a REST API and SQL, and knows nothing of rowcast. Five lines of SQL, a file of rules and one
          changed module made it live. Below are two browsers; in each you may go back to how it was before.</p>
        <ol className="try">
          <li><b>Order</b> something as Ada, take it on as Mira. Neither page asks for news.</li>
          <li><b>Compare.</b> Put one of them back to <i>before</i>, run some SQL, and see how long each one takes to show it.</li>
          <li><b>Leave a room</b> while the other one writes there: from that moment on it is not yours to see.</li>
          <li><b>Spoil a network</b> and watch the badge: it falls back, it comes back, and nothing is missing.</li>
        </ol>
      </section>
      <Terminal onRun={watch} />
      <div className="browsers">
        <Browser name="left" user={1} seen={seen[0]} />
        <Browser name="right" user={3} seen={seen[1]} />
      </div>
      <section className="how" aria-labelledby="how">
        <h2 id="how">What was changed</h2>
        <div className="sources">
          <Source path="app/web/data.tsx" says="before: every table, every five seconds" />
          <Source path="live/watch.sql" says="for the database, once" />
          <Source path="live/data.tsx" says="after: takes its place" />
          <Source path="live/bridge.yaml" says="for rowcast: who may see what" />
        </div>
      </section>
    </main>
    <footer className="end">Everything here is temporary: Ctrl-C in the terminal that started it removes it without a trace.</footer>
  </>;
}

createRoot(document.body.appendChild(document.createElement('div'))).render(<StrictMode><Stage /></StrictMode>);
