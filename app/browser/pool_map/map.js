// The map of the pool. The points are the browser's: moving, zooming, coloring and the lasso ask nobody. What is chosen
// goes to the server, which says how much of it may become a group.

const count = (number) => number.toLocaleString("en");

class PoolMap {
  constructor(parent, data) {
    this.camera = new Camera();
    this.isLassoing = false;
    this.chosen = null; // a one for each row that was chosen
    [this.row, this.corners, this.turn, this.pressedAt, this.askedAgain] = [-1, [], null, null, false];
    this.view = makeMapView({
      toggleLasso: () => this.toggleLasso(),
      closer: () => this.zoom(1.5),
      farther: () => this.zoom(1 / 1.5),
      fit: () => this.fit(),
      offer: () => this.send({ ask: "offer" }),
      chooseNone: () => this.chooseNone(),
    });
    parent.append(this.view.root);
    // Points worked out by a processor that plays a graphics card take ten times as long as on a plain canvas.
    this.painter = (hasGraphicsCard() && openWebgl(this.view.base, () => this.withoutWebgl())) || this.plainPainter();
    this.arrows = listenToArrows(this.view.stage, this);
    listenToPointer(this.view.stage, this);
    this.sizes = new ResizeObserver(() => this.resized());
    this.sizes.observe(this.view.stage);
    this.data = data;
  }

  close() {
    this.sizes.disconnect();
    this.painter.close();
    this.view.root.remove();
  }

  // ---- the server

  update(data, setStateValue) {
    [this.data, this.setStateValue] = [data, setStateValue];
    this.points = takePoints(data);
    if (this.points === null) {
      if (!this.askedAgain) this.send({ ask: "points" });
      this.askedAgain = true;
      return;
    }
    this.askedAgain = false;
    const isNew = this.token !== this.points.token;
    if (isNew || this.labelsToken !== this.points.labelsToken) this.takeNew(isNew);
    this.drawGroup();
    this.drawOver();
  }

  takeNew(isNew) {
    [this.token, this.labelsToken] = [this.points.token, this.points.labelsToken];
    if (isNew) [this.chosen, this.turn] = [null, null];
    const name = this.coloring?.name ?? recall("labelloop:map-color", this.data.measures[0].name);
    this.colorings = colorings(this.points, this.data);
    this.painter.setPlaces(this.points.places);
    this.color(this.colorings.find((one) => one.name === name) ?? this.colorings[0]);
  }

  send(message) {
    const turn = newId();
    this.setStateValue("message", { turn, ...message });
    return turn;
  }

  // ---- what a person does

  color(coloring) {
    [this.coloring, this.looks] = [coloring, looksOf(coloring)];
    remember("labelloop:map-color", coloring.name);
    drawColorings(this.view, this.colorings, coloring, (one) => this.color(one));
    drawLegend(this.view, coloring);
    this.repaint();
  }

  toggleLasso() {
    this.isLassoing = !this.isLassoing;
    this.view.lasso.setAttribute("aria-pressed", String(this.isLassoing));
    this.view.stage.classList.toggle("lassoing", this.isLassoing);
  }

  zoom(factor) {
    this.camera.zoomBy(factor);
    this.moved();
  }

  fit() {
    this.camera.fit();
    this.moved();
  }

  hover(at) {
    if (this.points === null || this.points === undefined) return;
    this.row = at === null ? -1 : nearestRow(this.points, this.coloring.count, this.camera, ...at, REACH);
    const lines = this.row < 0 ? [] : this.linesOf(this.row);
    drawTip(this.view, lines, at ?? [0, 0]);
    if (this.arrows.cross() !== null) this.view.state.textContent = lines.join(", ");
    this.drawOver();
  }

  pick(at) {
    const row = nearestRow(this.points, this.coloring.count, this.camera, ...at, REACH);
    if (row < 0) return;
    this.data = { ...this.data, picked: this.points.ids[row] };
    this.send({ ask: "pick", sample: this.points.ids[row] });
    this.drawOver();
  }

  // corners: on the page, at least three, or nothing is inside.
  lasso(corners) {
    this.pressedAt = performance.now();
    const polygon = corners.map(([left, top]) => this.camera.toMap(left, top));
    const flags = flagsInside(this.points, this.coloring.count, polygon);
    this.drawLasso([]);
    if (flags.indexOf(1) < 0) {
      this.chooseNone();
      this.view.state.textContent = "No sample lies in it.";
      return;
    }
    this.chosen = flags;
    this.turn = this.send({ ask: "lasso", rows: packFlags(flags) });
    this.drawGroup();
    afterPaint(() => this.repaint()); // the message leaves first: without a graphics card to draw takes a tenth of a second
  }

