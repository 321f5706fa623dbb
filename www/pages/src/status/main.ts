// SPDX-License-Identifier: MIT
// The operators' page: asks for the samples every two seconds, keeps ten
// minutes of them, and draws.
import { bytes, byId, h } from "../shared/dom.js";
import { root, setUpTheme } from "../shared/site.js";
import { Bars, Plot, formats, type Series } from "./plots.js";
import { byLabel, parseJson, quantile, rate, type Report } from "./samples.js";
import "../shared/base.css";
import "./status.css";

const EVERY_MS = 2000;
const KEEP_S = 600;

setUpTheme();

const takeKey = (): string => {
  const url = new URL(location.href);
  const given = url.searchParams.get("key");
  if (given !== null) {
    url.searchParams.delete("key");
    history.replaceState(null, "", url);
    sessionStorage.setItem("roomd-key", given);
  }
  return sessionStorage.getItem("roomd-key") ?? "";
};
let key = takeKey();

const ask = (file: string): Promise<Response> => fetch(new URL(file, root), {
  cache: "no-store", headers: key ? { authorization: `Bearer ${key}` } : {},
});

/** A report, or the HTTP status that stood in the way. */
const report = async (): Promise<Report | number> => {
  const json = await ask("metrics.json");
  return json.ok ? parseJson(await json.json(), Date.now()) : json.status;
};

type Reader = (now: Report, before: Report | undefined) => number | null;
const value = (name: string): Reader => (now) => now.samples.get(name) ?? null;
const perSecond = (name: string): Reader => (now, before) => rate(now, before, name);
const lag = (q: number): Reader => (now, before) => {
  const seconds = before ? quantile(now, before, "roomd_loop_lag_seconds", q) : null;
  return seconds === null ? null : seconds * 1000;
};

const charts: { title: string; format: (n: number) => string; lines: (Series & { read: Reader })[]; needs: string }[] = [
  {
    title: "Connections", format: formats.count, needs: "roomd_connections",
    lines: [
      { label: "WebSocket", color: "--ws", read: value('roomd_connections{transport="websocket"}') },
      { label: "long-poll", color: "--lp", dashed: true, read: value('roomd_connections{transport="longpoll"}') },
    ],
  },
  {
    title: "Messages a second", format: formats.count, needs: "roomd_messages_",
    lines: [
      { label: "in", color: "--ink", read: perSecond("roomd_messages_received_total") },
      { label: "out", color: "--sea", read: perSecond("roomd_messages_sent_total") },
    ],
  },
  {
    title: "Bytes a second", format: formats.bytes, needs: "roomd_received_bytes_total",
    lines: [
      { label: "in", color: "--ink", read: perSecond("roomd_received_bytes_total") },
      { label: "out", color: "--sea", read: perSecond("roomd_sent_bytes_total") },
    ],
  },
  {
    title: "Loop lag", format: formats.ms, needs: "roomd_loop_lag_seconds_bucket",
    lines: [
      { label: "median", color: "--ink", read: lag(0.5) },
      { label: "99 %", color: "--bad", read: lag(0.99) },
    ],
  },
  {
    title: "Memory", format: formats.bytes, needs: "bytes",
    lines: [
      { label: "process", color: "--ink", read: value("process_resident_memory_bytes") },
      { label: "documents", color: "--sea", read: value("roomd_document_bytes") },
    ],
  },
];

const plots = charts.map((chart) => new Plot(chart.title, chart.lines, chart.format, KEEP_S));
const bars = new Bars("Rooms by size");
byId("plots").append(...plots.map((plot) => plot.element), bars.element);
addEventListener("roomd-theme", () => plots.forEach((plot) => plot.redraw()));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.forEach((plot) => plot.redraw()));

const duration = (seconds: number): string => {
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days) return `${days} d ${hours} h`;
  return hours ? `${hours} h ${minutes} min` : `${minutes} min ${Math.floor(seconds) % 60} s`;
};

const table = (element: HTMLElement, heads: string[], rows: string[][], empty: string) => {
  element.replaceChildren(rows.length ? h("table", {},
    h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell) => h("td", {}, cell)))))) : h("p", { class: "quiet" }, empty));
};

