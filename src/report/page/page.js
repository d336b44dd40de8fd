"use strict";
// Everything here adds to a page that is complete without it: values of plots at the pointer and by keyboard,
// sorting and filtering of tables, and positions as boards. It builds elements and never parses HTML, so that no
// text of a log or cache can become markup.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// An element with attributes and children, which are elements or texts.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

// Plots. Each part has a title, which is shown beside it at once instead of by the browser after a while.
function plots() {
  const tip = make("div", { id: "tip", role: "status" });
  document.body.append(tip);
  let shown = null;
  const hide = () => {
    if (shown) shown.classList.remove("shown");
    shown = null;
    tip.textContent = "";
  };
  const show = (part) => {
    if (part === shown) return;
    hide();
    shown = part;
    part.classList.add("shown");
    tip.textContent = part.dataset.tip;
    place();
  };
  const place = () => {
    if (!shown) return;
    const box = shown.getBoundingClientRect();
    const left = Math.min(box.left + box.width / 2 - tip.offsetWidth / 2, innerWidth - tip.offsetWidth - 8);
    const above = box.top - tip.offsetHeight - 8;
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = (above < 8 ? Math.min(box.bottom + 8, innerHeight - tip.offsetHeight - 8) : above) + "px";
  };
  const partsOf = (plot) => $$(".tips rect", plot);
  for (const plot of $$("svg.plot, svg.spark")) {
    const parts = partsOf(plot);
    if (parts.length === 0) continue;
    for (const part of parts) {
      const title = part.firstElementChild;
      part.dataset.tip = title.textContent;
      title.remove();
    }
    plot.tabIndex = 0;
    plot.setAttribute("aria-describedby", "keys");
    plot.addEventListener("pointerover", (event) => event.target.dataset.tip ? show(event.target) : hide());
    plot.addEventListener("pointerleave", hide);
    plot.addEventListener("focus", () => plot.matches(":focus-visible") && show(parts[0]));
    plot.addEventListener("blur", hide);
    plot.addEventListener("keydown", (event) => {
      const at = parts.indexOf(shown);
      const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0,
        End: parts.length - 1 }[event.key];
      if (event.key === "Escape") hide();
      if (to === undefined) return;
      event.preventDefault();
      show(parts[Math.max(0, Math.min(to, parts.length - 1))]);
    });
  }
  document.body.append(make("p", { id: "keys", hidden: "" }, "Arrow keys tell the values."));
  // Also of the scroll that brings a plot into view when it gets the focus.
  addEventListener("scroll", place, { passive: true, capture: true });
}

// What a cell is sorted by: a number where the column has numbers. A dash is less than any.
function sortKey(cell, isText) {
  const text = cell ? cell.textContent.trim() : "";
  if (isText) return text;
  const number = parseFloat(text.replace(/[,\s]/g, "").replace(/^<|^×/, ""));
  if (!Number.isNaN(number)) return number;
  return text === "another constant" ? Infinity : -Infinity;
}

function sortable(table) {
  const heads = $$("thead th", table);
  const body = $("tbody", table);
  heads.forEach((head, column) => {
    const name = head.textContent.trim();
    if (!name) return;
    const button = make("button", { type: "button" }, name);
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const isText = column === 0 || head.classList.contains("left");
      const before = head.getAttribute("aria-sort");
      const down = before ? before === "ascending" : !isText;
      const rows = [...body.rows].map((row) => [sortKey(row.cells[column], isText), row]);
      rows.sort(([a], [b]) => isText
        ? (down ? -1 : 1) * a.localeCompare(b, "en", { numeric: true })
        : a === b ? 0 : (a < b) === down ? 1 : -1);
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.append(...rows.map(([, row]) => row));
    });
  });
}

