// Several at once, on Review: cards are chosen by click, Shift and click, or keys; a class's key corrects all of them as one
// action, and Backspace takes the last such action back.
//
// What is chosen lives here; what stands is the server's word alone: after each action it sends the cards anew. An action
// goes into the outbox: without a server it waits there, its cards say so, and others can be chosen meanwhile.

class Several {
  constructor(parent, data) {
    this.chosen = new Map(); // sample id -> the event that was seen to stand
    this.cursor = 0;
    this.anchor = 0; // where a range begins
    this.note = ""; // about the last press
    this.told = ""; // by the server
    this.cells = element("div", { class: "cells", role: "group", "aria-label": "Decided samples" });
    this.view = {
      ask: element("span", { class: "ask", id: "ask" }),
      chips: element("div", { class: "chips", role: "group", "aria-labelledby": "ask" }),
      unsaved: element("span", { class: "unsaved", hidden: true }),
    };
    this.state = element("span", { class: "state", role: "status" });
    this.undo = button("Undo", "Backspace", () => this.takeBack(), { title: "Take the last such correction back, all of it" });
    this.none = button("Choose none", "Esc", () => this.chooseNone());
    this.every = button("Choose all of this page", "", () => this.chooseAll());
    this.root = element("section", { class: "several", "aria-label": "Several at once" },
      element("div", { class: "classes" }, this.view.ask, this.view.chips),
      element("div", { class: "bar" }, this.undo, this.every, this.none, this.state, this.view.unsaved), this.cells);
    parent.append(this.root);
    this.takeData(data);
    this.talk = openConversation({
      name: data.name,
      facts: () => ({}),
      pauseMs: () => Infinity, // each message has the whole page drawn anew
      changed: () => { this.drawCells(); this.draw(); },
      alert: (text) => { this.told = text; this.drawState(); },
    });
    this.deafen = listenToKeys({ page: "several", classes: () => this.data.classes, act: (meaning, event) => this.act(meaning, event) });
  }

  close() {
    this.deafen();
    this.talk.close();
    this.root.remove();
  }

  takeData(data) {
    this.data = { ...data, classes: withOwnKeys(data.classes, ownKeys(data.name)) };
  }

  update(data, setStateValue) {
    this.takeData(data);
    this.talk.receive(data, setStateValue);
    const here = new Map(data.samples.map(({ sample_id, event_id }) => [sample_id, event_id]));
    for (const [sample, event] of this.chosen) if (here.get(sample) !== event) this.chosen.delete(sample); // another page, or decided anew
    this.cursor = Math.max(0, Math.min(this.cursor, data.samples.length - 1));
    this.drawCells();
    this.draw();
  }

  // ---- what is on its way to the server

  // Corrections that are not stored and not taken back, in their order.
  corrections() {
    const open = this.talk.outbox.all();
    const back = new Set(open.filter(({ kind }) => kind === "restore").map(({ undoes }) => undoes));
    return open.filter(({ kind, id }) => kind === "correct" && !back.has(id));
  }

  // The class each of those gives, by sample.
  underWay() {
    return new Map(this.corrections().flatMap(({ chosen, class_index }) => chosen.map(([sample]) => [sample, class_index])));
  }

  // What Backspace takes back: the last one on its way, else the last one stored; null: nothing.
  last() {
    const under = this.corrections().at(-1);
    if (under !== undefined) return { key: under.id, count: under.chosen.length };
    const isTaken = this.talk.outbox.all().some(({ kind, undoes }) => kind === "restore" && undoes === this.data.undo?.key);
    return isTaken ? null : this.data.undo;
  }

  // ---- what is chosen

  toggle(place) {
    const { sample_id, event_id } = this.data.samples[place];
    if (!this.chosen.delete(sample_id) && !this.underWay().has(sample_id)) this.chosen.set(sample_id, event_id);
    [this.cursor, this.anchor] = [place, place];
  }

  range(place) {
    const [from, to] = [Math.min(this.anchor, place), Math.max(this.anchor, place)];
    this.choose(this.data.samples.slice(from, to + 1));
    this.cursor = place;
  }

  // What is on its way is chosen again once the server has said what stands now.
  choose(samples) {
    const under = this.underWay();
    for (const { sample_id, event_id } of samples) if (!under.has(sample_id)) this.chosen.set(sample_id, event_id);
  }

  click(place, event) {
    if (event.shiftKey) this.range(place);
    else this.toggle(place);
    this.changed();
    if (this.underWay().has(this.data.samples[place].sample_id)) this.say("Not saved yet: it can be corrected again then.");
  }

  chooseNone() {
    this.chosen.clear();
    this.changed();
  }

  chooseAll() {
    this.choose(this.data.samples);
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
    if (this.chosen.size === 0) {
      this.say("Choose some first: click them, Shift and click for a range, or Space.");
      return;
    }
    const chosen = [...this.chosen];
    this.chosen.clear();
    this.note = "";
    this.talk.outbox.add({ id: newId(), kind: "correct", sample_id: 0, class_index: classIndex, chosen });
  }

  takeBack() {
    const last = this.last();
    if (last === null) {
      this.say("There is nothing to take back here.");
      return;
    }
    this.note = "";
    this.talk.outbox.add({ id: newId(), kind: "restore", sample_id: 0, undoes: last.key });
  }

  say(sentence) {
    this.note = sentence;
    this.draw();
  }

  // ---- on screen

  drawCells() {
    const under = this.underWay();
    const titled = this.data.samples.map((one) => ({ ...one, coming: under.get(one.sample_id) }));
    const drawn = JSON.stringify(titled.map(({ sample_id, event_id, caption, coming }) => [sample_id, event_id, caption, coming]));
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const had = this.cells.contains(this.root.getRootNode().activeElement);
    this.cells.replaceChildren(...titled.map(({ content, title: stands, caption: about, coming }, place) => {
      const [title, caption] = coming === undefined ? [stands, about] : [this.data.classes[coming].name, "not saved yet"];
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
    const { samples, classes } = this.data;
    const last = this.last();
    [...this.cells.children].forEach((cell, place) => {
      cell.setAttribute("aria-pressed", String(this.chosen.has(samples[place].sample_id)));
      cell.tabIndex = place === this.cursor ? 0 : -1;
    });
    const chips = namedChips(classes);
    const few = this.chosen.size === 1 ? "the one chosen" : `the ${this.chosen.size} chosen`;
    const ask = this.chosen.size ? `Correct ${few} to` : "Correct to";
    const now = JSON.stringify([ask, chips]);
    if (now !== this.chipsDrawn) drawChips(this.view, { ask, chips, chosen: null, choose: (value) => value !== null && this.correct(value) });
    this.chipsDrawn = now;
    this.undo.disabled = last === null;
    this.undo.firstChild.textContent = last === null ? "Undo" : `Undo (${last.count})`;
    this.none.disabled = this.chosen.size === 0;
    this.drawState();
    drawUnsaved(this.root, this.view.unsaved, this.talk);
  }

  drawState() {
    this.state.textContent = this.note || this.told;
  }
}

export default mount((parent, data) => new Several(parent, data));
