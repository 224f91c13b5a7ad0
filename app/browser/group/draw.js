// The words and the sample of the page of groups, drawn from what the page holds.

const count = (number) => number.toLocaleString("en");
const share = (value) => `${(Math.ceil(1000 * value - 1e-9) / 10).toFixed(1).replace(/\.0$/, "")} %`; // a claim is never rounded down
const plural = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;

const EACH = -1; // in the place of a group's class: each member is of its own
const nameOf = (data, classIndex) => (classIndex === EACH ? "what the model says" : data.classes[classIndex].name);

function draw(page) {
  const { group } = page.data;
  drawHead(page, group);
  drawStage(page);
  drawChoices(page, group);
  drawProof(page, group);
  drawBar(page, group);
}

function drawHead(page, group) {
  const { view, data } = page;
  if (group === null) {
    view.question.replaceChildren("Many at once, with a guarantee");
    view.hint.textContent = "Choose a group: some members, drawn at random, are judged one by one; then one key labels the rest.";
    return;
  }
  const name = element("strong", { translate: "no" }, nameOf(data, group.class_index));
  const asked = group.class_index === EACH ? ["What is this?"] : ["What is this? The group is said to be ", name];
  view.question.replaceChildren(...(page.isProven() ? ["The rest are ", name] : asked));
  view.hint.textContent = `${group.origin}.`;
}

function drawStage(page) {
  const { view } = page;
  const sample = page.sample;
  view.stage.hidden = page.data.group === null;
  view.stage.dataset.sample = sample?.sampleId ?? "";
  if (page.isProven()) return drawMessage(view, "✓", "Proven");
  if (sample === null || page.hasEnough()) return drawMessage(view, "", page.isBusy() ? "One moment…" : "No member is left to judge.");
  const { state, element: shown } = sample.content;
  if (state === "ready") view.stage.replaceChildren(shown);
  else if (state === "failed") drawMessage(view, "", "This sample cannot be shown: skip it.");
  else drawMessage(view, "", "The sample is loading…");
}

function drawMessage(view, sign, words) {
  view.stage.replaceChildren(element("p", { class: "said" }, element("span", { class: "sign", "aria-hidden": "true" }, sign), words));
}

function drawChoices(page, group) {
  const { view, data } = page;
  const choose = (classIndex) => page.byHand(() => chooseClass(page, classIndex));
  const named = namedChips(data.classes);
  const searched = searchedOffer(data);
  view.ask.parentElement.hidden = page.isProven() || (group === null && data.offers.length === 0);
  if (group !== null) {
    drawChips(view, { ask: "This is:", chips: named, chosen: undefined, choose });
  } else if (searched !== undefined) {
    drawChips(view, { ask: "These are:", chips: named, chosen: undefined, choose });
  } else {
    for (const chip of named) {
      const offer = data.offers.find((one) => one.class_index === chip.value);
      if (offer !== undefined) chip.count = count(offer.count);
    }
    const all = data.offers.filter((one) => one.class_index === EACH)
      .map((one) => ({ value: EACH, text: "All classes", key: "Enter", count: count(one.count) }));
    drawChips(view, { ask: "Group:", chips: [...all, ...named.filter((chip) => chip.count)], chosen: undefined, choose });
  }
}

function drawProof(page, group) {
  const { view, data } = page;
  view.done.hidden = group === null;
  if (group === null) {
    view.proof.replaceChildren(...offerWords(page));
    return;
  }
  const { judged, needed } = page.progress();
  const whole = group.holds ? 1 : judged / Math.max(1, judged + (needed ?? group.rest));
  view.done.firstChild.style.width = `${100 * whole}%`;
  view.done.classList.toggle("proven", group.holds);
  view.proof.textContent = page.isProven() ? provenWords(group, data) : progressWords(page, group);
}

function provenWords(group, data) {
  const most = `at most ${share(group.bound)} of the other ${count(group.rest)} are not ${nameOf(data, group.class_index)}`;
  return `${judgedWords(group.judged, group.wrong)}. Proven at 95 %: ${most}. Enter labels all of them.`;
}