// The table of all columns: search by words, and two choices.
function filters(table) {
  const rows = $$("tbody tr", table);
  const families = [...new Set(rows.map((row) => row.dataset.family))];
  const kinds = new Map([["", "all kinds"], ["normalized", "normalized"], ["plain", "not normalized"],
    ["constant", "constant"], ["outlier", "with outliers"], ["rare", "rare flags"], ["moved", "moved"]]);
  const present = [...kinds].filter(([kind]) => !kind || rows.some((row) => row.dataset.kinds.split(" ").includes(kind)));
  const choice = (name, options) => make("label", {}, name + " ",
    make("select", {}, ...options.map(([value, text]) => make("option", { value }, text))));
  const search = make("label", {}, "Search ", make("input", { type: "search", placeholder: "player0 gems" }));
  const family = choice("Family", [["", "all families"], ...families.map((name) => [name, name.replaceAll("_", " ")])]);
  const kind = choice("Kind", present);
  const count = make("output", { "aria-live": "polite" });
  const update = () => {
    const words = $("input", search).value.toLowerCase().split(/\s+/).filter(Boolean);
    let visible = 0;
    for (const row of rows) {
      const name = row.cells[0].textContent.toLowerCase();
      const fits = words.every((word) => name.includes(word))
        && [row.dataset.family, ""].includes($("select", family).value)
        && ["", ...row.dataset.kinds.split(" ")].includes($("select", kind).value);
      row.hidden = !fits;
      visible += fits;
    }
    count.textContent = visible.toLocaleString("en") + " of " + rows.length.toLocaleString("en") + " columns";
  };
  const form = make("form", { class: "filters", role: "search" }, search, family, kind, count);
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  table.closest(".scroll").before(form);
  table.closest("details").open = true;
  update();
}

// Positions.
const COLORS = ["white", "blue", "green", "red", "black", "gold"];
const LETTERS = ["W", "B", "G", "R", "K", "*"];

function gem(color, count, kind = "") {
  return make("span", { class: ("gem " + COLORS[color] + " " + kind).trim() }, String(count), make("small", {}, LETTERS[color]));
}

// The gems that are not none, or a dash.
function gems(counts, kind) {
  const some = counts.map((count, color) => count > 0 ? gem(color, count, kind) : null).filter(Boolean);
  const words = counts.map((count, color) => count > 0 ? count + " " + COLORS[color] : null).filter(Boolean);
  return make("span", { class: "gems", role: "img", "aria-label": words.join(", ") || "none" }, ...(some.length ? some : ["–"]));
}

function points(count) {
  return count + (count === 1 ? " point" : " points");
}

// A card or noble: what it gives above what it asks for.
function tile(kind, label, number, top, cost) {
  const words = cost.map((count, color) => count > 0 ? count + " " + COLORS[color] : null).filter(Boolean);
  return make("span", { class: "tile-card " + kind, role: "img", "aria-label": label + " for " + words.join(", ") },
    make("span", { class: "top" }, ...top, number === null ? null : make("small", { class: "faint" }, "#" + number)),
    make("span", { class: "gems" }, ...cost.map((count, color) => count > 0 ? gem(color, count) : null).filter(Boolean)));
}

function card(data, place, number) {
  const [level, vp, bonus, cost] = data.cards[place];
  const label = (number === null ? "" : "card " + number + ": ") + "level " + level + ", " + points(vp) + ", gives " + COLORS[bonus];
  return tile("", label, number, [make("b", {}, vp ? String(vp) : ""), gem(bonus, 1, "bonus")], cost);
}

function player(data, position, seat) {
  const [vp, hand, reductions, reserved] = position.p[seat];
  const moves = seat === position.s;
  const row = (name, content) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, content));
  const cards = reserved.map((place, slot) => card(data, place, moves ? 12 + slot : null));
  return make("section", { class: "player" + (moves ? " moves" : "") },
    make("h3", {}, "Seat " + seat + ": " + points(vp) + (moves ? ", to move" : "")),
    make("table", {}, make("tbody", {}, row("gems", gems(hand)), row("cards", gems(reductions, "bonus")),
      cards.length ? row("reserved", make("span", { class: "row" }, ...cards)) : null)));
}

