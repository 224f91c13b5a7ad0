// A finger on the sample.

const SWIPE_PX = 60;
const SWIPE_MS = 800;

// A finger to the left skips, to the right takes the last decision back.
function listenToSwipes(element, act) {
  let start = null;
  element.addEventListener("pointerdown", (event) => { start = event.pointerType === "mouse" ? null : event; });
  element.addEventListener("pointercancel", () => { start = null; });
  element.addEventListener("pointerup", (event) => {
    if (!start || event.timeStamp - start.timeStamp > SWIPE_MS) return;
    const [x, y] = [event.clientX - start.clientX, event.clientY - start.clientY];
    start = null;
    if (Math.abs(x) >= SWIPE_PX && Math.abs(x) > 2 * Math.abs(y)) act(x < 0 ? "skip" : "undo", event);
  });
}
