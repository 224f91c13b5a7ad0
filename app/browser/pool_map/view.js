// What stands on the map's part of the page, without what it does.

const HOW = "Drag to move, wheel to zoom, click to see a sample. Shift and drag, or Lasso and drag, to choose many. With the map in " +
  "focus: arrows and Enter, Shift and arrows for a box, + - Home.";

function makeMapView(on) {
  const view = {
    colors: element("div", { class: "chips", role: "group", "aria-label": "Color by" }),
    legend: element("div", { class: "legend", role: "group", "aria-label": "Legend" }),
    base: element("canvas", { "aria-hidden": "true" }),
    over: element("canvas", { "aria-hidden": "true" }),
    tip: element("div", { class: "tip", "aria-hidden": "true", hidden: true }),
    lasso: button("Lasso", "", on.toggleLasso, { "aria-pressed": "false", title: "Draw around samples to choose them" }),
    state: element("span", { class: "state", role: "status" }),
    offer: button("Offer as a group", "", on.offer, { class: "offer", title: "Some are judged one by one; one key labels the rest, once it is proven" }),
    none: button("Choose none", "", on.chooseNone),
    strip: element("div", { class: "strip", role: "group", "aria-label": "Some of the chosen samples" }),
  };
  view.stage = element("div", { class: "stage", tabindex: "0", role: "application", "aria-label": "Map of the pool", "aria-describedby": "how" }, view.base, view.over, view.tip);
  const tools = element("div", { class: "tools" }, view.lasso,
    button("+", "", on.closer, { title: "Zoom in", "aria-label": "Zoom in" }),
    button("−", "", on.farther, { title: "Zoom out", "aria-label": "Zoom out" }),
    button("Fit", "", on.fit, { title: "Show all" }));
  view.chosen = element("div", { class: "bar" }, view.state, view.offer, view.none);
  view.root = element("section", { class: "pool-map", "aria-label": "Map" },
    element("div", { class: "head" }, view.colors, tools), view.legend, view.stage,
    element("p", { class: "how", id: "how" }, HOW), view.chosen, view.strip);
  return view;
}

function drawColorings(view, all, current, choose) {
  view.colors.replaceChildren(...all.map((coloring) => {
    const press = element("button", { type: "button", class: "chip", "aria-pressed": String(coloring === current) }, coloring.title);
    press.addEventListener("click", () => choose(coloring));
    return press;
  }));
}

function drawLegend(view, { title, legend }) {
  const { entries, stops } = legend;
  const name = element("b", {}, title);
  if (stops) {
    const bar = element("span", { class: "gradient" });
    bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
    view.legend.replaceChildren(name, element("span", {}, legend.from), bar, element("span", {}, legend.to));
  } else {
    view.legend.replaceChildren(name, ...entries.map(({ text, look }) => {
      const sign = element("span", { class: `sign shape-${look[3]}`, "aria-hidden": "true" });
      sign.style.background = `rgb(${look.slice(0, 3).join(" ")})`;
      return element("span", { class: "entry", translate: "no" }, sign, text);
    }));
  }
  if (entries?.length > 20) view.legend.tabIndex = 0; // it is scrolled
  else view.legend.removeAttribute("tabindex");
}

function drawTip(view, lines, [left, top]) {
  view.tip.replaceChildren(...lines.map((line) => element("div", { translate: "no" }, line)));
  view.tip.hidden = lines.length === 0;
  const { clientWidth, clientHeight } = view.stage;
  view.tip.style.left = `${Math.min(left + 14, clientWidth - view.tip.offsetWidth - 4)}px`;
  view.tip.style.top = `${Math.min(top + 14, clientHeight - view.tip.offsetHeight - 4)}px`;
}

// What lies over the points: the sample that was picked, the one under the pointer, the lasso and the cross.
function drawOver(canvas, camera, { picked, hovered, corners, cross }) {
  const context = canvas.getContext("2d");
  const ratio = canvas.width / camera.width;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, camera.width, camera.height);
  const color = getComputedStyle(canvas).color;
  [context.strokeStyle, context.fillStyle, context.lineWidth] = [color, color, 2];
  for (const [place, radius] of [[picked, 9], [hovered, 6]]) {
    if (place === null) continue;
    context.beginPath();
    context.arc(...place, radius, 0, 2 * Math.PI);
    context.stroke();
  }
  if (cross !== null) {
    context.fillRect(cross[0] - 10, cross[1] - 1, 20, 2);
    context.fillRect(cross[0] - 1, cross[1] - 10, 2, 20);
  }
  if (corners.length < 2) return;
  context.beginPath();
  corners.forEach((corner, number) => context[number ? "lineTo" : "moveTo"](...corner));
  context.closePath();
  context.stroke();
  context.globalAlpha = 0.12;
  context.fill();
  context.globalAlpha = 1;
}
