// @ts-check
// The page of the control API. It asks the routes that anybody can ask and writes whatever devices sent as text only.

/** Samples of a chart, one a second. */
const KEPT = 300;
/** Consumer groups drawn at most; the filter finds the others. */
const GROUPS_DRAWN = 24;
const RECORDS = 50;
const TOKEN = 'simulator-token';

/**
 * @typedef {object} Group
 * @property {string} group
 * @property {number} clients
 * @property {number} published
 * @property {number} sent
 * @property {number} redelivered
 * @property {number} accepted
 * @property {number} unsettled
 * @property {number} queued
 * @property {number} dropped
 * @property {number[][]} samples published, sent, accepted, queued, unsettled
 */

// ---- asking

let token = sessionStorage.getItem(TOKEN) ?? '';

class Refused extends Error {}

/**
 * @param {string} path
 * @param {{ method?: string, body?: unknown, yaml?: string }} [options]
 * @returns {Promise<any>}
 */
async function ask(path, { method = 'GET', body, yaml } = {}) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (token !== '') headers['authorization'] = `Bearer ${token}`;
  if (method === 'POST' || method === 'PUT') {
    headers['content-type'] = yaml === undefined ? 'application/json' : 'application/yaml';
  }
  const content = yaml ?? (body === undefined ? undefined : JSON.stringify(body));
  const answer = await fetch(path, { method, headers, ...(content === undefined ? {} : { body: content }) });
  if (answer.status === 401) show('sign-in', true);
  if (answer.status === 204) return null;
  const said = await answer.json();
  if (!answer.ok) throw new Refused(said.detail ?? `the simulator answered ${answer.status}`);
  return said;
}

/** @param {Record<string, string | undefined>} parameters */
function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '');
  return new URLSearchParams(/** @type {[string, string][]} */ (given)).toString();
}

// ---- drawing

/** @param {string} id @returns {any} */
const at = (id) => document.getElementById(id);

/** @param {string} id @param {boolean} shown */
function show(id, shown) {
  at(id).hidden = !shown;
}

/**
 * An element with its class and its children; text stays text.
 * @param {string} name
 * @param {string | null} className
 * @param {...(Node | string)} children
 * @returns {any}
 */
function el(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** @param {string} text */
const zh = (text) => {
  const made = el('span', null, text);
  made.lang = 'zh';
  return made;
};

/** @param {string} text @param {() => void} onClick @param {string} [className] */
function button(text, onClick, className = 'small') {
  const made = el('button', className, text);
  made.type = 'button';
  made.addEventListener('click', onClick);
  return made;
}

/** @param {Node} list @param {readonly (readonly [string | Node, string | number])[]} pairs */
function pairsInto(list, pairs) {
  /** @type {any} */ (list).replaceChildren(
    ...pairs.map(([name, value]) => el('div', null, el('dt', null, name), el('dd', null, String(value)))),
  );
}

const count = (/** @type {number} */ number) => number.toLocaleString('en');
const clockTime = (/** @type {string} */ iso) => iso.slice(11, 23);

/**
 * What a form says after its button: the outcome, or what was wrong.
 * @param {HTMLFormElement} form
 * @param {() => Promise<string | Node>} work
 */
function onSubmit(form, work) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const output = form.querySelector('output');
    const say = (/** @type {string | Node} */ text, /** @type {string} */ className) => {
      if (!output) return;
      output.className = className;
      output.replaceChildren(text);
    };
    work().then(
      (text) => say(text, ''),
      (error) => say(error.message, 'bad'),
    );
  });
}

// ---- the summary: facts, groups and their charts, once a second

/** @type {Map<string, { samples: number[][], card: ReturnType<typeof groupCard> }>} */
const groups = new Map();
let tick = 0;
let groupNames = '';

/** @param {any} summary */
function drawSummary(summary) {
  const { now, scale, devices, connections, logins, published, log } = summary;
  pairsInto(at('facts'), [
    ['Clock (UTC)', `${now.slice(0, 10)} ${now.slice(11, 19)}${scale === 1 ? '' : `, ${scale} times as fast`}`],
    ['Published', count(published)],
    ['Devices online', `${count(devices.online)} of ${count(devices.total)}`],
    ['Connections', count(connections)],
    ['Sign-ins refused', count(logins.refused)],
  ]);
  at('log-size').textContent =
    log.capacity === 0
      ? 'The message log is switched off (SIMULATOR_LOG_MESSAGES=0).'
      : `The log keeps the last ${count(log.kept)} of ${count(log.total)} records.`;
  // The simulator was started again: what was drawn is of another run.
  if (summary.tick < tick) {
    groups.clear();
    tick = 0;
    return;
  }
  tick = summary.tick;
  drawGroups(summary.groups);
}

