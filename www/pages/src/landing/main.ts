// SPDX-License-Identifier: MIT
// The first page: what this is, how busy this server is, and everybody who
// looks at it now as a dot on the plan. The dots come once the page is drawn;
// without them, or without scripts, it says the same.
import { root, setUpTheme, socketUrl } from "../shared/site.js";
import "../shared/base.css";
import "./landing.css";

setUpTheme();
const shown = document.querySelector("[data-socket-url]");
if (shown) shown.textContent = socketUrl;

const counts = [...document.querySelectorAll<HTMLElement>("[data-count]")];
const number = new Intl.NumberFormat("en");

// The first visitor is one of the connections: nothing is counted until this
// page is, or has waited long enough for a connection that does not come.
const CONNECT_MS = 4000;
let timer: ReturnType<typeof setTimeout>;
const count = async (): Promise<void> => {
  clearTimeout(timer);
  try {
    if (document.visibilityState === "hidden") return;
    const answer = await fetch(new URL("stats.json", root), { headers: { accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const stats = await answer.json() as Record<string, unknown>;
    for (const element of counts) {
      const value = stats[element.dataset.count ?? ""];
      if (typeof value !== "number") continue;
      element.textContent = number.format(value);
      const unit = element.parentElement?.querySelector<HTMLElement>("[data-unit]");
      if (unit) unit.textContent = `${unit.dataset.unit}${value === 1 ? "" : "s"}`;
    }
  } catch {
    for (const element of counts) element.textContent = "–";
  } finally {
    clearTimeout(timer);
    timer = setTimeout(() => void count(), 2000);
  }
};
timer = setTimeout(() => void count(), CONNECT_MS);

const meet = () => void import("./lobby.js").then(({ lobby }) => lobby(() => void count()));
if (document.readyState === "complete") meet();
else addEventListener("load", meet);
