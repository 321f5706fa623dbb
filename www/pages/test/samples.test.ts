// SPDX-License-Identifier: MIT
import { expect, test } from "vitest";
import { byLabel, parseJson, quantile, rate, type Report } from "../src/status/samples.js";

/** The samples of a Prometheus text. */
const parseText = (text: string): Map<string, number> => {
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    const found = /^([a-zA-Z_:][\w:]*(?:\{.*\})?)\s+(\S+)/.exec(line);
    if (!found) continue;
    const value = found[2] === "+Inf" ? Infinity : Number(found[2]);
    if (!Number.isNaN(value)) samples.set(found[1]!.replace(/,\}$/, "}"), value);
  }
  return samples;
};

const text = `# HELP roomd_connections Open connections
# TYPE roomd_connections gauge
roomd_connections{transport="websocket"} 41
roomd_connections{transport="longpoll"} 7
roomd_rooms 3 1700000000000
roomd_limit_total{limit="queue_bytes"} 1e3
roomd_lag_bucket{le="0.001"} 90
roomd_lag_bucket{le="0.01"} 100
roomd_lag_bucket{le="+Inf"} 100
odd NaN
`;
const report = (at: number, samples: Map<string, number>): Report =>
  ({ at, samples, version: null, uptime: null, roomsByMembers: [], rooms: [] });

test("reads Prometheus text", () => {
  const samples = parseText(text);
  expect(samples.get('roomd_connections{transport="websocket"}')).toBe(41);
  expect(samples.get("roomd_rooms")).toBe(3);
  expect(samples.get('roomd_limit_total{limit="queue_bytes"}')).toBe(1000);
  expect(samples.has("odd")).toBe(false);
  expect(byLabel(samples, "roomd_connections", "transport")).toEqual([["websocket", 41], ["longpoll", 7]]);
});

test("JSON and text give the same samples", () => {
  const samples = parseText(text);
  const parsed = parseJson({ version: "1", uptime_s: 2, samples: Object.fromEntries(samples), rooms: [{ topic: "room:1", members: 2 }] }, 5);
  expect(parsed.samples).toEqual(samples);
  expect(parsed).toMatchObject({ version: "1", uptime: 2, at: 5, rooms: [{ topic: "room:1", members: 2, document_bytes: 0 }] });
});

test("JSON of any shape does no harm", () => {
  expect(parseJson({ samples: { a: "x" }, rooms: 3, rooms_by_members: [1, [2, "x"], [3, 4]] }, 0))
    .toMatchObject({ samples: new Map(), rooms: [], roomsByMembers: [[3, 4]], version: null });
});

test("rates, also over a restart", () => {
  const at = (ms: number, n: number) => report(ms, new Map([["n", n]]));
  expect(rate(at(3000, 30), at(1000, 10), "n")).toBe(10);
  expect(rate(at(3000, 5), at(1000, 10), "n")).toBeNull();
  expect(rate(at(3000, 5), undefined, "n")).toBeNull();
  expect(rate(at(3000, 5), at(1000, 1), "m")).toBeNull();
});

test("quantiles of what came between two reports", () => {
  const samples = parseText(text);
  expect(quantile(report(1, samples), undefined, "roomd_lag", 0.5)).toBeCloseTo(0.001 * 50 / 90);
  expect(quantile(report(1, samples), undefined, "roomd_lag", 0.99)).toBeCloseTo(0.001 + 0.009 * 0.9);
  expect(quantile(report(2, samples), report(1, samples), "roomd_lag", 0.5)).toBeNull();
});
