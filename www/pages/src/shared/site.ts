// SPDX-License-Identifier: MIT
// Where this page is served, which room it is about, and who looks at it.
import type { TransportMode } from "roomd-client";

const query = new URLSearchParams(location.search);

/** The folder all pages are served from; the socket and the metrics lie beside them. */
export const root = new URL(document.documentElement.dataset.root ?? "./", location.href);
export const socketUrl = new URL("socket", root).href.replace(/^http/, "ws");

/** `?room=` names a room of one's own; letters, digits, dash and underscore. */
export const roomName = (fallback: string): string => {
  const asked = query.get("room") ?? "";
  return /^[\w-]{1,60}$/.test(asked) ? asked : fallback;
};

export const askedTransport: TransportMode = query.get("transport") === "longpoll" ? "longpoll" : "auto";

/** This page's address with another room or transport. */
export const sameRoom = (changes: Record<string, string | null>): string => {
  const params = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) params.delete(key);
    else params.set(key, value);
  }
  const text = params.toString();
  return location.pathname + (text && `?${text}`);
};

export const randomId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(36).padStart(2, "0")).join("").slice(0, 10);

export interface Person {
  name: string;
  color: string;
}

const names = [
  "Ada", "Alan", "Annie", "Barbara", "Dennis", "Dorothy", "Edsger", "Evelyn", "Frances", "Grace", "Hedy", "Ida",
  "Jean", "Joan", "Karen", "Katherine", "Ken", "Leslie", "Lynn", "Margaret", "Mary", "Niklaus", "Radia", "Tony",
];
/** Dark enough for white letters on them, in either theme. */
export const colors = ["#9c2c24", "#8a5200", "#2f6b2b", "#00695c", "#1a5fb4", "#5b3fb0", "#a01f63", "#46565f"];

const stored = (store: Storage, key: string, make: () => string): string => {
  try {
    const value = store.getItem(key) ?? make();
    store.setItem(key, value);
    return value;
  } catch {
    return make();
  }
};

const pick = <T>(list: T[]): T => list[Math.floor(Math.random() * list.length)]!;

/** One user of this browser in all its tabs; the colour tells the tabs apart. */
export const userId = stored(localStorage, "roomd-user", randomId);
export const me: Person = {
  name: stored(localStorage, "roomd-name", () => pick(names)).slice(0, 40),
  color: stored(sessionStorage, "roomd-color", () => pick(colors)),
};

export const rename = (name: string): void => {
  me.name = name.trim().slice(0, 40) || me.name;
  try {
    localStorage.setItem("roomd-name", me.name);
  } catch {
    // stays for this page only
  }
};

/** What others send is not to be trusted with our styles. */
export const safeColor = (color: unknown): string =>
  typeof color === "string" && /^#[0-9a-f]{6}$/i.test(color) ? color : "#46565f";
export const safeName = (name: unknown): string =>
  typeof name === "string" && name.trim() ? name.trim().slice(0, 40) : "Somebody";

const themes = document.documentElement;
const darkNow = () => (themes.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

export const setUpTheme = (): void => {
  try {
    const kept = localStorage.getItem("roomd-theme");
    if (kept === "light" || kept === "dark") themes.dataset.theme = kept;
  } catch {
    // the system's choice then
  }
  document.querySelector("[data-theme-toggle]")?.addEventListener("click", () => {
    themes.dataset.theme = darkNow() ? "light" : "dark";
    try {
      localStorage.setItem("roomd-theme", themes.dataset.theme);
    } catch {
      // for this page only
    }
    dispatchEvent(new Event("roomd-theme"));
  });
};
