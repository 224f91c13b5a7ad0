// Sentences that a person has to have seen: each stays for a while, whatever the server says next.

const ALERT_MS = 12000;
const MOST_ALERTS = 3;

// draw(text): shows all of them; empty when there is none.
function openAlerts(draw) {
  const passing = new Map(); // decision's id -> { sentence, until }
  let lasting = [];
  let timer = null;

  const redraw = () => {
    clearTimeout(timer);
    const now = performance.now();
    const open = [...passing.values()].filter(({ until }) => until > now).slice(-MOST_ALERTS);
    draw([...lasting, ...open.map(({ sentence }) => sentence)].join("\n")); // a line each
    if (open.length) timer = setTimeout(redraw, Math.min(...open.map(({ until }) => until)) - now + 1);
  };

  return {
    // about: [{ id, sentence }] of decisions; states: sentences that hold until the next call.
    take: (about, states) => {
      for (const { id, sentence } of about) {
        if (!passing.has(id)) passing.set(id, { sentence, until: performance.now() + ALERT_MS });
      }
      lasting = states.filter(Boolean);
      redraw();
    },
    close: () => clearTimeout(timer),
  };
}
