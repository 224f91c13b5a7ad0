// Grid mode: many samples the model takes for one class; take out the wrong ones, confirm the rest with one key.
//
// The next grid is here before it is needed, so Enter shows it in the same frame.
//
// Keys: arrows move, X takes out (no letters per cell: they would do for small grids only, and R and H are taken), Enter
// confirms, Backspace takes the last grid back, N shows others, a digit is a class: of a group that has none yet,
// else of the sample taken out under the cursor, else the class to be shown.

const SIZES = [12, 24, 40, 60];
const AHEAD = 2; // grids held: on screen and next
const BEAT_MS = 15000; // a claim lasts a minute
const POLL_MS = 3000; // while there is nothing to show
const HEADER = 56; // px of Streamlit's own header, which stands over the page

class Grid {
  constructor(parent, data) {
    this.parent = parent;
    this.name = data.name;
    this.note = "";
    this.grids = [];
    this.past = [];
    this.cursor = null;
    this.passed = recall(`labelloop-passed:${this.name}`, { round: null, ids: [] });
    this.view = makeView(SIZES, {
      confirm: () => this.byHand(() => confirmGrid(this)),
      undo: () => this.byHand(() => undoGrid(this)),
      other: () => this.byHand(() => passOver(this)),
      size: (size) => this.byHand(() => this.chooseSize(size)),
    });
    this.parent.append(this.view.root);
    this.takeData(data);
    const chosen = recall(`labelloop-grid:${this.name}`, {});
    this.classIndex = chosen.classIndex ?? null;
    this.size = SIZES.includes(chosen.size) ? chosen.size : sizeForWindow(SIZES, shapeOf(data.kind), ...roomFor(this.view));
    this.talk = openConversation({
      name: this.name,
      facts: () => this.facts(),
      pauseMs: () => (this.grid ? BEAT_MS : POLL_MS),
      changed: () => drawUnsaved(this.view.root, this.view.unsaved, this.talk),
      alert: (text) => drawAlert(this.view, text),
    });
    this.deafen = listenToKeys({ page: "grid", classes: () => this.data.classes, act: (meaning) => actOnGrid(this, meaning) });
    this.onResize = () => this.resized();
    window.addEventListener("resize", this.onResize);
    this.watcher = new ResizeObserver(this.onResize);
    this.watcher.observe(this.view.root);
    this.show();
  }

  close() {
    this.deafen();
    window.removeEventListener("resize", this.onResize);
    this.watcher.disconnect();
    this.talk.close();
    this.view.root.remove();
  }

  // A grid in the browser: {classIndex, suggested, samples, cells, shownAt, endShown}; `this.grids[0]` is on screen.
  get grid() {
    return this.grids[0] ?? null;
  }

  takeData(data) {
    this.data = { ...data, classes: withOwnKeys(data.classes, ownKeys(data.name)) };
  }

  // A new answer, the same one drawn again, or another theme.
  update(data, setStateValue) {
    this.takeData(data);
    // Grids for an older message may be those that are here already.
    if (this.talk.receive(data, setStateValue) && this.talk.isUpToDate()) this.take(data);
    this.drawControls();
  }

  // ---- to and from the server

  facts() {
    return {
      size: this.size,
      class_index: this.classIndex,
      want: Math.max(0, AHEAD - this.grids.length),
      held: this.grids.flatMap((grid) => grid.samples.map((sample) => sample.sample_id)),
      passed: this.passed.ids,
    };
  }

  take(data) {
    if (data.round !== this.passed.round) this.passed = { round: data.round, ids: [] }; // another model, another answer
    if (data.over) this.grids = [];
    const empty = this.grid === null || data.over;
    for (const grid of data.grids) this.grids.push(this.prepare(grid));
    if (empty) this.show();
  }

  prepare({ class_index, samples }) {
    const on = { toggle: (place) => this.toggle(place), reach: (place) => this.reach(place), look: (place) => this.look(place) };
    const cells = samples.map((sample, place) => makeCell(sample, place, samples.length, on));
    cells.forEach((cell) => drawCell(cell, this.data.classes));
    return { classIndex: class_index, suggested: class_index !== null, samples, cells, shownAt: 0 };
  }

  // ---- decisions

  toggle(place) {
    const cell = this.grid.cells[place];
    if (cell.isUnreadable) return;
    cell.out = !cell.out;
    cell.other = null;
    this.cursor = place;
    this.drawMarks(cell);
  }

