// What goes to the server and what comes back. Every message holds the whole outbox, so a lost, repeated or overtaken
// message loses nothing; `seq` tells which message an answer belongs to.

const TICK_MS = 1000;
const POLL_MS = 5000; // keeps the claims alive and the tail of the queue fresh while nobody presses a key
const HIDDEN_POLL_MS = 20000;
const FRESHEN_MS = 800; // after the last key: by then the labels have changed the ranking

// Runs after the frame that shows what was just drawn.
function afterPaint(run) {
  if (document.visibilityState === "hidden") {
    setTimeout(run, 0);
    return;
  }
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = run;
    channel.port2.postMessage(null);
  });
}

// facts({ isFirst }): what the message says beside the decisions; isIdle(): whether there is
// nothing on screen; changed(): something about saving has changed; waited(ms): how long an answer took.
function openExchange({ name, facts, isIdle, changed, waited }) {
  let seq = Date.now(); // above all that an earlier page may have sent, whose answer could still come
  const first = seq;
  let set = null; // Streamlit's setStateValue, new with every drawing
  let session = null; // the server's; another one means that it was started anew or that we reconnected
  let heard = seq; // the newest message that was answered
  let scheduled = false;
  let lastSent = -Infinity;
  const sent = new Map(); // seq -> when; of the messages without an answer
  let freshen = null;
  const leaving = watchLeaving(() => outbox.size() === 0);
  const connection = openConnection(changed, leaving.reload);

  const post = () => {
    scheduled = false;
    if (set === null || leaving.isUnderWay()) return;
    seq += 1;
    lastSent = performance.now();
    sent.set(seq, lastSent);
    connection.asked();
    set("outbox", { name, seq, hello: heard === first, decisions: outbox.all(), ...facts({ isFirst: heard === first }) });
  };

  // After the next frame: what a key shows comes before what it stores on the server.
  const schedule = () => {
    if (scheduled) return;
    scheduled = true;
    afterPaint(post);
  };

  const outbox = openOutbox({ name, send: schedule, changed });

  const tick = () => {
    const quiet = performance.now() - lastSent;
    if (connection.isWaiting()) {
      if (quiet > 2 * TICK_MS && outbox.size() === 0) post(); // the outbox repeats its own messages
      return;
    }
    const due = document.visibilityState === "hidden" ? HIDDEN_POLL_MS : isIdle() ? TICK_MS : POLL_MS;
    if (quiet >= due) post();
  };
  const timer = setInterval(tick, TICK_MS);

  // Ids of the samples that are decided here, which the server does not know yet.
  const underWay = () => {
    const samples = new Set();
    for (const { kind, of, sample_id } of outbox.all()) {
      if (kind === "flag" || of === "flag") continue;
      if (kind === "undo") samples.delete(sample_id);
      else samples.add(sample_id);
    }
    return samples;
  };

  return {
    outbox, connection, schedule, underWay,
    // Takes the server's answer; says whether it is news.
    receive: (data, setStateValue) => {
      set = setStateValue;
      const isNewSession = session !== data.session;
      session = data.session;
      // A server that does not know our last message: say it again at once, not when the patience is over.
      if (isNewSession && data.answer_to !== seq) post();
      if (data.confirmed.length || data.refused.length) {
        outbox.answered(data);
        clearTimeout(freshen);
        freshen = setTimeout(() => { if (!connection.isWaiting()) post(); }, FRESHEN_MS);
      }
      // On a busy machine an answer may come after the message was repeated: it is still the newest there is.
      if (data.answer_to === null || data.answer_to <= heard) return false;
      heard = data.answer_to;
      if (sent.has(heard)) waited(performance.now() - sent.get(heard));
      for (const each of sent.keys()) if (each <= heard) sent.delete(each);
      connection.answered(heard === seq);
      return true;
    },
    close: () => {
      clearInterval(timer);
      clearTimeout(freshen);
      connection.close();
      leaving.close();
      outbox.close();
    },
  };
}
