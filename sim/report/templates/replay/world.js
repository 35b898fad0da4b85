// The state of the world at a moment: where drivers are, where the platform believes they are, what orders are doing.
"use strict";

const GONE = -1;

class World {
  constructor(data) {
    Object.assign(this, data);
    const c = this.columns;
    this.orders = c["order.id"].length;
    this.orderOf = new Map(Array.from(c["order.id"], (id, place) => [id, place]));
    this.stores = this.told.stores.map((store, place) => ({ ...store, place, x: this.x[store.node], y: this.y[store.node] }));
    this.byStore = this.stores.map(() => ({ waiting: [[], []], picking: [[], []], packed: [[], []], pickers: [[], []] }));
    this.all = { open: [[], []], delivered: [], late: [], lost: [], road: [[], []] };
    for (let i = 0; i < this.orders; i++) this._count(i);
    const on = c["picker.on_s"], off = c["picker.off_s"];
    for (let i = 0; i < on.length; i++) {
      const { pickers } = this.byStore[c["picker.store"][i]];
      pickers[0].push(on[i]);
      pickers[1].push(off[i]);
    }
    const sorted = (times) => Float64Array.from(times).sort();
    for (const counts of [...this.byStore, this.all])
      for (const [name, times] of Object.entries(counts))
        counts[name] = Array.isArray(times[0]) ? times.map(sorted) : sorted(times);
  }

  _count(i) {
    const c = this.columns, at = (name) => c[`order.${name}`][i], end = at("end_s"), store = this.byStore[at("store")];
    const span = ([from, to], begin, over) => {
      if (Number.isNaN(begin)) return;
      const until = Math.max(Number.isNaN(over) ? end : Math.min(over, end), begin);
      from.push(begin);
      to.push(until);
    };
    span(this.all.open, at("entered_s"), end);
    span(this.all.road, at("picked_up_s"), end);
    if (store) {
      span(store.waiting, at("confirmed_s"), at("pick_start_s"));
      span(store.picking, at("pick_start_s"), at("packed_s"));
      span(store.packed, at("packed_s"), at("picked_up_s"));
    }
    const delivered = at("delivered_s");
    if (!Number.isNaN(delivered)) {
      this.all.delivered.push(delivered);
      if (delivered > at("promised_s")) this.all.late.push(delivered);
    } else if (["cancelled", "payment_failed"].includes(this.told.states[at("state")])) this.all.lost.push(end);
  }

  // How many spans, given as sorted begins and ends, are under way; how many moments are past.
  static during([from, to], t) {
    return lastUpTo(from, t) - lastUpTo(to, t);
  }
  static past(times, t) {
    return lastUpTo(times, t) + 1;
  }

  // The shift of a driver at a moment, GONE: not at work.
  shift(driver, t) {
    const low = this.shiftStart[driver];
    const place = lastUpTo(this.columns["shift.on_s"], t, low, this.shiftStart[driver + 1]);
    return place >= low && t < this.columns["shift.off_s"][place] ? place : GONE;
  }

  // The ride that a driver set out on last on a shift, GONE: none yet.
  ride(driver, shift, t) {
    const low = this.rideStart[driver];
    const place = lastUpTo(this.columns["ride.depart_s"], t, low, this.rideStart[driver + 1]);
    return place >= low && this.columns["ride.depart_s"][place] >= this.columns["shift.on_s"][shift] ? place : GONE;
  }

  // A point on an edge, by the share of it that lies behind.
  along(edge, share, out) {
    const from = this.tail[edge], to = this.columns["edge.head"][edge], begin = this.bendStart[edge], end = this.bendStart[edge + 1];
    if (begin === end) {
      out[0] = this.x[from] + (this.x[to] - this.x[from]) * share;
      out[1] = this.y[from] + (this.y[to] - this.y[from]) * share;
      return;
    }
    const px = (i) => (i < begin ? this.x[from] : i < end ? this.bendX[i] : this.x[to]);
    const py = (i) => (i < begin ? this.y[from] : i < end ? this.bendY[i] : this.y[to]);
    let whole = 0;
    for (let i = begin; i <= end; i++) whole += Math.hypot(px(i) - px(i - 1), py(i) - py(i - 1));
    let left = share * whole;
    for (let i = begin; i <= end; i++) {
      const length = Math.hypot(px(i) - px(i - 1), py(i) - py(i - 1));
      if (left <= length || i === end) {
        const part = length ? Math.min(left / length, 1) : 1;
        out[0] = px(i - 1) + (px(i) - px(i - 1)) * part;
        out[1] = py(i - 1) + (py(i) - py(i - 1)) * part;
        return;
      }
      left -= length;
    }
  }

  _node(node, out) {
    out[0] = this.x[node];
    out[1] = this.y[node];
  }

