// The Label screen in the browser: a key decides, and the next sample is there in the same frame. The server hears of it
// afterwards.

const DOUBLE_CLICK_MS = 250;

function openPage(parent, name) {
  const root = element("div", { className: "labeler" });
  parent.append(root);
  const [pace, work] = [openPace(), openWork()];
  const screenKey = `labelloop-screen:${name}`; // so that a reload comes back to the same sample
  const switchesKey = `labelloop-switches:${name}`; // they stay as they were left
  const switches = { suggest: false, why: false, guide: false, light: {}, ...recall(switchesKey, {}) };
  const sharpened = new Set(); // ids of the samples that are here with all their pixels
  const flagged = new Map(); // sample id -> the id of its flag, given here or before the page began
  let [served, classes] = [[], []]; // as the server has them, and with the keys that this person has given them
  let progress = null;
  let waiting = null;
  let [isSuggesting, isExplaining] = [switches.suggest === true, switches.why === true];
  let shown = { sample: null, painted: false, at: null, suggested: false, explained: false };
  let [decidedAt, unsavedSince] = [-Infinity, null];
  let keyAt = null; // when the key came that the next painted sample answers, however long it takes to be ready
  let isScarce = false; // the server had fewer samples than were asked for
  let uncounted = []; // decisions that are stored, but not yet in the server's counts
  let lastData = null;
  let elsewhere = null; // a sentence while the same name labels on another page
  let zoomed = null; // the sample whose pixels are all wanted
  let owed = null; // an undo that waits for what is to be taken back
  let askedBefore = null; // the oldest decision, once the server said that nothing came before it
  let isStopped = false; // the server asks nothing more

  const changes = () => changesOf([...uncounted, ...exchange.outbox.all()]);

  // Whether a limit is reached: the budget is counted here too, so that no key too many is taken.
  const isOver = () => isStopped || Boolean(progress?.budget && progress.labels + changes().all >= progress.budget);
  const current = () => (isOver() ? work.walking() : work.current());

  const emptyText = () => emptyWords({ isLost: exchange.connection.isLost(), waiting, isOver: isOver() });

  // Everything that may come a frame later than the sample.
  const drawRest = () => {
    const isLost = exchange.connection.isLost();
    const unsaved = exchange.outbox.size();
    unsavedSince = unsaved === 0 ? null : unsavedSince ?? performance.now();
    const isSlow = unsavedSince !== null && performance.now() - unsavedSince > SILENCE_MS;
    const { text, isWarning } = savedLine({ unsaved, isLost, isStored: exchange.outbox.isStored(), isSlow });
    view.drawSaved(text, isWarning);
    root.dataset.unsaved = unsaved;
    guide.draw(work.ahead());
    view.drawPast(work.strip(), work.walking(), contents);
    if (progress === null) return;
    view.drawLines(roundLine(progress, changes()), sessionLine(sessionPace(performance.now()), progress, changes()), perClass(progress, changes(), classes));
  };

  const drawFacts = () => {
    const { sample } = shown;
    const isPast = work.walking() !== null;
    view.drawActions({
      isFlagged: sample !== null && flagged.has(sample.sample_id),
      canUndo: work.past().length > 0,
      canWalk: work.past().length > 0,
      isWalking: isPast,
    });
    view.drawSuggestion(isSuggesting, sample, isPast);
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
    if (wants && !exchange.connection.isWaiting()) exchange.schedule();
  };

  const screenTokens = () => work.ahead().slice(0, pace.pinned()).map((item) => item.token).filter(Boolean);

  const wantWhole = () => {
    const { sample_id } = shown.sample;
    if (zoomed === sample_id || sharpened.has(sample_id)) return;
    zoomed = sample_id;
    exchange.schedule();
  };

  const facts = ({ isFirst }) => {
    const was = isFirst ? Number(tabMemory.get(screenKey)) || null : null;
    const isUnexplained = isExplaining && shown.sample !== null && shown.sample.why === undefined;
    const isFull = pace.isRush() && !isHungry() && !isOver() && !isUnexplained;
    const latency = latencySummary();
    root.dataset.latency = JSON.stringify(latency);
    const unexplained = isExplaining && work.walking()?.why === undefined ? work.walking()?.sample_id ?? null : null;
    const want = isFull ? 0 : pace.depth();
    return { page: pageId(), screen: screenTokens(), was, have: contents.ids(), want, why: isExplaining, guide: guide.isWanted(), looking: unexplained, before: isFirst ? null : before(), side: sideOf(view.parts.stage), zoomed, latency };
  };

  const exchange = openExchange({
    name, facts,
    isIdle: () => current() === null,
    changed: () => {
      root.dataset.unsaved = exchange.outbox.size(); // at once: whoever looks must not find an older frame's "all saved"
      afterPaint(() => { refresh(); drawRest(); });
    },
    waited: pace.answered,
  });

  const classOf = (entry) => (entry?.kind === "label" ? entry.class_index : null);

  const isReady = (kind, event) => {
    if (!shown.painted || shown.sample === null) return false;
    if (event.type === "click" && performance.now() - decidedAt < DOUBLE_CLICK_MS) return false;
    return kind !== "label" || contents.get(shown.sample.sample_id).state === "ready";
  };

  const measured = (event) => {
    const began = Math.min(event.timeStamp, performance.now());
    const lead = Math.max(0, began - shown.at) / 1000;
    return { began, told: { suggestion_shown: shown.suggested, why_shown: shown.explained, lead_time_s: lead, shown_together: 1 } };
  };

  const decide = (kind, classIndex, event) => {
    if (!isReady(kind, event)) return;
    const { began, told } = measured(event);
    const was = classOf(work.walking());
    const entry = work.decide(kind, classIndex);
    decidedAt = performance.now();
    pace.pressed(began);
    noteDecision(began, kind);
    show(began);
    const { id, sample_id, class_index } = entry;
    const corrects = entry.before?.id ?? null;
    exchange.outbox.add({ id, kind, sample_id, class_index, corrects, ...told, was, now: classOf(entry) });
    view.say(kind === "skip" ? "Skipped. Next sample." : `${view.nameOf(classIndex)}. Next sample.`);
  };

  const undo = (event) => {
    const { began } = measured(event);
    const entry = work.undo();
    owed = entry === null && before() !== null ? event : null; // faster than the server says what came before
    if (entry === null) return;
    noteDecision(began, entry.kind === "label" ? "unlabel" : entry.kind);
    show(began);
    exchange.outbox.add({ id: newId(), kind: "undo", sample_id: entry.sample_id, undoes: entry.id, was: classOf(entry), now: classOf(entry.before) });
    view.say("Undone. The sample is back.");
  };

  const flag = (event) => {
    if (!isReady("flag", event)) return;
    const { sample_id } = shown.sample;
    const [id, given] = [newId(), flagged.get(sample_id)];
    if (given) exchange.outbox.add({ id, kind: "undo", of: "flag", sample_id, undoes: given });
    else exchange.outbox.add({ id, kind: "flag", sample_id, class_index: null, ...measured(event).told });
    if (given) flagged.delete(sample_id);
    else flagged.set(sample_id, id);
    drawFacts();
    view.say(given ? "The flag is taken back." : "Flagged for a second look.");
  };

  const showPast = () => {
    show();
    if (isExplaining) exchange.schedule(); // asks for the reasons
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
    if (isSuggesting && work.walking() === null && Number.isInteger(sample?.suggestion)) decide("label", sample.suggestion, event);
  };

  const press = (key, event) => {
    const digit = key.replace("shift+", "");
    // A French keyboard needs Shift for a digit: where no class has the key with Shift, it is the digit that was meant.
    const named = classes.find((each) => each.key === key) ?? classes.find((each) => event.key === digit && each.key === digit);
    if (named) decide("label", named.index, event);
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
    if (isExplaining || guide.isWanted()) exchange.schedule();
  };

  const keepSwitches = (changed) => remember(switchesKey, Object.assign(switches, changed));

  const ACTS = {
    accept, undo, flag,
    skip: (event) => decide("skip", null, event),
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
    if (what === "label") decide("label", Number(rest), event);
    else if (what === "past") { work.lookAt(Number(rest)); showPast(); }
    else if (what === "switch") toggle(rest);
    else if (what === "key") { guide.choose(Number(rest)); guide.draw(work.ahead()); }
    else ACTS[what](event);
    return true;
  }

  const view = openView(root, act);
  const alerts = openAlerts(view.alert);
  const events = openAlerts(view.event);
  const searchBox = openSearch(view.parts.search, (each) => {
    decide("label", each.index, new Event("search"));
  });
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
    for (const { sample_id, id } of data.flags ?? []) flagged.set(sample_id, id);
    if (data.history) {
      askedBefore = data.history.length ? null : work.endOfPast();
      work.recall(data.history);
      if (owed !== null) undo(owed);
    }
    if (data.whole) {
      sharpened.add(data.whole.sample_id);
      if (zoomed === data.whole.sample_id) zoomed = null;
      contents.get(data.whole.sample_id)?.sharpen?.(data.whole.content.address);
    }
    if (data.past_why) work.explain(data.past_why);
    if (data.guide) guide.take(data.guide);
    if (data.queue) {
      work.merge(data.queue, pace.pinned(), exchange.underWay());
      isScarce = data.queue.length < FEWEST_AHEAD;
      isStopped = data.over;
    }
    contents.forget(new Set([...work.ahead(), ...work.past()].map((item) => item.sample_id)));
  };

  return {
    name,
    turn: 0,
    update: (data, setStateValue) => {
      if (data === lastData) return; // only the theme has changed
      lastData = data;
      takeClasses(data.classes);
      const stored = new Set(data.confirmed);
      uncounted.push(...exchange.outbox.all().filter((decision) => stored.has(decision.id)));
      if (data.progress) [progress, uncounted] = [data.progress, []];
      if (exchange.receive(data, setStateValue)) {
        waiting = data.waiting;
        takeQueue(data);
        refill();
      }
      for (const { id } of data.refused) work.refuse(id);
      if (data.elsewhere !== null || data.queue) elsewhere = data.elsewhere;
      alerts.take([...data.refused, ...data.notices], [data.trouble, elsewhere]);
      events.take(data.round_end ? [data.round_end] : [], []);
      if (data.round_end) guide.renew();
      refresh();
      drawFacts();
      drawRest();
    },
    close: () => {
      deafen();
      events.close();
      alerts.close();
      exchange.close();
      root.remove();
    },
  };
}
