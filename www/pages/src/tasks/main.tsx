// SPDX-License-Identifier: MIT
// The task list of the service that roomd takes the place of, on the same hook
// and the same data: plain objects in the array `tasks` of `room:<id>`.
import { StrictMode, useEffect, useRef, useState, type FormEvent, type KeyboardEvent, type PointerEvent } from "react";
import { createRoot } from "react-dom/client";
import { Roomd, useAwareness, usePhoenixYjs, useSocket, type RoomHandle, type Task } from "roomd-client/react";
import { byId } from "../shared/dom.js";
import { mountPanel } from "../shared/panel.js";
import { introduce, mountPeople, type UserState } from "../shared/people.js";
import { askedTransport, roomName, safeColor, safeName, setUpTheme, socketUrl, userId } from "../shared/site.js";
import "../shared/base.css";
import "./tasks.css";

const room = roomName("tasks");

interface Here extends UserState {
  editing?: string | null;
}

/** The panel and the list of people are plain scripts that all demos share. */
const useSides = (handle: RoomHandle) => {
  const socket = useSocket();
  const { provider } = handle;
  useEffect(() => {
    const stops = [
      introduce(socket, provider), mountPanel(byId("panel"), socket, provider), mountPeople(byId("people"), provider),
    ];
    return () => stops.forEach((stop) => stop());
  }, [socket, provider]);
};

const AddTask = ({ add }: { add: (text: string) => void }) => {
  const [text, setText] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!text.trim()) return;
    add(text.trim().slice(0, 500));
    setText("");
  };
  return (
    <form className="add" onSubmit={submit}>
      <input className="field" value={text} onChange={(event) => setText(event.target.value)}
        placeholder="What needs doing?" aria-label="New task" maxLength={500} autoComplete="off" />
      <button className="button strong" type="submit">Add</button>
    </form>
  );
};

interface RowProps {
  task: Task;
  index: number;
  count: number;
  editors: Here[];
  dragging: boolean;
  mark: "before" | "after" | null;
  update: (changes: Partial<Task>) => void;
  remove: () => void;
  move: (to: number) => void;
  setEditing: (id: string | null) => void;
  onGrab: (event: PointerEvent<HTMLElement>) => void;
}

const TaskText = ({ task, update, setEditing }: Pick<RowProps, "task" | "update" | "setEditing">) => {
  const [draft, setDraft] = useState<string | null>(null);
  const label = useRef<HTMLButtonElement>(null);
  const finish = (keep: boolean, refocus: boolean) => {
    if (draft === null) return;
    const text = draft.trim();
    setDraft(null);
    setEditing(null);
    if (keep && text && text !== task.text) update({ text: text.slice(0, 500) });
    if (refocus) requestAnimationFrame(() => label.current?.focus());
  };
  const start = () => {
    setDraft(task.text ?? "");
    setEditing(task.id);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter") finish(true, true);
    if (event.key === "Escape") finish(false, true);
  };
  if (draft === null) {
    return (
      <button ref={label} className="text" type="button" onClick={start} title="Edit">
        <span className="hidden-text">Edit </span>{task.text || "Untitled"}
      </button>
    );
  }
  return (
    <input className="text" value={draft} autoFocus aria-label="Task text" maxLength={500}
      onChange={(event) => setDraft(event.target.value)} onKeyDown={onKey} onBlur={() => finish(true, false)} />
  );
};

const Editor = ({ who }: { who: Here }) => {
  const element = useRef<HTMLSpanElement>(null);
  const color = safeColor(who.user?.color);
  useEffect(() => element.current?.style.setProperty("--user", color), [color]);
  return <span ref={element} className="editor">{safeName(who.user?.name)}</span>;
};

const Row = ({ task, index, count, editors, dragging, mark, update, remove, move, setEditing, onGrab }: RowProps) => {
  const onKey = (event: KeyboardEvent) => {
    const to = event.key === "ArrowUp" ? index - 1 : event.key === "ArrowDown" ? index + 1 : -1;
    if (to < 0 || to >= count) return;
    event.preventDefault();
    move(to);
  };
  const classes = ["task", task.completed && "done", dragging && "dragging", mark && `mark-${mark}`];
  return (
    <li className={classes.filter(Boolean).join(" ")} data-task={task.id}>
      <button className="grip" type="button" onKeyDown={onKey} onPointerDown={onGrab}
        aria-label={`Move ${task.text}: arrow up, arrow down`} title="Drag, or use the arrow keys">
        <svg viewBox="0 0 10 18" width="10" height="18" aria-hidden="true"><path d="M2 3h0M8 3h0M2 9h0M8 9h0M2 15h0M8 15h0" /></svg>
      </button>
      <input type="checkbox" checked={!!task.completed} aria-label={`Done: ${task.text}`}
        onChange={(event) => update({ completed: event.target.checked })} />
      <TaskText task={task} update={update} setEditing={setEditing} />
      {editors.map((who, i) => <Editor key={i} who={who} />)}
      <button className="remove" type="button" onClick={remove} aria-label={`Delete ${task.text}`} title="Delete">
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="m3 3 10 10M13 3 3 13" /></svg>
      </button>
    </li>
  );
};

