// Keys, as a word for what they do: the one table for Label, Grid, its groups, Review and Uncertainty.
//
// Digits are read by their place on the keyboard: Shift makes signs of them, and a French keyboard has them the other way
// round. Letters are read by character, and by place where the layout has no Latin letters.

const ACTIONS = {
  label: {
    Enter: "accept", Space: "skip", Backspace: "undo", ArrowLeft: "older", ArrowRight: "newer",
    f: "flag", ".": "flag", g: "guide", ",": "guide", h: "help", "?": "help", "/": "search:",
    "+": "larger", "=": "larger", "-": "smaller",
  },
  grid: {
    Enter: "confirm", Backspace: "undo", n: "others", x: "toggle", h: "help", "?": "help",
    ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", Home: "first", End: "last",
  },
  several: {
    Space: "toggle", x: "toggle", Backspace: "undo", Escape: "none", h: "help", "?": "help",
    ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", Home: "first", End: "last",
  },
  one: { Space: "skip", Backspace: "undo", f: "flag", ".": "flag", h: "help", "?": "help" },
  groups: { Enter: "take", Space: "skip", Backspace: "undo", n: "leave", h: "help", "?": "help" },
};
const MOVES = new Set(["left", "right", "up", "down"]); // on the grid: held, they go on
const STREAMLITS_OWN = new Set(["c", "r"]); // clear the cache, rerun: never while somebody labels
const TEXT_FIELDS = /^(?!button$|checkbox$|color$|file$|image$|radio$|range$|reset$|submit$)/;
const IS_LETTER = /^\p{L}\p{M}*$/u;
const IS_LATIN = /^\p{Script=Latin}/u;

// The Latin letter that a key stands for; null for what is no letter at all.
function letterOf({ key, code }) {
  if (!IS_LETTER.test(key)) return null;
  const place = /^Key([A-Z])$/.exec(code ?? "");
  return IS_LATIN.test(key) || !place ? key.toLowerCase() : place[1].toLowerCase();
}

// "3" or "shift+3"; null where the key is no digit. Without NumLock the number pad moves.
function digitOf({ key, code, shiftKey }) {
  if (!code) return /^[0-9]$/.test(key) ? key : null; // a keyboard on the screen knows no places
  const digit = /^(Digit|Numpad)([0-9])$/.exec(code);
  if (!digit || (digit[1] === "Numpad" && key !== digit[2])) return null;
  return `${shiftKey ? "shift+" : ""}${digit[2]}`;
}

// page: of ACTIONS. hasSearch: whether classes are found by name: then every letter is the search's. own: letters that a
// person has given to classes.
// "class:3", "class:shift+3", a word of ACTIONS, "search:x", "swallow", or null for a key that is none of ours.
function meaningOf(event, page, hasSearch = false, own = new Set()) {
  if (event.isComposing || /^(Dead|Process|Unidentified)$/.test(event.key)) return null;
  const letter = letterOf(event);
  const isAltGraph = event.getModifierState?.("AltGraph") ?? false;
  if (isAltGraph) return hasSearch && letter !== null ? `search:${event.key}` : null;
  if (event.altKey) return null;
  if (event.ctrlKey || event.metaKey) return letter === "z" && !event.shiftKey ? "undo" : null;
  const digit = digitOf(event);
  if (digit !== null) return `class:${digit}`;
  if (letter !== null && hasSearch) return `search:${event.key}`;
  if (own.has(letter)) return `class:${letter}`;
  if (STREAMLITS_OWN.has(letter)) return "swallow";
  return ACTIONS[page][event.key === " " ? "Space" : letter ?? event.key] ?? null;
}

function isTyping(event) {
  return event.composedPath().some((node) => {
    if (node.isContentEditable || /^(TEXTAREA|SELECT)$/.test(node.tagName ?? "")) return true;
    return node.tagName === "INPUT" && TEXT_FIELDS.test(node.type);
  });
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

// A button or link that was reached with Tab answers to Enter and Space as buttons do; one that was clicked, as the
// sidebar's link to this page, does not. The grid's own cells never do.
function isPressing(event) {
  const target = event.composedPath()[0];
  const isControl = /^(A|BUTTON|INPUT|SUMMARY)$/.test(target.tagName ?? "") && !target.matches(".cell");
  if (target.type === "range") return event.key.startsWith("Arrow");
  return isControl && (event.key === "Enter" || event.key === " ");
}

// act(meaning, event): says whether the key was used. classes(): their keys are among those that are meant. claim(event):
// says whether the key is wanted for something else. Returns what takes the listeners off again.
function listenToKeys({ page, hasSearch = () => false, classes, claim = () => false, act }) {
  let byTab = false; // whether the focus has been moved with Tab since this page began, and not by hand since
  const listen = (event) => {
    if (event.key === "Tab") byTab = true;
    if (isHelpSent || isTyping(event) || isInDialog() || (byTab && isPressing(event))) return;
    if (claim(event)) { swallow(event); return; }
    const meaning = meaningOf(event, page, hasSearch(), lettersOf(classes()));
    if (meaning === null) return;
    if (meaning === "swallow" || (event.repeat && !MOVES.has(meaning))) swallow(event);
    else if (meaning === "help") { swallow(event); pressHelp(); }
    else if (act(meaning, event)) swallow(event);
  };
  const touched = () => { byTab = false; };
  const listeners = [["keydown", listen], ["pointerdown", touched], ["pointerup", giveFocusBack]];
  for (const [type, listener] of listeners) window.addEventListener(type, listener, true);
  return () => { for (const [type, listener] of listeners) window.removeEventListener(type, listener, true); };
}

let isHelpSent = false;

// Streamlit's shortcut of the Keys button listens for an h.
function pressHelp() {
  isHelpSent = true;
  for (const kind of ["keydown", "keyup"]) {
    document.dispatchEvent(new KeyboardEvent(kind, { key: "h", code: "KeyH", keyCode: 72, which: 72, bubbles: true, cancelable: true }));
  }
  isHelpSent = false;
}
