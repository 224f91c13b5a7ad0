// The same without a mouse, while the map has the focus: arrows move a cross, Enter picks the sample next to it, Shift and
// arrows draw a box and Enter takes what is in it; + and - zoom, Home shows all, Escape chooses none.

const PACE = 16; // pixels a press
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// map: as of listenToPointer, with drawCross(place, from), fit() and chooseNone().
function listenToArrows(element, map) {
  let at = null; // the cross
  let from = null; // the box's first corner
  const box = () => [from, [at[0], from[1]], at, [from[0], at[1]]];
  const move = ([right, down], isBox) => {
    const { width, height } = map.camera;
    at ??= [width / 2, height / 2];
    from = isBox ? from ?? at : null;
    at = [Math.min(width, Math.max(0, at[0] + PACE * right)), Math.min(height, Math.max(0, at[1] + PACE * down))];
    map.hover(at);
    map.drawLasso(isBox ? box() : []);
  };
  const enter = () => {
    if (at === null) return;
    if (from === null) map.pick(at);
    else map.lasso(box());
    from = null;
  };
  const acts = {
    Enter: enter,
    "+": () => { map.camera.zoomBy(1.4, ...(at ?? [])); map.moved(); },
    "-": () => { map.camera.zoomBy(1 / 1.4, ...(at ?? [])); map.moved(); },
    Home: () => map.fit(),
    Escape: () => { from = null; map.chooseNone(); },
  };
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    const act = arrow ? () => move(arrow, event.shiftKey) : acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  element.addEventListener("blur", () => { at = null; map.hover(null); });
  return { cross: () => at };
}
