// The keys of one sample that stands on a page of the server: what a key means goes to the server, which decides and draws
// the page anew. Until then no key for a class counts, for nobody has seen what it would be about, and the line says so by
// showing keys without a frame; an undo is about what was done last, so it waits its turn.

// Of the whole visit: for another sample Streamlit draws another element, and the keys' page begins anew.
let waitsFor = null; // the message that is not answered yet
let sentAt = 0; // when it was sent
let isUndoNext = false;
const FORGOTTEN_MS = 5000; // who left the page meanwhile and came back begins anew; a page that is only drawn anew does not

class OneSample {
  constructor(parent, data) {
    this.root = element("div", { class: "one" });
    parent.append(this.root);
    this.data = data;
    this.isNew = true;
    this.deafen = listenToKeys({ page: "one", classes: () => this.data.classes, act: (meaning) => this.act(meaning) });
  }

  close() {
    this.deafen();
    this.root.remove();
  }

  update(data, setStateValue) {
    this.data = { ...data, classes: withOwnKeys(data.classes, ownKeys(data.name)) };
    this.setStateValue = setStateValue;
    const isAnswered = data.answered === waitsFor;
    const isNextUndo = isAnswered && isUndoNext;
    const isForgotten = this.isNew && performance.now() - sentAt > FORGOTTEN_MS;
    if (isAnswered || isForgotten) [waitsFor, isUndoNext] = [null, false];
    this.isNew = false;
    if (isNextUndo) this.send("undo", null, this.data.answered);
    this.draw();
  }

  // Says whether the key was used.
  act(meaning) {
    const [what, key] = meaning.split(":");
    const classIndex = what === "class" ? this.data.classes.findIndex((one) => one.key === key && !one.retired) : null;
    if (classIndex === -1 || !["class", "skip", "flag", "undo"].includes(what)) return false;
    if (waitsFor !== null) {
      isUndoNext ||= what === "undo";
      return true;
    }
    this.send(what, classIndex, null);
    return true;
  }

  // follows: the message that an undo waited for; where that one changed nothing, neither does the undo.
  send(act, classIndex, follows) {
    [waitsFor, sentAt] = [newId(), performance.now()];
    this.draw();
    this.setStateValue("message", { turn: waitsFor, act, class_index: classIndex, sample_id: this.data.sample_id, follows });
  }

  draw() {
    this.root.setAttribute("aria-busy", String(waitsFor !== null));
    this.root.dataset.sample = this.data.sample_id;
    const named = inOrder(this.data.classes).filter((one) => one.key && !one.retired).map((one) => [keySigns(one.key), one.name]);
    const all = [...named, ["Space", "skip"], ["F", this.data.is_flagged ? "take the flag back" : "flag"], ["Backspace", "undo"]];
    this.root.replaceChildren(...all.map(([key, text]) => element("span", { class: "key" }, element("kbd", {}, key), element("span", { translate: "no" }, text))));
  }
}

export default mount((parent, data) => new OneSample(parent, data));
