// What was typed, when a link is pressed straight from its field.
//
// The press takes the focus from the field, which sends its words, and the click asks for the other page: at the same
// moment, where a finger taps. Streamlit (1.67) makes one of two requests that come before the script has begun to run,
// and keeps page and fields of the later one: either the words were lost or nothing was opened. The click therefore
// waits until the script runs with the words.

const JUST_NOW_MS = 500; // from the field to the click
const LONGEST_WAIT_MS = 1500;
const LOOK_AGAIN_MS = 20;

const isField = (node) => node instanceof HTMLElement && node.matches("input, textarea");
const isRunning = () => document.querySelector(".stApp")?.dataset.testScriptState === "running";

function watchFields() {
  let began = ""; // what stood in the field when it was entered
  let sentAt = -Infinity;
  let wasRunning = false; // as the words were sent: then the run that is seen may be one without them

  const press = (link, since) => {
    const hasBegun = wasRunning ? !isRunning() : isRunning();
    if (hasBegun || performance.now() - since > LONGEST_WAIT_MS) link.click();
    else setTimeout(press, LOOK_AGAIN_MS, link, since);
  };

  document.addEventListener("focusin", ({ target }) => {
    if (isField(target)) began = target.value;
  });
  document.addEventListener("focusout", ({ target }) => {
    if (!isField(target) || target.value === began) return;
    sentAt = performance.now();
    wasRunning = isRunning();
  });
  document.addEventListener("click", (event) => {
    const link = event.isTrusted && performance.now() - sentAt < JUST_NOW_MS ? pageLinkOf(event) : null;
    if (link === null) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    sentAt = -Infinity;
    press(link, performance.now());
  }, true);
}

export default function () {
  if (window.labelloopWatchesFields) return; // of all pages at once: they are one document
  window.labelloopWatchesFields = true;
  watchFields();
}
