// Groups: members drawn at random are judged one by one; when the server says that the rest is proven, Enter labels it.
// Where a group stands is the server's word alone.

const BEAT_MS = 15000; // a claim lasts a minute
const POLL_MS = 3000; // while there is nothing to choose; what is offered is worked out of the whole pool

class Groups {
  constructor(parent, data) {
    this.parent = parent;
    this.note = "";
    this.queue = [];
    this.past = [];
    this.begin = null; // the group that was chosen, until the server has begun it
    this.waitsFor = null; // () => whether the answer is there that what comes next depends on
    this.isAnswered = false;
    this.view = makeView({
      take: () => this.byHand(() => takeRest(this)),
      skip: () => this.byHand(() => judge(this, null)),
      undo: () => this.byHand(() => undoLast(this)),
      leave: () => this.byHand(() => leaveGroup(this)),
    });
    this.parent.append(this.view.root);
    this.takeData(data);
    this.talk = openConversation({
      name: data.name,
      facts: () => ({ begin: this.begin, held: this.queue.map(({ sampleId }) => sampleId) }),
      pauseMs: () => (this.data.group || this.data.offers.length ? BEAT_MS : POLL_MS),
      changed: () => this.draw(),
      alert: (text) => drawAlert(this.view, text),
    });
    this.deafen = listenToKeys({ page: "groups", classes: () => this.data.classes, act: (meaning) => actOnGroups(this, meaning) });
  }

  close() {
    this.deafen();
    this.talk.close();
    this.view.root.remove();
  }

  // The member on screen: {sampleId, draw, content, shownAt}.
  get sample() {
    return this.queue[0] ?? null;
  }

  takeData(data) {
    this.data = { ...data, classes: withOwnKeys(data.classes, ownKeys(data.name)) };
  }

  update(data, setStateValue) {
    this.takeData(data);
    if (this.talk.receive(data, setStateValue)) this.take(data);
    this.show();
  }

  // ---- from the server

  take(data) {
    this.isAnswered = true;
    if (data.group !== null && data.group.key === this.begin?.key) this.begin = null;
    if (this.begin !== null && data.notices.some(({ id }) => id === this.begin.key)) this.begin = null;
    if (data.group === null) this.past = [];
    // What the server does not know of yet: members judged are not due any more, those taken back are due again.
    const open = this.talk.outbox.all();
    const judged = new Set(open.filter(({ kind }) => kind !== "undo").map(({ sample_id }) => sample_id));
    const undone = new Set(open.filter(({ kind }) => kind === "undo").map(({ sample_id }) => sample_id));
    const front = this.queue.filter(({ sampleId }) => undone.has(sampleId));
    const held = new Map(this.queue.map((sample) => [sample.sampleId, sample]));
    const due = data.due.filter(({ sample_id }) => !judged.has(sample_id) && !undone.has(sample_id));
    this.queue = [...front, ...due.flatMap((one) => this.prepare(one, held))];
  }

  // Nothing where the page was thought to have it, and has not: the next answer brings it.
  prepare({ sample_id: sampleId, draw: place, class_index: classIndex, content }, held) {
    const before = held.get(sampleId);
    if (before !== undefined) return [Object.assign(before, { draw: place })];
    if (content === null) return [];
    return [{ sampleId, draw: place, classIndex, content: openContent(content, () => this.show(), "The sample to judge"), shownAt: 0 }];
  }

  waitForAnswer() {
    this.waitsFor = this.talk.answerTo();
  }

  // Whether what comes next depends on an answer that is not there yet.
  isWaiting() {
    const isAnswered = this.waitsFor === null || (this.talk.outbox.size() === 0 && this.waitsFor());
    if (isAnswered) this.waitsFor = null;
    return !isAnswered || this.begin !== null;
  }

  isBusy() {
    return this.isWaiting() || this.talk.outbox.size() > 0;
  }

  // Whether, with what is on its way, enough was judged to label the rest.
  hasEnough() {
    return this.data.group !== null && (this.data.group.holds || this.progress().needed === 0);
  }

  isProven() {
    return this.data.group !== null && this.data.group.holds && !this.isBusy();
  }

  // The server's count, and what is on its way to it.
  progress() {
    const { group } = this.data;
    const open = new Set(this.talk.outbox.all().map(({ id }) => id));
    const under = this.past.filter(({ request }) => open.has(request));
    const back = this.talk.outbox.all().filter(({ kind, undoes }) => kind === "undo" && !open.has(undoes)).length;
    const right = under.filter(({ isRight }) => isRight).length - back;
    const needed = group.needed === null ? null : Math.max(0, group.needed - right);
    return { judged: group.judged + under.length - back, wrong: group.wrong + under.length - back - right, needed };
  }

  // ---- on screen

  show() {
    const { sample } = this;
    if (sample !== null && sample.shownAt === 0 && sample.content.state !== "loading" && !this.isWaiting()) sample.shownAt = performance.now();
    this.draw();
  }

  draw() {
    draw(this);
  }

  say(sentence) {
    this.note = sentence;
    this.draw();
  }

  // After a click on a control the keys belong to the page again, or Enter would press the control once more.
  byHand(act) {
    act();
    this.parent.activeElement?.blur();
  }
}

export default mount((parent, data) => new Groups(parent, data));