/** @param {Group[]} all */
function drawGroups(all) {
  const names = all.map(({ group }) => group);
  for (const name of groups.keys()) if (!names.includes(name)) groups.delete(name);
  for (const each of all) {
    const known = groups.get(each.group) ?? { samples: [], card: groupCard(each.group) };
    known.samples.push(...each.samples);
    known.samples.splice(0, known.samples.length - KEPT);
    groups.set(each.group, known);
  }
  const filter = at('group-filter').value;
  const wanted = all.filter(({ group }) => group.includes(filter));
  const drawn = wanted.slice(0, GROUPS_DRAWN);
  const cards = drawn.map(({ group }) => groups.get(group)?.card.element);
  const place = at('groups');
  if (cards.length !== place.children.length || cards.some((card, i) => place.children[i] !== card)) {
    place.replaceChildren(...cards);
  }
  for (const each of drawn) {
    const known = groups.get(each.group);
    known?.card.draw(each, known.samples);
  }
  show('group-filter', all.length > 6);
  show('groups-more', wanted.length > drawn.length);
  at('groups-more').textContent = `${count(wanted.length - drawn.length)} more groups; the filter finds them.`;
  if (groupNames !== names.join()) {
    groupNames = names.join();
    const select = at('search').elements.group;
    const chosen = select.value;
    select.replaceChildren(new Option('any', ''), ...names.map((name) => new Option(name, name)));
    select.value = names.includes(chosen) ? chosen : '';
  }
}

/** @param {string} name */
function groupCard(name) {
  const slash = name.lastIndexOf('/');
  const title = el('h3', null, el('span', 'owner', name.slice(0, slash + 1)), name.slice(slash + 1));
  const reset = button('Clear backlog', () => {
    if (confirm(`Give up all messages that wait in ${name}?`))
      void act(() => ask(groupUrl(name, '/reset'), { method: 'POST', body: {} }));
  });
  reset.title = '清空堆积消息 (ResetConsumerGroupPosition)';
  const waiting = chart(['backlog'], true);
  const rates = chart(['in', 'out'], false);
  const numbers = el('dl', 'numbers');
  const element = el(
    'article',
    'group',
    el('header', null, title, reset),
    el('div', 'charts', waiting.element, rates.element),
    numbers,
  );
  return {
    element,
    /** @param {Group} group @param {number[][]} samples */
    draw(group, samples) {
      waiting.draw([samples.map((sample) => sample[3] ?? 0)]);
      rates.draw([samples.map((sample) => sample[0] ?? 0), samples.map((sample) => sample[2] ?? 0)]);
      const last = samples.slice(-10);
      const rate = (/** @type {number} */ i) =>
        (last.reduce((sum, sample) => sum + (sample[i] ?? 0), 0) / Math.max(1, last.length)).toFixed(1);
      pairsInto(numbers, [
        ['waiting', count(group.queued)],
        ['unacknowledged', count(group.unsettled)],
        ['clients', count(group.clients)],
        ['in', `${rate(0)}/s`],
        ['accepted', `${rate(2)}/s`],
        ['sent again', count(group.redelivered)],
        ...(group.dropped > 0 ? [/** @type {[string, string]} */ (['given up', count(group.dropped)])] : []),
      ]);
    },
  };
}

/** @param {string} name @param {string} rest */
function groupUrl(name, rest) {
  // A legacy public instance has no id, which a URL writes as "-".
  return `/v1/groups/${name.replace('//', '/-/').split('/').map(encodeURIComponent).join('/')}${rest}`;
}

/**
 * A small chart: lines over the last minutes, and the highest value.
 * @param {readonly string[]} lines their classes
 * @param {boolean} filled
 */
