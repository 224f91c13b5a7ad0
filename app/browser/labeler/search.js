// All classes by name, for those that have no key: type a few letters, Enter takes the first, the arrows another one.
// Once a name is being typed every letter is its own, and no class is taken that could not have been read before.

const FOUND_SHOWN = 8;
const READ_MS = 250; // a class among several that stood there for less has not been read

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

const isTyped = (each, text) => each.name.normalize().toLowerCase() === text.trim().normalize().toLowerCase();

const orderOf = (name, wanted) => {
  if (!name.includes(wanted)) return null;
  if (name === wanted) return 0;
  if (name.startsWith(wanted)) return 1;
  return name.split(/[^\p{L}\p{N}]+/u).some((part) => part.startsWith(wanted)) ? 2 : 3;
};

// The name itself comes first, then names that begin with the text, those with a word that does, those that hold it.
function findClasses(classes, text) {
  const wanted = plain(text.trim());
  if (!wanted) return [];
  const order = (each) => (isTyped(each, text) ? -1 : orderOf(plain(each.name), wanted));
  const placed = classes.map((each) => ({ each, order: order(each) }));
  return placed.filter(({ order }) => order !== null).sort((a, b) => a.order - b.order).slice(0, FOUND_SHOWN).map(({ each }) => each);
}

const isNamed = (each, text, found) =>
  isTyped(each, text) || (found.filter((other) => plain(other.name) === plain(text.trim())).length === 1 && plain(each.name) === plain(text.trim()));

// choose(class): called with the class that was searched for.
function openSearch(box, choose) {
  const input = element("input", { type: "text", autocomplete: "off", spellcheck: false, maxLength: 200 });
  const list = element("ul", { id: "found", hidden: true, attributes: { role: "listbox", "aria-label": "Classes found", translate: "no" } });
  const note = element("p", { className: "note", hidden: true, attributes: { role: "status" } });
  for (const [name, value] of Object.entries({ role: "combobox", "aria-controls": "found", "aria-autocomplete": "list" })) {
    input.setAttribute(name, value);
  }
  box.append(input, list, note);
  let classes = [];
  let found = [];
  let place = 0;
  let seenSince = Infinity; // when the marked class came to be seen

  const drawOptions = () => {
    list.replaceChildren(...found.map((each, number) => {
      const option = element("li", { id: `found-${number}`, textContent: each.name, attributes: { role: "option", "aria-selected": String(number === place) } });
      option.addEventListener("click", () => take(each));
      return option;
    }));
    const room = window.innerHeight - input.getBoundingClientRect().bottom;
    list.classList.toggle("above", list.offsetHeight > room);
  };

  const see = (marked) => {
    seenSince = Infinity;
    afterPaint(() => { if (found[place] === marked) seenSince = performance.now(); });
  };

  const draw = () => {
    const before = found[place];
    found = findClasses(classes, input.value);
    place = Math.min(place, Math.max(0, found.length - 1));
    if (found[place] !== before) see(found[place]);
    list.hidden = found.length === 0;
    note.hidden = found.length > 0 || input.value.trim() === "";
    note.textContent = note.hidden ? "" : "No class has this in its name.";
    input.setAttribute("aria-expanded", String(!list.hidden));
    drawOptions();
    if (list.hidden) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", `found-${place}`);
  };

  const leave = () => {
    [input.value, place] = ["", 0];
    draw();
    input.blur();
  };

  const take = (each) => {
    leave();
    choose(each);
  };

  // A name typed whole says what is meant; less of one does so once the class could be read.
  const accept = () => {
    const wasRead = performance.now() - seenSince >= (found.length === 1 ? 0 : READ_MS);
    if (isNamed(found[place], input.value, found) || wasRead) take(found[place]);
  };

  input.addEventListener("input", () => { place = 0; draw(); });
  input.addEventListener("keydown", (event) => {
    event.stopPropagation(); // Streamlit has keys of its own, and does not see that this is a field
    if (event.isComposing || event.repeat && event.key === "Enter") return;
    if (event.key === "Escape") leave();
    else if (event.key === "Enter" && found.length) accept();
    else if (event.key === "ArrowDown") place = Math.min(place + 1, found.length - 1);
    else if (event.key === "ArrowUp") place = Math.max(place - 1, 0);
    else return;
    event.preventDefault();
    if (input.value) draw();
  });

  return {
    setClasses: (all) => {
      classes = all;
      input.placeholder = `All ${all.length} classes: type to search`;
      input.setAttribute("aria-label", input.placeholder);
    },
    // The letter that opened the search is its first.
    begin: (letter) => {
      input.focus();
      input.value += letter;
      draw();
    },
  };
}
