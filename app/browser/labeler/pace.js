// How fast a person goes, how deep the queue must be for it, and how long a key took to become the next sample.

const FEWEST_AHEAD = 10; // samples
const MOST_AHEAD = 40;
const COVER_MS = 2000; // the queue lasts this long at the measured pace, whatever the server does meanwhile
const RUSH_MS = 400; // faster than this, the queue is refilled at half and not after every key
const SOON_MS = 500; // what comes on screen within this time must stay where it is, and longer where answers take longer
const ANSWERS_KEPT = 4;
const GAPS_KEPT = 8;
const PAUSE_MS = 5000; // a longer gap is a person who thought or went away: the pace starts over
const LATENCIES_KEPT = 1000;

const RECENT_MS = 5 * 60000; // the pace that is told is that of the last minutes
const IDLE_MS = 60000; // between two decisions: more is a break, not work
const FEWEST_STEPS = 5; // below, one slow image would decide

// Of this page, not of one drawing of the component: a visit to another screen does not end the session.
const latencies = [];
let decisions = []; // [{ at, kind: "label", "unlabel" or another }] of the last minutes of work, in order

function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] : null;
}

function openPace() {
  let last = null;
  let gaps = [];
  let waits = []; // how long the last answers took

  const gapMs = () => (gaps.length < 3 ? Infinity : Math.max(1, quantile(gaps, 0.5)));
  const within = (time, fewest) => Math.min(MOST_AHEAD, Math.max(fewest, Math.ceil(time / gapMs())));

  return {
    pressed: (at) => {
      if (last !== null && at - last < PAUSE_MS) gaps = [...gaps, at - last].slice(-GAPS_KEPT);
      else gaps = [];
      last = at;
    },
    isRush: () => gapMs() < RUSH_MS,
    depth: () => within(COVER_MS, FEWEST_AHEAD),
    answered: (ms) => { waits = [...waits, ms].slice(-ANSWERS_KEPT); },
    pinned: () => within(Math.max(SOON_MS, 2 * Math.max(0, ...waits)), 2), // on screen, decoded next, and those a fast hand reaches before an answer can come
  };
}

function noteLatency(ms) {
  latencies.push(ms);
  if (latencies.length > LATENCIES_KEPT) latencies.shift();
}

// Breaks are left out: it is the time worked, not that of the clock, of which the last minutes are kept.
function noteDecision(at, kind) {
  decisions.push({ at, kind });
  let worked = 0;
  for (let place = decisions.length - 1; place > 0; place -= 1) {
    worked += stepMs(decisions, place) ?? 0;
    if (worked > RECENT_MS) decisions = decisions.slice(place);
    if (worked > RECENT_MS) return;
  }
}

// From the decision before; null after a break.
function stepMs(all, place) {
  const step = all[place].at - all[place - 1].at;
  return step >= 0 && step <= IDLE_MS ? step : null;
}

// { perMinute, idleMs }: labels a minute of work, and how long ago the last decision was; null while too few are known.
function sessionPace(now) {
  const steps = decisions.flatMap(({ kind }, place) => {
    const ms = place > 0 ? stepMs(decisions, place) : null;
    return ms === null ? [] : [{ kind, ms }];
  });
  const worked = steps.reduce((sum, { ms }) => sum + ms, 0);
  if (steps.length < FEWEST_STEPS || worked <= 0) return null;
  const labels = steps.reduce((sum, { kind }) => sum + ({ label: 1, unlabel: -1 }[kind] ?? 0), 0);
  return { perMinute: Math.max(0, (60000 * labels) / worked), idleMs: now - decisions.at(-1).at };
}

// Milliseconds; null before the first key.
function latencySummary() {
  return { median: quantile(latencies, 0.5), p95: quantile(latencies, 0.95), worst: quantile(latencies, 1), n: latencies.length };
}