function chart(lines, filled) {
  const svgEl = (/** @type {string} */ name, /** @type {Record<string, string>} */ attributes) => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const svg = svgEl('svg', { viewBox: `0 0 ${KEPT} 44`, preserveAspectRatio: 'none', role: 'img' });
  const area = svgEl('polygon', { class: 'area' });
  if (filled) svg.append(area);
  const drawn = lines.map((className) => svgEl('polyline', { class: className }));
  svg.append(...drawn);
  const most = el('span', 'most');
  return {
    element: el('div', 'chart', svg, most),
    /** @param {readonly (readonly number[])[]} series */
    draw(series) {
      const highest = Math.max(1, ...series.map((values) => values.reduce((a, b) => Math.max(a, b), 0)));
      most.textContent = highest === 1 && series.every((values) => values.every((v) => v === 0)) ? '0' : count(highest);
      svg.setAttribute('aria-label', `${lines.join(', ')}: at most ${highest} in the last five minutes`);
      series.forEach((values, i) => {
        const points = values.map(
          (value, x) => `${KEPT - values.length + x},${(42 - (value / highest) * 26).toFixed(1)}`,
        );
        drawn[i]?.setAttribute('points', points.join(' '));
        if (filled && values.length > 0) {
          area.setAttribute('points', `${KEPT - values.length},44 ${points.join(' ')} ${KEPT - 1},44`);
        }
      });
    },
  };
}

// ---- clients, tenants

async function drawClients() {
  const { items } = await ask('/v1/clients');
  show('clients-table', items.length > 0);
  show('no-clients', items.length === 0);
  show('per-minute', items.length > 0);
  at('clients')
    .querySelector('tbody')
    .replaceChildren(
      ...items.map((/** @type {any} */ { group, ...client }) => {
        const name = el(
          'td',
          null,
          client.ClientId,
          el('span', 'quiet', group),
          el(
            'span',
            'quiet',
            `${client.ClientIpPort}, since ${new Date(client.OnlineTime).toISOString().slice(11, 19)}`,
          ),
        );
        return el(
          'tr',
          null,
          name,
          el('td', 'number', count(client.RealTimeConsumeCountPerMinute)),
          el('td', 'number', count(client.AccumulatedConsumeCountPerMinute)),
        );
      }),
    );
}

async function drawTenants() {
  const { items } = await ask('/v1/tenants');
  const select = at('publish').elements.tenant;
  if (select.options.length !== items.length + 1) {
    select.replaceChildren(
      new Option("everybody's", ''),
      ...items.map((/** @type {any} */ { tenant }) => new Option(tenant, tenant)),
    );
  }
  at('tenants').replaceChildren(
    ...items.map((/** @type {any} */ tenant) => {
      if (tenant.flavour === 'living') {
        const path = `/v1/tenants/living/${encodeURIComponent(tenant.appKey)}/sync`;
        const box = el('input', null);
        box.type = 'checkbox';
        box.checked = tenant.sync;
        box.addEventListener('change', () => void act(() => ask(path, { method: 'PUT', body: { on: box.checked } })));
        const excluded =
          tenant.exclude.length > 0 ? `; all products but ${tenant.exclude.join(', ')}` : '; all products';
        return el(
          'div',
          'tenant',
          el('h3', null, `Living app ${tenant.appKey}`),
          el('label', 'check', box, el('span', null, 'data sync ', zh('数据同步'))),
          el('span', 'quiet', `${tenant.sync ? 'forwards' : 'forwards nothing'}${tenant.sync ? excluded : ''}`),
        );
      }
      const keys = tenant.accessKeys.map((/** @type {any} */ { accessKeyId }) => accessKeyId).join(', ');
      const told =
        tenant.subscriptions === null
          ? 'every group gets everything'
          : tenant.subscriptions.length === 0
            ? 'nothing is subscribed'
            : tenant.subscriptions
                .map(
                  (/** @type {any} */ one) => `${one.product} (${one.messages.join(', ')}) to ${one.groups.join(', ')}`,
                )
                .join('; ');
      return el(
        'div',
        'tenant',
        el('h3', null, `Enterprise instance ${tenant.instanceId || '(public, no id)'}`),
        el('span', null, `${count(tenant.groups.length)} groups`),
        el('span', 'quiet', `Keys: ${keys}`),
        el('span', 'quiet', zh('服务端订阅'), ` ${told}`),
      );
    }),
  );
}

// ---- the message log

/** @type {string[]} where the pages before this one began */
let trail = [];
/** @type {string | undefined} */
let before;
/** @type {string | null} */
let next = null;
let drawnRecords = '';
let opened = '';

