// What is decided on the page of groups: which group, what a member is, and the rest.

const TOO_SOON_MS = 150; // nobody has seen a sample in less: a key pressed twice must not judge the next one

function actOnGroups(page, meaning) {
  const [what, rest] = meaning.split(":");
  if (what === "class") {
    const classIndex = page.data.classes.findIndex((one) => one.key === rest);
    if (classIndex >= 0) chooseClass(page, classIndex);
    return classIndex >= 0;
  }
  const act = { take: takeRest, skip: (one) => judge(one, null), undo: undoLast, leave: leaveGroup }[what];
  act?.(page);
  return act !== undefined;
}

function chooseClass(page, classIndex) {
  if (page.data.group !== null) judge(page, classIndex);
  else begin(page, classIndex);
}

function begin(page, classIndex) {
  const { offers } = page.data;
  const offer = searchedOffer(page.data) ?? offers.find((one) => one.class_index === classIndex);
  if (offer === undefined || page.isWaiting()) return;
  if (offer.needed === null) {
    page.say("This group is too small to save anything.");
    return;
  }
  page.past = [];
  page.begin = { key: newId(), offer: offer.name, class_index: classIndex };
  page.note = "";
  page.talk.schedule();
  page.draw();
}

// classIndex: null for a skip.
function judge(page, classIndex) {
  const { group } = page.data;
  const { sample } = page;
  if (group === null || page.hasEnough()) return; // one more would make the rest smaller, and its share may be too great again
  if (sample === null || page.isWaiting() || sample.content.state === "loading" || performance.now() - sample.shownAt < TOO_SOON_MS) return;
  if (sample.content.state === "failed" && classIndex !== null) {
    page.say("This sample cannot be shown: skip it.");
    return;
  }
  const isRight = classIndex === sample.classIndex;
  const request = newId();
  page.past.push({ sample, request, isRight });
  page.queue.shift();
  page.note = "";
  // The server may send those next in line back, with a wrong one: what comes is known when it has answered.
  page.talk.outbox.add({
    id: request, kind: classIndex === null ? "skip" : "label", mode: "group", group: group.key, draw: sample.draw,
    sample_id: sample.sampleId, class_index: classIndex, suggestion_shown: false, why_shown: false,
    lead_time_s: (performance.now() - sample.shownAt) / 1000, shown_together: 1,
  });
  if (!isRight) page.waitForAnswer();
  page.show();
}

function ofWhole(page, kind, key) {
  page.talk.outbox.add({ id: newId(), kind, group: key, sample_id: 0 });
  page.waitForAnswer();
  page.show();
}

function takeRest(page) {
  const { group } = page.data;
  if (group === null) {
    if (searchedOffer(page.data) === undefined) begin(page, EACH);
  } else if (page.isProven()) {
    page.past = [];
    ofWhole(page, "take", group.key);
  } else if (!group.holds) {
    page.say("Not proven yet: press the key of the class that you see.");
  }
}

function leaveGroup(page) {
  if (page.data.group === null || page.isBusy()) return;
  page.past = [];
  ofWhole(page, "leave", page.data.group.key);
}

const canUndo = (page) => (page.data.group !== null ? page.past.length > 0 : page.data.taken !== null && !page.isBusy());

function undoLast(page) {
  if (!canUndo(page)) {
    if (!page.isBusy()) page.say("Nothing of this visit is left to take back. Review has every label.");
    return;
  }
  if (page.data.group === null) {
    page.past = [];
    ofWhole(page, "give_back", page.data.taken.key);
    return;
  }
  const { sample, request } = page.past.pop();
  sample.shownAt = 0;
  page.queue.unshift(sample);
  page.note = "";
  page.talk.outbox.add({
    id: newId(), kind: "undo", sample_id: sample.sampleId, undoes: request,
    suggestion_shown: false, why_shown: false, lead_time_s: null, shown_together: 1,
  });
  page.show();
}
