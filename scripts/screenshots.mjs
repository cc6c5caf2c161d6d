// Writes docs/screenshots/*.svg: every screen of the terminal UI, on a lake that a simulated exchange fills. Offline.
// Runs the built program (npm run build) in this process, on a terminal that is only in memory.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import xterm from '@xterm/headless';
import { simulatedArchive } from '../assets/exchanges/simulated/archive.ts';
import { writeMirror } from '../assets/exchanges/simulated/mirror.ts';
import { main } from '../dist/cli.js';

const root = resolve(fileURLToPath(new URL('..', import.meta.url)));
const [COLUMNS, ROWS] = [120, 36];

// --- the lake ------------------------------------------------------------------------------------------------------------------

const home = mkdtempSync(join(tmpdir(), 'lakehouse-screenshots-'));
process.on('exit', () => rmSync(home, { recursive: true, force: true }));
const mirror = join(home, 'mirror');
writeFileSync(
  join(home, 'lakehouse.yaml'),
  JSON.stringify({
    definitions: join(root, 'assets/index.ts'),
    exchanges: {
      binance: {
        archive: { directory: mirror, simulated: true },
        symbols: ['*USDT'],
        intervals: ['1h'],
        start: '2023-12-01',
      },
    },
  }),
);
const prices = {
  BTCUSDT: 42_000,
  ETHUSDT: 2_300,
  BNBUSDT: 310,
  SOLUSDT: 98,
  XRPUSDT: 0.55,
  DOGEUSDT: 0.085,
  LINKUSDT: 15,
};
const archive = simulatedArchive({
  seed: 'screenshots',
  listings: Object.entries(prices).map(([symbol, price]) => ({
    market: 'spot',
    symbol,
    price,
    ...(symbol === 'LINKUSDT' && { days: [{ from: '2024-01-17' }] }),
  })),
  intervals: ['1h'],
  from: '2023-12-01',
  to: '2024-03-09',
});
/** @param {string} symbol @param {string} date */
const dayKey = (symbol, date) => `data/spot/daily/klines/${symbol}/1h/${symbol}-1h-${date}.zip`;

/** The clock runs while there is work, and stands still for the photographer. */
let now = Date.UTC(2024, 2, 10, 9, 30);
let running = performance.now();
let standing = false;
const clock = () => (standing ? now : Math.round(now + performance.now() - running));

/** @param {readonly string[]} words @param {{ screen?: object, stdin?: object }} [terminal] */
async function lakehouse(words, terminal = {}) {
  let said = '';
  const output = {
    write: (/** @type {string} */ text) => {
      said += text;
    },
    isTTY: 'screen' in terminal,
    columns: COLUMNS,
    rows: ROWS,
    closed: false,
    failure: undefined,
    drained: async () => undefined,
    onResize: () => () => undefined,
  };
  const code = await main(words, {
    stdout: output,
    stderr: output,
    stdin: new PassThrough(),
    env: { LANG: 'C.UTF-8' },
    cwd: home,
    now: clock,
    random: randomBytes,
    host: 'demo',
    pid: process.pid,
    isAlive: () => true,
    importModule: (file) => import(pathToFileURL(file).href),
    onSignal: () => () => undefined,
    exit: () => undefined,
    ...terminal,
  });
  if (code > 1) throw new Error(`lakehouse ${words.join(' ')} exited with ${code}: ${said}`);
}

/** @param {number} minutes */
const later = (minutes) => {
  now += minutes * 60_000;
  running = performance.now();
};

async function fill() {
  await writeMirror(archive, mirror);
  await lakehouse(['materialize', '-q']);
  // A day later there is a new day, of which one file is damaged and one has an impossible candle.
  later(24 * 60);
  const date = archive.addDay();
  archive.corrupt(dayKey('SOLUSDT', date));
  const key = dayKey('XRPUSDT', date);
  archive.republish(key, { csv: impossible(archive.csv(key)) });
  await writeMirror(archive, mirror);
  await lakehouse(['materialize', '-q']);
  // And then files are replaced, which is only known so far.
  later(47);
  for (const [symbol, day] of [
    ['BTCUSDT', '05'],
    ['BTCUSDT', '06'],
    ['DOGEUSDT', '02'],
    ['ETHUSDT', '08'],
  ]) {
    const replaced = dayKey(symbol, `2024-03-${day}`);
    archive.republish(replaced, { csv: archive.csv(replaced).replace(/,0$/m, ',1') });
  }
  archive.addDay();
  await writeMirror(archive, mirror);
  await lakehouse(['observe', '-q']);
  later(3);
}

