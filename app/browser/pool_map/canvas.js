// The same points where there is no graphics card: many of them pixel by pixel, a few with their shapes.

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

// One 32-bit pixel a row, red lowest.
function pixelsOf(looks) {
  const pixels = new Uint32Array(looks.length / 4);
  for (let row = 0; row < pixels.length; row += 1) {
    const [red, green, blue, shape] = looks.subarray(4 * row, 4 * row + 4);
    pixels[row] = (((shape >= FADED ? 38 : 217) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  }
  return pixels;
}

function openCanvas(canvas) {
  const context = canvas.getContext("2d");
  let [places, looks, byLook, pixels] = [new Float32Array(0), new Uint8Array(0), null, null];

  // Pixel by pixel: ten times as fast as by squares.
  const drawTiny = (camera, count, size) => {
    const { width, height } = canvas;
    const ratio = width / camera.width;
    const side = Math.max(1, Math.round(size * ratio));
    const image = context.createImageData(width, height);
    const target = new Uint32Array(image.data.buffer);
    pixels ??= pixelsOf(looks);
    const [scale, left, top] = [camera.scale * ratio, width / 2 - camera.x * camera.scale * ratio, height / 2 + camera.y * camera.scale * ratio];
    for (const isFaded of [true, false]) {
      for (let row = 0; row < count; row += 1) {
        if (looks[4 * row + 3] >= FADED !== isFaded) continue;
        const x = Math.round(places[2 * row] * scale + left - side / 2);
        const y = Math.round(top - places[2 * row + 1] * scale - side / 2);
        if (x < 0 || y < 0 || x + side > width || y + side > height) continue;
        for (let down = 0; down < side; down += 1) target.fill(pixels[row], (y + down) * width + x, (y + down) * width + x + side);
      }
    }
    context.putImageData(image, 0, 0);
  };

  const drawShapes = (camera, size) => {
    const half = size / 2;
    byLook ??= rowsByLook(looks);
    for (const { color, shape, rows } of byLook) {
      context.fillStyle = color;
      context.globalAlpha = shape >= FADED ? 0.15 : 0.85;
      context.beginPath();
      for (const row of rows) {
        const [x, y] = camera.toPage(places[2 * row], places[2 * row + 1]);
        if (x < -half || y < -half || x > camera.width + half || y > camera.height + half) continue;
        addOutline(context, OUTLINES[shape % FADED], x, y, half);
      }
      context.fill();
    }
  };

  return {
    name: "canvas",
    setPlaces: (values) => { places = values; },
    setLooks: (values) => { [looks, byLook, pixels] = [values, null, null]; },
    draw: (camera, count, size) => {
      const ratio = canvas.width / camera.width;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, camera.width, camera.height);
      if (size < TINY) drawTiny(camera, count, size);
      else drawShapes(camera, size);
    },
    close: () => {},
  };
}
