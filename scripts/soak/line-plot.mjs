// @ts-check
import { Resvg } from '@resvg/resvg-js';

/** One line of a plot. @typedef {{ name: string, colour: string, points: readonly (readonly [x: number, y: number])[] }} Line */

const [WIDTH, HEIGHT] = [960, 420];
const EDGE = { left: 70, right: 190, top: 50, bottom: 50 };

/**
 * A picture of some lines over one axis each way, as PNG.
 * @param {{ title: string, xName: string, yName: string, lines: readonly Line[] }} plot
 * @returns {Buffer}
 */
export function linePlot({ title, xName, yName, lines }) {
  const all = lines.flatMap(({ points }) => points);
  const xMax = Math.max(...all.map(([x]) => x), 1e-9);
  const yTick = niceStep(Math.max(...all.map(([, y]) => y), 1e-9) / 5);
  const yMax = Math.ceil(Math.max(...all.map(([, y]) => y)) / yTick) * yTick;
  const xTick = niceStep(xMax / 6);
  const x = (/** @type {number} */ value) => EDGE.left + (value / xMax) * (WIDTH - EDGE.left - EDGE.right);
  const y = (/** @type {number} */ value) => HEIGHT - EDGE.bottom - (value / yMax) * (HEIGHT - EDGE.top - EDGE.bottom);
  const parts = [];
  for (let value = 0; value <= yMax; value += yTick) {
    parts.push(
      `<path d="M${EDGE.left} ${y(value)}H${WIDTH - EDGE.right}" stroke="#ddd"/>`,
      text(EDGE.left - 8, y(value) + 4, round(value), 'end'),
    );
  }
  for (let value = 0; value <= xMax; value += xTick) {
    parts.push(text(x(value), HEIGHT - EDGE.bottom + 20, round(value), 'middle'));
  }
  lines.forEach(({ name, colour, points }, index) => {
    const path = points.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(' ');
    parts.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>`);
    const top = EDGE.top + 10 + index * 22;
    parts.push(
      `<path d="M${WIDTH - EDGE.right + 15} ${top - 4}h20" stroke="${colour}" stroke-width="3"/>`,
      text(WIDTH - EDGE.right + 42, top, name, 'start'),
    );
  });
  parts.push(
    text(EDGE.left, 26, title, 'start', 16),
    text((WIDTH - EDGE.right + EDGE.left) / 2, HEIGHT - 10, xName, 'middle'),
    text(14, EDGE.top - 12, yName, 'start'),
  );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}"><rect width="100%" height="100%" fill="#fff"/>${parts.join('')}</svg>`;
  return new Resvg(svg, { font: { defaultFontFamily: 'DejaVu Sans' } }).render().asPng();
}

/** @param {number} x @param {number} y @param {string} words @param {string} anchor */
function text(x, y, words, anchor, size = 12) {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}" font-family="DejaVu Sans" font-size="${size}" text-anchor="${anchor}">${safe}</text>`;
}

/** @param {number} value */
function round(value) {
  return String(Number(value.toFixed(6)));
}

/** The next of 1, 2, 5, 10, 20, … @param {number} atLeast */
function niceStep(atLeast) {
  const power = 10 ** Math.floor(Math.log10(atLeast));
  return ([1, 2, 5, 10].find((step) => step * power >= atLeast) ?? 10) * power;
}
