// How many columns, and how high a row, so that all samples are seen at once and are as large as can be; what would be
// too small scrolls. shape: of a cell, see content/content.js.

const GAP = 6; // px between cells, also in grid.css
const USUALLY_AROUND = 210; // px of words and buttons, before they are drawn
const BELOW = 16; // px

// Room for the cells in the window, [width, height] in px.
function roomFor({ cells, root }) {
  const around = cells.hidden ? USUALLY_AROUND : root.offsetHeight - cells.offsetHeight;
  const top = Math.max(0, root.getBoundingClientRect().top + document.documentElement.scrollTop);
  return [root.clientWidth, Math.max(200, window.innerHeight - top - around - BELOW)];
}

function fitGrid(count, { wide, smallest, largest }, width, height) {
  let best = { columns: 1, side: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const across = (width - GAP * (columns - 1)) / columns;
    const high = (height - GAP * (rows - 1)) / rows;
    const side = Math.min(across / wide, high);
    if (side > best.side) best = { columns, side };
  }
  if (best.side >= smallest) return { columns: best.columns, side: Math.floor(Math.min(best.side, largest)) };
  const columns = Math.max(1, Math.floor((width + GAP) / (wide * smallest + GAP)));
  return { columns, side: smallest };
}

function sizeForWindow(sizes, shape, width, height) {
  const fitting = sizes.filter((size) => fitGrid(size, shape, width, height).side >= shape.comfortable);
  return fitting.length ? Math.max(...fitting) : Math.min(...sizes);
}

// 99.96 % is not certainty, and must not be rounded to it.
function percent(share) {
  const value = Math.min(100 * share, 99.9);
  return `${value >= 99 ? value.toFixed(1) : value.toFixed(0)} %`;
}
