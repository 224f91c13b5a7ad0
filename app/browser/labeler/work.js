// What is on screen, what comes next and what was decided: the whole of it without a server and without a page.
//
// A sample of the queue: { token, sample_id, suggestion, suggestion_probability, why }. token is the server's lease; null for
// a sample that an undo brought back. A decision has an id of its own: one key press, one event.
// A decision: { id, sample_id, kind: "label" | "skip", class_index, before, why }; before is the decision that it corrects.

const PAST_SHOWN = 10;
const PAST_KEPT = 40; // the server knows the rest
const CORRECTED = /^correct:/; // how the ids of Review's decisions begin

function openWork() {
  let queue = [];
  let past = []; // latest first, each sample once
  let walking = null; // the past decision that is looked at again

  const current = () => walking ?? queue[0] ?? null;

  // A blind second look at a sample must show nothing of the first: not in the strip, and no way to walk to it.
  const visiblePast = () => past.filter((entry) => walking !== null || entry.sample_id !== queue[0]?.sample_id);

  const drop = (entry) => { past = past.filter((other) => other !== entry); };

  const remember = (entry) => {
    past = [entry, ...past.filter((other) => other.sample_id !== entry.sample_id)].slice(0, PAST_KEPT);
  };

  const decide = (kind, classIndex) => {
    const shown = current();
    const before = walking;
    const entry = { id: newId(), sample_id: shown.sample_id, kind, class_index: classIndex, before };
    if (before) walking = null;
    else queue = queue.slice(1);
    remember(entry);
    return entry;
  };

  // Takes back the past decision on screen, else the last one. What it had corrected stands again and is looked at;
  // without such, the sample is undecided and comes first.
  const undo = () => {
    const entry = walking ?? visiblePast()[0];
    if (!entry) return null;
    if (entry.before) {
      past = past.map((other) => (other === entry ? entry.before : other));
      walking = entry.before;
    } else {
      drop(entry);
      walking = null;
      queue = [{ token: null, sample_id: entry.sample_id }, ...queue.filter((item) => item.sample_id !== entry.sample_id)];
    }
    return entry;
  };

  // The server will never store this decision: what it had corrected stands, and without such nothing does.
  const refuse = (id) => {
    const entry = past.find((other) => other.id === id);
    if (!entry) return;
    if (walking === entry) walking = entry.before;
    if (entry.before) past = past.map((other) => (other === entry ? entry.before : other));
    else drop(entry);
  };

  // step: 1 older, -1 newer; past the newest lies the queue. Says whether anything moved.
  const walk = (step) => {
    const visible = visiblePast();
    const place = (walking ? visible.indexOf(walking) : -1) + step;
    const target = place < 0 ? null : visible[Math.min(place, visible.length - 1)] ?? null;
    const moved = target !== walking;
    walking = target;
    return moved;
  };

  const lookAt = (sampleId) => { walking = visiblePast().find((entry) => entry.sample_id === sampleId) ?? null; };

  // The server's queue takes the place of all but the first `pinned` samples here: a new ranking never changes what a
  // person sees or is about to see. Known samples take over the token and the facts that the server has of them. One that
  // is not on screen yet and not in the answer has been given to somebody else meanwhile.
  // underWay: ids of samples whose decision the server does not know yet; it may offer them again, under a new token.
  const merge = (fresh, pinned, underWay) => {
    const open = fresh.filter((item) => !underWay.has(item.sample_id));
    const known = new Map(open.map((item) => [item.sample_id, item]));
    const stays = (item, place) => place === 0 || item.token === null || known.has(item.sample_id);
    const kept = queue.slice(0, pinned).filter(stays).map((item) => Object.assign(item, known.get(item.sample_id)));
    const here = new Set(kept.map((item) => item.sample_id));
    queue = [...kept, ...open.filter((item) => !here.has(item.sample_id))];
  };

  // What the server knows of the past: when the page begins, further back, or after a correction on Review, which is newer
  // than what is known here; anything else that was decided here is newer than what the server knew.
  const recall = (entries) => {
    const corrected = new Map(entries.filter(({ id }) => CORRECTED.test(id)).map((entry) => [entry.sample_id, entry]));
    const now = (entry) => corrected.get(entry?.sample_id) ?? entry;
    if (walking) walking = now(walking);
    const here = new Set([...past, ...queue.filter((item) => item.token === null)].map((item) => item.sample_id));
    past = [...past.map(now), ...entries.filter((entry) => !here.has(entry.sample_id))].slice(0, PAST_KEPT);
  };

  // The ten decisions in the strip: the last, or those around the one that is looked at.
  const strip = () => {
    const visible = visiblePast();
    const start = Math.max(0, visible.indexOf(walking) - PAST_SHOWN + 1);
    return visible.slice(start, start + PAST_SHOWN);
  };

  // The oldest decision known here, where so few are known that a hand could come to the end of them; else null.
  const endOfPast = () => {
    const left = past.length - 1 - past.indexOf(walking);
    return past.length < PAST_KEPT && left < 2 * PAST_SHOWN ? past.at(-1)?.id ?? "" : null;
  };

  // Why a sample of the past was asked, once the server has said it.
  const explain = ({ sample_id, why }) => {
    for (const entry of past) if (entry.sample_id === sample_id) entry.why = why;
  };

  return {
    current, decide, undo, refuse, walk, lookAt, merge, recall, explain, strip, endOfPast,
    past: visiblePast,
    walking: () => walking,
    ahead: () => queue,
  };
}