const FATE_LOOKS = new Map([
  ['accepted', 'good'],
  ['queued', 'busy'],
  ['unsettled', 'busy'],
  ['expired', 'bad'],
  ['overflowed', 'bad'],
  ['cleared', 'bad'],
  ['refused', 'bad'],
]);
const FATE_NAMES = new Map([
  ['unsettled', 'unacknowledged'],
  ['unrouted', 'for no group'],
]);
const fateLook = (/** @type {string} */ fate) => FATE_LOOKS.get(fate) ?? '';
const fateName = (/** @type {string} */ fate) => FATE_NAMES.get(fate) ?? fate;

/** @returns {Record<string, string>} */
function searched() {
  const fields = /** @type {Record<string, string>} */ (Object.fromEntries(new FormData(at('search'))));
  for (const name of ['from', 'to']) if (fields[name]) fields[name] = `${fields[name]}Z`; // the page shows UTC throughout
  for (const [name, value] of Object.entries(fields)) fields[name] = value.trim();
  return fields;
}

async function drawRecords() {
  /** @type {any[]} */
  const items = [];
  next = before ?? null;
  do {
    // One answer looks at so many records only, and may be short although there are more.
    const more = { ...searched(), before: next ?? undefined, limit: String(RECORDS - items.length) };
    const page = await ask(`/v1/messages?${query(more)}`);
    items.push(...page.items);
    next = page.next;
  } while (items.length < RECORDS && next !== null);
  show('no-records', items.length === 0);
  at('older').disabled = next === null;
  show('newest', before !== undefined);
  const looks = JSON.stringify([opened, items]);
  if (looks === drawnRecords) return;
  drawnRecords = looks;
  at('records')
    .querySelector('tbody')
    .replaceChildren(...items.map(recordRow));
}

/** @param {any} record */
function recordRow(record) {
  const refused = record.kind === 'refused';
  const fates = refused ? ['refused'] : record.fates.map((/** @type {any} */ { outcome }) => outcome);
  const different = [...new Set(fates.length === 0 ? ['unrouted'] : fates)];
  const open = button(clockTime(record.at), () => go(record.seq), 'link');
  open.setAttribute('aria-label', `Open the record of ${record.at}`);
  const what = refused ? `${record.what} of ${record.who}: ${record.reason}` : (record.topic ?? '(no topic)');
  const row = el(
    'tr',
    String(record.seq) === opened ? 'open' : null,
    el('td', 'time', open),
    el('td', 'device', record.device ?? ''),
    el('td', 'topic', what),
    el('td', null, refused ? record.door : record.origin),
    el('td', 'fate', ...different.map((fate) => el('span', `tag ${fateLook(fate)}`, fateName(fate)))),
  );
  row.addEventListener('click', () => go(record.seq));
  return row;
}

/** @param {number | null} seq */
function go(seq) {
  location.hash = seq === null ? '' : `record=${seq}`;
}

async function drawDetail() {
  const wanted = /^#record=(\d+)$/.exec(location.hash)?.[1] ?? '';
  if (wanted === '') {
    opened = '';
    show('detail', false);
    at('log').classList.remove('open');
    return;
  }
  const isNew = wanted !== opened;
  opened = wanted;
  const detail = at('detail');
  try {
    const record = await ask(`/v1/records/${wanted}`);
    detail.replaceChildren(...detailOf(record));
  } catch (error) {
    detail.replaceChildren(
      el('p', 'quiet', /** @type {Error} */ (error).message),
      button('Close', () => go(null)),
    );
  }
  show('detail', true);
  at('log').classList.add('open');
  if (isNew) {
    detail.scrollIntoView({ block: 'nearest' });
    detail.focus({ preventScroll: true });
  }
}

/** @param {any} record @returns {Node[]} */
function detailOf(record) {
  const head = el('div', 'row', el('h3', null, record.kind === 'refused' ? `Refused ${record.what}` : 'Message '));
  if (record.kind !== 'refused') head.append(el('code', null, record.messageId));
  head.append(
    button('Refresh', () => void drawDetail()),
    button('Close', () => go(null)),
  );
  if (record.kind === 'refused') {
    return [
      head,
      timeline([[record.at, 'bad', `${record.who} over ${record.door.toUpperCase()}: ${record.reason}`]]),
      ...(record.topic === null ? [] : [el('p', 'quiet', 'Topic ', el('code', null, record.topic))]),
      ...(record.body === null ? [] : [bodyBlock(record, record.body)]),
    ];
  }
  return [head, timeline(storyOf(record)), bodyBlock(record, record.body), ...uplinkOf(record), ...againOf(record)];
}