/** Dragging by pointer, mouse or finger: which row is held, and before which one it would fall. */
const useDrag = (drop: (id: string, to: number) => void) => {
  const [drag, setDrag] = useState<{ id: string; to: number } | null>(null);
  const grab = (id: string) => (event: PointerEvent<HTMLElement>) => {
    if (event.button !== 0) return;
    const list = event.currentTarget.closest("ul")!;
    const { pointerId } = event;
    let to = -1;
    const onMove = (e: globalThis.PointerEvent) => {
      if (e.pointerId !== pointerId) return;
      e.preventDefault();
      const rows = [...list.children].filter((row) => (row as HTMLElement).dataset.task !== id);
      const at = rows.findIndex((row) => e.clientY < row.getBoundingClientRect().top + row.clientHeight / 2);
      to = at < 0 ? rows.length : at;
      setDrag({ id, to });
    };
    const onEnd = (e: globalThis.PointerEvent) => {
      if (e.pointerId !== pointerId) return;
      removeEventListener("pointermove", onMove);
      removeEventListener("pointerup", onEnd);
      removeEventListener("pointercancel", onEnd);
      setDrag(null);
      if (e.type === "pointerup" && to >= 0) drop(id, to);
    };
    addEventListener("pointermove", onMove, { passive: false });
    addEventListener("pointerup", onEnd);
    addEventListener("pointercancel", onEnd);
  };
  return { drag, grab };
};

const Tasks = () => {
  const { tasks, addTask, updateTask, deleteTask, moveTask, room: handle } = usePhoenixYjs(room, { disableBc: true });
  useSides(handle);
  const [people, setHere] = useAwareness<Here>(handle);
  const { drag, grab } = useDrag(moveTask);
  const list = useRef<HTMLUListElement>(null);
  const others = people.filter((who) => !who.self && who.user);
  const done = tasks.filter((task) => task.completed).length;
  const rest = drag ? tasks.filter((task) => task.id !== drag.id) : [];
  const markOf = (task: Task) => {
    if (!drag) return null;
    if (rest[drag.to]?.id === task.id) return "before";
    return drag.to >= rest.length && rest.at(-1)?.id === task.id ? "after" : null;
  };
  const move = (id: string, to: number) => {
    moveTask(id, to);
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-task="${CSS.escape(id)}"] .grip`)?.focus());
  };
  // Who deletes by keyboard goes on at the next task, not at the top of the page.
  const removed = (index: number) => requestAnimationFrame(() => {
    if (document.activeElement !== document.body) return;
    const buttons = list.current?.querySelectorAll<HTMLElement>(".remove") ?? [];
    (buttons[Math.min(index, buttons.length - 1)] ?? document.querySelector<HTMLElement>(".field"))?.focus();
  });
  const clear = () => {
    handle.doc.transact(() => tasks.forEach((task) => task.completed && deleteTask(task.id)));
    removed(0);
  };
  return (
    <>
      <div className="head">
        <div>
          <h1>Tasks</h1>
          <p>One list, however many people, on whatever network they have.</p>
        </div>
        <p className="tally" aria-live="polite">{tasks.length ? `${done} of ${tasks.length} done` : ""}</p>
      </div>
      <AddTask add={addTask} />
      {tasks.length === 0 && <p className="empty quiet">{handle.synced ? "Nothing to do. Add something, then open a second page." : "Joining the room."}</p>}
      <ul className="tasks" ref={list} aria-label="Tasks">
        {tasks.map((task, index) => (
          <Row key={task.id ?? index} task={task} index={index} count={tasks.length}
            editors={others.filter((who) => who.editing === task.id)}
            dragging={drag?.id === task.id} mark={markOf(task)}
            update={(changes) => updateTask(task.id ?? index, changes)} remove={() => { deleteTask(task.id ?? index); removed(index); }}
            move={(to) => move(task.id, to)} setEditing={(editing) => setHere({ editing })} onGrab={grab(task.id)} />
        ))}
      </ul>
      {done > 0 && (
        <button className="clear" type="button" onClick={clear}>
          Clear what is done
        </button>
      )}
    </>
  );
};

setUpTheme();
createRoot(byId("app")).render(
  <StrictMode>
    <Roomd url={socketUrl} options={{ transport: askedTransport, params: { user_id: userId } }}><Tasks /></Roomd>
  </StrictMode>,
);
