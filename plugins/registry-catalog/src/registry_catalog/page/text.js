"use strict";
// From values to what a person reads. Nothing here, nor anywhere else, makes markup of text.

const UNKNOWN = "unknown";
const MOST_PICKED = 5;

/** @typedef {{[name: string]: string | number | boolean | null | undefined}} Attributes */

/** An element with attributes, whose names are ours, and text or elements in it.
 * @param {string} tag @param {Attributes} [attributes] @param {...(Node | string)} children */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined)
      made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

/** @template {typeof Element} T @param {string} selector @param {T} type
 * @returns {InstanceType<T>} */
function get(selector, type) {
  const found = document.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`no ${selector}`);
  return /** @type {InstanceType<T>} */ (found);
}

/** A stranger's text with what can't be seen, or turns other text around, written out.
 * @param {string} text */
function visible(text) {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (one) =>
    `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`);
}

/** @param {string} text */
function isolated(text) {
  return element("bdi", {}, visible(text));
}

/** @returns {HTMLElement} */
function unknown() {
  return element("span", { class: "unknown" }, UNKNOWN);
}

/** @param {string | null | undefined} text */
function textOr(text) {
  return text === null || text === undefined || text === "" ? unknown() : isolated(text);
}

/** @param {number | null | undefined} value tokens */
function tokens(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return unknown();
  return element("span", { title: value.toLocaleString("en") }, shortTokens(value));
}

/** @param {number} value */
function shortTokens(value) {
  const [unit, size] = value >= 999_500 ? ["M", 1e6] : value >= 1000 ? ["k", 1e3] : ["", 1];
  return `${Number((value / Number(size)).toPrecision(3))}${unit}`;
}

/** @param {number | null | undefined} value USD per million tokens */
function price(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return unknown();
  return element("span", {}, dollars(value));
}

/** @param {number} value */
function dollars(value) {
  if (value === 0 || value >= 0.01) {
    const cents = Math.abs(value * 100 - Math.round(value * 100)) < 1e-6;
    return `$${cents ? value.toFixed(2) : Number(value.toPrecision(4))}`;
  }
  return `$${Number(value.toPrecision(3))}`;
}

/** @param {boolean | null | undefined} value */
function yesNo(value) {
  return value === null || value === undefined ? unknown()
    : element("span", { class: value ? "yes" : "no" }, value ? "yes" : "no");
}

/** @param {string[] | null} words */
function listed(words) {
  return words === null ? unknown() : isolated(words.join(", "));
}

/** @param {string} name */
function spoken(name) {
  return name.replaceAll("_", " ");
}

/** @param {number} count @param {string} one @param {string} [more] */
function counted(count, one, more = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : more}`;
}

/** @param {string} day @param {string} today */
function distance(day, today) {
  const days = Math.round((Date.parse(day) - Date.parse(today)) / 86_400_000);
  if (Number.isNaN(days)) return "";
  if (days === 0) return "today";
  return days > 0 ? `in ${counted(days, "day")}` : `${counted(-days, "day")} ago`;
}

/** A link to a stranger's page, if it is one that a browser may open.
 * @param {string | null} url */
function outside(url) {
  if (url === null || !/^https?:\/\//i.test(url)) return textOr(url);
  return element("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, isolated(url));
}
