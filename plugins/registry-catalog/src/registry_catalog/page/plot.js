"use strict";
// Price over context, both axes logarithmic; drawn on a canvas, since there are thousands.

/** @typedef {{context: number, price: number, x: number, y: number, places: number[]}} Point */

const MARGIN = { left: 64, right: 20, top: 16, bottom: 72 };
const MOST_NAMED = 12;

/**
 * @param {Models} models
 * @param {{view: () => View, link: (place: number) => string, open: (place: number) => void}} page
 */
function makePlot(models, page) {
  const stage = get("#stage", HTMLElement);
  const canvas = get("#stage canvas", HTMLCanvasElement);
  const panel = get("#point", HTMLElement);
  /** @type {Point[]} */
  let points = [];
  /** @type {number[]} */
  let found = [];
  let active = -1;

  /** A point for each pair of context and price that somebody has. */
  const group = () => {
    const prices = models.price[page.view().side === "output" ? "output" : "input"];
    /** @type {Map<string, Point>} */
    const made = new Map();
    for (const place of found) {
      const context = models.context[place], price = prices[place];
      if (!(context > 0) || !(price >= 0)) continue;
      const key = `${context} ${price}`;
      const point = made.get(key) ?? { context, price, x: 0, y: 0, places: [] };
      point.places.push(place);
      made.set(key, point);
    }
    points = [...made.values()].sort((a, b) => a.context - b.context || a.price - b.price);
  };

  /** @param {string} name */
  const colour = (name) => getComputedStyle(stage).getPropertyValue(name);

  const draw = () => {
    const width = stage.clientWidth, height = stage.clientHeight, ratio = devicePixelRatio || 1;
    if (!width || !height) return;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const pen = canvas.getContext("2d");
    if (!pen) return;
    pen.scale(ratio, ratio);
    pen.font = `12px ${getComputedStyle(stage).fontFamily}`;
    const paid = points.filter((one) => one.price > 0);
    /** The marks of an axis: 1, 2 and 5 of each power of ten, from below the values to above.
     * @param {number[]} values @returns {number[]} */
    const marks = (values) => {
      if (!values.length) return [1, 10];
      const low = values.reduce((a, b) => Math.min(a, b)), high = values.reduce((a, b) => Math.max(a, b));
      const from = Math.floor(Math.log10(low) + 1e-9);
      const all = Array.from({ length: Math.ceil(Math.log10(high)) - from + 2 }, (_, at) => at + from)
        .flatMap((power) => [1, 2, 5].map((one) => Number(`${one}e${power}`)));
      const first = all.findLastIndex((one) => one <= low), last = all.findIndex((one) => one >= high);
      return all.slice(first, Math.max(last, first + 1) + 1);
    };
    /** Those of the marks that get a line: few enough to be read.
     * @param {number[]} marks @param {number} most */
    const lines = (marks, most) => marks.length <= most ? marks
      : marks.filter((one) => String(one.toExponential()).startsWith("1e"));
    const across = marks(points.map((one) => one.context)), up = marks(paid.map((one) => one.price));
    const left = Math.log10(across[0]), right = Math.log10(across[across.length - 1]);
    const low = Math.log10(up[0]), high = Math.log10(up[up.length - 1]);
    const bottom = height - MARGIN.bottom;
    const free = bottom + 20;
    /** @param {number} value */
    const x = (value) => MARGIN.left
      + (Math.log10(value) - left) / (right - left) * (width - MARGIN.left - MARGIN.right);
    /** @param {number} value */
    const y = (value) => value === 0 ? free
      : bottom - (Math.log10(value) - low) / (high - low) * (bottom - MARGIN.top);

    const line = colour("--line"), ink = colour("--dim"), accent = colour("--accent");
    pen.lineWidth = 1;
    pen.strokeStyle = line;
    pen.fillStyle = ink;
    pen.textAlign = "center";
    for (const mark of lines(across, width / 70)) {
      const at = Math.round(x(mark)) + 0.5;
      stroke(pen, at, MARGIN.top, at, free + 10);
      pen.fillText(shortTokens(mark), at, height - 28);
    }
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const mark of lines(up, height / 40)) {
      const at = Math.round(y(mark)) + 0.5;
      stroke(pen, MARGIN.left, at, width - MARGIN.right, at);
      pen.fillText(`$${mark.toLocaleString("en", { maximumFractionDigits: 9 })}`, MARGIN.left - 8, at);
    }
    pen.fillText("free", MARGIN.left - 8, free);
    pen.textAlign = "right";
    pen.fillText("context, in tokens", width - MARGIN.right, height - 10);

    pen.fillStyle = accent;
    for (const one of points) {
      one.x = x(one.context);
      one.y = y(one.price);
      pen.globalAlpha = 0.45;
      pen.beginPath();
      pen.arc(one.x, one.y, radius(one), 0, 2 * Math.PI);
      pen.fill();
    }
    pen.globalAlpha = 1;
    const picked = new Set(page.view().pick);
    for (const [at, one] of points.entries()) {
      const names = one.places.map((place) => models.full[place]).filter((id) => picked.has(id));
      if (!names.length && at !== active) continue;
      pen.strokeStyle = colour("--ink");
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(one.x, one.y, radius(one) + 3, 0, 2 * Math.PI);
      pen.stroke();
      if (!names.length) continue;
      const rightHalf = one.x > width / 2;
      pen.fillStyle = colour("--ink");
      pen.textAlign = rightHalf ? "right" : "left";
      pen.fillText(visible(names.join(", ")), one.x + (rightHalf ? -1 : 1) * (radius(one) + 8), one.y);
    }
  };

  /** @param {CanvasRenderingContext2D} pen @param {number} a @param {number} b @param {number} c
   * @param {number} d */
  const stroke = (pen, a, b, c, d) => {
    pen.beginPath();
    pen.moveTo(a, b);
    pen.lineTo(c, d);
    pen.stroke();
  };

  /** @param {Point} point */
  const radius = (point) => 3 + Math.log2(point.places.length) / 2;

  /** @param {number} at */
  const show = (at) => {
    active = at;
    const point = points[at];
    draw();
    if (!point) {
      panel.replaceChildren();
      return;
    }
    const named = point.places.slice(0, MOST_NAMED), rest = point.places.length - named.length;
    panel.replaceChildren(
      element("p", {}, element("strong", {}, `${shortTokens(point.context)} tokens, `,
        point.price === 0 ? "free" : dollars(point.price)), ` · ${counted(point.places.length, "model")}`),
      element("ul", {}, ...named.map((place) => element("li", {},
        element("a", { href: page.link(place) }, isolated(models.full[place])))),
      ...(rest > 0 ? [element("li", { class: "dim" }, `and ${rest.toLocaleString("en")} more`)] : [])));
  };

  /** @param {MouseEvent} event @returns {number} the nearest point within reach, or -1 */
  const nearest = (event) => {
    const box = canvas.getBoundingClientRect();
    let best = -1, least = 20 ** 2;
    points.forEach((one, at) => {
      const far = (one.x - event.clientX + box.left) ** 2 + (one.y - event.clientY + box.top) ** 2;
      if (far < least) [best, least] = [at, far];
    });
    return best;
  };

  stage.addEventListener("mousemove", (event) => {
    const at = nearest(event);
    if (at >= 0 && at !== active) show(at);
  });
  stage.addEventListener("click", (event) => {
    const at = nearest(event);
    if (at < 0) return;
    show(at);
    if (points[at].places.length === 1) page.open(points[at].places[0]);
  });
  stage.addEventListener("keydown", (event) => {
    const to = { ArrowRight: active + 1, ArrowUp: active + 1, ArrowLeft: active - 1,
      ArrowDown: active - 1, Home: 0, End: points.length - 1 }[event.key];
    if (to !== undefined) show(Math.max(0, Math.min(points.length - 1, to)));
    else if (event.key === "Enter" && points[active]) page.open(points[active].places[0]);
    else return;
    event.preventDefault();
  });
  addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  /** @param {number[]} places */
  return (places) => {
    found = places;
    active = -1;
    group();
    const drawn = points.reduce((sum, one) => sum + one.places.length, 0);
    const rest = places.length - drawn;
    get("#drawn", HTMLElement).textContent = `of ${counted(drawn, "model")}; a point is bigger where several`
      + ` meet.${rest ? ` Not drawn: ${rest.toLocaleString("en")}, whose price or context is unknown.` : ""}`;
    show(-1);
  };
}