  // Where a driver is, metres; returns the ride he is on or ended, GONE: none on this shift.
  where(driver, shift, t, out) {
    const c = this.columns, ride = this.ride(driver, shift, t);
    if (ride === GONE) {
      this._node(c["shift.node"][shift], out);
      return GONE;
    }
    const depart = c["ride.depart_s"][ride], end = c["ride.end_s"][ride];
    if (t >= end) {
      this._node(c["ride.node"][ride], out);
      return ride;
    }
    const share = (t - depart) / (end - depart), begin = this.stepStart[ride], over = this.stepStart[ride + 1];
    if (begin === over) {
      const from = c["ride.origin"][ride], to = c["ride.node"][ride];
      out[0] = this.x[from] + (this.x[to] - this.x[from]) * share;
      out[1] = this.y[from] + (this.y[to] - this.y[from]) * share;
      return ride;
    }
    const step = Math.min(lastUpTo(this.through, share, begin, over) + 1, over - 1);
    const before = step > begin ? this.through[step - 1] : 0;
    this.along(this.edges[step], (share - before) / (this.through[step] - before || 1), out);
    return ride;
  }

  // When the newest position was sent that the platform has of a driver by a moment: the newest ping that had arrived.
  heard(driver, shift, t) {
    const c = this.columns, phase = c["shift.phase_ms"][shift] / 1000, { every_s, step_s } = this.told;
    const first = c["shift.first"][shift], begin = c["shift.ping_start"][shift], end = c["shift.ping_start"][shift + 1];
    let number = Math.min(Math.floor((t - phase) / every_s), first + (end - begin) - 1);
    for (; number >= first; number--) {
      const code = c["shift.code"][begin + number - first], sent = phase + number * every_s;
      if (code && sent + (code - 1) * step_s <= t) return sent;
    }
    return c["shift.on_s"][shift]; // the start of a shift is told at once
  }

  // Where the platform believes a driver to be: the next junction he reached at or after sending; returns when that was sent.
  believed(driver, shift, t, out) {
    const c = this.columns, sent = this.heard(driver, shift, t);
    if (c["shift.spoofed"][shift]) {
      this._node(this.stores[c["shift.home"][shift]].node, out);
      return sent;
    }
    const ride = this.ride(driver, shift, sent);
    if (ride === GONE) this._node(c["shift.node"][shift], out);
    else {
      const depart = c["ride.depart_s"][ride], end = c["ride.end_s"][ride], begin = this.stepStart[ride], over = this.stepStart[ride + 1];
      if (sent >= end || begin === over) this._node(sent <= depart ? c["ride.origin"][ride] : c["ride.node"][ride], out);
      else {
        const step = Math.min(lastUpTo(this.through, (sent - depart) / (end - depart) - 1e-7, begin, over) + 1, over - 1);
        this._node(sent <= depart ? c["ride.origin"][ride] : c["edge.head"][this.edges[step]], out);
      }
    }
    return sent;
  }

  // What an order is doing, in a word.
  stage(i, t) {
    const c = this.columns, past = (name) => c[`order.${name}`][i] <= t, end = c["order.end_s"][i];
    if (!past("entered_s")) return "ahead";
    if (t >= end && !Number.isNaN(c["order.delivered_s"][i])) return "delivered";
    if (t >= end && end < this.told.close_s) return "ended";
    if (past("picked_up_s")) return "on the road";
    if (past("packed_s")) return "waiting for a driver";
    if (past("pick_start_s")) return "being picked";
    return past("confirmed_s") ? "waiting for a picker" : "at checkout";
  }

  // How much of the time until the promise an order has used up: above 1, it is late.
  age(i, t) {
    const c = this.columns, entered = c["order.entered_s"][i], promised = c["order.promised_s"][i];
    return (t - entered) / ((Number.isNaN(promised) ? entered + 1800 : promised) - entered || 1);
  }

  // The fleet now: for each driver at work his place, what he does, and the ghost.
  fleet(t) {
    const found = [], out = [0, 0], ghost = [0, 0], c = this.columns;
    for (let driver = 0; driver < this.drivers; driver++) {
      const shift = this.shift(driver, t);
      if (shift === GONE) continue;
      const ride = this.where(driver, shift, t, out), sent = this.believed(driver, shift, t, ghost);
      const moving = ride !== GONE && t < c["ride.end_s"][ride];
      const trip = ride === GONE ? "" : this.told.trips[c["ride.trip"][ride]];
      const order = ride === GONE ? undefined : this.orderOf.get(c["ride.order"][ride]);
      const open = order !== undefined && t < c["order.end_s"][order];
      const atDoor = !moving && open && (trip === "to_customer" || trip === "onward");
      const loaded = atDoor || (moving && (trip === "to_customer" || trip === "onward" || trip === "return"));
      found.push({
        driver, shift, ride, order, moving, trip, loaded, atDoor, sent, x: out[0], y: out[1], gx: ghost[0], gy: ghost[1],
        off: Math.hypot(out[0] - ghost[0], out[1] - ghost[1]),
      });
    }
    return found;
  }
}
