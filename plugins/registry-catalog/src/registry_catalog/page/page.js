"use strict";
// The page: the address, the filters and the views hold the same; what changes one, draws all.

const models = decode(JSON.parse(get("#data", HTMLElement).textContent ?? ""));
const today = new Date().toISOString().slice(0, 10);
let view = addressed();

const form = get("#filters", HTMLFormElement);
const search = get("#text", HTMLInputElement);
const count = get("#count", HTMLElement);

/** @param {number} place */
const link = (place) => writeView({ ...view, model: models.full[place] });
/** @param {number} place */
const openModel = (place) => change({ model: models.full[place] });
/** @param {number} place */
const pick = (place) => {
  const id = models.full[place];
  if (!view.pick.includes(id) && view.pick.length >= MOST_PICKED) {
    list.redraw();
    say(`At most ${MOST_PICKED} models can be compared.`);
    return;
  }
  change({ pick: view.pick.includes(id) ? view.pick.filter((one) => one !== id) : [...view.pick, id] });
};
const rows = rowsOf(models, today, link);
const list = makeList(models, { today, view: () => view, link, open: openModel, pick });
const details = makeDetails(models, rows, {
  view: () => view, pick, close: () => { if (view.model) change({ model: "" }); },
});
const compare = makeComparison(models, rows, link, pick);
const plot = makePlot(models, { view: () => view, link, open: openModel });
const retiring = makeRetiring(models, today, link);

/** What the address says; a link may be older than the catalog, and name what is gone. */
function addressed() {
  const said = readView(location.hash);
  return { ...said, pick: said.pick.filter((id) => models.places.has(id)) };
}

/** @param {string} message */
function say(message) {
  count.textContent = message;
}

/** @param {Partial<View>} changes @param {boolean} [typed] then no step to go back to */
function change(changes, typed = false) {
  const before = view;
  view = { ...view, ...changes };
  draw(before); // first: a browser may refuse to change the address too often
  const address = writeView(view);
  if (address !== location.hash) history[typed ? "replaceState" : "pushState"](null, "", address);
}

/** Draw what differs from before. @param {View} [before] */
function draw(before) {
  /** @param {View} one */
  const asked = (one) => writeView({ ...one, pick: [], model: "" });
  if (!before || asked(before) !== asked(view)) drawFound();
  if (!before || String(before.pick) !== String(view.pick)) drawPicked(before !== undefined);
  if (!before || before.model !== view.model || (view.model && before.pick !== view.pick))
    details.show(models.places.get(view.model));
  if (view.model && !models.places.has(view.model))
    say(`${visible(view.model)} is not in this catalog.`);
  for (const one of document.querySelectorAll("[data-view]")) {
    const name = /** @type {HTMLElement} */ (one).dataset.view ?? "";
    one.setAttribute("href", writeView({ ...view, view: name, model: "" }));
    if (name === view.view) one.setAttribute("aria-current", "page");
    else one.removeAttribute("aria-current");
  }
}

function drawFound() {
  for (const one of document.querySelectorAll("[data-shows]"))
    /** @type {HTMLElement} */ (one).hidden = /** @type {HTMLElement} */ (one).dataset.shows !== view.view;
  for (const one of document.querySelectorAll("[data-sort]")) {
    const name = /** @type {HTMLElement} */ (one).dataset.sort?.replace("-", "");
    const way = view.sort === name ? "ascending" : view.sort === `-${name}` ? "descending" : "none";
    one.setAttribute("aria-sort", way);
  }
  for (const name of /** @type {const} */ (["min_context", "max_input_cost", "max_output_cost"])) {
    const wrong = view[name].trim() !== "" && Number.isNaN(numberOf(view[name]));
    get(`[name=${name}]`, HTMLInputElement).setAttribute("aria-invalid", String(wrong));
  }
  const active = filtersOf(view);
  get("#active", HTMLElement).textContent = active ? ` (${active})` : "";
  const found = find(models, view.view === "retiring" ? { ...view, deprecated: true } : view, today);
  if (view.view === "list") list.show(found);
  if (view.view === "plot") plot(found);
  if (view.view === "retiring") say(retiring(found));
  else if (view.view === "compare") say("");
  else say(found.length === models.size
    ? `All ${counted(models.size, "model")}`
    : `${found.length.toLocaleString("en")} of ${counted(models.size, "model")}`);
}

