// All classes by name, for those that have no key: type a few letters, Enter takes the first, the arrows another one.

const FOUND_SHOWN = 8;

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

// Names that begin with the text come first, then those with a word that does, then those that hold it anywhere.
function findClasses(classes, text) {
  const wanted = plain(text.trim());
  if (!wanted) return [];
  const placed = classes.map((each) => {
    const name = plain(each.name);
    const order = name.startsWith(wanted) ? 0 : name.split(/[^\p{L}\p{N}]+/u).some((part) => part.startsWith(wanted)) ? 1 : 2;
    return { each, order: name.includes(wanted) ? order : 3 };
  });
  return placed.filter(({ order }) => order < 3).sort((a, b) => a.order - b.order).slice(0, FOUND_SHOWN).map(({ each }) => each);
}

// choose(class): called with the class that was searched for.
function openSearch(box, choose) {
  const input = element("input", { type: "text", autocomplete: "off", spellcheck: false, maxLength: 200 });
  const list = element("ul", { id: "found", hidden: true, attributes: { role: "listbox", "aria-label": "Classes found" } });
  for (const [name, value] of Object.entries({ role: "combobox", "aria-controls": "found", "aria-autocomplete": "list" })) {
    input.setAttribute(name, value);
  }
  box.append(input, list);
  let classes = [];
  let found = [];
  let place = 0;

  const draw = () => {
    found = findClasses(classes, input.value);
    place = Math.min(place, Math.max(0, found.length - 1));
    list.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    list.replaceChildren(...found.map((each, number) => {
      const option = element("li", { id: `found-${number}`, textContent: each.name, attributes: { role: "option", "aria-selected": String(number === place) } });
      option.addEventListener("click", () => take(each));
      return option;
    }));
    const room = window.innerHeight - input.getBoundingClientRect().bottom;
    list.classList.toggle("above", list.offsetHeight > room);
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

  input.addEventListener("input", () => { place = 0; draw(); });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.repeat && event.key === "Enter") return;
    if (event.key === "Escape") leave();
    else if (event.key === "Enter" && found.length) take(found[place]);
    else if (event.key === "ArrowDown") place = Math.min(place + 1, found.length - 1);
    else if (event.key === "ArrowUp") place = Math.max(place - 1, 0);
    else return;
    event.preventDefault();
    draw();
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
