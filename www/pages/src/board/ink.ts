// SPDX-License-Identifier: MIT
// The ink: strokes on a canvas. While one draws, points leave every 50 ms.
import { HEIGHT, WIDTH, clamp, readStroke, type Board, type Stroke } from "./model.js";

const SEND_MS = 50;
const PEN = 5;

/** The colours are those of the notes: light ones. On light ground they are drawn darker. */
const onGround = (color: string, dark: boolean): string =>
  dark ? color : `#${[1, 3, 5].map((at) => Math.round(parseInt(color.slice(at, at + 2), 16) * 0.72).toString(16).padStart(2, "0")).join("")}`;

export const mountInk = (canvas: HTMLCanvasElement, board: Board) => {
  const context = canvas.getContext("2d")!;
  const density = Math.min(2, devicePixelRatio || 1);
  canvas.width = WIDTH * density;
  canvas.height = HEIGHT * density;
  let due = 0;
  let dark = false;

  const line = (color: string, points: number[]) => {
    if (points.length < 2) return;
    context.strokeStyle = onGround(color, dark);
    context.beginPath();
    context.moveTo(points[0]!, points[1]!);
    if (points.length === 2) context.lineTo(points[0]! + 0.1, points[1]!);
    for (let i = 2; i + 1 < points.length; i += 2) {
      const [px, py, x, y] = [points[i - 2]!, points[i - 1]!, points[i]!, points[i + 1]!];
      context.quadraticCurveTo(px, py, (px + x) / 2, (py + y) / 2);
    }
    context.stroke();
  };

  let own: { stroke: Stroke; color: string; sent: number; points: number[] } | null = null;
  const draw = () => {
    due = 0;
    dark = getComputedStyle(document.documentElement).colorScheme === "dark";
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, WIDTH, HEIGHT);
    context.lineWidth = PEN;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of board.ink) {
      if (stroke === own?.stroke) continue;
      const read = readStroke(stroke);
      if (read) line(read.color, read.points);
    }
    if (own) line(own.color, own.points);
  };
  const redraw = () => {
    due ||= requestAnimationFrame(draw);
  };
  board.ink.observeDeep(redraw);
  addEventListener("roomd-theme", redraw);
  redraw();

  let timer: ReturnType<typeof setInterval> | undefined;
  const send = () => {
    if (!own || own.sent === own.points.length) return;
    board.extendStroke(own.stroke, own.points.slice(own.sent));
    own.sent = own.points.length;
  };
  return {
    begin(x: number, y: number, color: string): void {
      own = { stroke: board.beginStroke(color), color, sent: 0, points: [clamp(x, WIDTH), clamp(y, HEIGHT)] };
      timer = setInterval(send, SEND_MS);
      redraw();
    },
    extend(x: number, y: number): void {
      if (!own) return;
      own.points.push(clamp(x, WIDTH), clamp(y, HEIGHT));
      redraw();
    },
    end(): void {
      clearInterval(timer);
      send();
      board.endStroke();
      own = null;
      redraw();
    },
  };
};
