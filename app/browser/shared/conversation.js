// What a page says to the server and hears from it, the same on every page that labels. Every message holds the whole
// outbox, so a lost, repeated or overtaken message loses nothing; `seq` tells which message an answer belongs to.

const TICK_MS = 1000;
const HIDDEN_MS = 20000; // the pause of a page that nobody looks at

// name: whose outbox. facts({ isFirst }): what a message says beside the decisions. pauseMs(): how long nothing may be
// said; Infinity: only decisions are. changed(): something about saving has changed. alert(text): sentences that a person
// has to have seen. reloads: whether the page may be loaded anew when the server is back; else Streamlit's own way back is
// waited for, some seconds, because the page holds more than a reload keeps. freshenMs: so long after the last stored
// decision, what the server shows has changed by it. waited(ms): how long an answer took.
function openConversation({ name, facts, pauseMs, changed, alert, reloads = false, freshenMs = null, waited = () => {} }) {
  let seq = Date.now(); // above all that an earlier page may have sent, whose answer could still come
  const first = seq;
  let set = null; // Streamlit's setStateValue, new with every drawing
  let session = null; // the server's; another one means that it was started anew or that we reconnected
  let heard = seq; // the newest message that was answered
  let scheduled = false;
  let lastSent = -Infinity;
  let unsavedSince = null;
  let elsewhere = null; // a sentence while the same name labels on another page
  const sent = new Map(); // seq -> when; of the messages without an answer
  let freshen = null;
  const alerts = openAlerts(alert);
  const leaving = watchLeaving(() => outbox.size() === 0);
  const connection = openConnection(changed, reloads ? leaving.reload : null);

  const post = () => {
    scheduled = false;
    if (set === null || leaving.isUnderWay() || (outbox.size() === 0 && pauseMs() === Infinity)) return;
    seq += 1;
    lastSent = performance.now();
    sent.set(seq, lastSent);
    connection.asked();
    set("message", { name, seq, page: pageId(), decisions: outbox.all(), ...facts({ isFirst: heard === first }) });
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
    const due = document.visibilityState === "hidden" ? Math.max(HIDDEN_MS, pauseMs()) : pauseMs();
    if (!connection.isWaiting()) {
      if (quiet >= due) post();
    } else if (outbox.size() === 0 && quiet > Math.max(2 * TICK_MS, due)) {
      post(); // the outbox repeats its own messages
    }
  };
  const timer = setInterval(tick, TICK_MS);

  const isSlow = () => {
    unsavedSince = outbox.size() === 0 ? null : unsavedSince ?? performance.now();
    return unsavedSince !== null && performance.now() - unsavedSince > SILENCE_MS;
  };

  return {
    outbox, connection, schedule,
    // Takes the server's answer; says whether it is news.
    receive: (data, setStateValue) => {
      set = setStateValue;
      const isNewSession = session !== data.session;
      session = data.session;
      // A server that does not know our last message: say it again at once, not when the patience is over.
      if (isNewSession && data.seq !== seq) post();
      if (data.confirmed.length || data.refused.length) {
        outbox.answered(data);
        clearTimeout(freshen);
        if (freshenMs !== null) freshen = setTimeout(() => { if (!connection.isWaiting()) post(); }, freshenMs);
      }
      if (data.elsewhere !== undefined) elsewhere = data.elsewhere;
      alerts.take([...data.refused, ...data.notices], [data.trouble, elsewhere]);
      // On a busy machine an answer may come after the message was repeated: it is still the newest there is.
      if (data.seq === null || data.seq <= heard) return false;
      heard = data.seq;
      if (sent.has(heard)) waited(performance.now() - sent.get(heard));
      for (const each of sent.keys()) if (each <= heard) sent.delete(each);
      connection.answered(heard === seq);
      return true;
    },
    // Whether the last message is answered.
    isUpToDate: () => heard === seq && heard !== first,
    // Whether the message that comes next, or one after it, is answered: for what was put into the outbox at this moment.
    answerTo: () => {
      const next = seq + 1;
      return () => heard >= next;
    },
    saved: () => savedWords({ unsaved: outbox.size(), isLost: connection.isLost(), isStored: outbox.isStored(), isSlow: isSlow() }),
    close: () => {
      clearInterval(timer);
      clearTimeout(freshen);
      alerts.close();
      connection.close();
      leaving.close();
      outbox.close();
    },
  };
}

function savedWords({ unsaved, isLost, isStored, isSlow }) {
  if (unsaved === 0) return { text: isLost ? "No answer from the server; trying again" : "All saved", isWarning: isLost };
  const where = isStored ? "kept in this browser" : "kept in this page only: do not close it";
  if (isLost) return { text: `${unsaved} unsaved: no answer from the server; ${where}`, isWarning: true };
  return { text: isStored ? `${unsaved} unsaved` : `${unsaved} unsaved, ${where}`, isWarning: isSlow || !isStored };
}

// Of a page whose answers may take long: silence alone is no news there, as long as everything is saved.
function drawUnsaved(root, line, { outbox, saved }) {
  root.dataset.unsaved = outbox.size();
  line.hidden = outbox.size() === 0;
  line.textContent = saved().text;
}