/** A candle whose highest price is below its lowest. @param {string} csv */
function impossible(csv) {
  const lines = csv.split('\n');
  const [time, open, high, low, ...rest] = (lines[13] ?? '').split(',');
  lines[13] = [time, open, low, high, ...rest].join(',');
  return lines.join('\n');
}

// --- the terminal --------------------------------------------------------------------------------------------------------------

const terminal = new xterm.Terminal({
  cols: COLUMNS,
  rows: ROWS,
  allowProposedApi: true,
  convertEol: true,
  scrollback: 0,
});
const stdin = Object.assign(new PassThrough(), {
  isTTY: true,
  isRaw: false,
  setRawMode: () => stdin,
  ref: () => stdin,
  unref: () => stdin,
});
const screen = Object.assign(
  new Writable({
    write: (chunk, _, done) => terminal.write(chunk, done),
  }),
  { isTTY: true, columns: COLUMNS, rows: ROWS, getColorDepth: () => 24, hasColors: () => true },
);

const lines = () =>
  Array.from({ length: ROWS }, (_, y) => terminal.buffer.active.getLine(y)?.translateToString(true) ?? '');

/** Waits until the screen shows all of these. @param {readonly (string | RegExp)[]} what */
async function shows(...what) {
  for (let waited = 0; ; waited += 20) {
    const text = lines().join('\n');
    if (what.every((one) => (typeof one === 'string' ? text.includes(one) : one.test(text)))) return;
    if (waited > 30_000) throw new Error(`The screen does not show ${what.join(' and ')}:\n${text}`);
    await setTimeout(20);
  }
}
/** @param {string} text */
const type = async (text) => {
  for (const key of text) {
    stdin.write(key);
    await setTimeout(5);
  }
};
const ESCAPE = '\u001b';

// --- the picture -----------------------------------------------------------------------------------------------------------------

const [WIDTH, HEIGHT, MARGIN, BAR] = [8.4, 17, 14, 30];
const [GROUND, INK] = ['#11151c', '#d5dae3'];
const BASIC = [
  '#1c212b',
  '#f07178',
  '#8fcf7f',
  '#e6c35c',
  '#6aa8f7',
  '#c792ea',
  '#63c5d8',
  '#c9d1d9',
  '#5c6773',
  '#ff8b92',
  '#a7e596',
  '#ffd97a',
  '#82bbff',
  '#d6acff',
  '#80dcee',
  '#ffffff',
];

/** @param {number} index of 256 */
function indexed(index) {
  if (index < 16) return BASIC[index] ?? INK;
  if (index >= 232) return grey(8 + (index - 232) * 10);
  const level = (/** @type {number} */ n) => (n === 0 ? 0 : 55 + n * 40);
  const at = index - 16;
  return hex(level(Math.floor(at / 36)), level(Math.floor(at / 6) % 6), level(at % 6));
}
/** @param {readonly number[]} levels */
const hex = (...levels) => `#${levels.map((level) => level.toString(16).padStart(2, '0')).join('')}`;
/** @param {number} level */
const grey = (level) => hex(level, level, level);

/** @param {import('@xterm/headless').IBufferCell} cell */
function coloursOf(cell) {
  const rgb = (/** @type {number} */ value) => hex(value >> 16, (value >> 8) & 255, value & 255);
  const front = cell.isFgDefault() ? INK : cell.isFgRGB() ? rgb(cell.getFgColor()) : indexed(cell.getFgColor());
  const back = cell.isBgDefault() ? GROUND : cell.isBgRGB() ? rgb(cell.getBgColor()) : indexed(cell.getBgColor());
  return cell.isInverse() ? { front: back, back: front } : { front, back };
}

// Lines, blocks and braille are drawn, not written: fonts leave gaps between them. Per character the weights of its four arms:
// up, right, down, left; 0 none, 1 light, 2 heavy.
const ARMS = new Map();
const ORDER = [
  ' ╵╹╶╰┖╺┕┗',
  '╷│╿╭├┞┍┝┡',
  '╻╽┃┎┟┠┏┢┣',
  '╴╯┚─┴┸╼┶┺',
  '╮┤┦┬┼╀┮┾╄',
  '┒┧┨┰╁╂┲╆╊',
  '╸┙┛╾┵┹━┷┻',
  '┑┥┩┭┽╃┯┿╇',
  '┓┪┫┱╅╉┳╈╋',
];
for (const [i, row] of ORDER.entries())
  for (const [j, character] of [...row].entries())
    if (character !== ' ') ARMS.set(character, [j % 3, Math.floor(j / 3), i % 3, Math.floor(i / 3)]);
