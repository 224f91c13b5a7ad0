// What a person decides about the sample on screen: put into the outbox with all that is to be known of it.

const DOUBLE_CLICK_MS = 250;

const classOf = (entry) => (entry?.kind === "label" ? entry.class_index : null);

// shown(): the sample on screen, since when, and with what beside it; show(began), redraw(): draw the page;
// hasEarlier(): whether the server may know decisions before those known here.
function openDeciding({ work, pace, contents, outbox, view, shown, show, redraw, hasEarlier }) {
  const flagged = new Map(); // sample id -> the id of its flag, given here or before the page began
  let decidedAt = -Infinity;
  let owed = null; // an undo that waits for what is to be taken back

  const isReady = (kind, event) => {
    const { painted, sample } = shown();
    if (!painted || sample === null) return false;
    if (event.type === "click" && performance.now() - decidedAt < DOUBLE_CLICK_MS) return false;
    return kind !== "label" || contents.get(sample.sample_id).state === "ready";
  };

  const measured = (event) => {
    const began = Math.min(event.timeStamp, performance.now());
    const { at, suggested, explained, sample } = shown();
    const lead = Math.max(0, began - at) / 1000;
    return { began, told: { suggestion_shown: suggested, suggested: suggested ? sample.suggestion : null, why_shown: explained, lead_time_s: lead, shown_together: 1 } };
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
    outbox.add({ id, kind, sample_id, class_index, corrects, ...told, was, now: classOf(entry) });
    view.say(kind === "skip" ? "Skipped. Next sample." : `${view.nameOf(classIndex)}. Next sample.`);
  };

  const undo = (event) => {
    const { began } = measured(event);
    const entry = work.undo();
    owed = entry === null && hasEarlier() ? event : null; // faster than the server says what came before
    if (entry === null) return;
    noteDecision(began, entry.kind === "label" ? "unlabel" : entry.kind);
    show(began);
    outbox.add({ id: newId(), kind: "undo", sample_id: entry.sample_id, undoes: entry.id, was: classOf(entry), now: classOf(entry.before) });
    view.say("Undone. The sample is back.");
  };

  const flag = (event) => {
    if (!isReady("flag", event)) return;
    const { sample_id } = shown().sample;
    const [id, given] = [newId(), flagged.get(sample_id)];
    if (given) outbox.add({ id, kind: "undo", of: "flag", sample_id, undoes: given });
    else outbox.add({ id, kind: "flag", sample_id, class_index: null, ...measured(event).told });
    if (given) flagged.delete(sample_id);
    else flagged.set(sample_id, id);
    redraw();
    view.say(given ? "The flag is taken back." : "Flagged for a second look.");
  };

  return {
    decide, undo, flag,
    isFlagged: (sampleId) => flagged.has(sampleId),
    takeFlags: (flags) => { for (const { sample_id, id } of flags) flagged.set(sample_id, id); },
    undoOwed: () => { if (owed !== null) undo(owed); },
  };
}

// Ids of the samples that are decided here, which the server does not know yet.
function underWay(decisions) {
  const samples = new Set();
  for (const { kind, of, sample_id } of decisions) {
    if (kind === "flag" || of === "flag") continue;
    if (kind === "undo") samples.delete(sample_id);
    else samples.add(sample_id);
  }
  return samples;
}
