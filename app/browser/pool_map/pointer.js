// Mouse, pen and finger on the map: drag moves it, the wheel zooms, a click picks, Shift and drag (or the lasso's button)
// draws around samples.

const A_CLICK = 4; // pixels moved at most
const REACH = 14; // pixels from a point: nobody hits one of three
const STEP = 3; // pixels between the corners of a lasso

const placeIn = (element, event) => {
  const { left, top } = element.getBoundingClientRect();
  return [event.clientX - left, event.clientY - top];
};

// map: { camera, isLassoing, hover(place), pick(place), drawLasso(corners), lasso(corners), moved() }.
function listenToPointer(element, map) {
  let held = null; // { from, last, corners }
  const down = (event) => {
    if (event.button !== 0) return;
    const from = placeIn(element, event);
    element.setPointerCapture(event.pointerId);
    held = { from, last: from, corners: event.shiftKey || map.isLassoing ? [from] : null };
  };
  const move = (event) => {
    const at = placeIn(element, event);
    if (held === null) return map.hover(at);
    const [right, below] = [at[0] - held.last[0], at[1] - held.last[1]];
    if (held.corners === null) {
      map.camera.pan(right, below);
      held.last = at;
      map.moved();
    } else if (Math.hypot(right, below) >= STEP) {
      held.corners.push(at);
      held.last = at;
      map.drawLasso(held.corners);
    }
  };
  const up = (event) => {
    if (held === null) return;
    const { from, corners } = held;
    const at = placeIn(element, event);
    held = null;
    const isClick = Math.hypot(at[0] - from[0], at[1] - from[1]) <= A_CLICK && (corners === null || corners.length < 3);
    if (isClick) map.pick(at);
    else if (corners !== null) map.lasso(corners);
  };
  const wheel = (event) => {
    event.preventDefault();
    map.camera.zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), ...placeIn(element, event));
    map.moved();
  };
  element.addEventListener("pointerdown", down);
  element.addEventListener("pointermove", move);
  element.addEventListener("pointerup", up);
  element.addEventListener("pointercancel", () => { held = null; map.drawLasso([]); });
  element.addEventListener("pointerleave", () => map.hover(null));
  element.addEventListener("wheel", wheel, { passive: false });
}