  // A class by its key or chip: the group's while it has none, else that of the sample taken out under the cursor.
  choose(classIndex) {
    const { grid } = this;
    const cell = this.selected();
    if (cell !== null && grid.classIndex !== null) {
      cell.other = classIndex === grid.classIndex ? null : classIndex;
      if (classIndex === grid.classIndex) cell.out = false;
      this.drawMarks(cell);
    } else if (grid !== null && !grid.suggested) {
      grid.classIndex = classIndex;
      this.say("");
      this.drawControls();
    } else if (!this.keepsMarks()) {
      this.classIndex = classIndex;
      this.anew();
    }
  }

  chooseSize(size) {
    if (size === this.size || this.keepsMarks()) return;
    this.size = size;
    this.anew();
  }

  anew() {
    remember(`labelloop-grid:${this.name}`, { size: this.size, classIndex: this.classIndex });
    this.grids = [];
    this.show();
    this.talk.schedule();
  }

  keepsMarks() {
    const marked = this.grid !== null && this.grid.cells.some((cell) => cell.out && !cell.isUnreadable);
    if (marked) this.say("Some are taken out: confirm first, or put them back.");
    return marked;
  }

  selected() {
    const cell = this.grid === null || this.cursor === null ? null : this.grid.cells[this.cursor];
    return cell !== null && cell.out && !cell.isUnreadable ? cell : null;
  }

  // ---- on screen

  show(pressed = null) {
    const hadFocus = this.view.cells.contains(this.parent.activeElement);
    this.cursor = null;
    this.note = "";
    this.drawControls();
    drawReading(this.view, null);
    this.lay();
    if (this.grid === null) return;
    this.grid.cells[0].press.tabIndex = 0;
    const { root } = this.view;
    if (root.getBoundingClientRect().top < HEADER) root.scrollIntoView(); // the doubtful ones are at the top
    if (hadFocus) this.moveTo(0);
    this.grid.shownAt = Infinity; // until it is painted
    const grid = this.grid;
    afterPaint(() => {
      grid.shownAt = performance.now();
      if (pressed !== null) performance.measure("labelloop-next-grid", { start: pressed, end: grid.shownAt });
    });
  }

  resized() {
    const size = `${this.view.root.clientWidth} ${window.innerHeight}`;
    if (size === this.window) return; // words have made the page a line higher: the cells must not jump
    this.window = size;
    this.view.chips.style.minHeight = "";
    drawClasses(this);
    this.lay();
  }

  lay() {
    drawEmpty(this);
    if (this.grid === null) return;
    const { cells } = this.grid;
    const { columns, side } = fitGrid(cells.length, shapeOf(this.data.kind), ...roomFor(this.view));
    const focused = this.parent.activeElement;
    this.columns = columns;
    layCells(this.view, cells, columns, side);
    if (cells.some((cell) => cell.press === focused)) focused.focus();
  }

  drawControls() {
    drawEmpty(this);
    drawClasses(this);
    drawBar(this);
    drawSizes(this);
    drawUnsaved(this.view.root, this.view.unsaved, this.talk);
    drawQuestion(this);
  }

  drawMarks(cell) {
    drawCell(cell, this.data.classes);
    drawClasses(this);
    this.say("");
  }

  say(sentence) {
    this.note = sentence; // until the next mark or grid
    drawBar(this);
  }

  hear(sentence) {
    this.view.live.textContent = `${sentence} ${this.view.question.textContent}`;
  }

  // ---- cursor and keys

  move(step) {
    if (this.grid === null) return;
    this.moveTo(this.cursor === null ? 0 : this.cursor + step);
  }

  moveTo(place) {
    if (this.grid?.cells[place] !== undefined) this.grid.cells[place].press.focus();
  }

  // A cell has got the focus: by arrows, Tab, or a click.
  reach(place) {
    this.grid.cells.forEach((cell) => { cell.press.tabIndex = cell.place === place ? 0 : -1; });
    this.cursor = place;
    drawClasses(this);
    this.look(place);
  }

  // A cell is pointed at, or has the focus: what it shows a part of is shown whole, on the other half of the grid.
  look(place) {
    const { cells } = this.grid;
    const { content } = cells[place];
    drawReading(this.view, isCut(content.element) ? content.full() : null, place < cells.length / 2);
  }

  // After a click on a control the keys belong to the grid again, or Enter would press the control once more.
  byHand(act) {
    act();
    this.parent.activeElement?.blur();
    if (this.cursor !== null) this.moveTo(this.cursor);
  }
}

export default mount((parent, data) => new Grid(parent, data));
