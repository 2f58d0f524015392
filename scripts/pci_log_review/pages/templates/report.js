'use strict';
(() => {
const PAGE = 50;
const [LINE, TIME, SENTENCE, ACCOUNT, REGION, SOURCE, EVENT, ACTOR, ARN, KEY, IP, AGENT, OUTCOME, CODE, MESSAGE, RESOURCE,
  FLAGS, MFA, REQUEST, RESPONSE, ID, SHARED, FILE, ALSO] = Array(24).keys();
const FIELDS = [['When', TIME], ['Account', ACCOUNT], ['Region', REGION], ['Service', SOURCE], ['Call', EVENT],
  ['Who', ACTOR], ['Who (ARN)', ARN], ['Access key', KEY], ['From', IP], ['Client says it is', AGENT],
  ['Outcome', OUTCOME], ['Error', CODE], ['Error message', MESSAGE], ['Resource', RESOURCE], ['Marked', FLAGS],
  ['MFA', MFA], ['Asked', REQUEST], ['Answered', RESPONSE], ['Event id', ID], ['Shared event id', SHARED],
  ['Log file', FILE]];
const byId = (id) => document.getElementById(id);
const make = (tag, text, name) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  return made;
};
const pretty = (text) => {
  if (text[0] !== '{' && text[0] !== '[') return text;
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
};

async function unpack() {
  const packed = Uint8Array.from(atob(byId('data').textContent), (char) => char.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).json();
}

function details(row, lines) {
  const list = make('dl');
  for (const [name, place] of FIELDS) {
    if (!row[place]) continue;
    const value = make('dd'), isJson = place === REQUEST || place === RESPONSE;
    if (isJson) { const pre = make('pre', pretty(row[place])); pre.tabIndex = 0; value.append(pre); }
    else value.textContent = row[place];
    list.append(make('dt', name), value);
  }
  const line = lines[row[LINE]];
  const under = [line.r, ...line.also];
  if (line.ap) list.append(make('dt', 'Approved'), make('dd', line.ap));
  for (const [requirement, title, flags, expected] of row[ALSO]) {
    list.append(make('dt', 'Also'), make('dd', [requirement || under.join(', '), title, flags, expected].filter(Boolean).join(': ')));
  }
  if (row[ID]) {
    const link = make('a', 'link to this finding');
    link.href = `#event-${encodeURIComponent(row[ID])}`;
    const value = make('dd');
    value.append(link);
    list.append(make('dt', 'Link'), value);
  }
  return list;
}

function table(rows, lines, into, isOpen) {
  const region = make('div', undefined, 'scroll');
  region.tabIndex = 0;
  region.setAttribute('role', 'region');
  region.setAttribute('aria-label', 'Findings');
  const made = make('table', undefined, 'small'), body = make('tbody'), head = make('tr');
  for (const name of ['When (UTC)', 'What']) {
    const cell = make('th', name);
    cell.scope = 'col';
    head.append(cell);
  }
  made.append(make('thead'), body);
  made.firstChild.append(head);
  region.append(made);
  into.replaceChildren(region);
  let shown = 0;
  const more = make('button');
  more.type = 'button';
  const add = () => {
    const end = Math.min(shown + PAGE, rows.length), first = shown;
    for (; shown < end; shown++) {
      const row = rows[shown], line = make('tr'), what = make('td'), open = make('button', row[SENTENCE], 'row');
      open.type = 'button';
      open.setAttribute('aria-expanded', 'false');
      open.addEventListener('click', () => {
        if (what.lastChild !== open) what.lastChild.remove();
        else what.append(details(row, lines));
        open.setAttribute('aria-expanded', String(what.lastChild !== open));
      });
      what.append(open);
      line.append(make('td', row[TIME].replace('T', ' ').replace('Z', '') || 'not recorded', 'nowrap'), what);
      body.append(line);
      if (isOpen) open.click();
    }
    more.textContent = `Show ${Math.min(PAGE, rows.length - shown)} more of ${(rows.length - shown).toLocaleString('en')}`;
    more.hidden = shown >= rows.length;
    if (first) body.rows[first].querySelector('button').focus();
  };
  more.addEventListener('click', add);
  into.append(more);
  add();
}

function start({lines, rows, rest}) {
  const ofLine = new Map();
  rows.forEach((row) => {
    if (!ofLine.has(row[LINE])) ofLine.set(row[LINE], []);
    ofLine.get(row[LINE]).push(row);
  });
  rows.sort((a, b) => a[LINE] - b[LINE]);
  let texts;
  const textOf = (index) => {
    if (!texts) texts = rows.map((row) => {
      const line = lines[row[LINE]];
      const under = [line.r, ...line.also, ...row[ALSO].flat()];
      // the path of a log file is no word of an event: each has CloudTrail in it
      return [...row.slice(1, FILE), line.a, line.ap, ...under].join('\n').toLowerCase();
    });
    return texts[index];
  };
  const number = new Map(lines.map((line, index) => [`line-${line.id}`, index]));
  for (const element of document.querySelectorAll('details.line')) {
    element.addEventListener('toggle', () => {
      const into = element.querySelector('.findings');
      if (!element.open || into.firstChild) return;
      const index = number.get(element.id), found = ofLine.get(index) || [];
      table(found, lines, into, found.length === 1);
      const rest = lines[index].c - found.length;
      if (rest > 0) {
        into.append(make('p', `${rest.toLocaleString('en')} more are in findings/${lines[index].r}.csv`, 'small'));
      }
    });
  }
  const search = byId('search'), results = byId('results'), groups = byId('groups');
  const chosen = () => Object.fromEntries(['r', 'ac', 'a', 'o', 'x'].map((name) => [name, byId(`by-${name}`).value]));
  let event = '';
  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean), by = chosen(), order = byId('order').value;
    const isIdle = !words.length && !event && !order && !Object.values(by).some(Boolean);
    results.hidden = isIdle;
    groups.hidden = !isIdle;
    if (isIdle) { results.replaceChildren(); return; }
    const wanted = lines.map((line) => (!by.r || line.r === by.r || line.also.includes(by.r)) && (!by.ac || line.ac === by.ac)
      && (!by.a || line.a === by.a) && (!by.o || line.o === by.o)
      && (!by.x || (by.x === 'expected' ? line.x : !line.x && (by.x !== 'new' || line.n))));
    let found = rows.filter((row, index) => wanted[row[LINE]] && (!event || row[ID] === event)
      && words.every((word) => textOf(index).includes(word)));
    if (order === 'actor') found = found.toSorted((a, b) => lines[a[LINE]].a < lines[b[LINE]].a ? -1 : 1);
    if (order === 'first') found = found.toSorted((a, b) => a[TIME] < b[TIME] ? -1 : 1);
    if (order === 'last') found = found.toSorted((a, b) => a[TIME] > b[TIME] ? -1 : 1);
    const absent = lines.reduce((sum, line, index) => sum + (wanted[index] ? line.c - (ofLine.get(index) || []).length : 0), rest);
    let told = found.length === 1 ? '1 event matches.' : `${found.length.toLocaleString('en')} events match.`;
    if (absent) told += ` ${absent.toLocaleString('en')} more, which may match, are not in this page: search findings/*.csv.`;
    const heading = make('h2', told), into = make('div');
    heading.setAttribute('role', 'status');
    results.replaceChildren(heading, into);
    if (found.length) table(found, lines, into, found.length === 1);
  };
  const clear = () => {
    byId('tools').reset();
    event = '';
    if (location.hash.startsWith('#event-')) history.replaceState(null, '', location.href.split('#')[0]);
    apply();
  };
  let waiting;
  search.addEventListener('input', () => { clearTimeout(waiting); waiting = setTimeout(apply, 80); });
  // the field's own change comes when it is left, by the very click on a result, which must not be replaced then
  byId('tools').addEventListener('change', (it) => { if (it.target !== search) apply(); });
  byId('tools').addEventListener('submit', (it) => it.preventDefault());
  document.addEventListener('keydown', (it) => {
    const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (it.key === '/' && !isTyping && !it.ctrlKey && !it.metaKey) { it.preventDefault(); search.focus(); }
    if (it.key === 'Escape') { clear(); search.blur(); }
  });
  const follow = () => {
    const name = decodeURIComponent(location.hash.slice(1));
    if (name.startsWith('event-')) { event = name.slice(6); apply(); results.scrollIntoView(); return; }
    if (event || !groups.contains(byId(name)) || groups.hidden) { event = ''; byId('tools').reset(); apply(); }
    const target = name && byId(name);
    if (!target) return;
    for (let at = target; at; at = at.parentElement) if (at.tagName === 'DETAILS') at.open = true;
    target.scrollIntoView();
  };
  window.addEventListener('hashchange', follow);
  document.addEventListener('click', (it) => {
    const link = it.target.closest && it.target.closest('a[href^="#"]');
    if (link && link.hash === location.hash) follow();
  });
  byId('tools').hidden = false;
  // what a link leads to stands below the bar, however many lines that has
  const bar = byId('tools');
  const keepClear = () => {
    const height = getComputedStyle(bar).position === 'sticky' ? bar.offsetHeight : 0;
    document.documentElement.style.scrollPaddingTop = `${height + 8}px`;
  };
  new ResizeObserver(keepClear).observe(bar);
  window.addEventListener('resize', keepClear);
  keepClear();
  document.documentElement.dataset.ready = 'yes';
  if (rows.length) setTimeout(() => textOf(0));
  if (location.hash) follow();
}

unpack().then(start, () => {
  const told = make('p', 'This browser cannot unpack the findings of this page: the groups below are complete, each finding is in findings/*.csv.');
  byId('groups').before(told);
});
})();
