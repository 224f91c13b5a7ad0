// Which tab this is, for the server, and what a browser remembers, which may refuse to.

const PAGE_KEY = "labelloop:page";

function newId() {
  // Not crypto.randomUUID: the browser has it on secure pages only.
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// sessionStorage, or nothing where site data is blocked: even to name it throws there.
const tabMemory = {
  get: (key) => {
    try {
      return sessionStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set: (key, value) => {
    try {
      if (value === null) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, value);
    } catch {
      // then a page that is loaded anew is another one: its samples come back when their lease is over
    }
  },
};

// What a browser remembers beside the decisions, for the next visit too: switches, own keys, a choice of size and class.
const recall = (key, otherwise) => {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
};

const remember = (key, value) => {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // a full browser forgets a choice; decisions are kept by the outbox, which says when it cannot
  }
};

// The same for all components of a page and after a reload. A tab that is duplicated gets a copy of sessionStorage: so the
// id lies there only from the end of a page to the beginning of the next.
function pageId() {
  if (window.labelloopPage === undefined) {
    window.labelloopPage = tabMemory.get(PAGE_KEY) ?? newId();
    tabMemory.set(PAGE_KEY, null);
    window.addEventListener("pagehide", () => tabMemory.set(PAGE_KEY, window.labelloopPage));
    window.addEventListener("pageshow", () => tabMemory.set(PAGE_KEY, null));
  }
  return window.labelloopPage;
}

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
