"use strict";
// Up to five models side by side.

/** @param {Models} models @param {Row[]} rows @param {(place: number) => string} link
 * @param {(place: number) => void} pick */
function makeComparison(models, rows, link, pick) {
  const shown = get("#comparison", HTMLElement);
  /** @param {number[]} places */
  return (places) => {
    if (!places.length) {
      shown.replaceChildren(element("p", { class: "note" },
        `Nothing is picked yet. Tick up to ${MOST_PICKED} models in the list.`));
      return;
    }
    const head = places.map((place) => {
      const drop = element("button", {
        type: "button", class: "close", "aria-label": `Drop ${visible(models.full[place])}`,
      }, "×");
      drop.addEventListener("click", () => pick(place));
      return element("th", { scope: "col" },
        element("a", { href: link(place) }, isolated(models.full[place])), drop);
    });
    const body = rows.map(([name, value]) => {
      const cells = places.map((place) => element("td", {}, value(place)));
      const same = cells.every((cell) => cell.textContent === cells[0].textContent);
      return element("tr", { class: same && places.length > 1 ? "same" : null },
        element("th", { scope: "row" }, name), ...cells);
    });
    shown.replaceChildren(element("div", { class: "scrolls", tabindex: 0, role: "group", "aria-label": "Comparison" },
      element("table", {},
        element("caption", { class: "hidden" }, "The picked models side by side"),
        element("thead", {}, element("tr", {}, element("td", {}), ...head)),
        element("tbody", {}, ...body))));
  };
}