/** @param {boolean} again */
function drawPicked(again) {
  const places = view.pick.flatMap((id) => models.places.get(id) ?? []);
  get("#picked", HTMLElement).textContent = places.length ? ` (${places.length})` : "";
  compare(places);
  if (again && view.view === "list") list.redraw();
  if (again && view.view === "plot") drawFound();
  const tray = get("#tray", HTMLElement);
  tray.hidden = !places.length || view.view === "compare";
  const clear = element("button", { type: "button" }, "Clear");
  clear.addEventListener("click", () => change({ pick: [] }));
  tray.replaceChildren(
    element("span", { class: "names" }, ...places.map((place) =>
      element("span", { class: "badge" }, isolated(models.full[place])))),
    element("a", { class: "button", href: writeView({ ...view, view: "compare", model: "" }) },
      `Compare ${places.length}`), clear);
}

/** Put what the address says into the controls. */
function fill() {
  for (const control of form.elements) {
    const input = /** @type {HTMLInputElement} */ (control);
    if (!(input.name in EMPTY_VIEW)) continue;
    const value = /** @type {any} */ (view)[input.name];
    if (input.type !== "checkbox") input.value = value;
    else input.checked = Array.isArray(value) ? value.includes(input.value) : value;
  }
  get("#side", HTMLSelectElement).value = view.side;
}

/** What the controls say. @returns {Partial<View>} */
function filled() {
  const said = new FormData(form);
  return Object.fromEntries([...FILTERS, /** @type {const} */ ("text"), /** @type {const} */ ("sort")].map((name) => {
    const empty = EMPTY_VIEW[name];
    if (Array.isArray(empty)) return [name, said.getAll(name)];
    return [name, typeof empty === "boolean" ? said.has(name) : said.get(name) ?? ""];
  }));
}

/** Offer what there is. @param {string} name @param {Iterable<string | null>} values */
function offer(name, values) {
  const group = get(`[data-choices=${name}]`, HTMLFieldSetElement);
  group.hidden = true;
  for (const value of values) {
    if (value === null) continue;
    const label = { tool_call: "tools", attachment: "files" }[value] ?? spoken(value);
    group.hidden = false;
    group.append(element("label", {},
      element("input", { type: "checkbox", name, value }), " ", isolated(label)));
  }
}

offer("kind", [...new Set(models.kinds)].sort());
offer("supports", CAPABILITIES);
for (const side of /** @type {const} */ (["input", "output"]))
  offer(side, [...new Set(["text", "image", "audio", "video", "pdf", ...models[side].flatMap((one) => one ?? [])])]);
offer("status", [...new Set([...models.statuses, "deprecated", "retired"])].sort());
get("#providers", HTMLDataListElement).append(
  ...models.providers.map((one) => element("option", { value: one.id })));
get("#more", HTMLDetailsElement).open = matchMedia("(min-width: 60rem)").matches;

form.addEventListener("input", () =>
  change({ ...filled(), ...(view.view === "compare" ? { view: "list" } : {}) }, true));
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", (event) => {
  event.preventDefault();
  change(Object.fromEntries([...FILTERS, "text"].map((name) => [name, /** @type {any} */ (EMPTY_VIEW)[name]])));
  fill();
  search.focus();
});
get("#side", HTMLSelectElement).addEventListener("change", (event) =>
  change({ side: /** @type {HTMLSelectElement} */ (event.target).value }));
for (const one of document.querySelectorAll("[data-sort] button"))
  one.addEventListener("click", () => {
    const first = /** @type {HTMLElement} */ (one.parentElement).dataset.sort ?? "";
    const other = first.startsWith("-") ? first.slice(1) : `-${first}`;
    const sort = view.sort === first && first !== "id" ? other : view.sort === other || view.sort === first ? "" : first;
    change({ sort });
    fill();
  });
get("#skip", HTMLElement).addEventListener("click", (event) => {
  event.preventDefault();
  if (view.view === "list") list.enter();
  else get("#main", HTMLElement).focus();
});
search.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" || view.view !== "list") return;
  event.preventDefault();
  list.enter();
});
addEventListener("keydown", (event) => {
  const typing = event.target instanceof Element && event.target.closest("input, select, dialog");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  search.focus();
  search.select();
});
// Links change the address alone; so do Back and Forward.
addEventListener("popstate", () => {
  const before = view;
  view = addressed();
  fill();
  draw(before);
  if (before.view !== view.view) {
    scrollTo(0, 0);
    drawPicked(false);
  }
});

fill();
draw();
