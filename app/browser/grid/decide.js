// Decisions as the server takes them: each has an id of its own.

function decisionsOf(grid, leadTime) {
  const decided = [];
  for (const cell of grid.cells) {
    const classIndex = cell.out ? cell.other : grid.classIndex;
    if (classIndex === null) {
      cell.request = null;
      continue;
    }
    cell.request = newId();
    decided.push({
      id: cell.request, kind: "label", mode: "grid", sample_id: cell.sample.sample_id, class_index: classIndex,
      suggestion_shown: grid.suggested, why_shown: false, lead_time_s: leadTime, shown_together: grid.cells.length,
    });
  }
  return decided;
}

function undoOf(cell) {
  const undoes = cell.request;
  cell.request = null;
  return {
    id: newId(), kind: "undo", sample_id: cell.sample.sample_id, undoes,
    suggestion_shown: false, why_shown: false, lead_time_s: null, shown_together: 1,
  };
}