const judgedWords = (judged, wrong) => `${plural(judged, "member", "members")} judged, ${wrong ? count(wrong) : "none"} wrong`;

function progressWords(page, group) {
  const { judged, wrong, needed } = page.progress();
  const back = group.sent_back ? `; ${count(group.sent_back)} most like ${group.wrong === 1 ? "it" : "them"} went back to the pool` : "";
  const kept = group.kept ? ` Meanwhile ${plural(group.kept, "member was", "members were")} drawn for the audit, so more is to be judged.` : "";
  const soFar = `${judgedWords(judged, wrong)}${back}.${kept}`;
  if (group.too_mixed) {
    const more = needed === null ? "all of them" : `${count(needed)} more`;
    return `${soFar} This group is too mixed or too small: ${more} of the other ${count(group.rest)} would have to be right. Leave it, or go on.`;
  }
  if (needed === null) return `${soFar} One moment…`;
  const others = count(Math.max(0, group.rest - (judged - group.judged) - needed));
  return `${soFar} ${plural(needed, "more right one", "more right ones")}, and the other ${others} are taken: at most ${share(group.allowed)} wrong, proven at 95 %.`;
}

const searchedOffer = (data) => data.offers.find((offer) => offer.class_index === null);

function offerWords(page) {
  const { data } = page;
  if (data.over !== null) return [data.over];
  if (!page.isAnswered || page.isWaiting()) return ["Looking for groups…"];
  if (data.offers.length === 0) {
    return ["There is no group yet: the first model has to look at the pool, or look for a name above. Groups need a few hundred samples alike."];
  }
  const searched = searchedOffer(data);
  const line = (words) => element("span", { class: "offer" }, words);
  const offers = [...(searched ? [searched] : data.offers)].sort((a, b) => b.count - a.count);
  const small = offers.filter(({ needed, class_index: classIndex }) => needed === null && classIndex >= 0 && classIndex !== null);
  if (small.length < 2) return offers.map((offer) => line(offerSentence(offer, searched !== undefined)));
  const rest = offers.filter((offer) => !small.includes(offer)).map((offer) => line(offerSentence(offer, false)));
  return [...rest, line(smallWords(small))];
}

// Many classes of which none is worth a line of its own, the largest first.
function smallWords(small) {
  const [most, fewest] = [small[0].count, small[small.length - 1].count];
  const each = most === fewest ? count(most) : `${count(fewest)} to ${count(most)}`;
  return `${count(small.length)} single classes of ${each} samples each: too few; nearly all of them would have to be judged.`;
}

function offerSentence({ count: size, needed, words }, isSearched) {
  const found = `${count(size)} ${words}`;
  if (needed === null) return `${found}: too few; nearly all of them would have to be judged.`;
  const judge = `judge ${count(needed)} of them, and take the other ${count(size - needed)}.`;
  return `${found}: ${isSearched ? "say what they are, " : ""}${judge}`;
}

function drawBar(page, group) {
  const { view, data } = page;
  const proven = page.isProven();
  view.take.hidden = group === null;
  view.skip.hidden = group === null || proven;
  view.leave.hidden = group === null;
  view.take.disabled = !proven || page.isBusy();
  view.take.firstChild.textContent = proven ? `Label ${count(group.rest)} as ${nameOf(data, group.class_index)}` : "Label the rest";
  view.undo.disabled = !canUndo(page);
  view.state.textContent = page.note || takenWords(page);
  view.state.classList.toggle("told", page.note !== "" || (group === null && data.taken !== null));
  drawUnsaved(view.root, view.unsaved, page.talk);
  view.honest.textContent = group === null ? "" : "Audit samples are never members. The labels of the rest train the model, say that nobody looked at them, and measure nothing.";
}

function takenWords({ data }) {
  if (data.group !== null || data.taken === null) return "";
  return `${count(data.taken.count)} labeled as ${data.taken.name ?? nameOf(data, EACH)}. Backspace takes them all back.`;
}
