// What is drawn. Names come from people: they are set as text, never as markup.

function element(tag, properties = {}, ...children) {
  const { attributes = {}, ...others } = properties;
  const made = Object.assign(document.createElement(tag), others);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// A class's name is a name: a browser that translates the page must leave it as it is.
const className = (name, tag = "span") => element(tag, { textContent: name, attributes: { translate: "no" } });

const keyWord = (key) => key.toUpperCase().replace("SHIFT+", "⇧");

function actionButton(name, key, meaning, title) {
  const hint = element("kbd", { textContent: key });
  const button = element("button", { type: "button", className: "action", title }, element("span", { textContent: name }), hint);
  button.dataset.act = meaning;
  return button;
}

function switchButton(name, meaning, title) {
  const track = element("span", { className: "track", attributes: { "aria-hidden": "true" } });
  const button = element("button", { type: "button", className: "switch", title }, track, element("span", { textContent: name }));
  button.setAttribute("role", "switch");
  button.setAttribute("aria-checked", "false");
  button.dataset.act = meaning;
  return button;
}

// The elements that stay; everything else is put into them.
function buildParts() {
  const group = (className, name) => element("div", { className, attributes: { role: "group", "aria-label": name } });
  const parts = {
    stage: group("stage", "The sample to label"),
    zoom: group("zoom", "Look closely"),
    classes: group("classes", "Classes"),
    search: element("div", { className: "search", hidden: true }),
    accept: actionButton("", "Enter", "accept", "Label with the model's suggestion"),
    suggestionNote: element("p", { className: "note", hidden: true }),
    skip: actionButton("Skip", "Space", "skip", "The sample leaves the pool; nobody is asked about it again"),
    flag: actionButton("Flag", "F", "flag", "Marks the sample for a second look on Review; it stays here to be labeled. Again: takes the mark back"),
    undo: actionButton("Undo", "Backspace", "undo", "Takes back the decision on screen, else the last one"),
    older: actionButton("Older", "←", "older", "Look at the decision before"),
    newer: actionButton("Newer", "→", "newer", "Look at the decision after; past the last one, go on labeling"),
    suggest: switchButton("Show the model's suggestion", "switch:suggest",
      "Off by default: seeing it makes people agree with it. Labels given while it shows are marked."),
    why: switchButton("Why this one", "switch:why", "What the model doubts about this sample"),
    guideOn: switchButton("Guide", "switch:guide", "What the classes are, with examples; their keys can be changed there"),
    card: element("section", { className: "card", hidden: true, attributes: { "aria-label": "Why this one" } }),
    guide: element("section", { className: "guide", hidden: true, attributes: { "aria-label": "Guide" } }),
    strip: element("div", { className: "strip", attributes: { role: "list", "aria-label": "The last ten decisions" } }),
    round: element("p", { className: "line" }),
    perClass: element("p", { className: "line counts" }),
    session: element("p", { className: "line" }),
    saved: element("span", { className: "saved" }),
    alert: element("p", { className: "alert", hidden: true, attributes: { role: "alert" } }),
    event: element("p", { className: "event", hidden: true, attributes: { role: "status" } }),
    said: element("p", { className: "unseen", attributes: { "aria-live": "polite" } }),
  };
  parts.guideOn.append(element("kbd", { textContent: "G" }));
  parts.accept.classList.add("accept");
  parts.accept.hidden = true;
  return parts;
}

function arrange(root, parts) {
  const row = (name, ...buttons) => element("div", { className: "row", attributes: { role: "group", "aria-label": name } }, ...buttons);
  const actions = element("div", { className: "rows" },
    row("This sample", parts.skip, parts.flag), row("Decisions before", parts.undo, parts.older, parts.newer));
  const switches = element("div", { className: "row switches" }, parts.suggest, parts.why, parts.guideOn);
  const side = element("div", { className: "side" },
    parts.classes, parts.search, parts.accept, parts.suggestionNote, actions, switches, parts.guide, parts.card);
  const lines = element("div", { className: "lines" },
    element("div", { className: "top" }, parts.round, parts.saved), parts.session, parts.perClass);
  // The lines stand under the sample, not under the guide and the reasons, which may be long.
  const left = element("div", { className: "left" },
    element("div", { className: "frame" }, parts.stage, parts.zoom), parts.strip, lines);
  const work = element("div", { className: "work" }, left, side);
  root.append(parts.alert, parts.event, work, parts.said);
}

// act(meaning, event): what a click on one of the buttons means.
function openView(root, act) {
  const parts = buildParts();
  arrange(root, parts);
  let classes = [];

  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (button && !button.disabled) act(button.dataset.act, event);
  });
  // A click leaves the focus where it was: on a button, Space and Enter would press it again.
  root.addEventListener("mousedown", (event) => { if (event.target.closest("button")) event.preventDefault(); });

  const nameOf = (classIndex) => classes.find((each) => each.index === classIndex)?.name ?? "?";

  const drawClasses = (fresh) => {
    classes = fresh;
    const keyed = inOrder(classes).filter((each) => each.key !== null);
    const longest = Math.max(...keyed.map((each) => each.name.length));
    parts.classes.classList.toggle("tiny", longest <= 3);
    parts.classes.classList.toggle("short", longest <= 9);
    parts.classes.classList.toggle("many", keyed.length > 10);
    parts.classes.style.setProperty("--columns", Math.min(5, keyed.length));
    parts.classes.replaceChildren(...keyed.map((each) => {
      const button = element("button", { type: "button", className: "class", title: each.name },
        element("kbd", { textContent: keyWord(each.key) }), className(each.name));
      button.dataset.act = `label:${each.index}`;
      button.setAttribute("aria-keyshortcuts", each.key.replace("shift+", "Shift+"));
      return colored(button, each);
    }));
    parts.search.hidden = keyed.length === classes.filter((each) => !each.retired).length;
    // With a search every letter is a name's.
    parts.flag.lastChild.textContent = parts.search.hidden ? "F" : ".";
    parts.guideOn.lastChild.textContent = parts.search.hidden ? "G" : ",";
  };

  const markClass = (classIndex) => {
    for (const button of parts.classes.children) {
      const isOwn = button.dataset.act === `label:${classIndex}`;
      button.classList.toggle("own", isOwn);
      if (isOwn) button.setAttribute("aria-pressed", "true");
      else button.removeAttribute("aria-pressed");
    }
  };

  const message = (title, sentence) => element("div", { className: "message" },
    element("h3", { textContent: title }), element("p", { textContent: sentence }));

  // The one call between a key and the next frame: nothing here may be slow.
  const drawSample = (sample, content, empty) => {
    parts.stage.classList.toggle("empty", sample === null);
    for (const button of [...parts.classes.children, parts.skip, parts.flag]) button.disabled = sample === null;
    if (sample === null) parts.stage.replaceChildren(message(empty.title, empty.sentence));
    else if (content?.state === "ready") parts.stage.replaceChildren(content.element);
    else if (content?.state === "failed") parts.stage.replaceChildren(message("This sample cannot be shown", "Skip it, or flag it for a second look."));
    else parts.stage.replaceChildren(element("div", { className: "loading", attributes: { role: "status", "aria-label": "The sample is loading" } }));
    markClass(sample?.class_index ?? null);
  };

  const drawActions = ({ isFlagged, canUndo, canWalk, isWalking }) => {
    parts.flag.firstChild.textContent = isFlagged ? "Flagged" : "Flag";
    parts.flag.setAttribute("aria-pressed", String(isFlagged));
    parts.flag.classList.toggle("own", isFlagged);
    parts.undo.disabled = !canUndo;
    parts.older.disabled = !canWalk;
    parts.newer.disabled = !isWalking;
  };

  const drawSuggestion = (isOn, sample, isDecided, someAreWrong) => {
    const known = isOn && sample !== null && !isDecided;
    const has = known && Number.isInteger(sample.suggestion);
    parts.suggest.setAttribute("aria-checked", String(isOn));
    parts.accept.hidden = !has;
    parts.suggestionNote.hidden = !known || (has && !someAreWrong);
    // Only of an answer that may not be given is the probability told alone.
    const none = Number.isFinite(sample?.suggestion_probability)
      ? "The model would answer with a class that was retired, so there is no suggestion."
      : "No model has seen this sample yet, so there is no suggestion.";
    parts.suggestionNote.textContent = has ? "Up to one in twenty is wrong on purpose: it shows whether you look." : none;
    if (!has) return;
    const sure = sample.suggestion_probability;
    const rest = typeof sure === "number" ? ` (${Math.round(100 * sure)} % sure)` : "";
    parts.accept.firstChild.replaceChildren("Accept ", className(nameOf(sample.suggestion), "b"), rest);
  };

  const word = (entry) => (entry.kind === "skip" ? "skipped" : nameOf(entry.class_index));

  const past = (entry, content) => {
    const small = content ? content.small() : element("span", { className: "blank" });
    const button = element("button", { type: "button", className: "past", title: word(entry) }, small, className(word(entry)));
    button.dataset.act = `past:${entry.sample_id}`;
    return element("div", { attributes: { role: "listitem" } }, button);
  };

  // Only what changed is drawn anew: what is put in again flickers.
  const drawn = new Map(); // decision -> its element
  const drawPast = (entries, walking, contents) => {
    for (const entry of drawn.keys()) if (!entries.includes(entry)) drawn.delete(entry);
    const items = entries.map((entry) => {
      const content = contents.get(entry.sample_id);
      if (!drawn.has(entry) || (content && drawn.get(entry).querySelector(".blank"))) drawn.set(entry, past(entry, content));
      drawn.get(entry).firstChild.classList.toggle("own", entry === walking);
      return drawn.get(entry);
    });
    if (items.length !== parts.strip.children.length || items.some((item, place) => parts.strip.children[place] !== item)) {
      parts.strip.replaceChildren(...items);
    }
  };

  const setText = (part, text) => { if (part.textContent !== text) part.textContent = text; };

  return {
    parts, nameOf, drawClasses, drawSample, drawActions, drawSuggestion, drawPast,
    drawLines: (round, session, { shown, rest }) => {
      setText(parts.round, round);
      setText(parts.session, session);
      parts.session.hidden = session === "";
      const drawn = JSON.stringify([shown, rest]);
      if (parts.perClass.dataset.drawn === drawn) return;
      parts.perClass.dataset.drawn = drawn;
      const each = ({ name, count }) => element("span", {}, className(name), " ", element("b", { textContent: count.toLocaleString("en") }));
      const words = shown.length ? [element("span", { textContent: "Labels per class:" })] : [];
      parts.perClass.replaceChildren(...words, ...shown.map(each), ...(rest ? [element("span", { textContent: rest })] : []));
    },
    drawSaved: (text, isWarning) => {
      setText(parts.saved, text);
      parts.saved.classList.toggle("warning", isWarning);
    },
    alert: (sentence) => {
      setText(parts.alert, sentence ?? "");
      parts.alert.hidden = !sentence;
    },
    event: (sentence) => {
      setText(parts.event, sentence);
      parts.event.hidden = !sentence;
    },
    say: (text) => setText(parts.said, text),
  };
}
