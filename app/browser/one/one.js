// The keys of one sample that stands on a page of the server: what a key means goes to the server, which decides and draws
// the page anew; until then no further key counts, for nobody has seen what it would be about.

class OneSample {
  constructor(parent, data) {
    this.root = element("div", { class: "one" });
    parent.append(this.root);
    this.waitsFor = null;
    this.update(data, () => {});
    this.deafen = listenToKeys({ page: "one", classes: () => this.data.classes, act: (meaning) => this.act(meaning) });
  }

  close() {
    this.deafen();
    this.root.remove();
  }

  update(data, setStateValue) {
    this.data = { ...data, classes: withOwnKeys(data.classes, ownKeys(data.name)) };
    this.setStateValue = setStateValue;
    if (data.answered === this.waitsFor) this.waitsFor = null;
    this.draw();
  }

  // Says whether the key was used.
  act(meaning) {
    const [what, key] = meaning.split(":");
    const classIndex = what === "class" ? this.data.classes.findIndex((one) => one.key === key && !one.retired) : null;
    if (classIndex === -1 || !["class", "skip", "flag", "undo"].includes(what)) return false;
    if (this.waitsFor !== null) return true;
    this.waitsFor = newId();
    this.setStateValue("message", { turn: this.waitsFor, act: what, class_index: classIndex, sample_id: this.data.sample_id });
    return true;
  }

  draw() {
    const named = inOrder(this.data.classes).filter((one) => one.key && !one.retired).map((one) => [keySigns(one.key), one.name]);
    const all = [...named, ["Space", "skip"], ["F", this.data.is_flagged ? "take the flag back" : "flag"], ["Backspace", "undo"]];
    this.root.replaceChildren(...all.map(([key, text]) => element("span", { class: "key" }, element("kbd", {}, key), element("span", { translate: "no" }, text))));
  }
}

export default mount((parent, data) => new OneSample(parent, data));
