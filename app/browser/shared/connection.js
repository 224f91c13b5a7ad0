// Notices that the server does not answer, and finds the way back by itself.
//
// Streamlit reconnects alone, but waits up to 4 s between two tries, and a message sent meanwhile is lost. So the page
// looks itself, twice a second, and loads itself anew once the server is back and Streamlit has not noticed. Nothing is
// lost by that: what the server has not confirmed is in the outbox.

const SILENCE_MS = 1500; // without an answer for this long, the connection counts as lost
const LOOK_MS = 500;
const GRACE_MS = 600; // for Streamlit to reconnect by itself
const BUSY_MS = 15000; // a server that answers its health check but nothing else may only be busy; not for ever
const RELOAD_GAP_MS = 4000;
const RELOADED_KEY = "labelloop:reloaded";

function healthAddress() {
  const script = document.querySelector('script[type="module"][src*="static/js/"]');
  return new URL(script ? "../../_stcore/health" : "/_stcore/health", script ? script.src : window.location.href);
}

function isReloadDue() {
  const last = Number(tabMemory.get(RELOADED_KEY) ?? 0);
  if (Date.now() - last < RELOAD_GAP_MS) return false;
  tabMemory.set(RELOADED_KEY, String(Date.now()));
  return true;
}

// changed(lost): called when the connection is lost or found; reload(): loads the page anew; null: nobody may.
function openConnection(changed, reload) {
  const health = healthAddress();
  let asked = null; // when the oldest message without an answer was sent
  let lost = false;
  let wasDown = false;
  let upSince = null;
  let looking = false;

  const tell = (now) => {
    if (lost === now) return;
    lost = now;
    changed(lost);
  };

  const judge = (isUp, now) => {
    if (!isUp) [wasDown, upSince] = [true, null];
    else upSince ??= now;
    if (reload === null || asked === null || !isUp) return;
    const patience = wasDown ? GRACE_MS : BUSY_MS;
    if (now - Math.max(upSince, asked) >= patience && isReloadDue()) reload();
  };

  const look = async () => {
    if (asked === null || performance.now() - asked < SILENCE_MS || looking) return;
    tell(true);
    looking = true;
    try {
      const answer = await fetch(health, { cache: "no-store", signal: AbortSignal.timeout(2000) });
      judge(answer.ok, performance.now());
    } catch {
      judge(false, performance.now());
    } finally {
      looking = false;
    }
  };

  const timer = setInterval(look, LOOK_MS);
  return {
    asked: () => { asked ??= performance.now(); },
    // isLast: no later message waits for its answer.
    answered: (isLast) => {
      [asked, wasDown, upSince] = [isLast ? null : performance.now(), false, null];
      tell(false);
    },
    isLost: () => lost,
    isWaiting: () => asked !== null,
    close: () => clearInterval(timer),
  };
}
