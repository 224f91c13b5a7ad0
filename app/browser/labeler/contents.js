// The samples of the queue and the history, made ready before they are needed.

const CONTENTS_KEPT = 150;

// Pixels of the screen that the stage has for a sample, the longer side.
const sideOf = (stage) => Math.ceil(Math.max(stage.clientWidth, stage.clientHeight) * window.devicePixelRatio);

function openContents(changed) {
  const held = new Map(); // sample id -> content, see content/content.js

  const take = (sampleId, sent) => {
    if (!sent || held.has(sampleId)) return;
    held.set(sampleId, openContent(sent, changed, "the sample to label"));
  };

  const forget = (needed) => {
    for (const sampleId of held.keys()) {
      if (held.size <= CONTENTS_KEPT) return;
      if (!needed.has(sampleId)) held.delete(sampleId);
    }
  };

  return { take, forget, get: (sampleId) => held.get(sampleId), ids: () => [...held.keys()] };
}
