// Decisions the server has not confirmed yet. They outlive a reload, a lost connection and a killed server, because each
// is in localStorage before the key's event handler ends and leaves it only when the server names its id.
//
// Every decision has an entry of its own: two tabs, or Label and Grid of one person, share the box, and a list rewritten
// by both would lose what the other had just added. Sending everything again is harmless: the server knows the ids.

const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 15000;

// name: whose box; send(decisions): hand all of them to the server; changed(): what is unsaved has changed.
function openOutbox({ name, send, changed }) {
  const prefix = `labelloop:${name}:`;
  const kept = new Map(); // entry's name -> decision
  let stored = true; // false once the browser refuses to keep them: they are then in this page alone
  let timer = null; // set while a message is under way
  let retryMs = FIRST_RETRY_MS;
  let last = 0; // the newest entry's stamp

  const read = () => {
    let entries = [];
    try {
      entries = Object.keys(localStorage).filter((entry) => entry.startsWith(prefix));
    } catch {
      stored = false;
    }
    for (const entry of entries) {
      last = Math.max(last, Number(entry.slice(prefix.length, prefix.length + 16)));
      if (kept.has(entry)) continue;
      try {
        kept.set(entry, JSON.parse(localStorage.getItem(entry)));
      } catch {
        localStorage.removeItem(entry); // cut short: it never was kept
      }
    }
  };

  const keep = (decision) => {
    // The order of the names is the order of the decisions, also when the clock goes back.
    last = Math.max(Date.now() * 1000, last + 1);
    const entry = `${prefix}${String(last).padStart(16, "0")}:${decision.id}`;
    kept.set(entry, decision);
    try {
      localStorage.setItem(entry, JSON.stringify(decision));
    } catch {
      stored = false;
    }
  };

  const drop = (entry) => {
    kept.delete(entry);
    try {
      localStorage.removeItem(entry);
    } catch {
      stored = false;
    }
  };

  const all = () => [...kept.keys()].sort().map((entry) => kept.get(entry));

  const attempt = () => {
    clearTimeout(timer);
    timer = null;
    if (kept.size === 0) return;
    timer = setTimeout(again, retryMs);
    send(all());
  };

  const again = () => {
    retryMs = Math.min(2 * retryMs, LAST_RETRY_MS);
    read();
    attempt();
  };

  const wake = () => {
    if (document.visibilityState === "hidden") return;
    retryMs = FIRST_RETRY_MS;
    attempt();
  };

  const add = (...decisions) => {
    decisions.forEach(keep);
    changed();
    if (timer === null) attempt(); // else they go with the next message: one at a time is under way
  };

  // confirmed: ids that are stored; refused: [{id, sentence}] that never will be. What is left is sent at once; an
  // answer that took nothing out is an old one, and answering it would go round for ever.
  const answered = ({ confirmed, refused }) => {
    const done = new Set([...confirmed, ...refused.map((each) => each.id)]);
    const found = [...kept].filter(([, decision]) => done.has(decision.id));
    if (found.length === 0) return;
    found.forEach(([entry]) => drop(entry));
    retryMs = FIRST_RETRY_MS;
    changed();
    attempt();
  };

  window.addEventListener("online", wake);
  document.addEventListener("visibilitychange", wake);
  read();
  return {
    add,
    answered,
    all,
    attempt,
    size: () => kept.size,
    isStored: () => stored,
    close: () => {
      clearTimeout(timer);
      window.removeEventListener("online", wake);
      document.removeEventListener("visibilitychange", wake);
    },
  };
}
