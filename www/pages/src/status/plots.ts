// SPDX-License-Identifier: MIT
// The plots: uPlot in the colours of the page, with the newest value in words.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { bytes, h } from "../shared/dom.js";

export interface Series {
  label: string;
  /** A colour of the page, as the name of its custom property. */
  color: string;
  dashed?: boolean;
}

const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export const formats = {
  count: (n: number) => (n >= 100 || Number.isInteger(n) ? Math.round(n).toLocaleString("en") : n.toFixed(1)),
  bytes: (n: number) => bytes(Math.round(n)),
  ms: (n: number) => n === 0 ? "0 ms" : `${n >= 10 ? n.toFixed(0) : n >= 1 ? n.toFixed(1) : n.toFixed(2)} ms`,
};

/** Steps of an axis that counts things. */
const whole = [1, 2, 5].flatMap((step) => [0, 1, 2, 3, 4, 5, 6, 7, 8].map((power) => step * 10 ** power)).sort((a, b) => a - b);

export class Plot {
  readonly element: HTMLElement;
  #plot: uPlot;
  #now: HTMLElement[];
  #format: (n: number) => string;

  constructor(title: string, series: Series[], format: (n: number) => string, most: number) {
    this.#format = format;
    this.#now = series.map(() => h("b", {}, "–"));
    const keys = series.map(({ label, color, dashed }, i) => {
      const line = h("i", { class: dashed ? "line dashed" : "line" });
      line.style.setProperty("--line-color", `var(${color})`);
      return h("span", { class: "series" }, line, label, " ", this.#now[i]!);
    });
    const box = h("div", { class: "canvas", "aria-hidden": true });
    this.element = h("figure", {}, h("figcaption", {}, h("h2", {}, title), h("p", {}, ...keys)), box);
    const span = (plot: uPlot): [number, number] => {
      const [first = 0, last = 0] = [plot.data[0][0], plot.data[0].at(-1)];
      return [last - Math.min(most, Math.max(60, last - first)), last];
    };
    const axis = { stroke: () => css("--soft"), grid: { stroke: () => css("--line"), width: 1 }, ticks: { show: false }, font: "13px system-ui" };
    this.#plot = new uPlot({
      width: 300, height: 150, legend: { show: false }, cursor: { show: false }, padding: [8, 30, 0, 0],
      scales: { x: { time: true, range: span }, y: { range: (_u, _min, max) => [0, Math.max(max * 1.15, 0.001)] } },
      axes: [
        { ...axis, size: 26, space: 90, values: [[60, "{HH}:{mm}"], [1, "{HH}:{mm}:{ss}"]] },
        { ...axis, size: 62, space: 34, values: (_u, ticks) => ticks.map((tick) => format(tick)), ...(format === formats.count ? { incrs: whole } : {}) },
      ],
      series: [{}, ...series.map(({ label, color, dashed }) => ({
        label, stroke: () => css(color), width: 2, points: { show: false }, ...(dashed ? { dash: [6, 4] } : {}),
      }))],
    }, [[], ...series.map(() => [])] as unknown as uPlot.AlignedData, box);
    new ResizeObserver(() => this.#plot.setSize({ width: box.clientWidth, height: 150 })).observe(box);
  }

  draw(times: number[], values: (number | null)[][]): void {
    this.#plot.setData([times, ...values] as uPlot.AlignedData);
    values.forEach((line, i) => {
      const now = line.at(-1);
      this.#now[i]!.textContent = now === null || now === undefined ? "–" : this.#format(now);
    });
  }

  redraw(): void {
    this.#plot.redraw(true, true);
  }
}

/** Rooms by members: a few bars, in words as much as in lengths. */
export class Bars {
  readonly element: HTMLElement;
  #list = h("ul", { class: "bars" });

  constructor(title: string) {
    this.element = h("figure", {}, h("figcaption", {}, h("h2", {}, title)), this.#list);
  }

  draw(pairs: [number | null, number][]): void {
    const most = Math.max(1, ...pairs.map(([, count]) => count));
    let floor = -1; // a room that its last member has left stays a while
    this.#list.replaceChildren(...pairs.map(([bound, count]) => {
      const label = bound === null ? `over ${floor}` : bound <= floor + 1 ? `${bound}` : `${floor + 1} to ${bound}`;
      floor = bound ?? floor;
      const bar = h("i", {});
      bar.style.width = `${(count / most) * 100}%`;
      return h("li", {}, h("span", {}, `${label} members`), h("span", { class: "track" }, bar), h("b", {}, formats.count(count)));
    }));
  }
}
