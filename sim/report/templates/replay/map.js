// The map, drawn by deck.gl: streets on a ground that is drawn only when it is moved, and above it everything in motion.
"use strict";

const TRAIL_S = [60, 240]; // how long trails are, seconds, at the slowest and the fastest
const FADE_S = 1.6; // for how long of the onlooker's time a delivery glows

const column = (Kind, values, size) => ({ value: new Kind(values), size });

// Lines and discs as deck.gl takes them without looking at each.
class Lines {
  from = []; to = []; wide = []; colour = [];
  put(x, y, tx, ty, wide, red, green, blue, alpha) {
    this.from.push(x, y);
    this.to.push(tx, ty);
    this.wide.push(wide);
    this.colour.push(red, green, blue, alpha);
  }
  data() {
    const attributes = {
      getSourcePosition: column(Float32Array, this.from, 2), getTargetPosition: column(Float32Array, this.to, 2),
      getWidth: column(Float32Array, this.wide, 1), getColor: column(Uint8Array, this.colour, 4),
    };
    return { length: this.wide.length, attributes };
  }
}

class Discs {
  at = []; size = []; fill = []; rim = [];
  put(x, y, size, fill, fillAlpha, rim, rimAlpha) {
    this.at.push(x, y);
    this.size.push(size);
    this.fill.push(fill[0], fill[1], fill[2], fillAlpha);
    this.rim.push(rim[0], rim[1], rim[2], rimAlpha);
  }
  data() {
    const attributes = {
      getPosition: column(Float32Array, this.at, 2), getRadius: column(Float32Array, this.size, 1),
      getFillColor: column(Uint8Array, this.fill, 4), getLineColor: column(Uint8Array, this.rim, 4),
    };
    return { length: this.size.length, attributes };
  }
}

class CityMap {
  constructor(world, stage, told) {
    this.world = world;
    this.stage = stage;
    this.told = told; // what the page wants to know: moved(), clicked(x, y)
    this.colours = {};
    const { deck } = globalThis;
    const view = () => new deck.OrthographicView({ id: "city", flipY: false });
    // A browser may know of WebGL and have none: deck.gl learns of it by trying, and then there is only what is said in words.
    const onError = (error) => {
      if (/context/i.test(error.message)) this.told.blind();
      else console.error(error);
    };
    addEventListener("unhandledrejection", (event) => { if (/WebGL context/.test(event.reason?.message)) event.preventDefault(); });
    const common = { onError, views: view(), useDevicePixels: Math.min(globalThis.devicePixelRatio || 1, 2) };
    this.viewState = this.whole();
    this.ground = new deck.Deck({
      ...common, parent: stage.querySelector("#ground"), controller: false, viewState: this.viewState, layers: [],
    });
    this.scene = new deck.Deck({
      // Discs are smooth by themselves; smoothing everything else anew in every frame is dear where there is no graphics card.
      ...common, deviceProps: { antialias: false, webgl: { antialias: false } }, parent: stage.querySelector("#scene"), viewState: this.viewState, layers: [],
      controller: { doubleClickZoom: true, keyboard: false, inertia: 200 },
      onViewStateChange: ({ viewState, interactionState }) => {
        if (interactionState && (interactionState.isDragging || interactionState.isPanning)) this.told.moved();
        this.look(viewState);
      },
      onClick: (info) => this.told.clicked(info.x, info.y),
      getCursor: ({ isDragging }) => (isDragging ? "grabbing" : "default"),
    });
    this.recolour();
    new ResizeObserver(() => this.told.resized()).observe(stage);
  }

  // A view of everything that happens.
  whole() {
    const { world, stage } = this, c = world.columns, low = [Infinity, Infinity], high = [-Infinity, -Infinity];
    const take = (x, y) => {
      low[0] = Math.min(low[0], x); low[1] = Math.min(low[1], y);
      high[0] = Math.max(high[0], x); high[1] = Math.max(high[1], y);
    };
    for (const store of world.stores) take(store.x, store.y);
    for (let i = 0; i < world.orders; i++) take(world.x[c["order.node"][i]], world.y[c["order.node"][i]]);
    const wide = Math.max(high[0] - low[0], 200), tall = Math.max(high[1] - low[1], 200);
    const room = [Math.max(stage.clientWidth, 50), Math.max(stage.clientHeight, 50)];
    const zoom = Math.log2(Math.min(room[0] / wide, room[1] / tall) * 0.9);
    return { target: [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, 0], zoom, minZoom: zoom - 1.5, maxZoom: 2 };
  }

  look(viewState) {
    this.viewState = viewState;
    this.ground.setProps({ viewState });
    this.scene.setProps({ viewState });
    this.told.looked();
  }

