// A row of a table: a card of names and values, as text; what is unusual in the pool says so.

SHAPES.table = { wide: 1.6, smallest: 132, largest: 240, comfortable: 150 };

KINDS.table = ({ cells, left_out: leftOut }, changed, name) => {
  if (!cells) return { element: document.createElement("div"), state: "failed", small: () => document.createElement("div"), full: () => null };
  const part = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text, dir: "auto" });
  const line = ({ name: column, value, unusual }) => {
    const row = document.createElement("tr");
    const cell = part("td", value ? "" : "nothing", value || "not given");
    if (unusual) {
      row.className = "unusual";
      cell.append(part("span", "why-unusual", unusual));
    }
    row.append(part("th", "", column), cell);
    return row;
  };
  const make = (className) => {
    const box = Object.assign(document.createElement("div"), { className });
    const table = document.createElement("table");
    table.append(...cells.map(line));
    box.append(table);
    if (leftOut) box.append(part("p", "more", `${leftOut} values more`));
    return box;
  };
  const element = make("row-card");
  if (name) {
    element.tabIndex = 0; // a long one is scrolled by the keys that scroll
    element.setAttribute("role", "document");
    element.setAttribute("aria-label", name);
  }
  return { element, state: "ready", small: () => make("row-card small"), full: () => make("row-card") };
};
