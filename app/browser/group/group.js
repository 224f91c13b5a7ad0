// Groups: members drawn at random are judged one by one; when the server says that the rest is proven, Enter labels it.
//
// What is decided goes into the outbox, as on the other pages; every message to the server holds all the page holds, so
// that none is missed when one is lost. Where a group stands is the server's word alone.

const BEAT_MS = 15000; // a claim lasts a minute
const POLL_MS = 3000; // while there is nothing to choose; what is offered is worked out of the whole pool

class Groups {
  constructor(parent) {
    this.parent = parent;
    this.turn = 0;
    this.seq = 0;
    this.note = "";
    this.name = null;
    this.view = makeView({
      take: () => this.byHand(() => takeRest(this)),
      skip: () => this.byHand(() => judge(this, null)),
      undo: () => this.byHand(() => undoLast(this)),
      leave: () => this.byHand(() => leaveGroup(this)),
    });
  }

  // The member on screen: {sampleId, draw, content, shownAt}.
  get sample() {
    return this.queue[0] ?? null;
  }

  open() {
    this.parent.append(this.view.root);
    this.deafen = listenToKeys({ page: "groups", classes: () => this.data.classes, act: (meaning) => this.name !== null && actOnGroups(this, meaning) });
    this.leaving = watchLeaving(() => !this.outbox?.size());
    this.isOpen = true;
  }

  close() {
    this.deafen();
    this.leaving.close();
    clearTimeout(this.beat);
    this.outbox?.close();
    this.name = null;
    this.isOpen = false;
  }

  update(data, setStateValue) {
    this.setStateValue = setStateValue;
    if (!this.isOpen) this.open();
    this.data = { ...data, classes: withOwnKeys(data.classes, ownKeys(data.name)) };
    if (data.name !== this.name) this.start(data.name);
    else if (data.seq === null && performance.now() - this.posted > FIRST_RETRY_MS) this.post(); // a new server
    if (data.seq === this.seq && data.seq !== this.answeredSeq) this.take(data);
    this.outbox.answered(data);
    const about = [...data.refused, ...data.notices];
    if (about.length || data.trouble) this.note = data.trouble ?? about[0].sentence;
    this.show();
  }

  start(name) {
    this.outbox?.close();
    this.name = name;
    this.queue = [];
    this.past = [];
    this.begin = null;
    this.answeredSeq = null;
    this.waitsFor = null;
    this.outbox = openOutbox({ name, send: () => this.post(), changed: () => this.draw() });
    this.post();
  }

  // ---- to and from the server

  post() {
    if (this.leaving.isUnderWay()) return;
    this.seq = Math.max(this.seq + 1, Date.now()); // also greater than any of an earlier page in the same session
    this.posted = performance.now();
    clearTimeout(this.beat);
    this.beat = setTimeout(() => this.post(), this.data.group || this.data.offers.length ? BEAT_MS : POLL_MS);
    this.setStateValue("message", {
      seq: this.seq,
      name: this.name,
      page: pageId(),
      decisions: this.outbox.all(),
      begin: this.begin,
      held: this.queue.map(({ sampleId }) => sampleId),
    });
  }

  take(data) {
    this.answeredSeq = data.seq;
    if (data.group !== null && data.group.key === this.begin?.key) this.begin = null;
    if (this.begin !== null && data.notices.some(({ id }) => id === this.begin.key)) this.begin = null;
    if (data.group === null) this.past = [];
    // What the server does not know of yet: members judged are not due any more, those taken back are due again.
    const open = this.outbox.all().filter(({ id }) => !data.confirmed.includes(id));
    const judged = new Set(open.filter(({ kind }) => kind !== "undo").map(({ sample_id }) => sample_id));
    const undone = new Set(open.filter(({ kind }) => kind === "undo").map(({ sample_id }) => sample_id));
    const front = this.queue.filter(({ sampleId }) => undone.has(sampleId));
    const held = new Map(this.queue.map((sample) => [sample.sampleId, sample]));
    const due = data.due.filter(({ sample_id }) => !judged.has(sample_id) && !undone.has(sample_id));
    this.queue = [...front, ...due.flatMap((one) => this.prepare(one, held))];
  }

  // Nothing where the page was thought to have it, and has not: the next answer brings it.
  prepare({ sample_id: sampleId, draw: place, content }, held) {
    const before = held.get(sampleId);
    if (before !== undefined) return [Object.assign(before, { draw: place })];
    if (content === null) return [];
    return [{ sampleId, draw: place, content: openContent(content, () => this.show(), "The sample to judge"), shownAt: 0 }];
  }

  waitFor() {
    this.waitsFor = this.seq;
    if (this.outbox.size() === 0) this.post();
  }

  // Whether what comes next depends on an answer that is not there yet.
  isWaiting() {
    const isAnswered = this.waitsFor === null || (this.outbox.size() === 0 && this.answeredSeq >= this.waitsFor);
    if (isAnswered) this.waitsFor = null;
    return !isAnswered || this.begin !== null;
  }

  isBusy() {
    return this.isWaiting() || this.outbox.size() > 0;
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
    const open = new Set(this.outbox.all().map(({ id }) => id));
    const under = this.past.filter(({ request }) => open.has(request));
    const back = this.outbox.all().filter(({ kind, undoes }) => kind === "undo" && !open.has(undoes)).length;
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
    if (this.data !== undefined && this.outbox !== undefined) draw(this);
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

const pages = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const page = pages.get(parentElement) ?? new Groups(parentElement);
  pages.set(parentElement, page);
  const turn = (page.turn += 1);
  page.update(data, setStateValue);
  // Streamlit may end an older call after a newer one has begun: only the newest may close the page.
  return () => {
    if (turn === page.turn) page.close();
  };
}
