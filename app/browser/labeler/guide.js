// The guide beside the task: of each class its key, its name, what it is in a sentence, and labeled examples of it. The
// key can be changed here: press it on the guide, then the new one.

const UNDESCRIBED = "What a class is can be said for everybody who labels: on Setup, tab Classes, or by labelloop classes PROJECT describe CLASS TEXT";
const CHOOSE = "Press a digit or a letter. Backspace gives the usual key back, Esc leaves it.";

// told: the server's [{ description, examples: [{ sample_id, content }] }] by class.
function guideRow(each, place, { description, examples }, { choosing, hidden }) {
  const isChosen = choosing === place;
  const key = element("button", { type: "button", className: "own-key", title: `Change the key of ${each.name}` },
    element("kbd", { textContent: isChosen ? "…" : each.key === null ? "search" : keyWord(each.key) }));
  key.dataset.act = `key:${place}`;
  key.setAttribute("aria-label", `Change the key of ${each.name}`);
  const shown = examples.filter(({ sample_id }) => !hidden.has(sample_id));
  const pictures = shown.map(({ content }) => openContent(content, () => {}).small());
  return element("div", { className: "guide-class", attributes: { role: "listitem" } }, key,
    element("div", {}, className(each.name, "b"), description ? element("p", { textContent: description, attributes: { translate: "no" } }) : "",
      pictures.length ? element("div", { className: "examples" }, ...pictures) : ""));
}

// name: whose keys; changed(): keys have changed.
function openGuide(panel, name, changed) {
  let asked = []; // classes as the server has them
  let told = null;
  let isOpen = false;
  let isWanted = false; // the server has not said yet what is in the guide
  let choosing = null; // the class whose key is being chosen
  let said = "";
  let drawn = "";

  const own = () => withOwnKeys(asked, ownKeys(name));

  const rows = (hidden) => inOrder(own().map((each, place) => ({ ...each, place }))).filter((each) => !each.retired)
    .map((each) => guideRow(each, each.place, told[each.place] ?? { examples: [] }, { choosing, hidden }));

  const draw = (ahead) => {
    panel.hidden = !isOpen;
    if (!isOpen) return;
    const hidden = new Set(ahead.map(({ sample_id }) => sample_id)); // a second look is blind: it must not stand there with its label
    const examples = (told ?? []).flatMap((each) => each.examples.map(({ sample_id }) => sample_id));
    const now = JSON.stringify([own(), told === null, told?.map(({ description }) => description), examples.filter((id) => !hidden.has(id)), choosing, said]);
    if (now === drawn) return;
    drawn = now;
    const focused = panel.getRootNode().activeElement?.dataset.act;
    const notes = told?.every(({ description }) => !description) ? [element("p", { className: "note", textContent: UNDESCRIBED })] : [];
    const list = element("div", { className: "guide-classes", tabIndex: 0, attributes: { role: "list", "aria-label": "Classes" } });
    if (told !== null) list.append(...rows(hidden));
    const line = element("p", { className: "note", textContent: choosing === null ? said : said || CHOOSE, attributes: { role: "status" } });
    const scrolled = panel.querySelector(".guide-classes")?.scrollTop ?? 0;
    panel.replaceChildren(element("h4", { textContent: "Guide" }), line, told === null ? element("p", { className: "note", textContent: "On its way." }) : list, ...notes);
    list.scrollTop = scrolled;
    if (focused) panel.querySelector(`[data-act="${focused}"]`)?.focus();
  };

  const give = (key) => {
    const why = key === null ? null : whyNotKey(key, asked);
    if (why !== null) { said = why; return; }
    keepOwnKey(name, choosing, key);
    const now = own()[choosing];
    said = `The key of ${now.name} is ${now.key === null ? "the search" : keyWord(now.key)} here.`;
    choosing = null;
    changed();
  };

  return {
    draw,
    isOpen: () => isOpen,
    isWanted: () => isOpen && isWanted,
    open: (on) => { [isOpen, isWanted, choosing, said] = [on, on, null, ""]; },
    renew: () => { isWanted = true; }, // there are other labels and another model by now
    take: (guide) => { [told, isWanted] = [guide, false]; },
    setClasses: (fresh) => { asked = fresh; return own(); },
    choose: (place) => { [choosing, said] = [choosing === place ? null : place, ""]; },
    // A key while one is being chosen; says whether it was.
    claim: (event) => {
      if (choosing === null || /^(Tab|Shift|Control|Alt|AltGraph|Meta|CapsLock)$/.test(event.key) || event.ctrlKey || event.metaKey) return false;
      if (event.key === "Escape") [choosing, said] = [null, ""];
      else if (event.key === "Backspace" || event.key === "Delete") give(null);
      else if (!event.repeat) give(keyOf(event));
      changed();
      return true;
    },
  };
}
