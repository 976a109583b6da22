"use strict";
// What is shut off when, and what follows it.

/** @param {Models} models @param {string} today @param {(place: number) => string} link */
function makeRetiring(models, today, link) {
  const shown = get("#retiring", HTMLElement);
  /** @param {number} place */
  const day = (place) => models.retiresOn[place] ?? models.deprecatedOn[place] ?? "";

  /** @param {string} title @param {number[]} places */
  const table = (title, places) => element("table", { class: "retiring" },
    element("caption", {}, `${title} (${places.length.toLocaleString("en")})`),
    element("thead", {}, element("tr", {},
      ...["Date", "Model", "Successor"].map((name) => element("th", { scope: "col" }, name)))),
    element("tbody", {}, ...places.map((place) => {
      const next = successor(models, place);
      const what = models.retiresOn[place] === null ? "deprecated, " : "";
      return element("tr", {},
        element("td", {}, element("time", { datetime: day(place) }, day(place)), " ",
          element("small", {}, what, distance(day(place), today))),
        element("td", {}, element("a", { href: link(place) }, isolated(models.full[place]))),
        element("td", {}, next === undefined ? unknown()
          : element("a", { href: link(next) }, isolated(models.full[next]))));
    })));

  /** @param {number[]} places @returns {string} how many there are */
  return (places) => {
    const dated = places.filter(day).sort((a, b) => day(a) < day(b) ? -1 : day(a) > day(b) ? 1 : a - b);
    const coming = dated.filter((place) => day(place) > today);
    const gone = dated.filter((place) => day(place) <= today).reverse();
    if (!dated.length) {
      shown.replaceChildren(element("p", { class: "note" }, "Of none of these models a date is known."));
      return "";
    }
    shown.replaceChildren(table("Coming", coming), ...(gone.length ? [table("Passed", gone)] : []));
    return `${counted(coming.length, "model")} to be retired or deprecated, ${gone.length.toLocaleString("en")} already`;
  };
}
