// How many columns, and how high a row, so that all samples are seen at once and are as large as can be.

const GAP = 6; // px between cells, also in grid.css
const SMALLEST = 48; // px; a thumb needs it, and then the page scrolls
const LARGEST = 220; // px; beyond, a thumbnail is only blur
const AUTO_LEAST = 96; // px; the size offered at first is the largest whose images are no smaller
const USUALLY_AROUND = 210; // px of words and buttons, before they are drawn
const BELOW = 16; // px

// Room for the cells in the window, [width, height] in px.
function roomFor({ cells, root }) {
  const around = cells.hidden ? USUALLY_AROUND : root.offsetHeight - cells.offsetHeight;
  const top = Math.max(0, root.getBoundingClientRect().top + document.documentElement.scrollTop);
  return [root.clientWidth, Math.max(200, window.innerHeight - top - around - BELOW)];
}

function fitGrid(count, width, height) {
  let best = { columns: 1, side: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const wide = (width - GAP * (columns - 1)) / columns;
    const high = (height - GAP * (rows - 1)) / rows;
    const side = Math.min(wide, high);
    if (side > best.side) best = { columns, side };
  }
  if (best.side >= SMALLEST) return { columns: best.columns, side: Math.floor(Math.min(best.side, LARGEST)) };
  const columns = Math.max(1, Math.floor((width + GAP) / (SMALLEST + GAP)));
  return { columns, side: SMALLEST };
}

function sizeForWindow(sizes, width, height) {
  const fitting = sizes.filter((size) => fitGrid(size, width, height).side >= AUTO_LEAST);
  return fitting.length ? Math.max(...fitting) : Math.min(...sizes);
}

// 99.96 % is not certainty, and must not be rounded to it.
function percent(share) {
  const value = Math.min(100 * share, 99.9);
  return `${value >= 99 ? value.toFixed(1) : value.toFixed(0)} %`;
}