  nearer(steps) {
    const { minZoom, maxZoom, zoom } = this.viewState;
    this.look({ ...this.viewState, zoom: Math.min(Math.max(zoom + steps, minZoom), maxZoom), transitionDuration: 0 });
  }

  centre(x, y, least) {
    const { target, zoom, maxZoom } = this.viewState;
    const near = Math.min(Math.max(zoom, least), maxZoom);
    const ease = (from, to, part) => from + (to - from) * part;
    this.look({ ...this.viewState, target: [ease(target[0], x, 0.25), ease(target[1], y, 0.25), 0], zoom: ease(zoom, near, 0.15) });
  }

  // From metres to pixels of the stage.
  pixel(x, y) {
    const { target, zoom } = this.viewState, scale = 2 ** zoom;
    return [this.stage.clientWidth / 2 + (x - target[0]) * scale, this.stage.clientHeight / 2 - (y - target[1]) * scale];
  }

  recolour() {
    const style = getComputedStyle(document.documentElement);
    const rgb = (name) => {
      const hex = style.getPropertyValue(name).trim();
      return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    };
    for (const name of ["street", "artery", "loaded", "empty", "ghost", "fresh", "due", "late", "ink", "card", "store", "good"])
      this.colours[name] = rgb(`--${name}`);
    this.ground.setProps({ layers: this._streets() });
  }

  _streets() {
    const { world } = this, c = world.columns, { LineLayer } = globalThis.deck;
    if (!world.told.streets) return [];
    return [[1, "street", 5, 0.7, 4], [2, "artery", 9, 1.3, 6]].map(([kind, colour, metres, least, most]) => {
      if (!this[colour]) {
        const from = [], to = [];
        for (let edge = 0; edge < c["edge.drawn"].length; edge++) {
          if (c["edge.drawn"][edge] !== kind) continue;
          let x = world.x[world.tail[edge]], y = world.y[world.tail[edge]];
          for (let bend = world.bendStart[edge]; bend <= world.bendStart[edge + 1]; bend++) {
            const last = bend === world.bendStart[edge + 1], head = c["edge.head"][edge];
            const nx = last ? world.x[head] : world.bendX[bend], ny = last ? world.y[head] : world.bendY[bend];
            from.push(x, y);
            to.push(nx, ny);
            x = nx; y = ny;
          }
        }
        this[colour] = {
          length: from.length / 2,
          attributes: {
            getSourcePosition: { value: new Float32Array(from), size: 2 },
            getTargetPosition: { value: new Float32Array(to), size: 2 },
          },
        };
      }
      return new LineLayer({
        id: colour, data: this[colour], getColor: this.colours[colour], getWidth: metres, widthUnits: "meters",
        widthMinPixels: least, widthMaxPixels: most, updateTriggers: { getColor: this.colours[colour] },
      });
    });
  }

  // The ways of drivers over the last while, as lines that fade: TripsLayer does the same, and took more than twice as long.
  _trails(t, trail, lines) {
    const { world } = this, c = world.columns, low = t - trail, out = [0, 0];
    const [red, green, blue] = this.colours.loaded, least = 3.5 / 2 ** this.viewState.zoom; // a few pixels, in metres
    let x = 0, y = 0;
    const line = (nx, ny, at) => {
      if (Math.abs(nx - x) + Math.abs(ny - y) < least && at < t) return;
      lines.put(x, y, nx, ny, 2.6, red, green, blue, Math.max(0, 200 * (1 - (t - at) / trail)));
      x = nx; y = ny;
    };
    const start = (node) => { x = world.x[node]; y = world.y[node]; };
    for (let driver = 0; driver < world.drivers; driver++) {
      const last = lastUpTo(c["ride.depart_s"], t, world.rideStart[driver], world.rideStart[driver + 1]);
      if (last < world.rideStart[driver] || world.shift(driver, t) === GONE) continue;
      for (let ride = last; ride >= world.rideStart[driver] && c["ride.end_s"][ride] > low; ride--) {
        const depart = c["ride.depart_s"][ride], whole = c["ride.end_s"][ride] - depart;
        const begin = world.stepStart[ride], over = world.stepStart[ride + 1], share = Math.min((t - depart) / whole, 1);
        if (whole <= 0) continue;
        if (begin === over) {
          const a = c["ride.origin"][ride], b = c["ride.node"][ride], cut = Math.max((low - depart) / whole, 0);
          const px = (part) => world.x[a] + (world.x[b] - world.x[a]) * part, py = (part) => world.y[a] + (world.y[b] - world.y[a]) * part;
          x = px(cut); y = py(cut);
          for (let k = 1; k <= 8; k++) line(px(cut + ((share - cut) * k) / 8), py(cut + ((share - cut) * k) / 8), depart + (cut + ((share - cut) * k) / 8) * whole);
          continue;
        }
        const first = Math.max(lastUpTo(world.through, (low - depart) / whole, begin, over) + 1, begin);
        for (let step = first; step < over; step++) {
          const edge = world.edges[step], before = step > begin ? world.through[step - 1] : 0;
          if (before >= share) break;
          if (step === first) start(world.tail[edge]);
          if (world.through[step] > share) { // where he is on the way along it
            world.along(edge, (share - before) / (world.through[step] - before), out);
            if (world.bendStart[edge] === world.bendStart[edge + 1]) line(out[0], out[1], t);
            else this._bends(edge, (share - before) / (world.through[step] - before), (nx, ny) => line(nx, ny, t));
            break;
          }
          const at = depart + world.through[step] * whole, head = c["edge.head"][edge];
          for (let bend = world.bendStart[edge]; bend < world.bendStart[edge + 1]; bend++) line(world.bendX[bend], world.bendY[bend], at);
          line(world.x[head], world.y[head], at);
        }
      }
    }
  }

