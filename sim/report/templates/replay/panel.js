// What is said in words beside the map: figures now, stores, the story of an order or a driver, what went wrong.
"use strict";

const $ = (id) => document.getElementById(id);

function element(name, text = "", attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

const plural = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

function span(seconds) {
  const s = Math.round(Math.abs(seconds));
  if (s < 90) return `${s} s`;
  return s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`;
}

const metresText = (metres) => (metres < 1000 ? `${Math.round(metres)} m` : `${(metres / 1000).toFixed(1)} km`);
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// The scenario's own local time, as a run counts it.
class LocalClock {
  constructor(told) {
    this.start = Date.parse(`${told.start}Z`);
    this.days = told.close_s > 26 * 3600;
  }
  _at(t) {
    return new Date(this.start + Math.floor(t) * 1000);
  }
  time(t) {
    return this._at(t).toISOString().slice(11, 19);
  }
  short(t) {
    return this.time(t).slice(0, 5);
  }
  day(t) {
    return this._at(t).toLocaleDateString("en-GB", { timeZone: "UTC", weekday: "long", day: "numeric", month: "long" });
  }
  // Seconds since the start of a time of day, the next one that is not before `from`.
  seconds(text, from = 0) {
    const parts = text.split(":").map(Number);
    const midnight = this.start - (this.start % 86400000);
    let t = (midnight - this.start) / 1000 + parts[0] * 3600 + (parts[1] || 0) * 60 + (parts[2] || 0);
    while (t < from) t += 86400;
    return t;
  }
}

class Panel {
  constructor(world, clock, told) {
    Object.assign(this, { world, clock, told }); // told.jump(t), told.follow(kind, number)
    this.shown = "";
    this._stores();
    this._troubles();
    document.addEventListener("click", (event) => {
      const link = event.target.closest("[data-t],[data-order],[data-driver]");
      if (!link) return;
      if (link.dataset.t !== undefined) told.jump(+link.dataset.t);
      if (link.dataset.order !== undefined) told.follow("order", +link.dataset.order);
      if (link.dataset.driver !== undefined) told.follow("driver", +link.dataset.driver);
    });
  }

  _time(t) {
    return element("button", this.clock.time(t), { type: "button", class: "jump", "data-t": t, "aria-label": `Go to ${this.clock.time(t)}` });
  }

  _stores() {
    const body = $("stores").tBodies[0];
    this.rows = this.world.stores.map((store) => {
      const row = body.appendChild(element("tr"));
      row.appendChild(element("th", store.name, { scope: "row" }));
      return ["waiting", "picking", "packed", "pickers"].map(() => row.appendChild(element("td", "", { class: "n" })));
    });
  }

  _troubles() {
    const list = $("troubles"), { troubles } = this.world.told;
    for (const trouble of troubles) {
      const item = list.appendChild(element("li", "", { class: trouble.fault ? "fault" : "alert" }));
      item.append(this._time(trouble.from_s), ` ${trouble.fault ? "" : "alert: "}${trouble.what}`);
      if (trouble.of) item.append(` (${trouble.of})`);
      item.append(element("span", `, for ${span(trouble.to_s - trouble.from_s)}`, { class: "quiet" }));
      trouble.item = item;
    }
    if (!troubles.length) list.appendChild(element("li", "Nothing: no fault struck, and no alert was raised.", { class: "quiet" }));
  }

  // Figures of a moment.
  now(t, fleet) {
    const { world } = this, { during, past } = World;
    const delivered = past(world.all.delivered, t), late = past(world.all.late, t), lost = past(world.all.lost, t);
    $("open").textContent = during(world.all.open, t).toLocaleString("en");
    $("delivered").textContent = delivered.toLocaleString("en");
    $("late").textContent = delivered ? `${((100 * late) / delivered).toFixed(1)} %` : "–";
    $("lost").textContent = lost.toLocaleString("en");
    const loaded = fleet.filter((one) => one.loaded).length, moving = fleet.filter((one) => one.moving && !one.loaded).length;
    $("fleet").textContent = fleet.length.toLocaleString("en");
    $("fleetsplit").textContent = fleet.length ? `${loaded} with goods, ${moving} riding empty, ${fleet.length - loaded - moving} waiting` : "nobody at work";
    let off = 0, oldest = 0, worst = null;
    for (const one of fleet) {
      off += one.off;
      if (!worst || one.off > worst.off) worst = one;
      oldest = Math.max(oldest, t - one.sent);
    }
    $("off").textContent = fleet.length ? metresText(off / fleet.length) : "–";
    $("offsplit").replaceChildren(
      ...(worst && worst.off > 1
        ? [`worst ${metresText(worst.off)} (`, element("button", `driver ${worst.driver}`, { type: "button", class: "link", "data-driver": worst.driver }), `), oldest ${span(oldest)}`]
        : ["nobody is elsewhere"]),
    );
    world.stores.forEach((store, i) => {
      const [waiting, picking, packed, pickers] = this.rows[i], at = world.byStore[i];
      waiting.textContent = store.waiting;
      picking.textContent = store.picking;
      packed.textContent = store.packed;
      pickers.textContent = during(at.pickers, t);
    });
    let newest = null;
    for (const { item, fault, from_s, to_s } of world.told.troubles) {
      const on = from_s <= t && t < to_s;
      if (on && fault && !item.classList.contains("on")) newest = item;
      item.classList.toggle("on", on);
    }
    if (newest) $("troubles").scrollTop = newest.offsetTop - 8;
  }

  order(i, t) {
    const { world } = this, c = world.columns, at = (name) => c[`order.${name}`][i], id = at("id"), driver = at("driver");
    const promised = at("promised_s"), stage = world.stage(i, t), delivered = at("delivered_s");
    let now = stage;
    if (stage === "ahead") now = "not ordered yet";
    else if (stage === "delivered") {
      now = `delivered, ${span(promised - delivered)} ${delivered > promised ? "late" : "before the promise"}`;
    } else if (stage === "ended") now = this._ended(i);
    else if (!Number.isNaN(promised)) now = `${stage}, ${span(promised - t)} ${t > promised ? "over the promise" : "to the promise"}`;
    const steps = [[at("entered_s"), `ordered ${plural(at("lines"), "line")} of goods from ${this._store(at("store"))}` + (Number.isNaN(promised) ? "" : `, promised by ${this.clock.short(promised)}`)]];
    const add = (name, text) => Number.isNaN(at(name)) || steps.push([at(name), text]);
    add("confirmed_s", "confirmed");
    add("pick_start_s", "a picker begins");
    add("packed_s", "packed");
    add("accepted_s", driver >= 0 ? `driver ${driver} accepts` : "a driver accepts");
    add("at_store_s", "the driver is at the store");
    add("picked_up_s", "on the road");
    if (!Number.isNaN(delivered)) steps.push([delivered, `delivered after ${span(delivered - at("entered_s"))}`]);
    else if (at("end_s") < world.told.close_s) steps.push([at("end_s"), this._ended(i)]);
    if (promised < at("end_s")) steps.push([promised, "the time that was promised"]);
    steps.sort((a, b) => a[0] - b[0]);
    this._story(`order ${id}`, `Order ${id}: ${now}`, steps, t, driver >= 0 && !Number.isNaN(at("accepted_s")) ? [["driver", driver], ["report", id]] : [["report", id]]);
  }

  _ended(i) {
    const c = this.world.columns, { told } = this.world, state = told.states[c["order.state"][i]], reason = c["order.reason"][i];
    return state.replace("_", " ") + (reason >= 0 ? `: ${told.reasons[reason]}` : "");
  }

  _store(store) {
    return store >= 0 ? this.world.stores[store].name : "a store";
  }

  driver(driver, one, t) {
    const { world } = this, c = world.columns, vehicle = world.told.vehicles[driver] || "unknown vehicle";
    const steps = [], its = [];
    for (let shift = world.shiftStart[driver]; shift < world.shiftStart[driver + 1]; shift++) {
      steps.push([c["shift.on_s"][shift], "comes to work"]);
      if (c["shift.off_s"][shift] < world.told.close_s) steps.push([c["shift.off_s"][shift], "goes home, or takes a break"]);
    }
    for (let i = 0; i < world.orders; i++) {
      if (c["order.driver"][i] !== driver || Number.isNaN(c["order.delivered_s"][i])) continue;
      its.push(i);
      steps.push([c["order.delivered_s"][i], `delivers order ${c["order.id"][i]}`, c["order.id"][i]]);
    }
    steps.sort((a, b) => a[0] - b[0]);
    let now = "not at work";
    if (one) {
      const order = one.order === undefined ? "" : ` order ${c["order.id"][one.order]}`;
      now = one.atDoor ? `handing over${order}` : one.moving ? { to_store: `riding to the store for${order}`, to_customer: `taking${order} to the door`, onward: `taking${order} to the next door`, return: `bringing${order} back`, back: "riding back to a store" }[one.trip] : "waiting";
      now += `; the platform has him ${one.off < 1 ? "there" : `${metresText(one.off)} away`}, as of ${span(t - one.sent)} ago`;
    }
    const done = its.filter((i) => c["order.delivered_s"][i] <= t).length;
    const near = steps.filter(([at], i) => i < 1 || (at > t - 5400 && at < t + 1800));
    const links = one && one.order !== undefined && (one.loaded || one.trip === "to_store") ? [["order", c["order.id"][one.order]]] : [];
    this._story(`driver ${driver}`, `Driver ${driver} (${vehicle}): ${now}. ${plural(done, "order")} delivered so far.`, near, t, links);
  }

  _story(what, title, steps, t, links) {
    $("storytitle").textContent = title;
    const past = steps.filter(([at]) => at <= t).length, key = `${what}/${past}/${steps.length}/${steps[0]?.[0]}/${links}`;
    if (key === this.shown) return;
    this.shown = key;
    $("story").hidden = false;
    $("steps").replaceChildren(
      ...steps.map(([at, text, order], i) => {
        const item = element("li", "", { class: i < past - 1 ? "past" : i === past - 1 ? "now" : "ahead" });
        if (i === past - 1) item.setAttribute("aria-current", "step");
        item.append(this._time(at), " ");
        item.append(order === undefined ? text : element("button", text, { type: "button", class: "link", "data-order": order }));
        return item;
      }),
    );
    const list = $("steps"), current = list.querySelector(".now");
    if (current) list.scrollTop = current.offsetTop - list.offsetTop - list.clientHeight / 2;
    $("links").replaceChildren(
      ...links.map(([kind, number]) =>
        kind === "report"
          ? element("a", "Why it went so: its whole story", { href: `report.html#order-${number}` })
          : element("button", `Follow ${kind} ${number}`, { type: "button", [`data-${kind}`]: number }),
      ),
    );
  }

  nothing(text) {
    this.shown = "";
    $("story").hidden = !text;
    $("storytitle").textContent = text;
    $("steps").replaceChildren();
    $("links").replaceChildren();
  }
}
