// Keys, as a word for what they mean. Digits are read by their place on the keyboard: Shift makes signs of them, and a
// French keyboard has them the other way round.

const COMMANDS = {
  Enter: "accept",
  " ": "skip",
  Backspace: "undo",
  ArrowLeft: "older",
  ArrowRight: "newer",
  f: "flag",
  F: "flag",
};
const STREAMLITS_OWN = new Set(["c", "C", "r", "R"]); // clear the cache, rerun: never while somebody labels
const TEXT_FIELDS = /^(?!button$|checkbox$|color$|file$|image$|radio$|range$|reset$|submit$)/;

// "class:3", "class:shift+3", a command, "help", "search:x", "swallow", or null for a key that is none of ours.
function meaningOf(event) {
  const command = event.ctrlKey || event.metaKey;
  if (command) return !event.shiftKey && event.key.toLowerCase() === "z" ? "undo" : null;
  if (event.altKey || event.isComposing) return null;
  const digit = /^(Digit|Numpad)([0-9])$/.exec(event.code ?? "");
  if (digit && (digit[1] === "Digit" || event.key === digit[2])) return `class:${event.shiftKey ? "shift+" : ""}${digit[2]}`;
  if (event.key in COMMANDS) return COMMANDS[event.key];
  if (event.key === "?") return "help";
  if (STREAMLITS_OWN.has(event.key)) return "swallow";
  if (event.key === "/") return "search:";
  return /^\p{L}$/u.test(event.key) && !/^h$/i.test(event.key) ? `search:${event.key}` : null;
}

function isTyping(event) {
  return event.composedPath().some((node) => {
    if (node.isContentEditable || /^(TEXTAREA|SELECT)$/.test(node.tagName ?? "")) return true;
    return node.tagName === "INPUT" && TEXT_FIELDS.test(node.type);
  });
}

// A button that was reached with Tab answers to Enter and Space as buttons do.
function isPressingButton(event) {
  const target = event.composedPath()[0];
  const button = /^(A|BUTTON|INPUT|SUMMARY)$/.test(target.tagName ?? "") && target.matches(":focus-visible");
  return button && (event.key === "Enter" || event.key === " ");
}

const isInDialog = () => document.querySelector('[role="dialog"]') !== null;

function swallow(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

// After a click a widget of the page keeps the focus, and Space or Enter would press it again.
function giveFocusBack() {
  setTimeout(() => {
    const active = document.activeElement;
    if (active !== null && active.matches('input[type="checkbox"], button') && !isInDialog()) active.blur();
  }, 50);
}

// act(meaning, event): says whether the key was used. Returns what takes the listeners off again.
function listenToKeys(act) {
  const listen = (event) => {
    if (isTyping(event) || isInDialog() || isPressingButton(event)) return;
    const meaning = meaningOf(event);
    if (meaning === null) return;
    if (event.repeat || meaning === "swallow") swallow(event);
    else if (act(meaning, event)) swallow(event);
  };
  window.addEventListener("keydown", listen, true);
  window.addEventListener("pointerup", giveFocusBack, true);
  return () => {
    window.removeEventListener("keydown", listen, true);
    window.removeEventListener("pointerup", giveFocusBack, true);
  };
}

// Streamlit's shortcut of the Keys button listens for this.
function pressHelp() {
  for (const kind of ["keydown", "keyup"]) {
    document.dispatchEvent(new KeyboardEvent(kind, { key: "h", code: "KeyH", keyCode: 72, which: 72, bubbles: true, cancelable: true }));
  }
}

const SWIPE_PX = 60;
const SWIPE_MS = 800;

// A finger to the left skips, to the right takes the last decision back.
function listenToSwipes(element, act) {
  let start = null;
  element.addEventListener("pointerdown", (event) => { start = event.pointerType === "mouse" ? null : event; });
  element.addEventListener("pointercancel", () => { start = null; });
  element.addEventListener("pointerup", (event) => {
    if (!start || event.timeStamp - start.timeStamp > SWIPE_MS) return;
    const [x, y] = [event.clientX - start.clientX, event.clientY - start.clientY];
    start = null;
    if (Math.abs(x) >= SWIPE_PX && Math.abs(x) > 2 * Math.abs(y)) act(x < 0 ? "skip" : "undo", event);
  });
}
