// SPDX-License-Identifier: MIT
// What the server says of itself: the JSON of STATUS-JSON.md.

export interface RoomLine {
  topic: string;
  members: number;
  document_bytes: number;
}

export interface Report {
  at: number;
  version: string | null;
  uptime: number | null;
  samples: Map<string, number>;
  roomsByMembers: [number | null, number][];
  rooms: RoomLine[];
}

export const parseJson = (body: unknown, at: number): Report => {
  const report = body as Record<string, unknown>;
  const samples = new Map(Object.entries((report.samples ?? {}) as Record<string, unknown>)
    .filter((entry): entry is [string, number] => typeof entry[1] === "number"));
  const rooms = (Array.isArray(report.rooms) ? report.rooms : []) as Partial<RoomLine>[];
  const sizes = (Array.isArray(report.rooms_by_members) ? report.rooms_by_members : []) as [number | null, number][];
  return {
    at,
    version: typeof report.version === "string" ? report.version : null,
    uptime: typeof report.uptime_s === "number" ? report.uptime_s : null,
    samples,
    roomsByMembers: sizes.filter((pair) => Array.isArray(pair) && typeof pair[1] === "number"),
    rooms: rooms.map(({ topic, members, document_bytes }) => ({
      topic: String(topic ?? ""), members: Number(members) || 0, document_bytes: Number(document_bytes) || 0,
    })),
  };
};

/** The samples of one family, by the value of one label. */
export const byLabel = (samples: Map<string, number>, name: string, label: string): [string, number][] => {
  const found: [string, number][] = [];
  const pattern = new RegExp(`[{,]${label}="((?:[^"\\\\]|\\\\.)*)"`);
  for (const [key, value] of samples) {
    if (!key.startsWith(`${name}{`)) continue;
    const match = pattern.exec(key);
    if (match) found.push([match[1]!, value]);
  }
  return found;
};

/** Growth per second between two reports; null where a counter is missing or began anew. */
export const rate = (now: Report, before: Report | undefined, name: string): number | null => {
  const [a, b] = [before?.samples.get(name), now.samples.get(name)];
  if (!before || a === undefined || b === undefined || b < a || now.at <= before.at) return null;
  return (b - a) / ((now.at - before.at) / 1000);
};

/** A quantile of what a histogram counted between two reports, within its buckets. */
export const quantile = (now: Report, before: Report | undefined, name: string, q: number): number | null => {
  const earlier = new Map(before ? byLabel(before.samples, `${name}_bucket`, "le") : []);
  const buckets = byLabel(now.samples, `${name}_bucket`, "le")
    .map(([le, count]): [number, number] => [le === "+Inf" ? Infinity : Number(le), count - (earlier.get(le) ?? 0)])
    .sort((a, b) => a[0] - b[0]);
  const total = buckets.at(-1)?.[1] ?? 0;
  if (!(total > 0)) return null;
  const rank = q * total;
  let [floor, below] = [0, 0];
  for (const [bound, count] of buckets) {
    if (count >= rank) {
      if (bound === Infinity) return floor;
      return floor + (bound - floor) * (count > below ? (rank - below) / (count - below) : 1);
    }
    [floor, below] = [bound, count];
  }
  return floor;
};
