// How each point looks: its color, its shape, and whether it is faded because others were chosen. Four bytes a point.

const LEVELS = 32; // shades of a measure
const SHAPES_OF_CLASSES = 6; // circle, square, triangle up, diamond, cross, triangle down
const FADED = 8; // added to the shape

const rgbOf = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

// A color between those of a scale; share: 0..1.
function between(scale, share) {
  const at = share * (scale.length - 1);
  const from = Math.min(scale.length - 2, Math.floor(at));
  return scale[from].map((value, part) => Math.round(value + (scale[from + 1][part] - value) * (at - from)));
}

// The shapes are out of step with the colors, which come again after ten, so that sixty classes differ in one of them.
const classLook = (index, colors) => [...rgbOf(colors[index]), (index + Math.floor(index / 10)) % SHAPES_OF_CLASSES];

// What there is to color by: { name, title, count (rows that are drawn), lookOf(row), legend }.
function colorings(points, { measures, classes, colors, low_to_high: stops, unknown }) {
  const scale = stops.map(rgbOf);
  const ofMeasures = measures.map(({ name, title, unit }, place) => {
    const values = points.measures[place];
    let top = 0;
    for (const value of values) top = Math.max(top, value);
    const shades = Array.from({ length: LEVELS }, (_, level) => [...between(scale, level / (LEVELS - 1)), 0]);
    const lookOf = (row) => shades[Math.round((LEVELS - 1) * Math.max(0, values[row] / (top || 1)))];
    return { name, title, count: points.scored, lookOf, legend: { stops, from: "0", to: `${top.toFixed(3)} ${unit}` } };
  });
  const looks = classes.map((_, index) => classLook(index, colors));
  const [none, skipped] = [[...rgbOf(unknown), 0], [...rgbOf(unknown), 4]];
  const named = classes.map((text, index) => ({ text, look: looks[index] }));
  const decided = [...named, { text: "skipped", look: skipped }, { text: "not labeled", look: none }];
  return [
    ...ofMeasures,
    { name: "prediction", title: "Prediction", count: points.scored, lookOf: (row) => looks[points.predictions[row]], legend: { entries: named } },
    { name: "label", title: "Label", count: points.total, lookOf: (row) => looks[points.labels[row]] ?? (points.labels[row] === -2 ? skipped : none), legend: { entries: decided } },
  ];
}

// The looks of all rows; worked out once a coloring.
function looksOf(coloring) {
  const looks = new Uint8Array(4 * coloring.count);
  for (let row = 0; row < coloring.count; row += 1) looks.set(coloring.lookOf(row), 4 * row);
  return looks;
}

// chosen: a one for each row that was chosen, the others are faded; null where none were.
function fadeOthers(looks, chosen) {
  if (chosen === null) return looks;
  const faded = looks.slice();
  for (let row = 0; 4 * row < looks.length; row += 1) if (!chosen[row]) faded[4 * row + 3] += FADED;
  return faded;
}

// Pixels of the page: a few hundred are large, a hundred thousand small, and closer by all are larger.
const pointSize = (count, zoom) => Math.min(16, (2 + 150 / Math.sqrt(Math.max(1, count))) * zoom ** 0.35);
