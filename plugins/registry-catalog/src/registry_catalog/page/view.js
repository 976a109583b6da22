"use strict";
// What is shown, as the page's address keeps it: `#text=sonnet&view=plot`.

/** @typedef {Query & {view: string, side: string, pick: string[], model: string}} View */

/** @type {Readonly<View>} */
const EMPTY_VIEW = Object.freeze({
  text: "", provider: "", kind: [], supports: [], input: [], output: [], min_context: "",
  max_input_cost: "", max_output_cost: "", released_since: "", retires_before: "", status: [],
  deprecated: false, unknown: false, sort: "", view: "list", side: "input", pick: [], model: "",
});
const FILTERS = /** @type {const} */ ([
  "provider", "kind", "supports", "input", "output", "min_context", "max_input_cost",
  "max_output_cost", "released_since", "retires_before", "status", "deprecated", "unknown",
]);

/** @param {string} hash @returns {View} */
function readView(hash) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  /** @type {any} */
  const view = {};
  for (const [name, empty] of Object.entries(EMPTY_VIEW)) {
    if (Array.isArray(empty)) view[name] = [...new Set(said.getAll(name))];
    else if (typeof empty === "boolean") view[name] = said.has(name);
    else view[name] = said.get(name) ?? empty;
  }
  if (!["list", "plot", "retiring", "compare"].includes(view.view)) view.view = "list";
  if (view.side !== "output") view.side = "input";
  view.pick = view.pick.slice(0, MOST_PICKED);
  return view;
}

/** @param {View} view */
function writeView(view) {
  const said = new URLSearchParams();
  for (const [name, empty] of Object.entries(EMPTY_VIEW)) {
    const value = /** @type {any} */ (view)[name];
    if (Array.isArray(value)) value.forEach((one) => said.append(name, one));
    else if (value !== empty) said.set(name, value === true ? "" : value);
  }
  return `#${said}`;
}

/** How many filters are set. @param {View} view */
function filtersOf(view) {
  return FILTERS.filter((name) => {
    const value = view[name];
    return Array.isArray(value) ? value.length > 0 : Boolean(value);
  }).length;
}
