// From packed text to columns: the reverse of sim/report/replay/packing.py, and the streets of every ride.
"use strict";

async function inflate(text) {
  const packed = atob(text), bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const KINDS = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i1: Int8Array, i2: Int16Array, i4: Int32Array };

function unpack(index, raw) {
  const found = {};
  let at = 0;
  for (const { name, kind, length, ascending } of index) {
    const width = +kind[1], planes = new Uint8Array(length * width);
    for (let plane = 0; plane < width; plane++)
      for (let i = 0, from = at + plane * length; i < length; i++) planes[i * width + plane] = raw[from + i];
    let values = new KINDS[kind](planes.buffer);
    if (ascending) {
      const sums = new Float64Array(length);
      for (let i = 0, sum = 0; i < length; i++) sums[i] = sum += values[i];
      values = sums;
    }
    found[name] = values;
    at += length * width;
  }
  return found;
}

// Where each row's part of a flat column begins, given how many entries each has.
function starts(counts) {
  const found = new Uint32Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) found[i + 1] = found[i] + counts[i];
  return found;
}

// Place of the last of ascending values in [low, high) that is not above a value; low - 1: none is.
function lastUpTo(values, value, low = 0, high = values.length) {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

// Columns in seconds and metres, the streets of each ride, and when each junction of it is reached.
function decoded(told, columns) {
  const c = columns, world = { told, columns: c };
  const seconds = (column) => Float64Array.from(column, (ticks) => (ticks < 0 ? NaN : ticks / told.per_s));
  const metres = (column) => Float64Array.from(column, (value) => value / told.per_m);
  world.x = metres(c["node.x"]);
  world.y = metres(c["node.y"]);
  for (const name of Object.keys(c)) if (name.endsWith("_s")) c[name] = seconds(c[name]);
  if (told.streets) {
    world.exitStart = starts(c["node.exits"]);
    world.bendStart = starts(c["edge.bends"]);
    world.bendX = metres(c["bend.x"]);
    world.bendY = metres(c["bend.y"]);
    const tail = (world.tail = new Uint32Array(c["edge.head"].length));
    for (let node = 0; node < c["node.exits"].length; node++)
      tail.fill(node, world.exitStart[node], world.exitStart[node + 1]);
  }
  // Of each ride, its edges, and how far through its time each of them is behind it.
  const rides = c["ride.driver"].length, stepStart = (world.stepStart = starts(c["ride.steps"]));
  const edges = (world.edges = new Uint32Array(stepStart[rides])), through = (world.through = new Float32Array(stepStart[rides]));
  for (let ride = 0; ride < rides; ride++) {
    const begin = stepStart[ride], end = stepStart[ride + 1];
    if (begin === end) continue;
    const times = c[`edge.ms.${c["ride.pace"][ride]}`];
    let node = c["ride.origin"][ride], sum = 0;
    for (let step = begin; step < end; step++) {
      const edge = world.exitStart[node] + c["ride.exit"][step];
      edges[step] = edge;
      through[step] = sum += times[edge];
      node = c["edge.head"][edge];
    }
    for (let step = begin; step < end; step++) through[step] /= sum;
    through[end - 1] = 1;
  }
  // Rides and shifts by driver; both are sorted by driver and time.
  let drivers = 0;
  for (const column of [c["ride.driver"], c["shift.driver"]]) for (const driver of column) drivers = Math.max(drivers, driver + 1);
  const byDriver = (column) => {
    const counts = new Uint32Array(drivers);
    for (const driver of column) counts[driver]++;
    return starts(counts);
  };
  world.drivers = drivers;
  world.rideStart = byDriver(c["ride.driver"]);
  world.shiftStart = byDriver(c["shift.driver"]);
  return world;
}
