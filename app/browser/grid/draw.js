// The grid page's words and marks, drawn from what the page holds.

function drawQuestion(page) {
  const { grid, view, data } = page;
  view.question.replaceChildren(...questionOf(grid, data.classes));
  view.hint.textContent = grid === null ? "" : hintOf(grid, data.least);
  view.honest.textContent = honestWords(grid);
}

function questionOf(grid, classes) {
  if (grid === null) return ["Many at once"];
  if (grid.classIndex === null) return [`These ${grid.cells.length} look alike. What are they?`];
  return ["Take out what is not ", element("strong", { translate: "no" }, classes[grid.classIndex].name)];
}

function hintOf(grid, least) {
  if (!grid.suggested) {
    return "No model yet: neighbors on the map, the farthest from the middle first. Name the group, take out strangers.";
  }
  const shares = grid.samples.map((sample) => sample.probability);
  const [low, high] = [percent(Math.min(...shares)), percent(Math.max(...shares))];
  const given = low === high ? `${low} or more` : `${low} to ${high}`;
  return `Least sure first; the model gives them ${given}. Below ${percent(least)} none is shown here.`;
}

function honestWords(grid) {
  if (grid === null) return "";
  const who = grid.suggested ? "The model" : "The map";
  return `${who} chose these samples. Their labels train the model and never measure its accuracy: audit samples are only asked one by one.`;
}

function drawBar(page) {
  const { grid, view, data } = page;
  const out = grid === null ? 0 : grid.cells.filter((cell) => cell.out).length;
  const left = grid === null ? 0 : grid.cells.length - out;
  const named = grid !== null && grid.classIndex !== null;
  const confirms = named && left > 0 ? `Confirm ${left} as ${data.classes[grid.classIndex].name}` : "Confirm";
  view.confirm.firstChild.textContent = named && left === 0 ? "Go on" : confirms;
  view.confirm.disabled = !named;
  view.undo.disabled = page.past.length === 0;
  view.other.disabled = grid === null;
  view.state.textContent = page.note || (out === 0 ? "" : outWords(grid, out));
  view.state.classList.toggle("told", page.note !== "");
}

function outWords(grid, out) {
  const other = grid.cells.filter((cell) => cell.out && cell.other !== null).length;
  const back = out - other;
  const words = [];
  if (back) words.push(`${back} taken out ${back === 1 ? "goes" : "go"} back to the queue`);
  if (other) words.push(`${other} ${back ? "get" : "taken out get"}${other === 1 ? "s" : ""} another class`);
  return `${words.join(", ")}.`;
}

function drawClasses(page) {
  drawClassChips(page);
  // What the chips say changes with the cursor; their lines must not become fewer, or the cells would jump.
  const { chips } = page.view;
  chips.style.minHeight = `${chips.offsetHeight}px`;
}

function drawClassChips(page) {
  const { grid, view, data } = page;
  const cell = page.selected();
  const named = namedChips(data.classes);
  const choose = (value) => page.byHand(() => page.choose(value));
  if (cell !== null && grid.classIndex !== null) {
    const queue = { value: null, text: "Back to the queue", count: "" };
    drawChips(view, { ask: `Sample ${cell.place + 1} is:`, chips: [queue, ...named], chosen: cell.other, choose });
  } else if (grid !== null && !grid.suggested) {
    drawChips(view, { ask: "These are:", chips: named, chosen: grid.classIndex, choose });
  } else {
    named.forEach((chip) => { chip.count = data.sure[chip.value] || ""; });
    const most = { value: null, text: "Most sure", count: "" };
    drawChips(view, { ask: "Show:", chips: [most, ...named], chosen: page.classIndex, choose });
  }
}

function drawSizes(page) {
  for (const press of page.view.sizes.children) {
    press.setAttribute("aria-pressed", String(Number(press.dataset.size) === page.size));
  }
}

function drawEmpty(page) {
  const { grid, view, data } = page;
  const waits = page.talk.isUpToDate() && data.waiting;
  view.empty.hidden = grid !== null;
  view.cells.hidden = grid === null;
  view.empty.textContent = waits || "Fetching samples…";
}