const ROUND = '╭╮╰╯';
/** Eighths from below, or the left half and so on: x, y, width, height in shares of the cell. */
const BLOCKS = new Map([
  ...[...'▁▂▃▄▅▆▇█'].map((block, i) => /** @type {const} */ ([block, [0, 1 - (i + 1) / 8, 1, (i + 1) / 8]])),
  ['▀', [0, 0, 1, 0.5]],
  ['▌', [0, 0, 0.5, 1]],
  ['▐', [0.5, 0, 0.5, 1]],
]);
const SHADES = new Map([
  ['░', 0.25],
  ['▒', 0.5],
  ['▓', 0.75],
]);

/** @param {number} n */
const round = (n) => String(Math.round(n * 100) / 100);
/** @param {string} text */
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The screen as it is. @param {string} title */
function picture(title) {
  /** Paths by their attributes, so that a picture is a few elements. @type {Map<string, string[]>} */
  const paths = new Map();
  const path = (/** @type {string} */ attributes, /** @type {string} */ d) => {
    const known = paths.get(attributes);
    if (known) known.push(d);
    else paths.set(attributes, [d]);
  };
  const rectangle = (/** @type {readonly number[]} */ [x = 0, y = 0, w = 0, h = 0]) =>
    `M${round(x)} ${round(y)}h${round(w)}v${round(h)}h${round(-w)}z`;
  const grounds = [];
  const texts = [];
  for (let row = 0; row < ROWS; row++) {
    const line = terminal.buffer.active.getLine(row);
    if (!line) continue;
    const y = row * HEIGHT;
    let run;
    const flush = () => {
      if (run && run.text.trim() !== '') {
        const text = run.text.trimEnd();
        const cells = Math.round((run.text.length - (run.text.length - text.length)) * 100) / 100;
        const length = run.plain && cells > 1 ? ` textLength="${round(cells * WIDTH)}"` : '';
        texts.push(
          `<text x="${round(run.x * WIDTH)}" y="${round(y + 13)}"${length} fill="${run.front}"${run.style}>${escaped(text)}</text>`,
        );
      }
      run = undefined;
    };
    for (let column = 0; column < COLUMNS; column++) {
      const cell = line.getCell(column);
      if (!cell || cell.getWidth() === 0) continue;
      const character = cell.getChars() || ' ';
      const { front, back } = coloursOf(cell);
      const x = column * WIDTH;
      if (back !== GROUND) path(`fill="${back}" class="g"`, rectangle([x, y, cell.getWidth() * WIDTH, HEIGHT]));
      const code = character.codePointAt(0) ?? 0;
      const arms = ARMS.get(character);
      const block = BLOCKS.get(character);
      const shade = SHADES.get(character);
      if (arms) {
        flush();
        lineArt(path, character, arms, x, y, front);
      } else if (block || shade !== undefined) {
        flush();
        const [left, top, wide, high] = block ?? [0, 0, 1, 1];
        path(
          `fill="${front}"${shade === undefined ? '' : ` opacity="${shade}"`}`,
          rectangle([x + left * WIDTH, y + top * HEIGHT, wide * WIDTH, high * HEIGHT]),
        );
      } else if (code >= 0x2800 && code <= 0x28ff) {
        flush();
        for (const [dot, [across, down]] of DOTS.entries())
          if (code & (1 << dot))
            path(`fill="${front}"`, rectangle([x + 1.4 + across * 4.2, y + 1.2 + down * 4.2, 1.9, 1.9]));
      } else {
        const style = `${cell.isBold() ? ' font-weight="bold"' : ''}${cell.isDim() ? ' opacity="0.6"' : ''}${cell.isUnderline() ? ' text-decoration="underline"' : ''}`;
        const plain = code < 0x7f;
        // Where a font lacks a shape another one steps in, of another width: such a shape stands alone.
        if (!run || !plain || !run.plain || run.front !== front || run.style !== style) flush();
        if (run) run.text += character;
        else if (character !== ' ') run = { x: column, text: character, front, style, plain };
      }
    }
    flush();
  }
  for (const [attributes, parts] of paths)
    (attributes.includes('class="g"') ? grounds : texts).push(
      `<path ${attributes.replace(' class="g"', '')} d="${parts.join('')}"/>`,
    );
  const [wide, high] = [COLUMNS * WIDTH + 2 * MARGIN, ROWS * HEIGHT + 2 * MARGIN + BAR];
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map(
    (fill, i) => `<circle cx="${20 + i * 18}" cy="18" r="5.5" fill="${fill}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(wide)} ${round(high)}" role="img" aria-label="${escaped(title)}">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" rx="9" fill="${GROUND}"/>
${dots.join('')}
<text x="${round(wide / 2)}" y="22" text-anchor="middle" fill="#7d8796" font-family="sans-serif" font-size="12">lakehouse ui</text>
<g transform="translate(${MARGIN} ${MARGIN + BAR})" font-family="ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14" xml:space="preserve">
${[...grounds, ...texts].join('\n')}
</g>
</svg>
`;
}

const DOTS = [
  [0, 0],
  [0, 1],
  [0, 2],
  [1, 0],
  [1, 1],
  [1, 2],
  [0, 3],
  [1, 3],
];

/** @param {(attributes: string, d: string) => void} path @param {string} character @param {readonly number[]} arms */
function lineArt(
  path,
  character,
  arms,
  /** @type {number} */ x,
  /** @type {number} */ y,
  /** @type {string} */ colour,
) {
  const [middle, centre] = [x + WIDTH / 2, y + HEIGHT / 2];
  const stroke = (/** @type {number} */ weight) =>
    `fill="none" stroke="${colour}" stroke-width="${weight === 2 ? 2.4 : 1.1}"`;
  const ends = [
    [middle, y],
    [x + WIDTH, centre],
    [middle, y + HEIGHT],
    [x, centre],
  ];
  const at = (/** @type {readonly number[]} */ [a = 0, b = 0]) => `${round(a)} ${round(b)}`;
  if (ROUND.includes(character)) {
    const [from, to] = ends.filter((_, i) => arms[i]);
    path(stroke(1), `M${at(from)}Q${at([middle, centre])} ${at(to)}`);
    return;
  }
  for (const [i, end] of ends.entries()) {
    // Past the middle by half a line, so that corners are closed.
    const over = Math.max(...arms.filter((_, j) => j % 2 !== i % 2)) === 2 ? 1.2 : 0.55;
    const start =
      i % 2 === 0 ? [middle, centre + (i === 0 ? over : -over)] : [middle + (i === 3 ? over : -over), centre];
    if (arms[i]) path(stroke(arms[i]), `M${at(start)}L${at(end)}`);
  }
}

// --- the tour ----------------------------------------------------------------------------------------------------------------------

const directory = join(root, 'docs/screenshots');
mkdirSync(directory, { recursive: true });
/** @param {string} name @param {string} title */
async function shoot(name, title) {
  // Once more, so that nothing that is still being read is missing.
  await setTimeout(150);
  const svg = picture(title);
  writeFileSync(join(directory, `${name}.svg`), svg);
  // Ink takes the console for itself.
  process.stdout.write(`${name}.svg ${Math.round(svg.length / 1000)} kB\n`);
}

await fill();
now = clock();
standing = true;
const ended = lakehouse(['ui', 'silver/klines'], { screen, stdin });

await shows('gold/market_overview', / fresh/);
await type('jjjjjjj');
await shoot('assets', 'Assets: how fresh, how much, when');

await type('2');
await shows('data)  Lineage');
await shoot('lineage', 'Lineage: the graph of assets');

await type('3');
await shows('data)  Partitions');
await shoot('partitions', 'Partitions: a heat map of one asset');
await type('n');
await setTimeout(200);
await type('e');
await shows('$ lakehouse explain');
await shoot('explain', 'Explain: why a partition is as it is');

await type('4');
await shows('materialize');
await shoot('runs', 'Runs');
await type('j\r');
await shows('lakehouse runs show');
await shoot('run', 'A run: its assets and its log');

await type('5');
await shows('ohlc_consistent');
await shoot('checks', 'Checks, and the rows that fail them');

await type('6');
await shows('archive');
await shoot('schedules', 'Schedules: what is due when, and what the last ticks did');

await type(':silver/klines\r');
await setTimeout(300);
await type('3');
await shows('data)  Partitions');
await type('@2024-02-14\r');
await shows('date=2024-02-14');
await type('7');
await shows('open_time');
await shoot('data', 'Data: the rows of a partition');
await type('\r');
await shows('distinct');
await shoot('statistics', 'Data: the columns of a partition');
await type('\r');
await shows('┤');
await shoot('chart', 'Data: candles of a partition');

await type('s');
await type(
  'SELECT symbol, round(max(high), 2) AS highest, count(*) AS bars FROM silver.klines GROUP BY ALL ORDER BY highest DESC\r',
);
await shows('DOGEUSDT');
await shoot('sql', 'Data: an answer to a question');
await type(ESCAPE);
await setTimeout(100);

await type(':gold');
await shows('gold/market_overview');
await shoot('palette', 'The palette: commands and assets');
await type(ESCAPE);
await setTimeout(100);
await type('1M');
await shows('enter');
await shoot('plan', 'The plan of what m would compute');
await type(ESCAPE);
await setTimeout(100);
await type('?');
await shows('Compute what is stale');
await shoot('help', 'Help: every key');
await type(ESCAPE);
await setTimeout(100);
await type('q');
await ended;
