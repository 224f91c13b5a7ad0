// The same points where there is no WebGL: slower, and the same to look at.

const TINY = 4; // pixels: no shape is told from another in fewer

// A path around (0, 0), 2 wide, per shape in the order of looks.js.
const OUTLINES = [
  null,
  [[-0.87, -0.87], [0.87, -0.87], [0.87, 0.87], [-0.87, 0.87]],
  [[0, -1], [1, 1], [-1, 1]],
  [[0, -1], [1, 0], [0, 1], [-1, 0]],
  [[-0.33, -1], [0.33, -1], [0.33, -0.33], [1, -0.33], [1, 0.33], [0.33, 0.33], [0.33, 1], [-0.33, 1], [-0.33, 0.33], [-1, 0.33], [-1, -0.33], [-0.33, -0.33]],
  [[-1, -1], [1, -1], [0, 1]],
];

function addOutline(context, outline, x, y, half) {
  if (outline === null) {
    context.moveTo(x + half, y);
    context.arc(x, y, half, 0, 2 * Math.PI);
    return;
  }
  outline.forEach(([right, down], corner) => context[corner ? "lineTo" : "moveTo"](x + half * right, y + half * down));
  context.closePath();
}

// Rows of one look together: to change a color takes longer than to draw a point. The faded ones lie below.
function rowsByLook(looks) {
  const found = new Map();
  for (let row = 0; 4 * row < looks.length; row += 1) {
    const [red, green, blue, shape] = looks.subarray(4 * row, 4 * row + 4);
    const key = ((shape * 256 + red) * 256 + green) * 256 + blue;
    if (!found.has(key)) found.set(key, { color: `rgb(${red} ${green} ${blue})`, shape, rows: [] });
    found.get(key).rows.push(row);
  }
  return [...found.values()].sort((a, b) => (b.shape >= FADED) - (a.shape >= FADED));
}

function openCanvas(canvas) {
  const context = canvas.getContext("2d");
  let [places, looks] = [new Float32Array(0), []];
  return {
    name: "canvas",
    setPlaces: (values) => { places = values; },
    setLooks: (values) => { looks = rowsByLook(values); },
    draw: (camera, count, pixels) => {
      const ratio = canvas.width / camera.width;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, camera.width, camera.height);
      const half = pixels / 2;
      for (const { color, shape, rows } of looks) {
        context.fillStyle = color;
        context.globalAlpha = shape >= FADED ? 0.15 : 0.85;
        context.beginPath();
        for (const row of rows) {
          const [x, y] = camera.toPage(places[2 * row], places[2 * row + 1]);
          if (x < -half || y < -half || x > camera.width + half || y > camera.height + half) continue;
          if (pixels < TINY) context.fillRect(x - half, y - half, pixels, pixels);
          else addOutline(context, OUTLINES[shape % FADED], x, y, half);
        }
        context.fill();
      }
    },
    close: () => {},
  };
}