/** @typedef {readonly [at: string | null, look: string, ...what: (string | Node)[]]} Moment */

/** @param {any} record @returns {Moment[]} arrival, processing, forwarding */
function storyOf({ arrival, processing, forwarding }) {
  const by = arrival.by === null ? '' : ` (${arrival.by})`;
  /** @type {Moment[]} */
  const story = [
    [
      arrival.at,
      'good',
      el('strong', null, 'Arrived '),
      zh('上行'),
      ` from ${arrival.from}${by}`,
      ...(arrival.of === null
        ? []
        : [', made of ', button(arrival.of, () => searchFor({ messageId: arrival.of }), 'link')]),
      ...(arrival.topic === null ? [] : [' on ', el('code', null, arrival.topic)]),
    ],
    [
      null,
      'good',
      el('strong', null, 'Processed '),
      zh('业务处理'),
      ' as ',
      el('code', null, processing.topic ?? '(no topic)'),
      processing.withoutMessageId ? ', sent without a message id' : '',
    ],
  ];
  if (Array.isArray(processing.checkFailedData) && processing.checkFailedData.length > 0) {
    story.push([
      null,
      'bad',
      `Validation found ${processing.checkFailedData.length} wrong values: `,
      el('code', null, JSON.stringify(processing.checkFailedData)),
    ]);
  } else if (processing.checkFailedData && Object.keys(processing.checkFailedData).length > 0) {
    story.push([
      null,
      'bad',
      'Validation found wrong values: ',
      el('code', null, JSON.stringify(processing.checkFailedData)),
    ]);
  }
  for (const note of processing.notes)
    story.push([
      note.at,
      note.text.startsWith('failed') ? 'bad' : 'good',
      el('strong', null, note.by),
      `: ${note.text}`,
    ]);
  if (forwarding.length === 0) story.push([null, '', 'No consumer group was to have it.']);
  for (const one of forwarding) {
    story.push([
      null,
      fateLook(one.outcome),
      el('strong', null, 'Forwarding '),
      zh('转发'),
      ' to ',
      el('code', null, one.group),
      `: ${fateName(one.outcome)}, ${sentTimes(one.deliveries)}`,
      one.leftOut > 0 ? ` (${one.leftOut} of them, in the middle, are not listed)` : '',
    ]);
    for (const { at: sentAt, client, answer, answeredAt } of one.attempts) {
      const took = answeredAt === null ? '' : ` after ${count(Date.parse(answeredAt) - Date.parse(sentAt))} ms`;
      story.push([
        sentAt,
        `step ${answer === 'accepted' ? 'good' : answer === null ? 'busy' : 'bad'}`,
        `sent to ${client}; ${answer === null ? 'no answer yet' : `${answer}${took}`}`,
      ]);
    }
    if (one.droppedAt !== null) story.push([one.droppedAt, 'step bad', `given up: ${one.outcome}`]);
  }
  return story;
}

const sentTimes = (/** @type {number} */ times) =>
  times === 0 ? 'not sent yet' : times === 1 ? 'sent once' : `sent ${count(times)} times`;

/** @param {readonly Moment[]} moments */
function timeline(moments) {
  return el(
    'ol',
    'timeline',
    ...moments.map(([when, look, ...what]) =>
      el('li', look, ...(when === null ? [] : [el('span', 'when', clockTime(when))]), ...what),
    ),
  );
}

/** @param {any} record @returns {Node[]} */
function uplinkOf(record) {
  const { arrival } = record;
  if (arrival.body === null) return [];
  return [el('h3', null, 'As the device sent it'), bodyBlock(record, arrival.body, (found) => found.arrival.body)];
}

/** @param {any} record @returns {Node[]} */
function againOf({ again }) {
  if (again.length === 0) return [];
  const different = again.filter((/** @type {any} */ { same }) => !same);
  return [
    el(
      'p',
      'quiet',
      `Published ${again.length} more times under this id${different.length > 0 ? `, ${different.length} of them with other bytes:` : ', always the same.'}`,
    ),
    ...different.map((/** @type {any} */ one) => bodyBlock(null, one.body)),
  ];
}