  // The bends of an edge up to a share of it.
  _bends(edge, share, put) {
    const out = [0, 0], parts = 6;
    for (let k = 1; k <= parts; k++) {
      this.world.along(edge, (share * k) / parts, out);
      put(out[0], out[1]);
    }
  }

  // Draw a moment: lines first, then discs, each kind in one go and in this order. `scene`: the fleet, orders to show, what is
  // followed, and whether ghosts are shown.
  draw(t, speed, scene) {
    const { colours } = this, { ScatterplotLayer, LineLayer } = globalThis.deck, lines = new Lines(), discs = new Discs();
    const { card, ink, ghost, store: shop } = colours;
    const k = Math.min(Math.max(1 + (this.viewState.zoom + 4.2) * 0.15, 0.72), 1.35); // smaller where the whole city is seen
    this._trails(t, Math.min(Math.max(speed * 1.5, TRAIL_S[0]), TRAIL_S[1]), lines);
    for (const [[x, y], [tx, ty]] of scene.links) lines.put(x, y, tx, ty, 1.4, ...ink, 150);
    for (const store of scene.stores) {
      const size = k * (9 + 4.2 * Math.sqrt(store.waiting + store.picking + store.packed));
      discs.put(store.x, store.y, size, shop, 60, shop, 220);
    }
    for (const { x, y, ended, good } of scene.orders) {
      if (ended < 0) continue;
      const left = 1 - ended, colour = good === null ? colours.empty : good ? colours.good : colours.late;
      discs.put(x, y, k * (3.5 + 12 * ended), colour, 90 * left, colour, 255 * left);
    }
    for (const { i, x, y, age, ended } of scene.orders) {
      if (ended >= 0) continue;
      const chosen = i === scene.order;
      discs.put(x, y, k * (chosen ? 7.5 : age > 1 ? 5.5 : 3.8), this.ageColour(age), 235, chosen ? ink : card, 255);
    }
    for (const one of scene.fleet) {
      if (!scene.ghosts || (one.off <= 1 && one.driver !== scene.driver)) continue;
      lines.put(one.gx, one.gy, one.x, one.y, 1.2, ...ghost, 170);
      discs.put(one.gx, one.gy, k * 5, ghost, 45, ghost, 230);
    }
    for (const one of scene.fleet) {
      const chosen = one.driver === scene.driver, colour = one.loaded ? colours.loaded : colours.empty;
      const busy = one.moving || one.loaded, size = k * (chosen ? 8 : one.loaded ? 5.5 : 4.5);
      discs.put(one.x, one.y, size, busy ? colour : card, 255, chosen ? ink : busy ? card : colour, 255);
    }
    this.scene.setProps({
      layers: [
        new LineLayer({ id: "lines", data: lines.data(), widthUnits: "pixels" }),
        new ScatterplotLayer({
          id: "discs", data: discs.data(), stroked: true, radiusUnits: "pixels", lineWidthUnits: "pixels", lineWidthMinPixels: 1.5,
        }),
      ],
    });
  }

  // From fresh over due to late.
  ageColour(age) {
    const { fresh, due, late } = this.colours;
    const mix = (one, other, part) => one.map((value, k) => Math.round(value + (other[k] - value) * part));
    if (age > 1) return late;
    return age < 0.5 ? mix(fresh, due, Math.max(age, 0) * 0.6) : mix(fresh, due, 0.3 + (age - 0.5) * 1.4);
  }
}
