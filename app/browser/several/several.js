// Several at once, on Review: cards are chosen by click, Shift and click, or keys; a class's key corrects all of them as one
// action, and Backspace takes the last such action back.
//
// What is chosen lives here; what stands is the server's word alone: after each action it sends the cards anew.

const PATIENCE_MS = 10000; // without an answer for so long, the person may press again: the server knows the action's id

class Several {
  constructor(parent) {
    this.turn = 0;
    this.chosen = new Map(); // sample id -> the event that was seen to stand
    this.cursor = 0;
    this.anchor = 0; // where a range begins
    this.sent = null; // the action without an answer
    this.note = "";
    this.cells = element("div", { class: "cells", role: "group", "aria-label": "Decided samples" });
    this.view = {
      ask: element("span", { class: "ask", id: "ask" }),
      chips: element("div", { class: "chips", role: "group", "aria-labelledby": "ask" }),
    };
    this.state = element("span", { class: "state", role: "status" });
    this.undo = button("Undo", "Backspace", () => this.takeBack(), { title: "Take the last such correction back, all of it" });
    this.none = button("Choose none", "Esc", () => this.chooseNone());
    this.every = button("Choose all of this page", "", () => this.chooseAll());
    this.root = element("section", { class: "several", "aria-label": "Several at once" },
      element("div", { class: "classes" }, this.view.ask, this.view.chips),
      element("div", { class: "bar" }, this.undo, this.every, this.none, this.state), this.cells);
    parent.append(this.root);
    this.deafen = listenToKeys({ page: "several", classes: () => this.data?.classes ?? [], act: (meaning, event) => this.act(meaning, event) });
  }

  close() {
    this.deafen();
    this.root.remove();
  }

  update(data, set) {
    this.set = set;
    this.data = { ...data, classes: withOwnKeys(data.classes, ownKeys(data.name)) };
    if (this.sent !== null && data.answered === this.sent.id) {
      this.sent = null;
      this.note = data.said;
      this.chosen.clear();
    }
    const here = new Map(data.samples.map(({ sample_id, event_id }) => [sample_id, event_id]));
    for (const [sample, event] of this.chosen) if (here.get(sample) !== event) this.chosen.delete(sample); // another page, or decided anew
    this.cursor = Math.max(0, Math.min(this.cursor, data.samples.length - 1));
    this.drawCells();
    this.draw();
  }

  // ---- what is chosen

  toggle(place) {
    const { sample_id, event_id } = this.data.samples[place];
    if (!this.chosen.delete(sample_id)) this.chosen.set(sample_id, event_id);
    [this.cursor, this.anchor] = [place, place];
  }

  range(place) {
    const [from, to] = [Math.min(this.anchor, place), Math.max(this.anchor, place)];
    for (const { sample_id, event_id } of this.data.samples.slice(from, to + 1)) this.chosen.set(sample_id, event_id);
    this.cursor = place;
  }

  click(place, event) {
    if (event.shiftKey) this.range(place);
    else this.toggle(place);
    this.changed();
  }

  chooseNone() {
    this.chosen.clear();
    this.changed();
  }

  chooseAll() {
    for (const { sample_id, event_id } of this.data.samples) this.chosen.set(sample_id, event_id);
    this.changed();
  }

  changed() {
    this.note = "";
    this.draw();
  }

  // ---- keys

  // Says whether the key was used.
  act(meaning, event) {
    const [what, rest] = meaning.split(":");
    if (what === "class") return this.byKey(rest);
    if (what === "undo") this.takeBack();
    else if (what === "none") this.chooseNone();
    else if (what === "toggle") this.click(this.cursor, {});
    else return this.move(what, event.shiftKey);
    return true;
  }

  byKey(key) {
    const place = this.data.classes.findIndex((each) => each.key === key);
    if (place >= 0) this.correct(place);
    return place >= 0;
  }

  move(what, isRange) {
    const last = this.data.samples.length - 1;
    const columns = getComputedStyle(this.cells).gridTemplateColumns.split(" ").length;
    const to = { left: this.cursor - 1, right: this.cursor + 1, up: this.cursor - columns, down: this.cursor + columns, first: 0, last }[what];
    if (to === undefined) return false;
    if (to < 0 || to > last) return true;
    if (isRange) this.range(to);
    else [this.cursor, this.anchor] = [to, to];
    this.draw();
    this.cells.children[to].focus();
    return true;
  }

  // ---- to the server

  correct(classIndex) {
    if (this.chosen.size === 0) this.say("Choose some first: click them, Shift and click for a range, or Space.");
    else this.send({ kind: "correct", class_index: classIndex, chosen: [...this.chosen] });
  }

  takeBack() {
    if (this.data.undo === null) this.say("There is nothing to take back here.");
    else this.send({ kind: "undo" });
  }

  send(action) {
    if (this.sent !== null && performance.now() - this.sent.at < PATIENCE_MS) return;
    const id = newId();
    this.sent = { id, at: performance.now() };
    this.say("Storing…");
    this.set("message", { id, name: this.data.name, ...action });
  }

  say(sentence) {
    this.note = sentence;
    this.draw();
  }

  // ---- on screen

  drawCells() {
    const drawn = JSON.stringify(this.data.samples.map(({ sample_id, event_id, caption }) => [sample_id, event_id, caption]));
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const had = this.cells.contains(this.root.getRootNode().activeElement);
    this.cells.replaceChildren(...this.data.samples.map(({ content, title, caption }, place) => {
      const look = openContent(content, () => {}).small();
      const press = element("button", { type: "button", class: "cell", title: `${title}, ${caption}` }, look,
        element("b", { translate: "no" }, title), element("small", { translate: "no" }, caption));
      press.addEventListener("click", (event) => this.click(place, event));
      press.addEventListener("focus", () => { this.cursor = place; this.draw(); });
      return press;
    }));
    if (had) this.cells.children[this.cursor]?.focus();
  }

  draw() {
    const { samples, classes, undo } = this.data;
    [...this.cells.children].forEach((cell, place) => {
      cell.setAttribute("aria-pressed", String(this.chosen.has(samples[place].sample_id)));
      cell.tabIndex = place === this.cursor ? 0 : -1;
    });
    const chips = classes.flatMap((each, value) => (each.retired ? [] : [{ value, text: each.name, key: keySigns(each.key), count: "" }]));
    const few = this.chosen.size === 1 ? "the one chosen" : `the ${this.chosen.size} chosen`;
    const ask = this.chosen.size ? `Correct ${few} to` : "Correct to";
    const now = JSON.stringify([ask, chips]);
    if (now !== this.chipsDrawn) drawChips(this.view, { ask, chips, chosen: null, choose: (value) => value !== null && this.correct(value) });
    this.chipsDrawn = now;
    this.undo.disabled = undo === null;
    this.undo.firstChild.textContent = undo === null ? "Undo" : `Undo (${undo})`;
    this.none.disabled = this.chosen.size === 0;
    this.state.textContent = this.note;
  }
}

const pages = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const page = pages.get(parentElement) ?? new Several(parentElement);
  pages.set(parentElement, page);
  const turn = (page.turn += 1);
  page.update(data, setStateValue);
  // Streamlit may end an older call after a newer one has begun: only the newest may close the page.
  return () => {
    if (turn !== page.turn) return;
    page.close();
    pages.delete(parentElement);
  };
}