/**
 * @param {any} record whose body it is, for asking again in hex; null where there is no such choice
 * @param {any} body
 * @param {(record: any) => any} [bodyOf] where it stands in that record
 */
function bodyBlock(record, body, bodyOf = (found) => found.body) {
  const block = el('pre', null);
  const pretty = body.form === 'text' ? indented(body.content) : null;
  /** @type {[string, () => string | Promise<string>][]} */
  const forms = [
    ...(pretty === null ? [] : [/** @type {[string, () => string]} */ (['Indented', () => pretty])]),
    [body.form === 'text' ? 'As sent' : 'Base64', () => body.content],
  ];
  if (record !== null) {
    forms.push(['Hex', async () => hexLines(bodyOf(await ask(`/v1/records/${record.seq}?as=hex`)).content)]);
  }
  const buttons = forms.map(([name, read]) =>
    button(name, () => {
      for (const each of buttons) each.setAttribute('aria-pressed', String(each.textContent === name));
      void act(async () => {
        block.textContent = await read();
      });
    }),
  );
  const size = el('span', 'quiet', `${count(body.bytes)} bytes${body.form === 'text' ? '' : ', not UTF-8'}`);
  block.textContent = pretty ?? body.content;
  buttons[0]?.setAttribute('aria-pressed', 'true');
  return el('div', 'fields', el('div', 'row', el('h3', null, 'Body ', zh('消息内容')), size, ...buttons), block);
}

/**
 * JSON with line breaks, every number as it was written; null for what is no JSON. Works on the text, since numbers that do
 * not fit a double would change on their way through JSON.parse.
 * @param {string} text
 */
function indented(text) {
  try {
    const value = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return null;
  } catch {
    return null;
  }
  let depth = 0;
  const line = () => `\n${'  '.repeat(Math.min(depth, 40))}`;
  return text
    .replace(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s"{}[\],:]+|\s+/g, (part) => {
      if (part === '{' || part === '[') {
        depth++;
        return part + line();
      }
      if (part === '}' || part === ']') {
        depth--;
        return line() + part;
      }
      if (part === ',') return part + line();
      if (part === ':') return ': ';
      return /^\s/.test(part) ? '' : part;
    })
    .replace(/([{[])\s+([}\]])/g, '$1$2');
}

/** @param {string} hex */
function hexLines(hex) {
  return hex
    .replace(/../g, '$& ')
    .replace(/(.{48})/g, '$1\n')
    .trimEnd();
}

// ---- devices and commands

/** @type {Map<string, any>} */
const products = new Map();

async function drawDevices() {
  const fields = /** @type {Record<string, string>} */ (Object.fromEntries(new FormData(at('devices'))));
  const { items, next: more } = await ask(`/v1/devices?${query({ ...fields, limit: '24' })}`);
  at('found').replaceChildren(
    ...items.map((/** @type {any} */ device) =>
      el(
        'li',
        null,
        button('', () => void act(() => choose(device)), 'small'),
      ),
    ),
  );
  [...at('found').querySelectorAll('button')].forEach((each, i) => {
    const { deviceName, online, device } = items[i];
    each.title = device;
    each.append(el('span', `tag ${online ? 'good' : ''}`, deviceName));
  });
  const text =
    items.length === 0 ? 'No such device.' : more === null ? '' : 'There are more; name or product narrow them down.';
  at('found-more').textContent = text;
  show('found-more', text !== '');
  return '';
}

/** @param {any} device */
async function choose(device) {
  if (!products.has(device.productKey)) {
    for (const product of (await ask('/v1/products')).items) products.set(product.productKey, product);
  }
  const model = products.get(device.productKey)?.model;
  const form = at('command');
  form.hidden = false;
  form.dataset.device = device.device;
  form
    .querySelector('h3')
    .replaceChildren(
      device.device,
      ' ',
      el(
        'span',
        `tag ${device.online ? 'good' : ''}`,
        device.online ? 'online' : device.activated ? 'offline' : 'never online',
      ),
    );
  const services = model?.services ?? [];
  form.elements.service.replaceChildren(
    new Option('property/set 属性设置', 'property/set'),
    ...services.map((/** @type {any} */ { identifier, name }) => new Option(`${identifier} ${name}`, identifier)),
  );
  const fill = () => {
    const service = form.elements.service.value;
    const writable = (model?.properties ?? []).filter((/** @type {any} */ { writable: can }) => can);
    const inputs =
      service === 'property/set'
        ? writable.slice(0, 1)
        : (services.find((/** @type {any} */ { identifier }) => identifier === service)?.inputs ?? []);
    const example = Object.fromEntries(inputs.map((/** @type {any} */ input) => [input.identifier, exampleOf(input)]));
    form.elements.params.value = JSON.stringify(example, null, 2);
  };
  form.elements.service.onchange = fill;
  fill();
  form.querySelector('output').replaceChildren();
}

