"use strict";
// All that is known of one model; the same rows make the comparison.

/** @typedef {[string, (place: number) => Node | string]} Row */

/** @param {Models} models @param {string} today @param {(place: number) => string} link
 * @returns {Row[]} */
function rowsOf(models, today, link) {
  /** @param {string | null} day */
  const dated = (day) => day === null ? unknown()
    : element("span", {}, day, " ", element("small", {}, distance(day, today)));
  /** @param {number} place */
  const follows = (place) => {
    const next = successor(models, place);
    return next === undefined ? unknown()
      : element("a", { href: link(next) }, isolated(models.full[next]));
  };
  /** @param {number} place */
  const provider = (place) => models.providers[models.owners[place]];
  /** @param {number} place */
  const tiers = (place) => {
    const made = (models.tiers[place] ?? []).map(([size, input, output]) =>
      element("div", {}, `from ${shortTokens(size)}: `, price(input), " in, ", price(output), " out"));
    return made.length ? element("div", {}, ...made) : unknown();
  };
  return [
    ["Provider", (place) => isolated(provider(place).name ?? provider(place).id)],
    ["Gateway", (place) => textOr(provider(place).gateway)],
    ["Name", (place) => textOr(models.names[place])],
    ["Family", (place) => textOr(models.families[place])],
    ["Kind", (place) => textOr(models.kinds[place])],
    ["Status", (place) => textOr(statusOn(models, place, today))],
    ["Context", (place) => tokens(models.limits[place][0])],
    ["Input limit", (place) => tokens(models.limits[place][1])],
    ["Output limit", (place) => tokens(models.limits[place][2])],
    ...PRICES.map((name, at) => /** @type {Row} */ ([
      `$ ${spoken(name)}`, (place) => price(models.costs[place]?.[at])])),
    ["$ by context", tiers],
    ...CAPABILITIES.map((name, at) => /** @type {Row} */ ([
      { tool_call: "Tools", attachment: "Files" }[/** @type {string} */ (name)]
        ?? spoken(name).replace(/^./, (one) => one.toUpperCase()),
      (place) => yesNo(models.can[place][at])])),
    ["Takes", (place) => listed(models.input[place])],
    ["Makes", (place) => listed(models.output[place])],
    ["Released", (place) => textOr(models.released[place])],
    ["Updated", (place) => textOr(models.updated[place])],
    ["Knowledge until", (place) => textOr(models.knowledge[place])],
    ["Deprecated on", (place) => dated(models.deprecatedOn[place])],
    ["Retires on", (place) => dated(models.retiresOn[place])],
    ["Successor", follows],
    ["Documentation", (place) => outside(provider(place).link)],
  ];
}

/**
 * @param {Models} models @param {Row[]} rows
 * @param {{view: () => View, pick: (place: number) => void, close: () => void}} page
 */
function makeDetails(models, rows, page) {
  const dialog = get("#details", HTMLDialogElement);
  dialog.addEventListener("close", page.close);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  return {
    /** @param {number | undefined} place */
    show(place) {
      if (place === undefined) {
        if (dialog.open) dialog.close();
        return;
      }
      const id = models.full[place], role = models.roles.get(id);
      const close = element("button", { type: "button", class: "close", "aria-label": "Close" }, "×");
      close.addEventListener("click", () => dialog.close());
      const copy = element("button", { type: "button" }, "Copy id");
      copy.addEventListener("click", () => navigator.clipboard.writeText(id).then(
        () => { copy.textContent = "Copied"; }, () => { copy.textContent = "Not allowed here"; }));
      const picked = page.view().pick.includes(id);
      const pick = element("button", { type: "button" }, picked ? "Don’t compare" : "Compare");
      pick.addEventListener("click", () => page.pick(place));
      dialog.replaceChildren(
        close,
        element("h2", { id: "details-title", tabindex: -1, autofocus: true }, isolated(id)),
        element("p", {}, copy, " ", pick,
          ...(role === undefined ? [] : [" stands for the role ", isolated(role)])),
        element("dl", {}, ...rows.map(([name, value]) =>
          element("div", {}, element("dt", {}, name), element("dd", {}, value(place))))));
      if (!dialog.open) dialog.showModal();
    },
  };
}
