// Looking closely at an image: larger and smaller, moved, turned, brighter and with more contrast. None of it changes the
// sample. Brightness and contrast stay from image to image, as a microscope's lamp does; the rest begins anew.

const MOST_ZOOM = 40;
const STEP = 1.25;
const WHEEL_STEP = 1.0015; // for each px of the wheel
const [LEAST, MOST] = [20, 300]; // % of brightness and contrast
const LIGHTS = { brightness: "Brightness", contrast: "Contrast" };

function slider(name, title, value) {
  const input = element("input", { type: "range", min: LEAST, max: MOST, value, title });
  input.setAttribute("aria-label", title);
  return element("label", { className: "light", title }, element("span", { textContent: name === "brightness" ? "☀" : "◐", attributes: { "aria-hidden": "true" } }), input);
}

// stage: where the image stands; wantWhole(): all pixels of the image on screen are wanted. light: brightness and contrast
// as they were left, in %; keep(light): they have changed.
function openZoom(stage, bar, { wantWhole, light: left, keep }) {
  let image = null;
  let size = null; // of the image itself, in its pixels: { width, height }
  let [zoom, x, y, turns] = [1, 0, 0, 0];
  const light = { brightness: 100, contrast: 100 };
  for (const name of Object.keys(LIGHTS)) if (left[name] >= LEAST && left[name] <= MOST) light[name] = left[name];
  const said = element("span", { className: "zoomed", attributes: { "aria-live": "polite" } });

  // CSS pixels for each of the image's own at "fit".
  const fitted = () => {
    const sides = turns % 2 ? [size.height, size.width] : [size.width, size.height];
    return Math.min(stage.clientWidth / sides[0], stage.clientHeight / sides[1]);
  };

  // What `object-fit: contain` has made of the image before it was turned.
  const contained = () => Math.min(stage.clientWidth / size.width, stage.clientHeight / size.height);

  const percent = () => Math.round(100 * zoom * fitted() * window.devicePixelRatio);

  const draw = () => {
    bar.hidden = image === null;
    if (image === null) return;
    const scale = zoom * (fitted() / contained());
    image.style.transform = zoom === 1 && turns === 0 ? "" : `translate(${x}px, ${y}px) rotate(${90 * turns}deg) scale(${scale})`;
    image.style.filter = light.brightness === 100 && light.contrast === 100 ? "" : `brightness(${light.brightness}%) contrast(${light.contrast}%)`;
    stage.classList.toggle("zoomed-in", zoom > 1);
    said.textContent = `${percent()} %`;
    if (zoom > 1 && percent() > (100 * image.naturalWidth) / size.width) wantWhole();
  };

  const to = (wanted, at = { x: 0, y: 0 }) => {
    if (image === null) return;
    const next = Math.min(MOST_ZOOM, Math.max(1, wanted));
    [x, y] = next === 1 ? [0, 0] : [at.x - (at.x - x) * (next / zoom), at.y - (at.y - y) * (next / zoom)];
    zoom = next;
    draw();
  };

  const original = () => 1 / (fitted() * window.devicePixelRatio);
  const acts = {
    in: () => to(zoom * STEP),
    out: () => to(zoom / STEP),
    fit: () => to(1),
    whole: () => to(original()),
    turn: () => { turns = (turns + 1) % 4; draw(); },
    reset: () => {
      Object.assign(light, { brightness: 100, contrast: 100 });
      for (const input of bar.querySelectorAll("input")) input.value = 100;
      draw();
      keep(light);
    },
  };

  const fromMiddle = (event) => {
    const box = stage.getBoundingClientRect();
    return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
  };

  stage.addEventListener("wheel", (event) => {
    if (image === null || (zoom === 1 && event.deltaY > 0)) return; // smaller than all of it: the page is scrolled
    event.preventDefault();
    to(zoom * WHEEL_STEP ** -event.deltaY, fromMiddle(event));
  }, { passive: false });
  stage.addEventListener("dblclick", (event) => { to(zoom > 1 ? 1 : Math.max(2, original()), fromMiddle(event)); });
  stage.addEventListener("pointermove", (event) => {
    if (image === null || zoom === 1 || event.buttons !== 1) return;
    [x, y] = [x + event.movementX, y + event.movementY];
    draw();
  });

  const press = (text, title, what) => {
    const made = element("button", { type: "button", textContent: text, title, attributes: { "aria-label": title } });
    made.addEventListener("click", () => { if (image !== null) acts[what](); });
    return made;
  };
  const lights = Object.entries(LIGHTS).map(([name, title]) => {
    const made = slider(name, title, light[name]);
    made.lastChild.addEventListener("input", ({ target }) => { light[name] = Number(target.value); draw(); keep(light); });
    return made;
  });
  bar.append(press("−", "Smaller (-)", "out"), said, press("+", "Larger (+)", "in"), press("Fit", "All of it", "fit"),
    press("100 %", "A pixel of the image is a pixel of the screen", "whole"), press("⟳", "Turn", "turn"), ...lights,
    press("Reset", "Brightness and contrast as they were", "reset"));

  return {
    // content: what is on the stage; null and what is no image have nothing to zoom.
    look: (content) => {
      image = content?.state === "ready" && content.size ? content.element : null;
      size = content?.size ?? null;
      [zoom, x, y, turns] = [1, 0, 0, 0];
      draw();
    },
    isIn: () => image !== null && zoom > 1,
    larger: acts.in,
    smaller: acts.out,
  };
}