/** @param {any} field @returns {unknown} a value that its type allows */
function exampleOf({ type, min, values, members }) {
  if (type === 'bool' || type === 'enum') return Number(Object.keys(values ?? { 0: '' })[0] ?? 0);
  if (type === 'int' || type === 'float' || type === 'double') return min ?? 0;
  if (type === 'array') return [];
  if (type === 'struct') {
    return Object.fromEntries((members ?? []).map((/** @type {any} */ each) => [each.identifier, exampleOf(each)]));
  }
  return type === 'date' ? '0' : '';
}

/** @param {string} text */
function jsonOf(text) {
  try {
    return JSON.parse(text === '' ? '{}' : text);
  } catch (error) {
    throw new Error(`The parameters are no JSON: ${/** @type {Error} */ (error).message}`, { cause: error });
  }
}

// ---- faults

/** @type {any[]} */
let catalogue = [];

async function drawFaults() {
  const { items, scenarios, log, catalogue: kinds } = await ask('/v1/faults');
  if (catalogue.length !== kinds.length) {
    catalogue = kinds;
    at('fault').elements.fault.replaceChildren(...kinds.map((/** @type {any} */ { name }) => new Option(name, name)));
    drawFaultForm();
  }
  const running = [...scenarios, ...items].filter((/** @type {any} */ run) => run.running);
  const stop = (/** @type {string} */ id) => () =>
    void act(() => ask(`/v1/faults/${encodeURIComponent(id)}`, { method: 'DELETE' }).then(drawFaults));
  at('running').replaceChildren(
    ...(running.length === 0 ? [el('p', 'quiet', 'None is running.')] : []),
    ...running.map((/** @type {any} */ run) =>
      el(
        'div',
        'run',
        el('h3', null, run.id),
        button('Stop', stop(run.id)),
        el(
          'span',
          'quiet',
          Object.entries(run.counts ?? {})
            .map(([what, times]) => `${what}: ${count(Number(times))}`)
            .join(', ') || 'has done nothing yet',
        ),
      ),
    ),
  );
  at('fault-log').replaceChildren(
    ...log
      .slice(-40)
      .reverse()
      .map((/** @type {any} */ entry) =>
        el(
          'li',
          null,
          el('span', 'time', new Date(entry.at).toISOString().slice(11, 19)),
          ` ${entry.run} ${entry.what} `,
          el(
            'span',
            'quiet',
            Object.entries(entry.details)
              .map(([name, value]) => `${name}=${String(value)}`)
              .join(' '),
          ),
        ),
      ),
  );
}

function drawFaultForm() {
  const kind = catalogue.find(({ name }) => name === at('fault').elements.fault.value);
  if (!kind) return;
  at('fault-meaning').textContent = kind.meaning;
  at('fault-parameters').replaceChildren(
    ...(kind.parameters.length === 0 ? [el('p', 'quiet', 'It has none.')] : []),
    ...kind.parameters.map((/** @type {any} */ parameter) => {
      const input = el('input', null);
      input.name = `parameter ${parameter.name}`;
      input.placeholder = Array.isArray(parameter.default) ? parameter.default.join(', ') : String(parameter.default);
      return el('label', null, `${parameter.name}: ${parameter.meaning} (${parameter.form})`, input);
    }),
  );
}

/** @param {any} kind @param {FormData} form */
function faultParameters(kind, form) {
  const given = kind.parameters.flatMap((/** @type {any} */ parameter) => {
    const text = String(form.get(`parameter ${parameter.name}`) ?? '').trim();
    if (text === '') return [];
    if (Array.isArray(parameter.default)) return [[parameter.name, text.split(',').map((each) => each.trim())]];
    const isNumber = typeof parameter.default === 'number' && text !== '' && !Number.isNaN(Number(text));
    return [[parameter.name, isNumber ? Number(text) : text]];
  });
  return Object.fromEntries(given);
}

