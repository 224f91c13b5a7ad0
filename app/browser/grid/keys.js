// What a key does on the grid page. Keys in text boxes, in dialogs, and held down are not ours.

const DIGIT = /^(?:Digit|Numpad)([0-9])$/;

const isElsewhere = (event) =>
  event.composedPath().some((node) => node.tagName && (/^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName) || node.isContentEditable)) ||
  document.querySelector('[role="dialog"]') !== null;

// A control that has the focus answers to Enter and Space itself.
const onControl = (event) =>
  event.composedPath().some((node) => node.tagName && /^(BUTTON|A)$/.test(node.tagName) && !node.classList.contains("cell"));

function pressKey(page, event) {
  if (isElsewhere(event)) return;
  const act = actionOf(page, event);
  if (act === null) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!event.repeat || event.key.startsWith("Arrow")) act();
}

function actionOf(page, event) {
  const command = event.ctrlKey || event.metaKey;
  if (command && !event.shiftKey && event.key.toLowerCase() === "z") return () => undoGrid(page);
  if (command || event.altKey) return null;
  const digit = DIGIT.exec(event.code);
  if (digit) return classAction(page, `${event.shiftKey ? "shift+" : ""}${digit[1]}`);
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "Enter" && onControl(event)) return null;
  return actions(page)[key] ?? null;
}

function classAction(page, key) {
  const classIndex = page.data.classes.findIndex((one) => one.key === key);
  return classIndex < 0 ? null : () => page.choose(classIndex);
}

const actions = (page) => ({
  Enter: () => confirmGrid(page),
  Backspace: () => undoGrid(page),
  n: () => passOver(page),
  x: () => page.cursor !== null && page.toggle(page.cursor),
  ArrowLeft: () => page.move(-1),
  ArrowRight: () => page.move(1),
  ArrowUp: () => page.move(-page.columns),
  ArrowDown: () => page.move(page.columns),
  Home: () => page.moveTo(0),
  End: () => page.moveTo(page.grid.cells.length - 1),
});
