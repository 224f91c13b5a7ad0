// What grid, groups and Review's cards are built of. Class names and sentences go in as text, never as markup.

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function button(text, key, onclick, attributes = {}) {
  const hint = key ? [element("kbd", { "aria-hidden": "true" }, key)] : [];
  return element("button", { type: "button", onclick, ...attributes }, element("span", {}, text), ...hint);
}

const keySigns = (key) => (key ?? "").toUpperCase().replace("SHIFT+", "⇧");

// Nobody is asked for a retired class.
function namedChips(classes) {
  const placed = inOrder(classes.map((one, value) => ({ ...one, value }))).filter((one) => !one.retired);
  return placed.map((one) => ({ value: one.value, text: one.name, key: keySigns(one.key), color: one.color, count: "" }));
}

// Twenty classes have a key and a chip each; more are chosen from a list.
function drawChips(view, { ask, chips, chosen, choose }) {
  view.ask.textContent = ask;
  if (chips.length > 21) {
    const isOpen = chosen === null && chips.every((chip) => chip.value !== null);
    const listed = isOpen ? [{ value: null, text: "Choose a class…", count: "" }, ...chips] : chips;
    const options = listed.map((chip) => element("option", { value: chip.value ?? "" }, `${chip.text} ${chip.count}`));
    const select = element("select", { "aria-labelledby": "ask", translate: "no" }, ...options);
    select.value = chosen ?? "";
    select.addEventListener("change", () => choose(select.value === "" ? null : Number(select.value)));
    view.chips.replaceChildren(select);
    return;
  }
  view.chips.replaceChildren(
    ...chips.map((chip) => {
      const key = chip.key && chip.key !== chip.text ? [element("kbd", { "aria-hidden": "true" }, chip.key)] : [];
      const count = chip.count ? [element("small", { title: "samples the model is sure of" }, chip.count)] : [];
      const name = element("span", { class: "name", translate: "no" }, chip.text);
      const pressed = { "aria-pressed": String(chip.value === chosen), title: chip.text };
      const press = element("button", { type: "button", class: "chip", ...pressed }, ...key, name, ...count);
      press.addEventListener("click", () => choose(chip.value));
      return colored(press, chip);
    }),
  );
}

function drawAlert(view, text) {
  view.alert.textContent = text;
  view.alert.hidden = text === "";
}