  chooseNone() {
    [this.chosen, this.turn, this.pressedAt] = [null, null, null];
    this.drawLasso([]);
    this.repaint();
    this.drawGroup();
  }

  // ---- on screen

  linesOf(row) {
    const { points, data } = this;
    const label = points.labels[row];
    const said = label === -1 ? [] : [label === -2 ? "skipped" : `labeled ${data.classes[label]}`];
    const name = points.names[row] || `sample ${points.ids[row]}`;
    if (row >= points.scored) return [name, ...said];
    const figures = data.measures.map(({ title, unit }, place) => `${title} ${points.measures[place][row].toFixed(3)} ${unit}`);
    return [name, `model: ${data.classes[points.predictions[row]]} (${points.confidences[row]} %)`, ...said, figures.join(", ")];
  }

  // How many were chosen is known here at once; what may become a group of them, when the server has answered.
  drawGroup() {
    const { view, data } = this;
    const group = this.turn !== null && data.group?.turn === this.turn ? data.group : null;
    view.root.dataset.answered = group === null ? "" : this.turn;
    view.offer.disabled = group === null || !group.is_worth;
    view.offer.hidden = view.none.hidden = this.chosen === null;
    const chosen = this.chosen === null ? 0 : this.chosen.reduce((sum, flag) => sum + flag, 0);
    view.state.textContent = group?.sentence ?? (chosen ? `${count(chosen)} chosen.` : "");
    view.strip.hidden = group === null;
    if (group === null || view.strip.dataset.turn === group.turn) return;
    view.strip.dataset.turn = group.turn;
    view.strip.replaceChildren(...group.shown.map((content) => openContent(content, () => {}).small()));
    this.note();
  }

  // For the benchmark, and for whoever opens the browser's tools.
  note() {
    const pressed = this.pressedAt;
    this.pressedAt = null;
    afterPaint(() => {
      if (pressed !== null) performance.measure("labelloop-lasso", { start: pressed, end: performance.now() });
    });
  }

  moved() {
    drawTip(this.view, [], [0, 0]);
    this.row = -1;
    this.draw();
  }

  drawLasso(corners) {
    this.corners = corners;
    this.drawOver();
  }

  repaint() {
    this.painter.setLooks(fadeOthers(this.looks, this.chosen));
    this.draw();
  }

  resized() {
    const { stage, base, over } = this.view;
    const [width, height] = [stage.clientWidth, stage.clientHeight];
    if (width === 0) return;
    this.camera.resize(width, height);
    this.isSized = true;
    for (const canvas of [base, over]) {
      [canvas.width, canvas.height] = [width, height].map((side) => Math.round(side * devicePixelRatio));
    }
    this.draw();
  }

  // At most once a frame.
  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      // Before its size is known a point would be drawn as large as the map.
      if (this.points && this.coloring && this.isSized) {
        this.painter.draw(this.camera, this.coloring.count, pointSize(this.coloring.count, this.camera.zoom));
        this.view.root.dataset.painter = this.painter.name;
        this.view.root.dataset.drawn = this.coloring.count;
      }
      this.drawOver();
    });
  }

  drawOver() {
    if (!this.points) return;
    const placeOf = (row) => (row < 0 ? null : this.camera.toPage(this.points.places[2 * row], this.points.places[2 * row + 1]));
    const picked = placeOf(this.points.ids.indexOf(this.data.picked));
    drawOver(this.view.over, this.camera, { picked, hovered: placeOf(this.row), corners: this.corners, cross: this.arrows.cross() });
  }

  // A canvas that was once asked for WebGL gives nothing else.
  plainPainter() {
    const fresh = element("canvas", { "aria-hidden": "true" });
    this.view.base.replaceWith(fresh);
    this.view.base = fresh;
    return openCanvas(fresh);
  }

  withoutWebgl() {
    this.painter = this.plainPainter();
    this.resized();
    if (!this.points) return;
    this.painter.setPlaces(this.points.places);
    this.repaint();
  }
}

export default mount((parent, data) => new PoolMap(parent, data));
