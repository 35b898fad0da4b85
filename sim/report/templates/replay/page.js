// The page itself: a clock that runs, scrubs and jumps, what is followed, what is announced, and the keyboard.
"use strict";

const SPEEDS = [1, 5, 15, 30, 60, 120, 300, 600];

class Page {
  constructor(world) {
    this.world = world;
    this.told = world.told;
    this.clock = new LocalClock(this.told);
    this.t = this._busiest();
    this.speed = 60;
    this.playing = false;
    this.follow = null; // {kind, number, held}: held while the camera stays with it
    this.ghosts = true;
    this.frames = 0;
    this.dirty = true;
    this.spoken = 0;
    const jump = (t) => this.seek(t);
    this.panel = new Panel(world, this.clock, { jump, follow: (kind, number) => this.choose(kind, number) });
    const webgl = document.createElement("canvas").getContext("webgl2");
    if (webgl && globalThis.deck) {
      webgl.getExtension("WEBGL_lose_context")?.loseContext();
      const moved = () => { if (this.follow) this.follow.held = false; };
      this.map = new CityMap(world, $("map"), {
        moved, looked: () => (this.dirty = true), clicked: (x, y) => this._click(x, y),
        resized: () => { this._bar(); this.dirty = true; },
      });
    } else $("nomap").hidden = false;
    this._labels();
    this._controls();
    this._bar();
    this._address();
    this.last = performance.now();
    requestAnimationFrame((now) => this._frame(now));
  }

  // The middle of the quarter of an hour with most orders open.
  _busiest() {
    let best = 0, most = -1;
    for (let t = 0; t < this.told.close_s; t += 300) {
      const open = World.during(this.world.all.open, t);
      if (open > most) [best, most] = [t, open];
    }
    return best;
  }

  seek(t) {
    this.t = Math.min(Math.max(t, 0), this.told.close_s);
    this.dirty = true;
    this.spoken = 0;
  }

  play(playing = !this.playing) {
    if (playing && this.t >= this.told.close_s) this.seek(0);
    this.playing = playing;
    $("play").textContent = playing ? "Pause" : "Play";
    $("play").setAttribute("aria-pressed", playing);
  }

  hurry(steps) {
    const place = SPEEDS.indexOf(this.speed) + steps;
    this.speed = SPEEDS[Math.min(Math.max(place, 0), SPEEDS.length - 1)];
    $("speed").value = this.speed;
  }

  choose(kind, number) {
    const known = kind === "order" ? this.world.orderOf.has(number) : number in this.told.vehicles;
    if (!known) {
      this.release();
      this.panel.nothing(`There is no ${kind} ${number} in this run.`);
      return;
    }
    this.follow = { kind, number, held: true };
    $("wanted").value = `${kind} ${number}`;
    $("release").hidden = false;
    const c = this.world.columns;
    if (kind === "order") { // to where there is something to see of it
      const i = this.world.orderOf.get(number), entered = c["order.entered_s"][i];
      if (this.t < entered || this.t > c["order.end_s"][i]) this.seek(entered);
    } else if (this.world.shift(number, this.t) === GONE) this.seek(c["shift.on_s"][this.world.shiftStart[number]]);
    this.spoken = 0;
    this.dirty = true;
  }

  release() {
    this.follow = null;
    $("release").hidden = true;
    $("wanted").value = "";
    this.panel.nothing("");
    this.dirty = true;
  }

  // Whatever of orders and drivers is nearest to a click, within reach of a finger.
  _click(x, y) {
    let best = null, nearest = 18;
    const offer = (kind, number, px, py, handicap) => {
      const [sx, sy] = this.map.pixel(px, py), off = Math.hypot(sx - x, sy - y) + handicap;
      if (off < nearest) [best, nearest] = [[kind, number], off];
    };
    for (const one of this.scene.fleet) offer("driver", one.driver, one.x, one.y, 0);
    for (const one of this.scene.orders) offer("order", this.world.columns["order.id"][one.i], one.x, one.y, 1);
    if (best) this.choose(...best);
  }