// ---- doing

/** @param {() => Promise<unknown>} work */
async function act(work) {
  try {
    await work();
    say('');
  } catch (error) {
    say(/** @type {Error} */ (error).message);
  }
}

/** @param {string} text */
function say(text) {
  at('banner').textContent = text;
  show('banner', text !== '');
}

onSubmit(at('fault'), async () => {
  const form = new FormData(at('fault'));
  const kind = catalogue.find(({ name }) => name === form.get('fault'));
  const seconds = String(form.get('seconds') ?? '').trim();
  const run = await ask('/v1/faults', {
    method: 'POST',
    body: {
      fault: kind?.name,
      params: kind ? faultParameters(kind, form) : {},
      ...(seconds === '' ? {} : { forMs: Number(seconds) * 1000 }),
    },
  });
  await drawFaults();
  return `${run.id} ${run.running ? 'is running' : 'is done'}`;
});
onSubmit(at('scenario'), async () => {
  const run = await ask('/v1/scenarios', { method: 'POST', yaml: at('scenario').elements.yaml.value });
  await drawFaults();
  return `${run.id} is running`;
});
onSubmit(at('devices'), drawDevices);
onSubmit(at('command'), async () => {
  const { device } = at('command').dataset;
  const { service, params } = at('command').elements;
  const { requestId } = await ask(`/v1/devices/${encodeURIComponent(device)}/commands`, {
    method: 'POST',
    body: { service: service.value, params: jsonOf(params.value) },
  });
  const find = button('look for the reply', () => searchFor({ device, keyword: `"${requestId}"` }), 'link');
  return el('span', null, `Sent with request id ${requestId}; `, find);
});
onSubmit(at('publish'), async () => {
  const { topic, tenant, body } = at('publish').elements;
  const { messageId } = await ask('/v1/messages', {
    method: 'POST',
    body: { topic: topic.value, body: body.value, tenant: tenant.value === '' ? null : tenant.value },
  });
  return el(
    'span',
    null,
    'Published as ',
    button(messageId, () => searchFor({ messageId }), 'link'),
  );
});
onSubmit(at('search'), async () => {
  [trail, before] = [[], undefined];
  await drawRecords();
  return '';
});
onSubmit(at('sign-in'), async () => {
  token = String(new FormData(at('sign-in')).get('token'));
  sessionStorage.setItem(TOKEN, token);
  show('sign-in', false);
  return '';
});

/** @param {Record<string, string | undefined>} fields */
function searchFor(fields) {
  at('search').reset();
  for (const [name, value] of Object.entries(fields)) at('search').elements[name].value = value ?? '';
  at('search').requestSubmit();
  at('log-title').scrollIntoView();
}

at('search').addEventListener('reset', () => setTimeout(() => at('search').requestSubmit()));
at('fault').elements.fault.addEventListener('change', drawFaultForm);
at('older').addEventListener('click', () => {
  if (next === null) return;
  trail.push(before ?? '');
  before = next;
  void act(drawRecords);
});
at('newest').addEventListener('click', () => {
  [trail, before] = [[], undefined];
  void act(drawRecords);
});
addEventListener(
  'hashchange',
  () =>
    void act(async () => {
      await drawDetail();
      await drawRecords();
    }),
);

// ---- once a second, and nothing while nobody looks

let round = 0;
let failing = false;

async function once() {
  drawSummary(await ask(`/v1/summary?since=${tick}`));
  // What changes seldom, or costs more, is asked for less often.
  if (round % 2 === 0 && at('live').checked && before === undefined) await drawRecords();
  if (round % 3 === 0) await Promise.all([drawClients(), drawFaults()]);
  if (round % 5 === 0) await drawTenants();
  round++;
}

async function forever() {
  if (!document.hidden) {
    try {
      await once();
      if (failing) say('');
      failing = false;
    } catch (error) {
      failing = true;
      say(error instanceof Refused ? error.message : 'The simulator does not answer; trying again every second.');
    }
  }
  setTimeout(() => void forever(), 1000);
}

await forever();
void act(async () => {
  await drawDevices();
  await drawDetail();
});