const limitRows = (samples: Map<string, number>): string[][] => [
  ...byLabel(samples, "roomd_limit_total", "limit").map(([name, n]): [string, number] => [name.replaceAll("_", " "), n]),
  ...byLabel(samples, "roomd_refused_total", "reason").map(([name, n]): [string, number] => [`refused: ${name}`, n]),
  ...byLabel(samples, "roomd_queue_dropped_total", "class").map(([name, n]): [string, number] => [`dropped: ${name}`, n]),
].filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]).map(([name, n]) => [name, formats.count(n)]);

const reports: Report[] = [];
const columns = charts.map((chart) => chart.lines.map((): (number | null)[] => []));
const times: number[] = [];

const show = (now: Report) => {
  const before = reports.at(-1);
  reports.push(now);
  if (reports.length > 2) reports.shift();
  times.push(now.at / 1000);
  charts.forEach((chart, i) => chart.lines.forEach((line, j) => columns[i]![j]!.push(line.read(now, before))));
  while (times.length && times[0]! < now.at / 1000 - KEEP_S) {
    times.shift();
    for (const lines of columns) for (const line of lines) line.shift();
  }
  charts.forEach((chart, i) => {
    const known = [...now.samples.keys()].some((name) => name.includes(chart.needs));
    plots[i]!.element.hidden = !known;
    if (known) plots[i]!.draw(times, columns[i]!);
  });
  bars.element.hidden = !now.roomsByMembers.length;
  bars.draw(now.roomsByMembers);

  const get = (name: string) => now.samples.get(name);
  const tiles: [string, string][] = [
    ["Connections", formats.count((get('roomd_connections{transport="websocket"}') ?? 0) + (get('roomd_connections{transport="longpoll"}') ?? 0))],
    ["Rooms", formats.count(get("roomd_rooms") ?? 0)],
    ["Members", formats.count(get("roomd_members") ?? 0)],
    ["Updates applied", formats.count(get('roomd_updates_total{result="applied"}') ?? 0)],
    ["Updates rejected", formats.count(get('roomd_updates_total{result="rejected"}') ?? 0)],
  ];
  byId("tiles").replaceChildren(...tiles.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text))));
  table(byId("rooms"), ["Room", "Members", "Document"],
    now.rooms.map((room) => [room.topic, formats.count(room.members), bytes(room.document_bytes)]), "No rooms.");
  table(byId("limits"), ["Limit", "Times"], limitRows(now.samples), "None since the start.");
  const words = [now.version && `roomd ${now.version}`, now.uptime !== null && `up ${duration(now.uptime)}`].filter(Boolean);
  tell(words.join(", ") || "Live.");
};

let told = "";
const tell = (text: string) => {
  // Announced once; the clock in it does not have to be read out every two seconds.
  const about = byId("about");
  if (text.replace(/up .*/, "") !== told.replace(/up .*/, "")) about.setAttribute("role", "status");
  else about.removeAttribute("role");
  if (about.textContent !== text) about.textContent = text;
  told = text;
};

const askForKey = (wrong: boolean) => {
  byId("board").hidden = true;
  byId("ask").hidden = false;
  tell(wrong ? "That is not the key." : "This page needs the key that the server's configuration sets.");
};

const refuse = (status: number): boolean => {
  if (status === 401 || status === 403) {
    askForKey(key !== "");
    return true;
  }
  if (status === 404) {
    byId("board").hidden = true;
    tell("This server keeps its status to itself. Setting a status key in its configuration opens this page.");
    return true;
  }
  tell(`The server answered ${status}. Asking again.`);
  return false;
};

let timer: ReturnType<typeof setTimeout> | undefined;
const run = async (): Promise<void> => {
  clearTimeout(timer);
  let stop = false;
  try {
    if (document.visibilityState === "visible") {
      const result = await report();
      if (typeof result === "number") stop = refuse(result);
      else {
        byId("ask").hidden = true;
        byId("board").hidden = false;
        show(result);
      }
    }
  } catch {
    tell("The server does not answer. Asking again.");
  }
  clearTimeout(timer);
  if (!stop) timer = setTimeout(() => void run(), EVERY_MS);
};

byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  key = byId<HTMLInputElement>("key").value.trim();
  sessionStorage.setItem("roomd-key", key);
  void run();
});
void run();
