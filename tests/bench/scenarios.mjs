/* SPDX-License-Identifier: MIT */
/*
 * What is measured. A scenario is run `runs` times (default: all repetitions)
 * against each of `servers`, each time with a fresh server, against nchan
 * `nchan` times when that is given; the medians go into docs/PERFORMANCE.md.
 * `args` are those of roomd-bench. `quick` replaces arguments in the quick
 * run; a scenario with `quick: null` is left out of it.
 */
const both = ['roomd', 'nchan']
const rooms10 = ['--connections', 1000, '--room-size', 100]
const rooms200 = ['--connections', 1000, '--room-size', 5]
const echo = ['--connections', 1000, '--room-size', 2, '--senders', 1]
const window = ['--rate', 0, '--window', 16, '--seconds', 1.5]
const still = ['--rate', 0]

export const scenarios = {
  /* fan-out */
  'fanout-saturated': { servers: both, args: [...rooms10, ...window] },
  'fanout-10': {
    servers: both,
    args: [...rooms10, '--rate', 100, '--seconds', 3]
  },
  'json-saturated': { args: [...rooms10, ...window, '--wire', 'update'] },
  'json-10': {
    args: [...rooms10, '--rate', 100, '--seconds', 2, '--wire', 'update']
  },
  'v1-saturated': { args: [...rooms10, ...window, '--wire', 'v1'] },

  /* small rooms */
  'rooms-one': {
    servers: both,
    nchan: 3,
    args: [...rooms200, '--senders', 1, '--rate', 4000, '--seconds', 1.5]
  },
  'rooms-all': {
    servers: both,
    nchan: 3,
    args: [...rooms200, '--rate', 20000, '--seconds', 1.5]
  },
  'rooms-saturated': { servers: both, nchan: 3, args: [...rooms200, ...window] },
  'echo-10': {
    servers: both,
    nchan: 3,
    args: [...echo, '--rate', 5000, '--seconds', 1.5]
  },
  'echo-saturated': { servers: both, nchan: 3, args: [...echo, ...window] },

  /* memory */
  'memory-100': {
    servers: both,
    nchan: 1,
    args: ['--connections', 10000, '--room-size', 100, ...still, '--idle', 2,
      '--leave'],
    settings: ['room_empty=1s'],
    quick: ['--connections', 3000]
  },
  'memory-own': {
    args: ['--connections', 5000, '--room-size', 1, ...still, '--touch',
      '--idle', 11],
    quick: ['--connections', 2000]
  },
  'memory-own-open': {
    runs: 3,
    args: ['--connections', 5000, '--room-size', 1, ...still, '--touch',
      '--idle', 1],
    settings: ['document_rest=0s'],
    quick: ['--connections', 2000]
  },
  /* Watched when all is at rest, and between two heartbeats of the clients. */
  'rooms-resident': {
    runs: 3,
    args: ['--connections', 500, '--room-size', 1, '--channels', 100,
      ...still, '--touch', '--wait', 28, '--idle', 4],
    settings: ['room_empty=10m'],
    quick: ['--connections', 100, '--wait', 11]
  },
  'idle-empty': {
    args: ['--connections', 1, '--room-size', 1, ...still, '--idle', 4],
    quick: ['--idle', 2]
  },

  /* connecting */
  'connect': {
    servers: both,
    nchan: 3,
    args: ['--connections', 10000, '--room-size', 10, ...still],
    quick: ['--connections', 3000]
  },
  'connect-paced': {
    args: ['--connections', 15000, '--room-size', 10, ...still,
      '--connect-rate', 2000],
    quick: ['--connections', 4000]
  },

  /* long-poll */
  'longpoll-5000': {
    servers: both,
    args: ['--longpoll', '--connections', 5000, '--room-size', 100,
      '--senders', 1, '--idle', 3, '--rate', 50, '--seconds', 4],
    quick: ['--connections', 1000, '--rate', 10, '--idle', 1]
  },
  'longpoll-990-1': {
    servers: both,
    nchan: 3,
    args: ['--longpoll', '--connections', 990, '--room-size', 99,
      '--senders', 1, '--rate', 10, '--seconds', 2],
    quick: null
  },
  'longpoll-990-10': {
    servers: both,
    nchan: 3,
    args: ['--longpoll', '--connections', 990, '--room-size', 99,
      '--senders', 1, '--rate', 100, '--seconds', 2],
    quick: null
  },

  /* extremes */
  'hot-room': {
    runs: 1,
    seconds: 400,
    args: ['--connections', 10000, '--room-size', 10000, '--topic',
      'y_doc_room:hot-', '--rate', 10, '--seconds', 4],
    quick: ['--connections', 1250, '--room-size', 1250]
  },
  'hot-room-max': {
    runs: 1,
    seconds: 400,
    args: ['--connections', 10000, '--room-size', 10000, '--topic',
      'y_doc_room:hot-', '--rate', 0, '--window', 4, '--seconds', 4],
    quick: null
  },
  'large-document': {
    runs: 3,
    args: ['--connections', 50, '--room-size', 50, '--topic',
      'y_doc_room:large-', '--document', 20, '--rate', 500, '--seconds', 3],
    quick: ['--document', 4]
  },
  'large-document-max': {
    runs: 3,
    args: ['--connections', 50, '--room-size', 50, '--topic',
      'y_doc_room:large-', '--document', 20, '--rate', 0, '--window', 8,
      '--seconds', 2],
    quick: null
  },
  'rooms-1000-10': {
    runs: 3,
    args: ['--connections', 2000, '--room-size', 2, '--rate', 10000,
      '--seconds', 2]
  },
  'rooms-1000-25': {
    runs: 3,
    args: ['--connections', 2000, '--room-size', 2, '--rate', 25000,
      '--seconds', 2],
    quick: null
  },
  'rooms-1000-50': {
    runs: 3,
    args: ['--connections', 2000, '--room-size', 2, '--rate', 50000,
      '--seconds', 2]
  },
  'rooms-1000-max': {
    runs: 3,
    args: ['--connections', 2000, '--room-size', 2, '--rate', 0, '--window',
      8, '--seconds', 2],
    quick: null
  }
}

