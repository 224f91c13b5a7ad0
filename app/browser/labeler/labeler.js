// The Label screen in the browser: a key decides, and the next sample is there in the same frame. The server hears of it
// afterwards.

const HUNGRY_POLL_MS = 1000; // between two looks while there is nothing to show
const POLL_MS = 5000; // keeps the claims alive and the tail of the queue fresh while nobody presses a key
const FRESHEN_MS = 800; // after the last key: by then the labels have changed the ranking

function openLabeler(parent, { name }) {
  const root = element("div", { className: "labeler" });
  parent.append(root);
  const [pace, work] = [openPace(), openWork()];
  const screenKey = `labelloop-screen:${name}`; // so that a reload comes back to the same sample
  const switchesKey = `labelloop-switches:${name}`; // they stay as they were left
  const switches = { suggest: false, why: false, guide: false, light: {}, ...recall(switchesKey, {}) };
  const sharpened = new Set(); // ids of the samples that are here with all their pixels
  let [served, classes] = [[], []]; // as the server has them, and with the keys that this person has given them
  let progress = null;
  let waiting = null;
  let [isSuggesting, isExplaining] = [switches.suggest === true, switches.why === true];
  let shown = { sample: null, painted: false, at: null, suggested: false, explained: false };
  let keyAt = null; // when the key came that the next painted sample answers, however long it takes to be ready
  let isScarce = false; // the server had fewer samples than were asked for
  let uncounted = []; // decisions that are stored, but not yet in the server's counts
  let lastData = null;
  let zoomed = null; // the sample whose pixels are all wanted
  let askedBefore = null; // the oldest decision, once the server said that nothing came before it
  let isStopped = false; // the server asks nothing more
  let corrected = null; // the last correction on Review that is shown here

  const changes = () => changesOf([...uncounted, ...talk.outbox.all()]);

  // Whether a limit is reached: the budget is counted here too, so that no key too many is taken.
  const isOver = () => isStopped || Boolean(progress?.budget && progress.labels + changes().all >= progress.budget);
  const current = () => (isOver() ? work.walking() : work.current());

  const emptyText = () => emptyWords({ isLost: talk.connection.isLost(), waiting, isOver: isOver() });

  // Everything that may come a frame later than the sample.
  const drawRest = () => {
    const { text, isWarning } = talk.saved();
    view.drawSaved(text, isWarning);
    root.dataset.unsaved = talk.outbox.size();
    guide.draw(work.ahead());
    view.drawPast(work.strip(), work.walking(), contents);
    if (progress === null) return;
    view.drawLines(roundLine(progress, changes()), [sessionLine(sessionPace(performance.now()), progress, changes()), acceptedLine(progress)].filter(Boolean).join(" · "), perClass(progress, changes(), classes));
  };

  const drawFacts = () => {
    const { sample } = shown;
    const isPast = work.walking() !== null;
    view.drawActions({
      isFlagged: sample !== null && deciding.isFlagged(sample.sample_id),
      canUndo: work.past().length > 0,
      canWalk: work.past().length > 0,
      isWalking: isPast,
    });
    view.drawSuggestion(isSuggesting, sample, isPast, Boolean(progress?.seeds_wrong) && !isExplaining);
    drawWhy(view.parts.card, isExplaining && sample !== null, sample?.why);
    view.parts.why.setAttribute("aria-checked", String(isExplaining));
    view.parts.guideOn.setAttribute("aria-checked", String(guide.isOpen()));
    shown.suggested ||= isSuggesting && !isPast && Number.isInteger(sample?.suggestion);
    shown.explained ||= isExplaining && Boolean(sample?.why);
  };

  // began: when the key came that this answers.
  const show = (began = null) => {
    const sample = current();
    const content = sample && contents.get(sample.sample_id);
    const mine = { sample, content, painted: false, at: null, suggested: false, explained: false };
    shown = mine;
    keyAt = sample === null && waiting !== null ? null : began ?? keyAt; // with no sample left there is nothing to wait for
    view.drawSample(sample, content, emptyText());
    zoom.look(sample && content);
    drawFacts();
    root.dataset.sample = sample?.sample_id ?? "";
    root.dataset.shown = "";
    const isSettled = sample !== null && (content?.state === "ready" || content?.state === "failed");
    afterPaint(() => {
      if (shown === mine && isSettled) {
        mine.painted = true;
        mine.at = performance.now();
        root.dataset.shown = sample.token ?? `again-${sample.sample_id}`;
        if (work.walking() === null) tabMemory.set(screenKey, sample.sample_id); // now: the next request may have to wait
        if (keyAt !== null) noteLatency(mine.at - keyAt);
        keyAt = null;
      }
      drawRest();
      refill();
    });
  };

  const refresh = () => {
    const content = shown.sample && contents.get(shown.sample.sample_id);
    const isNew = !shown.painted || content !== shown.content; // another one where the first could not be shown
    const isLate = shown.sample !== null && isNew && content && content.state !== "loading";
    if (current() !== shown.sample || isLate) show();
    else if (shown.sample === null) view.drawSample(null, null, emptyText());
  };

  const contents = openContents(() => { refresh(); drawRest(); });

  const isHungry = () => {
    const ahead = work.ahead();
    return ahead.length <= pace.depth() / 2 || ahead.some((item) => !contents.get(item.sample_id));
  };

  const before = () => (progress === null || work.endOfPast() === askedBefore ? null : work.endOfPast());

  // At once, unless the server has just said that there is no more; then with the next key or the next look.
  const refill = () => {
    const wants = (isHungry() && !isScarce) || before() !== null;
    if (wants && !talk.connection.isWaiting()) talk.schedule();
  };

  const screenTokens = () => work.ahead().slice(0, pace.pinned()).map((item) => item.token).filter(Boolean);

  const wantWhole = () => {
    const { sample_id } = shown.sample;
    if (zoomed === sample_id || sharpened.has(sample_id)) return;
    zoomed = sample_id;
    talk.schedule();
  };

  const facts = ({ isFirst }) => {
    const was = isFirst ? Number(tabMemory.get(screenKey)) || null : null;
    const isUnexplained = isExplaining && shown.sample !== null && shown.sample.why === undefined;
    const isFull = pace.isRush() && !isHungry() && !isOver() && !isUnexplained;
    const latency = latencySummary();
    root.dataset.latency = JSON.stringify(latency);
    const unexplained = isExplaining && work.walking()?.why === undefined ? work.walking()?.sample_id ?? null : null;
    const want = isFull ? 0 : pace.depth();
    return { hello: isFirst, screen: screenTokens(), was, have: contents.ids(), want, why: isExplaining, guide: guide.isWanted(), looking: unexplained, before: isFirst ? null : before(), side: sideOf(view.parts.stage), zoomed, latency, corrected, round: progress?.round ?? null };
  };

  const talk = openConversation({
    name, facts,
    pauseMs: () => (current() === null ? HUNGRY_POLL_MS : POLL_MS),
    changed: () => {
      root.dataset.unsaved = talk.outbox.size(); // at once: whoever looks must not find an older frame's "all saved"
      afterPaint(() => { refresh(); drawRest(); });
    },
    alert: (text) => view.alert(text),
    reloads: true,
    freshenMs: FRESHEN_MS,
    waited: pace.answered,
  });

  const showPast = () => {
    show();
    if (isExplaining) talk.schedule(); // asks for the reasons
  };

  const walk = (step) => {
    if (!work.walk(step)) return;
    showPast();
    const entry = work.walking();
    if (entry) view.say(`Decided before: ${entry.kind === "skip" ? "skipped" : view.nameOf(entry.class_index)}.`);
    else view.say("Back to the queue.");
  };

  const accept = (event) => {
    const { sample } = shown;
    if (isSuggesting && work.walking() === null && Number.isInteger(sample?.suggestion)) deciding.decide("label", sample.suggestion, event);
  };

  const press = (key, event) => {
    const digit = key.replace("shift+", "");
    // A French keyboard needs Shift for a digit: where no class has the key with Shift, it is the digit that was meant.
    const named = classes.find((each) => each.key === key) ?? classes.find((each) => event.key === digit && each.key === digit);
    if (named) deciding.decide("label", named.index, event);
    return Boolean(named);
  };

  const hasSearch = () => !view.parts.search.hidden;

  const search = (letter) => {
    if (!hasSearch()) return false;
    searchBox.begin(letter);
    return true;
  };

  const toggle = (which) => {
    if (which === "suggest") isSuggesting = !isSuggesting;
    else if (which === "why") isExplaining = !isExplaining;
    else guide.open(!guide.isOpen());
    keepSwitches({ suggest: isSuggesting, why: isExplaining, guide: guide.isOpen() });
    drawFacts();
    guide.draw(work.ahead());
    if (isExplaining || guide.isWanted()) talk.schedule();
  };

  const keepSwitches = (changed) => remember(switchesKey, Object.assign(switches, changed));

  const ACTS = {
    accept,
    undo: (event) => deciding.undo(event),
    flag: (event) => deciding.flag(event),
    skip: (event) => deciding.decide("skip", null, event),
    larger: () => zoom.larger(),
    smaller: () => zoom.smaller(),
    guide: () => toggle("guide"),
    older: () => walk(1),
    newer: () => walk(-1),
  };

  // Says whether the key was ours.
  function act(meaning, event) {
    const [what, rest] = [meaning.split(":", 1)[0], meaning.slice(meaning.indexOf(":") + 1)];
    if (what === "class") return press(rest, event);
    if (what === "search") return search(rest);
    if (what === "label") deciding.decide("label", Number(rest), event);
    else if (what === "past") { work.lookAt(Number(rest)); showPast(); }
    else if (what === "switch") toggle(rest);
    else if (what === "key") { guide.choose(Number(rest)); guide.draw(work.ahead()); }
    else ACTS[what](event);
    return true;
  }

  const view = openView(root, act);
  const deciding = openDeciding({
    work, pace, contents, view, show,
    outbox: talk.outbox, shown: () => shown, redraw: drawFacts, hasEarlier: () => before() !== null,
  });
  const events = openAlerts(view.event);
  const searchBox = openSearch(view.parts.search, (each) => deciding.decide("label", each.index, new Event("search")));
  const guide = openGuide(view.parts.guide, name, () => { takeClasses(served); guide.draw(work.ahead()); });
  guide.open(switches.guide === true);
  const deafen = listenToKeys({ page: "label", hasSearch, act, classes: () => classes, claim: guide.claim });
  const zoom = openZoom(view.parts.stage, view.parts.zoom, { wantWhole, light: switches.light, keep: (light) => keepSwitches({ light }) });
  listenToSwipes(view.parts.stage, (what, event) => { if (!zoom.isIn()) act(what, event); });

  const takeClasses = (asked) => {
    served = asked;
    const fresh = guide.setClasses(asked);
    if (JSON.stringify(fresh) === JSON.stringify(classes)) return;
    classes = fresh;
    view.drawClasses(classes);
    searchBox.setClasses(classes.filter((each) => !each.retired));
    show();
  };

  show();

  const takeQueue = (data) => {
    for (const entry of [...(data.queue ?? []), ...(data.history ?? [])]) {
      contents.take(entry.sample_id, entry.content);
      if (entry.content) sharpened.delete(entry.sample_id);
      delete entry.content;
    }
    deciding.takeFlags(data.flags ?? []);
    if (data.history) {
      askedBefore = data.history.length ? null : work.endOfPast();
      work.recall(data.history);
      deciding.undoOwed();
    }
    if (Number.isInteger(data.corrected)) corrected = data.corrected;
    if (data.whole) {
      sharpened.add(data.whole.sample_id);
      if (zoomed === data.whole.sample_id) zoomed = null;
      contents.get(data.whole.sample_id)?.sharpen?.(data.whole.content.address);
    }
    if (data.past_why) work.explain(data.past_why);
    if (data.guide) guide.take(data.guide);
    if (data.queue) {
      work.merge(data.queue, pace.pinned(), underWay(talk.outbox.all()));
      isScarce = data.queue.length < FEWEST_AHEAD;
      isStopped = data.over;
    }
    contents.forget(new Set([...work.ahead(), ...work.past()].map((item) => item.sample_id)));
  };

  return {
    update: (data, setStateValue) => {
      if (data === lastData) return; // only the theme has changed
      lastData = data;
      takeClasses(data.classes);
      const stored = new Set(data.confirmed);
      uncounted.push(...talk.outbox.all().filter((decision) => stored.has(decision.id)));
      if (data.progress) [progress, uncounted] = [data.progress, []];
      if (talk.receive(data, setStateValue)) {
        waiting = data.waiting;
        takeQueue(data);
        refill();
      }
      for (const { id } of data.refused) work.refuse(id);
      events.take(data.round_end ? [data.round_end] : [], []);
      if (data.round_end) guide.renew();
      refresh();
      drawFacts();
      drawRest();
    },
    close: () => {
      deafen();
      events.close();
      talk.close();
      root.remove();
    },
  };
}

export default mount(openLabeler);
