// Where the map is looked at: its places (-1..1) to pixels of the page, and back.

const MOST_ZOOM = 2000;
const MARGIN = 0.92; // of the shorter side, when all fits

class Camera {
  constructor() {
    this.resize(1, 1);
    this.fit();
  }

  resize(width, height) {
    [this.width, this.height] = [width, height];
  }

  fit() {
    [this.x, this.y, this.zoom] = [0, 0, 1];
  }

  // Pixels a unit of the map.
  get scale() {
    return (MARGIN * Math.min(this.width, this.height) * this.zoom) / 2;
  }

  toPage(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, this.height / 2 - (y - this.y) * this.scale];
  }

  toMap(left, top) {
    return [(left - this.width / 2) / this.scale + this.x, (this.height / 2 - top) / this.scale + this.y];
  }

  pan(right, down) {
    this.x -= right / this.scale;
    this.y += down / this.scale;
  }

  // What lies under (left, top) stays there.
  zoomBy(factor, left = this.width / 2, top = this.height / 2) {
    const [x, y] = this.toMap(left, top);
    this.zoom = Math.min(MOST_ZOOM, Math.max(0.5, this.zoom * factor));
    const [newX, newY] = this.toMap(left, top);
    this.x += x - newX;
    this.y += y - newY;
  }
}

// The row nearest to a place of the page, not farther than `reach` pixels; -1: none.
function nearestRow(points, count, camera, left, top, reach) {
  const [x, y] = camera.toMap(left, top);
  let [best, least] = [-1, (reach / camera.scale) ** 2];
  for (let row = 0; row < count; row += 1) {
    const distance = (points.places[2 * row] - x) ** 2 + (points.places[2 * row + 1] - y) ** 2;
    if (distance <= least) [best, least] = [row, distance];
  }
  return best;
}

// A one for each row inside a polygon of places of the map, by the even-odd rule.
function flagsInside(points, count, polygon) {
  const xs = polygon.map(([x]) => x);
  const ys = polygon.map(([, y]) => y);
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const inside = new Uint8Array(points.total);
  for (let row = 0; row < count; row += 1) {
    const [x, y] = [points.places[2 * row], points.places[2 * row + 1]];
    if (x >= left && x <= right && y >= low && y <= high && isInside(xs, ys, x, y)) inside[row] = 1;
  }
  return inside;
}

function isInside(xs, ys, x, y) {
  let inside = false;
  for (let to = 0, from = xs.length - 1; to < xs.length; from = to, to += 1) {
    const crosses = ys[to] > y !== ys[from] > y;
    if (crosses && x < ((xs[from] - xs[to]) * (y - ys[to])) / (ys[from] - ys[to]) + xs[to]) inside = !inside;
  }
  return inside;
}
