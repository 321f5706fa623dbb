// SPDX-License-Identifier: MIT
// @vitest-environment jsdom
import { StrictMode, act, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  Roomd, useAwareness, useHealth, usePhoenixYjs, usePresence, useRoom, useYArray, useYMap, useYText, type PhoenixYjs,
} from "../src/react.js";
import { FakeServer, FakeWebSocket } from "./fake.js";

let server: FakeServer;
let roots: Root[];
let url: string;
let run = 0;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeWebSocket);
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.spyOn(console, "log").mockImplementation(() => {});
  FakeWebSocket.server = server = new FakeServer();
  roots = [];
  url = `ws://server${++run}/socket`;
});

afterEach(async () => {
  await act(async () => roots.forEach((root) => root.unmount()));
  await vi.advanceTimersByTimeAsync(3000);
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const settle = (ms = 20) => act(() => vi.advanceTimersByTimeAsync(ms));

const render = async (view: ReactNode) => {
  const element = document.createElement("div");
  const root = createRoot(element);
  roots.push(root);
  await act(async () => root.render(<StrictMode><Roomd url={url} options={{ transport: "websocket" }}>{view}</Roomd></StrictMode>));
  await settle();
  return { element, root };
};

/** The JSON frames of jsdom and node differ in realm; binary pushes are not told apart there. */
const joins = (topic: string) => server.log.filter((entry) => entry.event === "phx_join" && entry.topic === topic).length;

const Status = ({ room }: { room: string }) => {
  const { status, doc } = useRoom(room);
  return <p>{status} {doc.clientID}</p>;
};

test("strict mode joins once, two components share the room and the socket", async () => {
  const { element } = await render(<><Status room="1" /><Status room="1" /><Status room="y_doc_room:2" /></>);
  const lines = [...element.querySelectorAll("p")].map((p) => p.textContent);
  expect(lines[0]).toMatch(/^connected \d+$/);
  expect(lines[0]).toBe(lines[1]);
  expect(lines[2]).not.toBe(lines[0]);
  expect(joins("room:1")).toBe(1);
  expect(joins("y_doc_room:2")).toBe(1);
  expect(server.sockets.size).toBe(1);
});

test("leaves a moment after the last user, and joins anew for the next", async () => {
  const { root } = await render(<Status room="1" />);
  await act(async () => root.render(null));
  await settle(500);
  expect(server.events("phx_leave")).toHaveLength(0);
  await settle(1000);
  expect(server.events("phx_leave")).toHaveLength(1);
  await act(async () => root.render(<StrictMode><Roomd url={url}><Status room="1" /></Roomd></StrictMode>));
  await settle();
  expect(joins("room:1")).toBe(2);
});

test("takes the place of usePhoenixYjs", async () => {
  let hook!: PhoenixYjs;
  const View = () => {
    hook = usePhoenixYjs("shop");
    return <ul>{hook.tasks.map((task) => <li key={task.id}>{task.text}{task.completed ? " done" : ""}</li>)}</ul>;
  };
  const { element } = await render(<View />);
  expect(console.log).toHaveBeenCalledWith("Joined Phoenix room");
  const lines = () => [...element.querySelectorAll("li")].map((li) => li.textContent);
  let milk = "";
  await act(async () => {
    milk = hook.addTask("milk");
    hook.addTask({ text: "bread", amount: 2 });
  });
  await act(async () => hook.updateTask(milk, { completed: true }));
  expect(lines()).toEqual(["milk done", "bread"]);
  await act(async () => hook.updateTask(1, (task) => ({ text: `${task.text} x${task.amount}` })));
  await act(async () => hook.moveTask(milk, 1));
  expect(lines()).toEqual(["bread x2", "milk done"]);
  await act(async () => hook.moveTask(milk, 0));
  expect(lines()).toEqual(["milk done", "bread x2"]);
  await act(async () => hook.deleteTask(milk));
  expect(lines()).toEqual(["bread x2"]);
});

test("a task that two changed at once is shown once", async () => {
  let hook!: PhoenixYjs;
  const View = () => <p>{(hook = usePhoenixYjs("shop")).tasks.map((task) => task.text).join()}</p>;
  const { element } = await render(<View />);
  const array = hook.room.doc.getArray("tasks");
  await act(async () => array.push([{ id: "1", text: "a" }, { id: "2", text: "b" }, { id: "1", text: "a2" }]));
  expect(element.textContent).toBe("b,a2");
  await act(async () => hook.updateTask("1", { text: "a3" }));
  expect(element.textContent).toBe("a3,b");
  expect(array.length).toBe(2);
  const made = 1700000000000;
  await act(async () => array.push([{ id: made, text: "c" }]));
  await act(async () => hook.updateTask(made, { text: "c2" }));
  expect(element.textContent).toBe("a3,b,c2");
  await act(async () => hook.deleteTask(made));
  expect(element.textContent).toBe("a3,b");
});

test("hooks for shared types, presence, awareness and health", async () => {
  const seen: Record<string, unknown> = {};
  let room!: ReturnType<typeof useRoom>;
  let setMe!: (fields: { name: string }) => void;
  const View = () => {
    room = useRoom("all");
    [seen.map] = useYMap(room, "m");
    [seen.array] = useYArray(room, "a");
    [seen.text] = useYText(room, "t");
    seen.presence = usePresence(room);
    [seen.others, setMe] = useAwareness<{ name: string }>(room);
    seen.health = useHealth();
    return null;
  };
  await render(<View />);
  await act(async () => {
    room.doc.getMap("m").set("k", 1);
    room.doc.getArray("a").push([1, 2]);
    room.doc.getText("t").insert(0, "text");
    setMe({ name: "ada" });
  });
  expect(seen).toMatchObject({
    map: { k: 1 }, array: [1, 2], text: "text", presence: [{ id: "me" }],
    others: [{ name: "ada", self: true, clientId: room.doc.clientID }],
    health: { state: "open", transport: "websocket" },
  });
});
