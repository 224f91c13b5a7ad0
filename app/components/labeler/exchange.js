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

// facts({ hasAnswer }): what the message says beside the decisions; isHungry(): whether the queue needs more;
// changed(): something about saving has changed.
function openExchange({ name, facts, isHungry, isIdle, changed }) {
  let seq = 0;
  let set = null; // Streamlit's setStateValue, new with every drawing
  let session = null; // the server's; another one means that it was started anew or that we reconnected
  let hasAnswer = false;
  let scheduled = false;
  let lastSent = -Infinity;
  let freshen = null;
  const connection = openConnection(changed);

  const post = () => {
    scheduled = false;
    if (set === null) return;
    seq += 1;
    lastSent = performance.now();
    connection.asked();
    set("outbox", { name, seq, hello: !hasAnswer, decisions: outbox.all(), ...facts({ hasAnswer }) });
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
    if (quiet >= due || (isHungry() && quiet >= TICK_MS)) post();
  };
  const timer = setInterval(tick, TICK_MS);

  return {
    outbox, connection, schedule,
    isNamed: name,
    // Takes the server's answer; says whether its queue is news.
    receive: (data, setStateValue) => {
      set = setStateValue;
      const isNewSession = session !== data.session;
      session = data.session;
      if (data.answer_to === null || data.answer_to !== seq) {
        // A server that does not know our last message: say it again at once, not when the patience is over.
        if (isNewSession) post();
        if (data.answer_to === null) return false;
      }
      const isNews = data.answer_to === seq;
      if (isNews) {
        hasAnswer = true;
        connection.answered();
      }
      if (data.confirmed.length || data.refused.length) {
        outbox.answered(data);
        clearTimeout(freshen);
        freshen = setTimeout(() => { if (!connection.isWaiting()) post(); }, FRESHEN_MS);
      }
      if (isNews && !scheduled && isHungry()) schedule();
      return isNews;
    },
    close: () => {
      clearInterval(timer);
      clearTimeout(freshen);
      connection.close();
      outbox.close();
    },
  };
}
