"use strict";
// The models of the page, in columns: a model is a place in them, as in the catalog's order.

/** @typedef {(string | null)[]} Texts */

const CAPABILITIES = /** @type {const} */ ([
  "tool_call", "reasoning", "structured_output", "attachment", "temperature", "open_weights",
]);
const PRICES = /** @type {const} */ ([
  "input", "output", "cache_read", "cache_write", "reasoning", "input_audio", "output_audio",
]);

/**
 * @param {any} data what `columns.py` wrote
 */
function decode(data) {
  /** @type {string[]} */
  const ids = data.ids;
  /** @type {number[]} */
  const owners = [];
  data.providers.forEach((/** @type {any[]} */ one, /** @type {number} */ at) => {
    for (let count = one[4]; count > 0; count--) owners.push(at);
  });
  /** @param {string} name @returns {any[]} */
  const column = (name) => {
    const [values, places] = data.columns[name];
    return places.map((/** @type {number} */ at) => values[at]);
  };
  const full = ids.map((id, place) => `${data.providers[owners[place]][0]}/${id}`);
  /** @type {Texts} */
  const names = column("name");
  /** @type {Texts} */
  const families = column("family");
  const limits = column("limit");
  const costs = column("cost");
  const lifecycles = column("lifecycle");
  /** @param {any} value */
  const number = (value) => value ?? NaN;
  return {
    size: ids.length,
    /** @type {{id: string, name: string | null, gateway: string | null, link: string | null}[]} */
    providers: data.providers.map((/** @type {any[]} */ one) =>
      ({ id: one[0], name: one[1], gateway: one[2], link: one[3] })),
    owners,
    ids,
    full,
    places: new Map(full.map((id, place) => [id, place])),
    names,
    families,
    /** What a word is looked for in. */
    texts: full.map((id, place) =>
      `${id}\n${names[place] ?? ""}\n${families[place] ?? ""}`.toLowerCase()),
    bare: ids.map((id) => id.toLowerCase()),
    /** @type {Texts} */
    kinds: column("kind"),
    /** @type {Texts} */
    statuses: column("status"),
    /** @type {(boolean | null)[][]} by place in CAPABILITIES */
    can: column("can"),
    /** @type {(string[] | null)[]} */
    input: column("input"),
    /** @type {(string[] | null)[]} */
    output: column("output"),
    /** @type {(number | null)[][]} context, input, output */
    limits,
    /** @type {((number | null)[] | null)[]} by place in PRICES */
    costs,
    /** @type {([number, number | null, number | null][] | null)[]} */
    tiers: column("tiers"),
    /** NaN is unknown, here and in the prices: it is neither above nor below any number. */
    context: Float64Array.from(limits, (one) => number(one[0])),
    price: {
      input: Float64Array.from(costs, (one) => number(one?.[0])),
      output: Float64Array.from(costs, (one) => number(one?.[1])),
    },
    /** @type {Texts} */
    released: column("released"),
    /** @type {Texts} */
    updated: column("updated"),
    /** @type {Texts} */
    knowledge: column("knowledge"),
    /** @type {Texts} */
    deprecatedOn: lifecycles.map((one) => one[0]),
    /** @type {Texts} */
    retiresOn: lifecycles.map((one) => one[1]),
    /** @type {Texts} a full id, or a bare one of the same provider */
    successors: lifecycles.map((one) => one[2]),
    /** @type {Map<string, string>} full id → roles that stand for it */
    roles: Object.entries(data.roles).reduce((found, [role, id]) =>
      found.set(id, [found.get(id), role].filter(Boolean).join(", ")), new Map()),
  };
}

/** @typedef {ReturnType<typeof decode>} Models */

/** The place of what follows a model, if the catalog has it.
 * @param {Models} models @param {number} place @returns {number | undefined} */
function successor(models, place) {
  const id = models.successors[place];
  if (id === null) return undefined;
  const owner = models.providers[models.owners[place]].id;
  return models.places.get(id) ?? models.places.get(`${owner}/${id}`);
}

/** The status of a model on a day, as `ModelInfo.status_on`.
 * @param {Models} models @param {number} place @param {string} day @returns {string | null} */
function statusOn(models, place, day) {
  if ((models.retiresOn[place] ?? "~") <= day) return "retired";
  if ((models.deprecatedOn[place] ?? "~") <= day && models.statuses[place] !== "retired")
    return "deprecated";
  return models.statuses[place];
}