function board(data, position) {
  let number = 0;
  const levels = position.c.map((cards, index) => make("div", { class: "row" },
    make("span", { class: "tile-card deck" }, "deck " + (index + 1), make("b", {}, String(position.d[index]))),
    ...cards.map((place) => card(data, place, number++))));
  const nobles = position.o.map((place, index) =>
    tile("noble", "noble " + index + ": 3 points", index, [make("b", {}, "3")], data.nobles[place]));
  const moves = position.l.map((line) => {
    const logged = line.startsWith("> ");
    return make("li", logged ? { class: "logged" } : {}, logged ? make("b", {}, line.slice(2) + " (logged)") : line);
  });
  return make("div", { class: "board" },
    position.w.length ? make("ul", { class: "why" }, ...position.w.map((why) => make("li", {}, why))) : null,
    make("div", { class: "columns" },
      make("div", { class: "table" },
        make("h3", {}, "Table"),
        make("div", { class: "row" }, ...nobles),
        ...levels.reverse(),
        make("p", { class: "bank" }, "Bank ", gems(position.b))),
      make("div", { class: "players" }, ...position.p.map((_, seat) => player(data, position, seat)))),
    make("h3", {}, "Logged move"),
    make("p", { class: "move" }, position.m, position.l.some((line) => line.startsWith("> ")) ? null
      : make("span", { class: "alarm" }, position.i.length
        ? ": not legal, by the masks of " + position.i.join(", ") : ": not among the legal moves")),
    make("h3", {}, position.a + (position.a === 1 ? " legal move" : " legal moves")),
    moves.length ? make("ul", { class: "moves" }, ...moves) : make("p", {}, "Nothing to take, build or reserve."));
}

function positions(data) {
  const view = $("#position");
  const keys = Object.keys(data.positions);
  const keyOf = () => location.hash.startsWith("#position-") ? location.hash.slice(10) : null;
  for (const place of $$("[data-position]")) {
    const link = make("a", { href: "#position-" + place.dataset.position }, ...place.childNodes);
    place.replaceChildren(link);
  }
  const step = (by) => {
    const at = keys.indexOf(keyOf() ?? view.dataset.shown);
    const to = keys[Math.max(0, Math.min(at + by, keys.length - 1))];
    if (to !== undefined) location.replace("#position-" + to);
  };
  const isDialog = view.tagName === "DIALOG";
  let cameFrom = 0;
  const draw = () => {
    const key = keyOf() ?? (isDialog ? null : keys[0]);
    const position = Object.hasOwn(data.positions, key ?? "") ? data.positions[key] : null;
    if (!position) {
      if (isDialog && view.open) view.close();
      return;
    }
    const at = keys.indexOf(key);
    const button = (text, by, off) => {
      const element = make("button", { type: "button", "aria-disabled": off ? "true" : null }, text);
      element.addEventListener("click", () => step(by));
      return element;
    };
    const close = isDialog ? make("button", { type: "button", class: "close" }, "Close") : null;
    if (close) close.addEventListener("click", () => view.close());
    const focused = view.contains(document.activeElement) ? $$("button", view).indexOf(document.activeElement) : -1;
    view.dataset.shown = key;
    view.replaceChildren(
      make("div", { class: "bar" }, button("Previous", -1, at === 0), button("Next", 1, at === keys.length - 1),
        make("span", { class: "faint" }, (at + 1) + " of " + keys.length), close),
      make("h2", { id: "position-title", "aria-live": "polite" },
        "Game " + position.g + ", turn " + position.t + ": seat " + position.s + " to move"),
      make("p", { class: "from" }, "row " + position.r + " of 0 to " + (position.n - 1)
        + (isDialog ? " · prep inspect " + position.g + " --row " + position.r + " shows it on a terminal" : "")),
      board(data, position));
    for (const place of $$("[data-position]")) {
      const shown = place.dataset.position === key;
      if (shown) place.setAttribute("aria-current", "true"); else place.removeAttribute("aria-current");
      if (shown && !isDialog) place.scrollIntoView({ block: "nearest" });
    }
    if (isDialog && !view.open) {
      cameFrom = scrollY;
      view.showModal();
    }
    if (focused >= 0) $$("button", view)[focused].focus({ preventScroll: true });
  };
  if (isDialog) {
    view.addEventListener("close", () => {
      // Without a jump, and so that the same link opens it again.
      history.replaceState(null, "", location.pathname + location.search);
      scrollTo(0, cameFrom);
    });
  }
  addEventListener("hashchange", draw);
  addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || (isDialog && !view.open)) return;
    if (event.target.closest("input, select, svg")) return;
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -keys.length, End: keys.length }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    step(by);
  });
  draw();
}

plots();
$$("table.sortable").forEach(sortable);
$$("table.filtered").forEach(filters);
positions(JSON.parse($("#data").textContent));