/* One figure at 1x, 2x, 4x and 8x of its size: it must not get worse. `also`
 * are further figures of the same runs. */
const sizes = [1, 2, 4, 8]
export const growth = {
  'members of a room': {
    unit: 'deliveries per CPU second',
    field: 'deliveries_per_cpu_s',
    also: { 'their p99': { unit: 'ms', field: 'p99_ms' } },
    steps: sizes.map(n => [`10 x ${25 * n}`, ['--connections', 250 * n,
      '--room-size', 25 * n, '--rate', 100, '--seconds', 1.5]])
  },
  'members of a room, saturated': {
    unit: 'deliveries per CPU second',
    field: 'deliveries_per_cpu_s',
    steps: sizes.map(n => [`10 x ${25 * n}`, ['--connections', 250 * n,
      '--room-size', 25 * n, ...window]])
  },
  'JSON updates of a room': {
    unit: 'deliveries per CPU second',
    field: 'deliveries_per_cpu_s',
    steps: sizes.map(n => [`10 x ${25 * n}`, ['--connections', 250 * n,
      '--room-size', 25 * n, ...window, '--wire', 'update']])
  },
  'members of one hot room': {
    unit: 'deliveries per CPU second',
    field: 'deliveries_per_cpu_s',
    steps: sizes.map(n => [`${1250 * n}`, ['--connections', 1250 * n,
      '--room-size', 1250 * n, '--topic', 'y_doc_room:hot-', '--rate', 5,
      '--seconds', 3]])
  },
  'a document with 50 editors': {
    unit: 'deliveries per CPU second',
    field: 'deliveries_per_cpu_s',
    also: { 'its p99': { unit: 'ms', field: 'p99_ms' } },
    steps: sizes.map(n => [`${2.5 * n} MB`, ['--connections', 50,
      '--room-size', 50, '--topic', 'y_doc_room:large-', '--document',
      2.5 * n, '--rate', 500, '--seconds', 2]])
  },
  'rooms of their own': {
    unit: 'bytes each',
    field: 'bytes_per_connection',
    also: {
      'left by those who went': {
        unit: '% of the growth',
        value: r => 100 * (r.pss_left_kib - r.pss_start_kib) /
          (r.pss_joined_kib - r.pss_start_kib)
      }
    },
    steps: sizes.map(n => [`${1250 * n}`, ['--connections', 1250 * n,
      '--room-size', 1, '--rate', 0, '--touch', '--idle', 11, '--leave']]),
    settings: ['room_empty=1s']
  },
  'echo rooms': {
    unit: 'updates per CPU second',
    field: 'updates_per_cpu_s',
    steps: sizes.map(n => [`${125 * n} x 2`, ['--connections', 250 * n,
      '--room-size', 2, '--senders', 1, '--rate', 4000, '--seconds', 1.5]])
  },
  'small rooms': {
    unit: 'deliveries per CPU second',
    field: 'deliveries_per_cpu_s',
    steps: sizes.map(n => [`${100 * n} x 5`, ['--connections', 500 * n,
      '--room-size', 5, '--senders', 1, '--rate', 4000, '--seconds', 1.5]])
  },
  'connections held': {
    unit: 'bytes each',
    field: 'bytes_per_connection',
    steps: sizes.map(n => [`${1875 * n}`, ['--connections', 1875 * n,
      '--room-size', 25, '--rate', 0, '--idle', 1]])
  },
  'connect and join': {
    unit: 'server CPU microseconds each',
    value: r => r.connect_cpu_s / r.connections * 1e6,
    also: { 'the slowest of 100 joins': { unit: 'ms', field: 'join_p99_ms' } },
    steps: sizes.map(n => [`${1875 * n}`, ['--connections', 1875 * n,
      '--room-size', 5, '--rate', 0]])
  },
  'joins of one room': {
    unit: 'server CPU microseconds per entry of a presence_state sent',
    value: r => r.connect_cpu_s / r.connections ** 2 * 2e6,
    steps: sizes.map(n => [`${250 * n}`, ['--connections', 250 * n,
      '--room-size', 250 * n, '--rate', 0]])
  },
  'rooms resident': {
    unit: 'bytes each, with its member',
    field: 'bytes_per_room',
    also: {
      'doing nothing': { unit: '% of a core', field: 'idle_cpu_percent' }
    },
    steps: sizes.map(n => [`${6250 * n}`, ['--connections', 62.5 * n * 2,
      '--room-size', 1, '--channels', 50, '--rate', 0, '--touch', '--wait',
      28, '--idle', 4]]),
    settings: ['room_empty=10m']
  },
  'size of the document': {
    unit: 'seconds until 10 newcomers have it, per MB',
    value: (r, n) => r.join_max_ms / 1000 / (2.5 * n),
    steps: sizes.map(n => [`${2.5 * n} MB`, ['--connections', 10,
      '--room-size', 10, '--topic', 'y_doc_room:large-', '--document',
      2.5 * n, '--rate', 0]])
  },
  'long-poll sessions': {
    unit: 'deliveries per CPU second',
    field: 'deliveries_per_cpu_s',
    also: {
      'parked': { unit: 'bytes each', field: 'bytes_per_connection' }
    },
    steps: sizes.map(n => [`${625 * n}`, ['--longpoll', '--connections',
      625 * n, '--room-size', 125, '--senders', 1, '--rate', 5 * n,
      '--seconds', 2, '--idle', 1]])
  }
}

/** All figures of one of them, by name. */
export const growthFigures = name => ({
  [name]: growth[name],
  ...Object.fromEntries(Object.entries(growth[name].also ?? {})
    .map(([figure, f]) => [`${name}: ${figure}`, f]))
})

/* The C library's allocator beside two others, preloaded: connections with a
 * room and a document each, which then leave; and the saturated fan-out. */
export const allocators = {
  args: ['--connections', 5000, '--room-size', 1, ...still, '--touch',
    '--wait', 11, '--leave'],
  load: [...rooms10, ...window],
  settings: ['room_empty=1s'],
  loads: 5, /* in turns */
  libraries: {
    glibc: null,
    jemalloc: 'libjemalloc.so.2',
    mimalloc: 'libmimalloc.so.2'
  }
}

/* Latency against load, both servers: messages a second of each of 10 rooms. */
export const ramp = {
  args: rooms10,
  rates: [10, 25, 50, 100, 200, 300],
  quick: [10, 100]
}
/* Memory against connections, both servers. */
export const crowd = {
  args: ['--room-size', 50, ...still],
  counts: [1000, 5000, 10000, 15000],
  quick: [500, 1000]
}
