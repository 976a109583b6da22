"use strict";
// Which models a view asks for, and in which order: what `find_models` does in Python.

/** @typedef {{
 *   text: string, provider: string, kind: string[], supports: string[], input: string[],
 *   output: string[], min_context: string, max_input_cost: string, max_output_cost: string,
 *   released_since: string, retires_before: string, status: string[], deprecated: boolean,
 *   unknown: boolean, sort: string }} Query */

/** A number as people write it: "200k", "1.5M", "200,000"; NaN if it is none.
 * @param {string} text */
function numberOf(text) {
  const found = /^\$?(\d[\d,_ ]*(?:\.\d*)?|\.\d+)\s*([km]?)$/i.exec(text.trim());
  if (!found) return NaN;
  const times = { "": 1, k: 1e3, m: 1e6 }[found[2].toLowerCase()] ?? NaN;
  return Number(found[1].replace(/[,_ ]/g, "")) * times;
}

/** @param {string} glob "azure*"; `*` and `?` stand for any text, and any character */
function globbed(glob) {
  const parts = glob.toLowerCase().split(/([*?])/);
  const source = parts.map((part) => part === "*" ? "[^]*" : part === "?" ? "[^]"
    : part.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&"));
  return new RegExp(`^${source.join("")}$`);
}

/** The providers that are meant by "openai, azure*"; a word that names none starts some.
 * @param {Models} models @param {string} text @returns {boolean[] | null} */
function wantedProviders(models, text) {
  const words = text.toLowerCase().split(",").map((one) => one.trim()).filter(Boolean);
  if (!words.length) return null;
  const ids = models.providers.map((one) => one.id.toLowerCase());
  const tests = words.map((word) => globbed(
    /[*?]/.test(word) || ids.includes(word) ? word : `${word}*`));
  return ids.map((id) => tests.some((test) => test.test(id)));
}

/** The first day that "2026" or "2026-05" can mean; "" if it is no date. @param {string | null} day */
function firstDay(day) {
  if (day === null || !/^\d{4}(-?\d\d){0,2}$/.test(day)) return "";
  return { 4: `${day}-01-01`, 7: `${day}-01`, 10: day }[day.length] ?? "";
}

/** What an order sorts by; undefined is unknown, and comes last.
 * @param {Models} models @param {string} key
 * @returns {(place: number) => number | string | undefined} */
function sortedBy(models, key) {
  /** @param {Float64Array} column @returns {(place: number) => number | undefined} */
  const known = (column) => (place) => Number.isNaN(column[place]) ? undefined : column[place];
  switch (key) {
    case "name": return (place) => models.names[place]?.toLowerCase() || undefined;
    case "input_cost": return known(models.price.input);
    case "output_cost": return known(models.price.output);
    case "context": return known(models.context);
    case "released": return (place) => firstDay(models.released[place]) || undefined;
    case "retires": return (place) => models.retiresOn[place] ?? undefined;
    default: return (place) => place;
  }
}

/** All places in an order, made once for each: to filter them is then all that a key costs.
 * @type {Map<string, Uint32Array>} */
const orders = new Map();

/** @param {Models} models @param {string} sort @returns {Uint32Array} */
function order(models, sort) {
  const made = orders.get(sort);
  if (made) return made;
  const down = sort.startsWith("-") ? -1 : 1;
  const places = Array.from({ length: models.size }, (_, place) => place);
  if (sort === "") {
    const first = makers(models);
    const days = models.released.map(firstDay);
    places.sort((a, b) => first[b] - first[a] || (days[a] < days[b] ? 1 : days[a] > days[b] ? -1 : a - b));
  } else {
    const value = sortedBy(models, sort.replace(/^-/, ""));
    const values = places.map(value);
    places.sort((a, b) => {
      const x = values[a], y = values[b];
      if (x === y) return a - b;
      if (x === undefined || y === undefined) return x === undefined ? 1 : -1;
      return x < y ? -down : down;
    });
  }
  const found = Uint32Array.from(places);
  orders.set(sort, found);
  return found;
}

/** 1 for models that others resell by their full id: `openai/gpt-4o`, since there is
 * `openrouter/openai/gpt-4o`. @param {Models} models */
function makers(models) {
  /** @param {string} id */
  const folded = (id) => id.toLowerCase().replaceAll(".", "-");
  const resold = new Set(models.ids.filter((id) => id.includes("/")).map(folded));
  return Uint8Array.from(models.full, (id, place) =>
    Number(!models.ids[place].includes("/") && resold.has(folded(id))));
}

/** The places of the models that are asked for, in the order that is asked for.
 * @param {Models} models @param {Query} query @param {string} today @returns {number[]} */
function find(models, query, today) {
  const words = query.text.toLowerCase().split(/\s+/).filter(Boolean);
  const owners = wantedProviders(models, query.provider);
  const least = numberOf(query.min_context);
  const most = { input: numberOf(query.max_input_cost), output: numberOf(query.max_output_cost) };
  const capabilities = query.supports.map((one) => CAPABILITIES.findIndex((it) => it === one));
  const { unknown } = query;

  /** @param {number} value @param {boolean} fits */
  const within = (value, fits) => Number.isNaN(value) ? unknown : fits;
  /** @param {string[] | null} have @param {string[]} wanted */
  const all = (have, wanted) => !wanted.length
    || (have === null ? unknown : wanted.every((one) => have.includes(one)));

  /** @param {number} place */
  const fits = (place) => {
    if (owners && !owners[models.owners[place]]) return false;
    const text = models.texts[place];
    for (const word of words) if (!text.includes(word)) return false;
    const status = statusOn(models, place, today);
    if (query.status.length) {
      if (!query.status.includes(status ?? "")) return false;
    } else if (!query.deprecated) {
      // What is deprecated goes first, so it is among what retires soon.
      if (status === "retired" || (status === "deprecated" && !query.retires_before)) return false;
    }
    const kind = models.kinds[place];
    if (query.kind.length && (kind === null ? !unknown : !query.kind.includes(kind))) return false;
    for (const one of capabilities) {
      const can = models.can[place][one] ?? null;
      if (can === null ? !unknown : !can) return false;
    }
    if (!all(models.input[place], query.input) || !all(models.output[place], query.output))
      return false;
    const context = models.context[place];
    if (!Number.isNaN(least) && !within(context, context >= least)) return false;
    for (const side of /** @type {const} */ (["input", "output"])) {
      const price = models.price[side][place];
      if (!Number.isNaN(most[side]) && !within(price, price <= most[side])) return false;
    }
    if (query.released_since) {
      const day = firstDay(models.released[place]);
      if (!day) { if (!unknown) return false; }
      else if ((unknown ? `${models.released[place]}~` : day) < query.released_since) return false;
    }
    if (query.retires_before) {
      const day = models.retiresOn[place];
      if (day === null ? !unknown : day >= query.retires_before) return false;
    }
    return true;
  };

  /** @type {number[][]} what is named exactly, what starts so, and the rest */
  const found = [[], [], []];
  const named = query.sort === "" ? query.text.trim().toLowerCase() : "";
  for (const place of order(models, query.sort)) {
    if (!fits(place)) continue;
    const id = models.bare[place];
    const rank = !named || !id.startsWith(named) ? 2 : id === named ? 0 : 1;
    found[rank].push(place);
  }
  return found.flat();
}
