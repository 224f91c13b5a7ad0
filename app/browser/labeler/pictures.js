// The images of the queue and the history, decoded before they are needed: showing one is then the work of one frame.

const PICTURES_KEPT = 150;

function openPictures(changed) {
  const held = new Map(); // sample id -> { image, state: "loading" | "ready" | "failed" }

  const decode = (picture) => {
    picture.image.decode().then(
      () => { picture.state = "ready"; changed(); },
      () => { picture.state = "failed"; changed(); },
    );
  };

  const take = (sampleId, address) => {
    if (!address || held.has(sampleId)) return;
    const image = new Image();
    image.decoding = "sync"; // decoded already; asynchronously it would be painted a frame later
    image.draggable = false;
    image.src = address;
    const picture = { image, state: "loading" };
    held.set(sampleId, picture);
    decode(picture);
  };

  const forget = (needed) => {
    for (const sampleId of held.keys()) {
      if (held.size <= PICTURES_KEPT) return;
      if (!needed.has(sampleId)) held.delete(sampleId);
    }
  };

  return { take, forget, get: (sampleId) => held.get(sampleId), ids: () => [...held.keys()] };
}