  _controls() {
    const scrub = $("scrub");
    scrub.max = this.told.close_s;
    scrub.addEventListener("input", () => this.seek(+scrub.value));
    $("play").addEventListener("click", () => this.play());
    $("speed").append(...SPEEDS.map((speed) => element("option", `${speed}×`, { value: speed })));
    $("speed").value = this.speed;
    $("speed").addEventListener("change", () => (this.speed = +$("speed").value));
    $("ghosts").addEventListener("change", () => { this.ghosts = $("ghosts").checked; this.dirty = true; });
    $("follow").addEventListener("submit", (event) => {
      event.preventDefault();
      const [, kind, number] = /^\s*(order|driver|o|d)?\s*#?\s*(\d+)\s*$/i.exec($("wanted").value) || [];
      if (number === undefined) this.panel.nothing("Type the number of an order, or “driver” and a number.");
      else this.choose(/^d/i.test(kind || "") ? "driver" : "order", +number);
    });
    $("release").addEventListener("click", () => this.release());
    $("nearer").addEventListener("click", () => this.map?.nearer(0.6));
    $("farther").addEventListener("click", () => this.map?.nearer(-0.6));
    $("whole").addEventListener("click", () => { if (this.follow) this.follow.held = false; this.map?.look(this.map.whole()); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.map?.recolour(); this.dirty = true; });
    document.addEventListener("keydown", (event) => this._key(event));
    addEventListener("hashchange", () => this._address());
  }

  _key(event) {
    const typing = event.target.matches("input:not([type=range]):not([type=checkbox]), select, textarea");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { this.release(); event.target.blur?.(); return; }
    if (typing) return;
    const step = event.shiftKey ? 600 : 60, faults = this.told.troubles.filter((trouble) => trouble.fault);
    const keys = {
      ArrowLeft: () => this.seek(this.t - step), ArrowRight: () => this.seek(this.t + step),
      PageDown: () => this.seek(this.t + 3600), PageUp: () => this.seek(this.t - 3600),
      Home: () => this.seek(0), End: () => this.seek(this.told.close_s),
      "+": () => this.hurry(1), "=": () => this.hurry(1), "-": () => this.hurry(-1),
      f: () => { $("wanted").focus(); $("wanted").select(); }, g: () => $("ghosts").click(), w: () => $("whole").click(),
      n: () => { const next = faults.find((fault) => fault.from_s - 20 > this.t + 1); if (next) this.seek(next.from_s - 20); },
    };
    if (event.key === " " && !event.target.closest("button, summary, a")) keys[" "] = () => this.play();
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (act) { event.preventDefault(); act(); }
  }

  // replay.html#t=12:30&order=123&speed=60&play: so that other pages can point at a moment.
  _address() {
    const asked = new URLSearchParams(location.hash.slice(1));
    if (asked.has("speed") && SPEEDS.includes(+asked.get("speed"))) { this.speed = +asked.get("speed"); $("speed").value = this.speed; }
    for (const kind of ["order", "driver"]) if (asked.has(kind)) this.choose(kind, +asked.get(kind));
    if (asked.has("s")) this.seek(+asked.get("s"));
    else if (asked.has("t")) this.seek(this.clock.seconds(asked.get("t")));
    if (asked.has("play")) this.play(true);
  }

