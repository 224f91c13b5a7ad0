// What the words of shared/keys.js do on the grid page; says whether the key was used.

function actOnGrid(page, meaning) {
  const [what, rest] = meaning.split(":");
  if (what === "class") return chooseByKey(page, rest);
  const act = ACTS_OF_GRID[what];
  act?.(page);
  return act !== undefined;
}

function chooseByKey(page, key) {
  const classIndex = page.data.classes.findIndex((one) => one.key === key);
  if (classIndex >= 0) page.choose(classIndex);
  return classIndex >= 0;
}

const ACTS_OF_GRID = {
  confirm: confirmGrid,
  undo: undoGrid,
  others: passOver,
  toggle: (page) => { if (page.cursor !== null) page.toggle(page.cursor); },
  left: (page) => page.move(-1),
  right: (page) => page.move(1),
  up: (page) => page.move(-page.columns),
  down: (page) => page.move(page.columns),
  first: (page) => page.moveTo(0),
  last: (page) => page.moveTo(page.grid.cells.length - 1),
};
