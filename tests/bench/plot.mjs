/* SPDX-License-Identifier: MIT */
/* Lines on two axes, as SVG. Axes are linear from 0, or logarithmic. */

const W = 720
const H = 360
const LEFT = 70
const RIGHT = 150
const TOP = 40
const BOTTOM = 50
const COLORS = ['#c0392b', '#e59866', '#1f618d', '#7fb3d5', '#196f3d']

const label = value => value >= 1e6
  ? `${value / 1e6} M`
  : value >= 1e4 ? `${value / 1000} k` : String(value)

/* 1, 2 or 5 times a power of ten: about five steps to `most`. */
function linear (most) {
  const rough = most / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map(n => n * power).find(n => n >= rough)
  const top = Math.ceil(most / step) * step
  const ticks = []
  for (let i = 0; i * step <= top + step / 2; i++) ticks.push(+(i * step).toPrecision(6))
  return { at: v => v / top, ticks }
}

function logarithmic (least, most) {
  const low = Math.floor(Math.log10(least))
  const high = Math.max(low + 1, Math.ceil(Math.log10(most)))
  const ticks = []
  for (let p = low; p <= high; p++) ticks.push(+(10 ** p).toPrecision(6))
  return { at: v => (Math.log10(v) - low) / (high - low), ticks }
}

/* lines: [{ name, points: [[x, y], ...] }] */
export function plot ({ title, x, y, lines, log = false }) {
  const all = lines.flatMap(line => line.points)
  const ys = all.map(p => p[1]).filter(v => v > 0)
  const xs = linear(Math.max(...all.map(p => p[0])))
  const yAxis = log
    ? logarithmic(Math.min(...ys), Math.max(...ys))
    : linear(Math.max(...ys))
  const px = v => LEFT + xs.at(v) * (W - LEFT - RIGHT)
  const py = v => H - BOTTOM - yAxis.at(v) * (H - TOP - BOTTOM)
  const out = [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${W} ` +
    `${H}" font-family="Verdana, sans-serif" font-size="11">`,
  '<rect width="100%" height="100%" fill="#fff"/>',
  `<text x="${LEFT}" y="22" font-size="14">${title}</text>`]
  for (const tick of yAxis.ticks) {
    out.push(`<line x1="${LEFT}" x2="${W - RIGHT}" y1="${py(tick).toFixed(1)}"` +
      ` y2="${py(tick).toFixed(1)}" stroke="#ddd"/><text x="${LEFT - 6}" ` +
      `y="${(py(tick) + 4).toFixed(1)}" text-anchor="end">${label(tick)}</text>`)
  }
  for (const tick of xs.ticks) {
    out.push(`<text x="${px(tick).toFixed(1)}" y="${H - BOTTOM + 16}" ` +
      `text-anchor="middle">${label(tick)}</text>`)
  }
  out.push(`<text x="${(LEFT + W - RIGHT) / 2}" y="${H - 12}" ` +
    `text-anchor="middle">${x}</text>`,
  `<text transform="translate(16,${(TOP + H - BOTTOM) / 2}) rotate(-90)" ` +
    `text-anchor="middle">${y}</text>`)
  lines.forEach((line, i) => {
    const color = COLORS[i % COLORS.length]
    const points = line.points.filter(p => !log || p[1] > 0)
    out.push(`<polyline fill="none" stroke="${color}" stroke-width="2" ` +
      `points="${points.map(p => `${px(p[0]).toFixed(1)},` +
        py(p[1]).toFixed(1)).join(' ')}"/>`)
    for (const p of points) {
      out.push(`<circle cx="${px(p[0]).toFixed(1)}" ` +
        `cy="${py(p[1]).toFixed(1)}" r="2.5" fill="${color}"/>`)
    }
    out.push(`<text x="${W - RIGHT + 10}" y="${TOP + 16 * i + 10}" ` +
      `fill="${color}">${line.name}</text>`)
  })
  return out.join('\n') + '\n</svg>\n'
}
