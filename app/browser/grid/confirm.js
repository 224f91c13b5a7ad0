// Deciding about a whole grid: confirmed, taken back, or passed over.

const TOO_SOON_MS = 300; // nobody has looked at a whole grid in less: a key pressed twice must not confirm the next one
const MOST_PAST = 10; // grids that can be taken back
const MOST_PASSED = 5000;

function confirmGrid(page) {
  const grid = page.grid;
  if (grid === null || performance.now() - grid.shownAt < TOO_SOON_MS) return;
  if (grid.cells.some((cell) => cell.content.state === "loading")) return;
  if (grid.classIndex === null) {
    page.say("Say first what these are: press the key of their class.");
    return;
  }
  if (!isSeenToTheEnd(page)) {
    page.say("Look at the rest first, then confirm.");
    return;
  }
  const pressed = performance.now();
  const decisions = decisionsOf(grid, (pressed - grid.shownAt) / 1000 / grid.cells.length);
  pass(page, grid.cells.filter((cell) => cell.request === null));
  page.past = [...page.past, grid].slice(-MOST_PAST);
  page.grids.shift();
  page.show(pressed);
  page.hear(`${decisions.length} confirmed.`);
  commit(page, decisions);
}

// On a small screen the last samples are below the window: a first try to confirm shows them, a second one confirms.
function isSeenToTheEnd(page) {
  const { bar } = page.view;
  const last = page.grid.cells.at(-1).press;
  const isVisible = last.getBoundingClientRect().bottom <= bar.getBoundingClientRect().top;
  const wasShown = page.grid.endShown || isVisible;
  if (!wasShown) last.scrollIntoView({ block: "nearest" });
  page.grid.endShown = true;
  return wasShown;
}

function commit(page, decisions) {
  if (decisions.length) page.talk.outbox.add(...decisions);
  page.talk.schedule(); // also where a message is under way, or nothing was decided: the next grid is wanted
}

function undoGrid(page) {
  const grid = page.past.pop();
  if (grid === undefined) {
    page.say("No grid of this visit is left to take back. Review has every label.");
    return;
  }
  const undone = grid.cells.filter((cell) => cell.request !== null);
  const back = new Set(grid.samples.map((sample) => sample.sample_id));
  keepPassed(page, page.passed.ids.filter((sampleId) => !back.has(sampleId)));
  page.grids.unshift(grid);
  page.show();
  page.hear(`${undone.length} labels taken back.`);
  commit(page, undone.map(undoOf));
}

function passOver(page) {
  const grid = page.grid;
  if (grid === null) return;
  pass(page, grid.cells);
  page.grids.shift();
  page.show();
  page.talk.schedule();
}

function pass(page, cells) {
  keepPassed(page, [...page.passed.ids, ...cells.map((cell) => cell.sample.sample_id)]);
}

function keepPassed(page, ids) {
  page.passed.ids = ids.slice(-MOST_PASSED);
  remember(`labelloop-passed:${page.name}`, page.passed);
}
