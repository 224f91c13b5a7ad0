// What stands on the page, without what it does.

// The fixed parts of the page; `on` says what its controls do.
function makeView(sizes, on) {
  const view = {
    question: element("h2", { class: "question" }),
    hint: element("p", { class: "hint" }),
    sizes: element("div", { class: "sizes", role: "group", "aria-label": "Samples at once" }),
    ask: element("span", { class: "ask", id: "ask" }),
    chips: element("div", { class: "chips", role: "group", "aria-labelledby": "ask" }),
    cells: element("div", { class: "cells", role: "grid" }),
    reading: element("div", { class: "reading", hidden: true, "aria-hidden": "true" }), // the cell itself is heard
    empty: element("div", { class: "empty", role: "status", hidden: true }),
    confirm: button("Confirm", "Enter", on.confirm, { class: "confirm" }),
    undo: button("Undo", "Backspace", on.undo, { title: "Take the last grid back" }),
    other: button("Others", "N", on.other, { title: "Leave these and show others" }),
    state: element("span", { class: "state", role: "status" }),
    unsaved: element("span", { class: "unsaved", hidden: true }),
    alert: element("p", { class: "alert", role: "alert", hidden: true }),
    honest: element("p", { class: "honest" }),
    live: element("p", { class: "heard", "aria-live": "polite" }),
  };
  for (const size of sizes) {
    view.sizes.append(button(String(size), "", () => on.size(size), { "data-size": size, "aria-pressed": "false" }));
  }
  view.cells.addEventListener("pointerleave", () => drawReading(view, null));
  view.bar = element("div", { class: "bar" }, view.confirm, view.undo, view.other, view.state, view.unsaved);
  view.root = element(
    "section",
    { class: "grid-mode", "aria-label": "Grid labeling" },
    view.alert,
    element("header", {}, view.question, view.hint, view.sizes),
    element("div", { class: "classes" }, view.ask, view.chips),
    element("div", { class: "shown" }, view.cells, view.reading),
    view.empty,
    view.bar,
    view.honest,
    view.live,
  );
  return view;
}

// One sample: a button in a grid cell, pressed when it is taken out.
function makeCell(sample, place, count, on) {
  const content = openContent(sample.content, () => {}); // what cannot be read shows as missing
  const isUnreadable = content.state === "failed";
  const mark = element("span", { class: "mark", "aria-hidden": "true", translate: "no" });
  const press = element("button", { type: "button", class: "cell", tabindex: "-1", "aria-pressed": "false" }, content.element, mark);
  press.dataset.sample = sample.sample_id;
  press.addEventListener("click", () => on.toggle(place));
  press.addEventListener("focus", () => on.reach(place));
  press.addEventListener("pointerenter", () => on.look(place));
  return {
    sample, press, content, mark, place, count, isUnreadable,
    out: isUnreadable, // taken out
    other: null, // the class index it gets instead; null: back to the queue
    request: null, // the id of its latest decision; null once that was taken back
  };
}

function drawCell(cell, classes) {
  const instead = cell.other === null ? "" : classes[cell.other].name;
  const sure = cell.sample.probability === null ? "" : `, ${percent(cell.sample.probability)}`;
  const out = cell.isUnreadable ? ", cannot be shown" : ", taken out";
  const state = cell.out ? (instead ? `${out}, is ${instead}` : out) : "";
  cell.press.setAttribute("aria-pressed", String(cell.out));
  cell.press.setAttribute("aria-label", `Sample ${cell.place + 1} of ${cell.count}${sure}${state}`);
  cell.mark.textContent = cell.isUnreadable ? "cannot be shown" : cell.out ? instead || "✕" : "";
}

// Cells in rows of so many: a reader of the screen hears row and column, the eye sees one grid.
function layCells(view, cells, columns, side) {
  view.cells.style.setProperty("--columns", columns);
  view.cells.style.setProperty("--side", `${side}px`);
  const rows = [];
  for (let start = 0; start < cells.length; start += columns) {
    const boxes = cells.slice(start, start + columns).map((cell) => element("div", { role: "gridcell" }, cell.press));
    rows.push(element("div", { role: "row" }, ...boxes));
  }
  view.cells.replaceChildren(...rows);
}

const isCut = (shown) => shown.scrollHeight > shown.clientHeight + 1;

// full: all of a sample of which a cell shows a part; null: nothing. isBelow: on the lower half, not over the cell.
function drawReading(view, full, isBelow = true) {
  view.reading.hidden = full === null;
  view.reading.classList.toggle("below", isBelow);
  view.reading.replaceChildren(...(full === null ? [] : [full]));
}
