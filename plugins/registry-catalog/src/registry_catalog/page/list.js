"use strict";
// The list: only the rows that can be seen are in the page, however many models there are.

/** @type {["tool_call" | "reasoning" | "structured_output", string][]} */
const BADGES = [["tool_call", "tools"], ["reasoning", "reasoning"], ["structured_output", "JSON"]];
const SPARE_ROWS = 6;
const MOST_PRINTED = 500;

/**
 * @param {Models} models
 * @param {{today: string, view: () => View, link: (place: number) => string,
 *          open: (place: number) => void, pick: (place: number) => void}} page
 */
function makeList(models, page) {
  const grid = get("#grid", HTMLElement);
  const rows = get("#rows", HTMLElement);
  const frame = get("#window", HTMLElement);
  /** @type {number[]} */
  let found = [];
  let active = 0;
  let drawn = "";

  const height = () => parseFloat(getComputedStyle(rows).getPropertyValue("--row")) || 48;

  /** @param {number} at */
  const row = (at) => {
    const place = found[at], id = models.full[place], picked = page.view().pick.includes(id);
    const status = statusOn(models, place, page.today), retires = models.retiresOn[place];
    const can = BADGES.filter(([name]) => models.can[place][CAPABILITIES.indexOf(name)])
      .map(([, badge]) => badge);
    if (models.input[place]?.includes("image")) can.push("vision");
    const role = models.roles.get(id);
    /** @param {string} kind @param {...(Node | string)} children */
    const cell = (kind, ...children) =>
      element("span", { role: "gridcell", class: kind }, ...children);
    const box = element("input", {
      type: "checkbox", tabindex: -1, "aria-label": `Compare ${visible(id)}`, checked: picked,
    });
    const gone = status === "deprecated" || status === "retired";
    return element("div", {
      role: "row", "aria-rowindex": at + 2, "aria-selected": String(picked), "data-at": at,
      tabindex: at === active ? 0 : -1, class: gone ? "gone" : null,
    },
      cell("pick", box),
      cell("model",
        element("a", { href: page.link(place), tabindex: -1, title: visible(id) }, isolated(id)),
        ...(role === undefined ? [] : [element("span", { class: "role" }, isolated(role))]),
        element("small", {}, isolated(models.names[place] ?? ""))),
      cell("number context", tokens(models.context[place])),
      cell("number input", price(models.price.input[place])),
      cell("number output", price(models.price.output[place])),
      cell("can", ...can.map((badge) => element("span", { class: "badge" }, badge))),
      cell("released", textOr(models.released[place])),
      cell("status", ...(retires !== null
        ? [element("span", { class: "warn" }, status === "retired" ? "retired" : "retires", ` ${retires}`)]
        : status === null ? [] : [element("span", { class: gone ? "warn" : null }, isolated(status))])));
  };

  /** @param {boolean} [anew] @param {boolean} [all] for the printer */
  const draw = (anew = false, all = false) => {
    const each = height();
    const top = Math.max(0, -rows.getBoundingClientRect().top);
    const first = all ? 0 : Math.max(0, Math.floor(top / each) - SPARE_ROWS);
    const last = Math.min(found.length,
      all ? MOST_PRINTED : Math.ceil((top + innerHeight) / each) + SPARE_ROWS);
    const range = `${first} ${last}`;
    if (!anew && range === drawn) return;
    drawn = range;
    const focused = frame.contains(document.activeElement);
    const made = [];
    for (let at = first; at < last; at++) made.push(row(at));
    frame.replaceChildren(...made);
    get("#cut", HTMLElement).hidden = !all || found.length <= MOST_PRINTED;
    frame.style.transform = all ? "none" : `translateY(${first * each}px)`;
    rows.style.height = all ? "auto" : `${found.length * each}px`;
    if (focused) rowAt(active)?.focus({ preventScroll: true });
  };

  /** @param {number} at */
  const rowAt = (at) => /** @type {HTMLElement | null} */ (frame.querySelector(`[data-at="${at}"]`));

  /** @param {number} to */
  const move = (to) => {
    if (!found.length) return;
    active = Math.max(0, Math.min(found.length - 1, to));
    const each = height(), top = rows.getBoundingClientRect().top + active * each;
    const head = get("#grid .head", HTMLElement).getBoundingClientRect().bottom;
    const tray = get("#tray", HTMLElement).getBoundingClientRect().height;
    if (top < head) scrollBy(0, top - head);
    else if (top + each > innerHeight - tray) scrollBy(0, top + each - innerHeight + tray);
    draw(true);
    rowAt(active)?.focus({ preventScroll: true });
  };

  /** @param {Event} event @returns {number | undefined} */
  const placeOf = (event) => {
    const at = event.target instanceof Element && event.target.closest("[data-at]");
    return at instanceof HTMLElement ? Number(at.dataset.at) : undefined;
  };

  frame.addEventListener("click", (event) => {
    const at = placeOf(event), mouse = /** @type {MouseEvent} */ (event);
    if (at === undefined || mouse.ctrlKey || mouse.metaKey || mouse.shiftKey) return;
    active = at;
    if (event.target instanceof Element && event.target.closest(".pick")) page.pick(found[at]);
    else {
      event.preventDefault();
      if (!getSelection()?.toString()) page.open(found[at]);
    }
  });
  frame.addEventListener("keydown", (event) => {
    const screen = Math.max(1, Math.floor(innerHeight / height()) - 2);
    const to = {
      ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + screen,
      PageUp: active - screen, Home: 0, End: found.length - 1,
    }[event.key];
    if (to !== undefined) move(to);
    else if (event.key === "Enter") page.open(found[active]);
    else if (event.key === " ") page.pick(found[active]);
    else return;
    event.preventDefault();
  });
  frame.addEventListener("focusin", (event) => {
    active = placeOf(event) ?? active;
  });
  let asked = false;
  const later = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      if (!grid.closest("[hidden]")) draw();
    });
  };
  addEventListener("scroll", later, { passive: true });
  addEventListener("resize", () => {
    drawn = "";
    later();
  });
  addEventListener("beforeprint", () => draw(true, true));
  addEventListener("afterprint", () => draw(true));

  return {
    /** @param {number[]} places */
    show(places) {
      found = places;
      active = 0;
      // What was far below may lie behind the end now: a new list starts at its top.
      rows.style.height = `${found.length * height()}px`;
      if (rows.getBoundingClientRect().top < 0) grid.scrollIntoView();
      grid.setAttribute("aria-rowcount", String(found.length + 1));
      get("#nothing", HTMLElement).hidden = found.length > 0;
      draw(true);
    },
    redraw: () => draw(true),
    enter: () => move(active),
  };
}