  // Above the slider: how many orders were open over the day, and what was broken when.
  _bar() {
    const box = $("marks"), wide = Math.max(box.clientWidth, 10), tall = 34, { close_s, troubles } = this.told;
    const svg = (name, attributes) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      return made;
    };
    const counts = Array.from({ length: 241 }, (_, i) => World.during(this.world.all.open, (i / 240) * close_s));
    const most = Math.max(...counts, 1), x = (t) => ((t / close_s) * wide).toFixed(1);
    const line = counts.map((count, i) => `${x((i / 240) * close_s)},${(tall - (count / most) * (tall - 8)).toFixed(1)}`).join(" ");
    box.replaceChildren();
    box.setAttribute("viewBox", `0 0 ${wide} ${tall}`);
    for (const { from_s, to_s, fault, what } of troubles) {
      const mark = svg("rect", { x: x(from_s), y: fault ? 0 : tall - 4, width: Math.max(x(to_s) - x(from_s), 2), height: fault ? tall : 4, class: fault ? "fault" : "alert" });
      mark.append(svg("title", {}));
      mark.firstChild.textContent = `${this.clock.short(from_s)} ${what}`;
      box.append(mark);
    }
    box.append(svg("polygon", { points: `0,${tall} ${line} ${wide},${tall}`, class: "open" }));
    for (let t = this.clock.seconds("00:00"); t <= close_s; t += 3600) {
      const hour = +this.clock.time(t).slice(0, 2), every = close_s > 5 * 3600 ? (wide < 500 ? 6 : 3) : 1;
      if (hour % every || close_s > 80 * 3600) continue;
      const text = svg("text", { x: x(t), y: 9, "text-anchor": t < close_s * 0.03 ? "start" : t > close_s * 0.97 ? "end" : "middle" });
      text.textContent = this.clock.short(t);
      box.append(text);
    }
  }

  _labels() {
    if (!this.map || this.world.stores.length > 30) return;
    this.labels = this.world.stores.map((store) => {
      const label = $("labels").appendChild(element("div", "", { class: "store" }));
      label.append(element("b", store.name));
      return { label, numbers: ["waiting", "picking", "packed"].map((name) => label.appendChild(element("span", "", { class: name }))) };
    });
  }

  _scene() {
    const { world, t } = this, c = world.columns, fleet = world.fleet(t), orders = [], links = [];
    const glows = FADE_S * Math.max(this.speed, 10);
    const last = lastUpTo(c["order.entered_s"], t);
    for (let i = 0; i <= last; i++) {
      const end = c["order.end_s"][i];
      if (t > end + glows) continue;
      const ended = t >= end ? Math.min((t - end) / glows, 1) : -1, delivered = c["order.delivered_s"][i];
      const node = c["order.node"][i];
      orders.push({
        i, x: world.x[node], y: world.y[node], age: world.age(i, t), ended,
        good: ended < 0 || Number.isNaN(delivered) ? null : delivered <= c["order.promised_s"][i],
      });
    }
    for (const [i, store] of world.stores.entries())
      for (const name of ["waiting", "picking", "packed"]) store[name] = World.during(world.byStore[i][name], t);
    const scene = { fleet, orders, stores: world.stores, links, ghosts: this.ghosts, order: -1, driver: -1, centre: null };
    if (this.follow?.kind === "driver") {
      scene.driver = this.follow.number;
      const one = fleet.find((each) => each.driver === scene.driver);
      if (one) {
        scene.centre = [one.x, one.y];
        if (one.loaded && one.order !== undefined) this._link(links, one, one.order);
      }
    } else if (this.follow?.kind === "order") {
      const i = (scene.order = world.orderOf.get(this.follow.number)), node = c["order.node"][i];
      const accepted = c["order.accepted_s"][i] <= t && t < c["order.end_s"][i];
      const one = accepted ? fleet.find((each) => each.driver === c["order.driver"][i]) : undefined;
      const store = world.stores[c["order.store"][i]];
      if (one) scene.driver = one.driver;
      if (one) this._link(links, one, i);
      else if (store && t < c["order.end_s"][i]) links.push([[store.x, store.y], [world.x[node], world.y[node]]]);
      scene.centre = one && c["order.picked_up_s"][i] <= t ? [one.x, one.y] : [world.x[node], world.y[node]];
    }
    return scene;
  }

  _link(links, one, i) {
    const node = this.world.columns["order.node"][i];
    links.push([[one.x, one.y], [this.world.x[node], this.world.y[node]]]);
  }

  _frame(now) {
    const passed = Math.min((now - this.last) / 1000, 0.5);
    this.last = now;
    if (this.playing) {
      this.t = Math.min(this.t + passed * this.speed, this.told.close_s);
      if (this.t >= this.told.close_s) this.play(false);
      this.dirty = true;
    }
    if (this.dirty) {
      this.dirty = false;
      this.scene = this._scene();
      if (this.map) {
        if (this.follow?.held && this.scene.centre) {
          const [x, y] = this.scene.centre, [tx, ty] = this.map.viewState.target;
          this.map.centre(x, y, -3.2);
          this.dirty = Math.hypot(x - tx, y - ty) * 2 ** this.map.viewState.zoom > 1;
        }
        this.map.draw(this.t, this.speed, this.scene);
        this._place();
      }
      if (now - this.spoken > 200) this._say(now);
      else if (!this.playing) this.dirty = true;
    }
    this.frames++;
    requestAnimationFrame((next) => this._frame(next));
  }

  // Put the stores' labels where the stores are, and say how long a stretch of the map is.
  _place() {
    if (this.labels && this.placed !== this.map.viewState) this._spread();
    this.placed = this.map.viewState;
    this.labels?.forEach(({ numbers }, i) => {
      ["waiting", "picking", "packed"].forEach((name, k) => {
        const text = String(this.scene.stores[i][name]);
        if (numbers[k].textContent !== text) numbers[k].textContent = text;
      });
    });
    const scale = 2 ** this.map.viewState.zoom;
    const metres = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000].find((length) => length * scale > 60) || 100000;
    $("scalebar").style.width = `${metres * scale}px`;
    $("scalebar").textContent = metresText(metres).replace(".0", "");
  }

  // Beside each store, on the first of its sides where no other label is.
  _spread() {
    const taken = [], room = $("map").clientWidth;
    this.labels.forEach((label, i) => {
      const { x, y } = this.scene.stores[i], [px, py] = this.map.pixel(x, y), { offsetWidth: wide, offsetHeight: tall } = label.label;
      const sides = [[12, -tall / 2], [-12 - wide, -tall / 2], [-wide / 2, -16 - tall], [-wide / 2, 16], [12, -16 - tall], [12, 16], [-12 - wide, 16]];
      const boxes = sides.map(([dx, dy]) => [px + dx, py + dy, px + dx + wide, py + dy + tall].map(Math.round));
      const free = ([a, b, c, d]) => a > 0 && c < room && !taken.some(([e, f, g, h]) => a < g + 4 && e < c + 4 && b < h + 3 && f < d + 3);
      const box = boxes.find(free) || boxes[0];
      taken.push(box);
      label.label.style.transform = `translate(${box[0]}px, ${box[1]}px)`;
    });
  }

  _say(now) {
    this.spoken = now;
    const { t } = this, time = this.clock.time(t);
    $("time").textContent = time;
    $("day").textContent = this.clock.day(t);
    $("scrub").value = t;
    $("scrub").setAttribute("aria-valuetext", `${time}, ${this.clock.day(t)}`);
    $("cursor").style.transform = `translateX(${(($("marks").clientWidth * t) / this.told.close_s).toFixed(1)}px)`;
    this.panel.now(t, this.scene.fleet);
    const broken = this.told.troubles.filter(({ fault, from_s, to_s }) => fault && from_s <= t && t < Math.max(to_s, from_s + 60));
    const said = broken.map(({ what, of, to_s, from_s }) => `${capital(what)}${of ? ` (${of})` : ""}, ${to_s - from_s < 1 ? `at ${this.clock.short(from_s)}` : `${this.clock.short(from_s)} to ${this.clock.short(to_s)}`}`);
    if ($("banner").textContent !== said.join("")) $("banner").replaceChildren(...said.map((text) => element("p", text)));
    if (!this.follow) return;
    const { kind, number } = this.follow;
    if (kind === "order") this.panel.order(this.world.orderOf.get(number), t);
    else this.panel.driver(number, this.scene.fleet.find((one) => one.driver === number), t);
  }
}

async function begin() {
  const told = JSON.parse($("told").textContent);
  if (!globalThis.DecompressionStream) throw new Error("this browser cannot inflate the page's data; a newer one can.");
  const raw = await inflate($("data").textContent);
  globalThis.replay = new Page(new World(decoded(told, unpack(told.index, raw))));
  document.body.classList.add("ready");
}

begin().catch((error) => {
  $("nomap").hidden = false;
  $("nomap").textContent = `The replay cannot be shown: ${error.message}`;
  throw error;
});
